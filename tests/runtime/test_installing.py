"""The package as a user installs it: built by pip, in an environment that has nothing else, away from the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 600
PROGRAM = """
import threading
import ftjit

def triangle(n):
    total = 0
    for i in range(n):
        total += i
    return total

ftjit.compile(triangle, 1000)
threads = [threading.Thread(target=triangle, args=(100_000,)) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(triangle(100_000), ftjit.stats().entries > 2, ftjit.__file__)
"""
REFUSAL = """
import ftjit
try:
    ftjit.enable()
except ftjit.UnsupportedPython as error:
    print("refused:", error)
"""


def run(*command: str | Path, cwd: Path) -> str:
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def install(python: str, folder: Path) -> Path:
    """The checkout, installed in an environment of its own there; its interpreter."""
    # A copy, as pip builds in place: the checkout keeps what it has.
    source = folder / "source"
    shutil.copytree(
        ROOT, source, ignore=shutil.ignore_patterns(".*", "__pycache__", "build", "*.so", "*.bin", "*.egg-info")
    )
    run(python, "-m", "venv", folder / "venv", cwd=folder)
    installed = folder / "venv" / "bin" / "python"
    run(installed, "-m", "pip", "install", "-q", source, cwd=folder)
    shutil.rmtree(source)
    return installed


@pytest.mark.full
def test_on_a_free_threaded_build(tmp_path: Path) -> None:
    python = install(sys.executable, tmp_path)
    total, entered, place = run(python, "-c", PROGRAM, cwd=tmp_path).split()
    assert (total, entered) == ("4999950000", "True")
    assert Path(place).is_relative_to(tmp_path / "venv")
    assert "works here" in run(python, "-m", "ftjit", "doctor", cwd=tmp_path)
    (tmp_path / "program.py").write_text("print(sum(i for i in range(10)))\n")
    assert run(python, "-m", "ftjit", "program.py", cwd=tmp_path) == "45\n"


@pytest.mark.full
@pytest.mark.skipif(not shutil.which("python3", path="/usr/bin:/usr/local/bin"), reason="no other Python")
def test_on_a_build_with_the_gil(tmp_path: Path) -> None:
    other = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    assert other is not None
    python = install(other, tmp_path)
    assert run(python, "-c", REFUSAL, cwd=tmp_path).startswith("refused: ftjit needs free-threaded CPython 3.14")
    assert "ftjit" in run(python, "-m", "ftjit", "version", cwd=tmp_path)
