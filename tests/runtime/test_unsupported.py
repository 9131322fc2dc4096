"""Where ftjit cannot run, importing it works and switching it on says what is needed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from fresh_process import ending, python

import ftjit

ROOT = Path(__file__).resolve().parents[2]
TRY = """
import ftjit
assert ftjit.stats().entries == 0
assert ftjit.drain(0.1)
ftjit.disable()
def f(): pass
assert not ftjit.is_compiled(f)
try:
    {what}
except ftjit.UnsupportedPython as error:
    print("refused:", error)
    assert isinstance(error, RuntimeError)
"""


def refusal(*arguments: str, what: str = "ftjit.enable()", prelude: str = "", **options: object) -> str:
    outcome = python(*arguments, "-c", prelude + TRY.format(what=what), **options)  # type: ignore[arg-type]
    assert outcome.returncode == 0, f"{ending(outcome.returncode)}\n{outcome.stderr}"
    assert outcome.stdout.startswith("refused:"), outcome.stdout + outcome.stderr
    assert outcome.stdout.count("\n") == 1, "the message is more than one line"
    assert not outcome.stderr, outcome.stderr
    return outcome.stdout


def other_pythons() -> list[str]:
    found = [shutil.which(name, path="/usr/bin:/usr/local/bin") for name in ("python3.11", "python3.12", "python3.13")]
    return [path for path in found if path]


@pytest.mark.parametrize("executable", other_pythons() or [pytest.param("", marks=pytest.mark.skip("no other Python"))])
@pytest.mark.parametrize("what", ["ftjit.enable()", "ftjit.compile(f)"])
def test_another_python(executable: str, what: str) -> None:
    said = refusal(what=what, executable=executable, environment={"PYTHONPATH": str(ROOT)})
    assert "3.14" in said
    assert "free-threaded" in said
    version = Path(executable).name.removeprefix("python")
    assert f"this is CPython {version}" in said


@pytest.mark.parametrize("what", ["ftjit.enable()", "ftjit.compile(f)"])
def test_with_the_gil_on(what: str) -> None:
    said = refusal(what=what, environment={"PYTHON_GIL": "1"})
    assert "PYTHON_GIL" in said
    assert "GIL" in refusal("-X", "gil=1")


DECORATED = """
import ftjit
@ftjit.jit
def f(): return 1
@ftjit.never
def g(): return 2
print(f(), g(), ftjit.is_compiled(f))
"""


@pytest.mark.parametrize("executable", other_pythons() or [pytest.param("", marks=pytest.mark.skip("no other Python"))])
def test_decorators_on_another_python(executable: str) -> None:
    outcome = python("-c", DECORATED, executable=executable, environment={"PYTHONPATH": str(ROOT)})
    assert outcome.stdout == "1 2 False\n", outcome.stderr


@pytest.mark.parametrize("executable", other_pythons() or [pytest.param("", marks=pytest.mark.skip("no other Python"))])
def test_the_command_on_another_python(executable: str) -> None:
    def run(*arguments: str) -> Any:
        return python("-m", "ftjit", *arguments, executable=executable, environment={"PYTHONPATH": str(ROOT)})

    for arguments in (["-c", "1"], ["doctor", "x"], []):
        outcome = run(*arguments)
        assert outcome.returncode == 2
        assert outcome.stderr.startswith("ftjit: ftjit needs free-threaded CPython 3.14"), outcome.stderr
        assert outcome.stderr.count("\n") == 1
    doctor = run("doctor")
    assert (doctor.returncode, doctor.stderr) == (1, "")
    assert "free-threaded build  no\n" in doctor.stdout
    assert "cannot run: ftjit needs free-threaded CPython 3.14" in doctor.stdout
    version = run("version")
    assert (version.returncode, version.stdout.split()[:2]) == (0, ["ftjit", f"{ftjit.__version__},"])


def test_without_its_stencils() -> None:
    missing = (
        "import ftjit.stencils.library as library, pathlib; library.load.__defaults__ = (pathlib.Path('/no/such'),)\n"
    )
    assert "/no/such is missing: reinstall ftjit" in refusal(prelude=missing)
    doctor = python("-c", f"{missing}import ftjit.cli; raise SystemExit(ftjit.cli.main(['doctor']))")
    assert doctor.returncode == 1
    assert "cannot run: /no/such is missing" in doctor.stdout, doctor.stderr


def test_without_room_for_its_thread_local_storage() -> None:
    """Other extensions have taken what the C library keeps for libraries that are loaded late."""
    prelude = """
import sys
class Full:
    def find_spec(self, name, path=None, target=None):
        if name == "ftjit._core": raise ImportError("_core.so: cannot allocate memory in static TLS block")
sys.meta_path.insert(0, Full())
"""
    said = refusal(prelude=prelude)
    assert "cannot allocate memory in static TLS block" in said
    assert "import ftjit before other extensions" in said


def test_a_switch_that_is_neither_yes_nor_no() -> None:
    outcome = python("-c", "import ftjit; print(ftjit.stats().enabled)", environment={"FTJIT": "eager"})
    assert outcome.stdout == "False\n"
    assert "FTJIT=eager is neither yes nor no" in outcome.stderr


def test_doctor_reads_the_settings() -> None:
    outcome = python("-m", "ftjit", "doctor", environment={"FTJIT_TICK_US": "often"})
    assert outcome.returncode == 1
    assert "FTJIT_TICK_US='often'" in outcome.stdout


def test_decorators_with_the_gil_on() -> None:
    outcome = python("-c", DECORATED, environment={"PYTHON_GIL": "1"})
    assert outcome.stdout == "1 2 False\n", outcome.stderr


def test_tool_id_taken() -> None:
    prelude = "import sys; sys.monitoring.use_tool_id(5, 'another optimizer')\n"
    said = refusal(prelude=prelude)
    assert "'another optimizer'" in said
    assert "5" in said


def test_tool_id_taken_then_given_back() -> None:
    """A refusal is not for ever: it works once the mend that the message names was made."""
    outcome = python(
        "-c",
        "import sys, ftjit\n"
        "sys.monitoring.use_tool_id(5, 'x')\n"
        "for turn in range(2):\n"
        "    try: ftjit.enable(); print('enabled')\n"
        "    except ftjit.UnsupportedPython: print('refused'); sys.monitoring.free_tool_id(5)\n",
    )
    assert outcome.stdout == "refused\nenabled\n", outcome.stdout + outcome.stderr


def test_in_a_subinterpreter() -> None:
    """Refused there; nothing breaks in the main one."""
    source = """
import ftjit
from concurrent import interpreters
other = interpreters.create()
other.exec('''
import ftjit
try:
    ftjit.enable()
except (ftjit.UnsupportedPython, ImportError) as error:
    print("refused:", error)
''')
other.close()
ftjit.enable()
def f(n):
    t = 0
    for i in range(n): t += i
    return t
ftjit.compile(f, 100)
print(f(100), ftjit.is_compiled(f))
"""
    outcome = python("-c", source)
    assert outcome.returncode == 0, ending(outcome.returncode) + outcome.stdout + outcome.stderr
    assert outcome.stdout.startswith("refused:"), outcome.stdout + outcome.stderr
    assert outcome.stdout.endswith("4950 True\n")


@pytest.mark.parametrize("value", ["fence", "membarrier"])
def test_both_barriers(value: str) -> None:
    source = """
import ftjit
def f(n):
    t = 0
    for i in range(n): t += i
    return t
ftjit.compile(f, 100)
before = ftjit.stats().entries
assert f(1000) == 499500
assert ftjit.stats().entries > before
print(ftjit.stats().asymmetric_barrier)
ftjit.disable()
assert ftjit.drain(2)
"""
    outcome = python("-c", source, environment={"FTJIT_BARRIER": value})
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.strip() == str(value == "membarrier"), outcome.stdout


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("FTJIT_TICK_US", "often", "FTJIT_TICK_US='often'"),
        (
            "FTJIT_PASSES_OFF",
            "constants,dead_cod",
            "FTJIT_PASSES_OFF: there is no 'dead_cod', only parameters, constants, ",
        ),
    ],
)
def test_a_setting_that_means_nothing_names_the_variable(variable: str, value: str, message: str) -> None:
    outcome = python("-c", "import ftjit; ftjit.enable()", environment={variable: value})
    assert outcome.returncode != 0
    assert message in outcome.stderr


def test_imported_and_not_enabled_changes_nothing() -> None:
    source = """
import sys, threading, os
import ftjit
assert sys.monitoring.get_tool(5) is None
assert threading.active_count() == 1
assert len(os.listdir('/proc/self/task')) == 1
def f(n):
    t = 0
    for i in range(n): t += i
    return t
for _ in range(2000): f(100)
assert ftjit.stats() == ftjit.Stats()
assert sys.monitoring.get_tool(5) is None
print("quiet")
"""
    outcome = python("-c", source)
    assert outcome.stdout == "quiet\n", outcome.stderr
    assert not outcome.stderr


def test_disabled_again_leaves_no_thread() -> None:
    source = """
import os, time, ftjit
ftjit.enable()
def f(n):
    t = 0
    for i in range(n): t += i
    return t
ftjit.compile(f, 100)
ftjit.disable()
deadline = time.monotonic() + 3
while len(os.listdir('/proc/self/task')) > 1 and time.monotonic() < deadline: time.sleep(0.01)
print(len(os.listdir('/proc/self/task')))
"""
    outcome = python("-c", source)
    assert outcome.stdout == "1\n", outcome.stdout + outcome.stderr


assert sys.version_info >= (3, 14), "these tests run under the Python that ftjit is for"
