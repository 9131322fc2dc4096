"""`python -m ftjit` runs programs as `python` does: output, tracebacks, exit status."""

from __future__ import annotations

import json
import os
import py_compile
import subprocess
import sys
import zipapp
from pathlib import Path

import pytest

PICKLED = "import atexit, pickle\nclass C: pass\natexit.register(lambda: print(len(pickle.dumps(C())) > 0))\n"
SCRIPTS = {
    "arguments": "import sys; print(sys.argv, __name__, __file__, sys.path[0])",
    "an exception": "def f():\n    return 1 / 0\nf()",
    "a broken pipe": "raise BrokenPipeError('mine')",
    "an error of ftjit's": "import ftjit\nraise ftjit.UnsupportedPython('mine')",
    "a syntax error": "x = = 1",
    "an exit status": "import sys; sys.exit(3)",
    "an exit text": "raise SystemExit('no more')",
    "another folder": "import os; os.chdir('/'); print(os.path.exists(__file__))",
    "pickling at the end": PICKLED,
    "a package": "from . import nothing",
    "Ctrl-C": "import os, signal\ndef f():\n    os.kill(os.getpid(), signal.SIGINT)\nf()",
    "Ctrl-C and a hook": "import sys\nsys.excepthook = lambda *what: print(what[:2])\nraise KeyboardInterrupt('mine')",
}


def run(*arguments: str, cwd: Path, text: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd, input=text, capture_output=True, text=True, timeout=60, env=os.environ | environment,
    )  # fmt: skip


def both(
    *arguments: str, cwd: Path, text: str | None = None, **environment: str
) -> tuple[subprocess.CompletedProcess[str], subprocess.CompletedProcess[str]]:
    return (
        run(*arguments, cwd=cwd, text=text, **environment),
        run("-m", "ftjit", *arguments, cwd=cwd, text=text, **environment),
    )


def assert_same(plain: subprocess.CompletedProcess[str], ours: subprocess.CompletedProcess[str]) -> None:
    assert (ours.stdout, ours.stderr, ours.returncode) == (plain.stdout, plain.stderr, plain.returncode)


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts(name: str, tmp_path: Path) -> None:
    script = tmp_path / "sub" / "program.py"
    script.parent.mkdir()
    script.write_text(SCRIPTS[name])
    assert_same(*both("sub/program.py", "one", "--two", cwd=tmp_path))


def test_code(tmp_path: Path) -> None:
    text = "import pickle, sys\nclass C: pass\n"
    text += "print(sys.argv, sys.path[0], len(pickle.dumps(C())), '__file__' in globals())"
    assert_same(*both("-c", text, "one", cwd=tmp_path))
    assert_same(*both("-c", "1 / 0", cwd=tmp_path))
    assert_same(*both("-cimport sys; print(sys.argv)", "one", cwd=tmp_path))
    assert_same(*both("-c", "", "one", cwd=tmp_path))
    assert_same(*both("-c", "\n    if True:\n        print(1)\n    1 / 0", cwd=tmp_path))
    assert_same(*both("-c", 'x = """a\n   \nb"""\nprint(repr(x))', cwd=tmp_path))


def test_modules(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "part.py").write_text(
        "from . import __name__ as p\nimport sys\nprint(p, sys.argv, __file__, sys.path[0])"
    )
    assert_same(*both("-m", "package.part", "one", cwd=tmp_path))
    assert_same(*both("-mpackage.part", "one", cwd=tmp_path))
    assert_same(*both("-m", "nosuch", cwd=tmp_path))


def test_standard_input(tmp_path: Path) -> None:
    assert_same(*both("-", "one", cwd=tmp_path, text="import sys; print(sys.argv)"))
    assert_same(*both("/dev/stdin", cwd=tmp_path, text="print(2)"))


def test_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "__main__.py").write_text(f"import helper, sys; print(helper.x, __name__, sys.path, sys.argv)\n{PICKLED}")
    (folder / "helper.py").write_text("x = 5")
    assert_same(*both("folder", "one", cwd=tmp_path))
    zipapp.create_archive(folder, tmp_path / "archive")
    assert_same(*both("archive", "one", cwd=tmp_path))
    assert_same(*both("archive", cwd=tmp_path, PYTHONSAFEPATH="1"))


def test_compiled_bytecode(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "program.py").write_text("import sys; print(sys.path, __name__)")
    py_compile.compile(str(tmp_path / "sub" / "program.py"), str(tmp_path / "sub" / "program.pyc"))
    assert_same(*both("sub/program.pyc", cwd=tmp_path))


def test_statistics_of_threads_that_main_does_not_wait_for(tmp_path: Path) -> None:
    """They stay in machine code, and what they did is counted."""
    (tmp_path / "program.py").write_text(
        "import threading, time\n"
        "def work(n):\n    t = 0\n    for i in range(n):\n        t += i & 3\n    return t\n"
        "def late():\n"
        "    threading.main_thread().join()\n"
        "    until = time.monotonic() + 0.5\n"
        "    while time.monotonic() < until: work(10_000)\n"
        "threading.Thread(target=late).start()\n"
    )
    outcome = run("-m", "ftjit", "--stats-json", "stats.json", "program.py", cwd=tmp_path)
    assert outcome.returncode == 0, outcome
    stats = json.loads((tmp_path / "stats.json").read_text())
    assert stats["executors_installed"] > 0
    assert stats["entries"] > 100
    assert stats["enabled"] is True


def test_a_safe_path(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "mine.py").write_text("x = 7")
    (tmp_path / "program.py").write_text("import mine, sys; print(mine.x)")
    environment = {"PYTHONSAFEPATH": "1", "PYTHONPATH": str(tmp_path / "lib")}
    assert_same(*both("program.py", cwd=tmp_path, **environment))


def test_explain_of_a_script_that_exits(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import sys\ndef main():\n    t = 0\n    for i in range(30_000_000):\n        t += i\n    return 0\n"
        "if __name__ == '__main__':\n    sys.exit(main())\n"
    )
    named = run("-m", "ftjit", "explain", "program.py:main", cwd=tmp_path)
    assert "main (" in named.stdout, named
    assert " = int_add" not in named.stdout
    assert " = int_add" in run("-m", "ftjit", "explain", "--ir", "program.py:main", cwd=tmp_path).stdout
    for name in ("program.py", f"../{tmp_path.name}/program.py"):
        everything = run("-m", "ftjit", "explain", name, cwd=tmp_path)
        assert "main (" in everything.stdout, everything


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nosuch.py"], "there is no script nosuch.py"),
        (["-W", "error", "program.py"], "Python's own go before -m"),
        (["explain", ":"], "name a function"),
        (["explain", "json"], "name a function"),
        (["explain", "--help"], "explain takes one TARGET"),
        (["--stats-json", "/no/such/folder/x", "-c", "1"], "make it first"),
        (["version", "--bogus"], "takes no arguments"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], said: str, tmp_path: Path) -> None:
    outcome = run("-m", "ftjit", *arguments, cwd=tmp_path)
    assert outcome.returncode == 2
    assert said in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def test_statistics_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    outcome = run("-m", "ftjit", "--stats-json", "taken", "-c", "raise SystemExit(3)", cwd=tmp_path)
    assert outcome.returncode == 3
    assert "could not be written" in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize("setting", ["FTJIT_HOT_SAMPLES=-1", "FTJIT_COMPILE_THREADS=0", "FTJIT_TICK_US=often"])
def test_settings_that_make_no_sense(setting: str, tmp_path: Path) -> None:
    name, value = setting.split("=")
    outcome = run("-m", "ftjit", "-c", "1", cwd=tmp_path, **{name: value})
    assert outcome.returncode == 2
    assert name in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    imported = run("-c", "import ftjit; print(5)", cwd=tmp_path, **{name: value, "FTJIT": "1"})
    assert imported.stdout == "5\n"
    assert name in imported.stderr
