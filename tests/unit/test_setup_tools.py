"""The set-up that `./dev` runs before the project's interpreter exists (tools/). Runs on Python 3.11 too."""

import io
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from tools import (  # noqa: E402
    cleaning,
    commands,
    cpython_build,
    documents,
    environment,
    lock,
    packages,
    places,
    probe,
    process,
    say,
    search,
    stamp,
    uv,
)

GOOD = {
    "implementation": "cpython",
    "version": [3, 14, 7],
    "build": "3.14.7 free-threading build",
    "free_threaded": True,
    "headers": True,
    "missing_modules": [],
}


def executable(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + script + "\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def fake_python(path: Path, **facts: object) -> Path:
    """A program that answers the probe as an interpreter with these facts would."""
    return executable(path, f"cat >/dev/null\ncat <<'END'\n{json.dumps({**GOOD, **facts})}\nEND")


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of its own: an empty cache, no python3.14t on PATH, nothing named by the environment."""
    monkeypatch.setenv("FTJIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.delenv("FTJIT_PYTHON", raising=False)
    return tmp_path


# --- which interpreter -------------------------------------------------------------------------------------


def test_the_search_takes_the_first_in_order(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = fake_python(machine / "named")
    monkeypatch.setenv("FTJIT_PYTHON", str(named))
    best_first = [
        named,
        fake_python(machine / "bin" / "python3.14t"),
        fake_python(cpython_build.prefix(pgo=True) / "bin" / "python3.14t"),
        fake_python(machine / "cache/uv/python/cpython-3.14.9+freethreaded/bin/python3.14t"),
        fake_python(cpython_build.prefix(pgo=False) / "bin" / "python3.14t"),
    ]
    for expected in best_first:
        found = search.first(search.at_hand())
        assert found is not None
        assert found[1].path == expected
        expected.unlink()
        monkeypatch.delenv("FTJIT_PYTHON", raising=False)
    assert search.first(search.at_hand()) is None
    assert [place.name for place in search.to_make(install_missing=False)] == ["uv", "source"]


def test_a_profile_guided_build_says_how_to_use_it(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = probe.Interpreter(Path("/x/python"), "cpython", (3, 14, 7), "b", True, True, ())
    monkeypatch.setattr(cpython_build, "build", lambda pgo, install_missing: made)
    assert search.find(pgo=True) is made
    assert "FTJIT_PYTHON" not in "".join(capsys.readouterr())
    fake_python(machine / "bin" / "python3.14t")
    assert search.find(pgo=True) is made
    assert "for this one set FTJIT_PYTHON=/x/python" in "".join(capsys.readouterr())


def test_uv_comes_before_a_build_and_a_build_after_uv_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    made = probe.Interpreter(Path("/x"), "cpython", (3, 14, 7), "b", True, True, ())
    monkeypatch.setattr(uv, "install", lambda: tried.append("uv"))
    monkeypatch.setattr(cpython_build, "build", lambda **options: tried.append("build") or made)
    assert search.find() is made
    assert tried == ["uv", "build"]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"version": [3, 13, 2]}, "CPython 3.13.2 free-threaded"),
        ({"version": [3, 15, 0]}, "CPython 3.15.0"),
        ({"free_threaded": False}, "CPython 3.14.7 with the GIL, not a free-threaded build"),
        ({"implementation": "pypy"}, "pypy 3.14.7"),
        ({"headers": False}, "without its C headers"),
        ({"missing_modules": ["ssl", "zlib"]}, "without the module(s) ssl, zlib"),
    ],
)
def test_a_wrong_interpreter_is_refused(
    machine: Path, monkeypatch: pytest.MonkeyPatch, facts: dict[str, object], said: str
) -> None:
    monkeypatch.setenv("FTJIT_PYTHON", str(fake_python(machine / "python", **facts)))
    with pytest.raises(say.SetupError) as refusal:
        search.find()
    assert said in str(refusal.value)
    assert probe.NEEDED in str(refusal.value)


@pytest.mark.parametrize(
    ("script", "said"),
    [("echo hello", "not a Python interpreter"), ("echo broken >&2; exit 3", "exit status 3): broken")],
)
def test_what_is_no_interpreter_is_refused(machine: Path, script: str, said: str) -> None:
    answer = probe.usable(executable(machine / "program", script))
    assert isinstance(answer, str)
    assert said in answer


def test_a_missing_program_named_by_the_environment_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTJIT_PYTHON", "/nowhere/python3.14t")
    with pytest.raises(say.SetupError, match="no such program"):
        search.find()


def test_a_wrong_one_on_the_path_is_passed_over(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake_python(machine / "bin" / "python3.14t", free_threaded=False)
    assert search.first(search.at_hand()) is None
    assert "passing over the python3.14t on PATH" in capsys.readouterr().err


def test_the_probe_follows_links(tmp_path: Path) -> None:
    link = tmp_path / "python3.14t"
    link.symlink_to(sys.executable)
    answer = probe.probe(link)
    assert isinstance(answer, probe.Interpreter)
    assert answer.path == Path(sys.executable).resolve()


def test_the_probe_reads_a_real_interpreter() -> None:
    answer = probe.probe(sys.executable)
    assert isinstance(answer, probe.Interpreter)
    assert answer.version == sys.version_info[:3]
    assert answer.free_threaded == (not getattr(sys, "_is_gil_enabled", lambda: True)())


# --- system packages ---------------------------------------------------------------------------------------

ZLIB = packages.Requirement("zlib1g-dev", header="zlib.h")
READLINE = packages.Requirement("libreadline-dev", header="readline/readline.h", needed=False)
MAKE = packages.Requirement("make", program="make")


def test_one_line_installs_everything_missing() -> None:
    lacking = packages.missing((MAKE, ZLIB, READLINE), {"make": "/usr/bin/make"}.get, lambda header: False)
    assert packages.install_line(lacking) == "apt-get install -y zlib1g-dev libreadline-dev"


def test_headers_are_looked_for_with_the_compiler() -> None:
    assert packages.has_header("stdlib.h")
    assert not packages.has_header("no/such/header.h")


@pytest.mark.parametrize(
    ("user", "install_missing", "commands_run"),
    [(0, False, ["apt-get"]), (1000, True, ["sudo"]), (1000, False, [])],
)
def test_root_installs_and_others_are_told(
    monkeypatch: pytest.MonkeyPatch, user: int, install_missing: bool, commands_run: list[str]
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(packages.os, "geteuid", lambda: user)
    monkeypatch.setattr(packages.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(packages, "missing", lambda requirements: [] if ran else [ZLIB, READLINE])
    monkeypatch.setattr(packages, "_install", ran.append)
    if commands_run:
        packages.ensure([ZLIB, READLINE], "building", install_missing)
    else:
        with pytest.raises(say.SetupError, match=r"\nsudo apt-get install -y zlib1g-dev libreadline-dev$"):
            packages.ensure([ZLIB, READLINE], "building", install_missing)
    assert [command[0] for command in ran] == commands_run


# --- building ----------------------------------------------------------------------------------------------


@pytest.fixture
def compiles(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """Building without a compiler: `build` installs a fake with the facts at the end of this list."""
    facts: list[dict[str, object]] = [{}]

    def compile_fake(archive: Path, work: Path, final: Path, pgo: bool) -> Path:
        fake_python(work / "staged" / "bin" / "python3.14t", **facts[-1])
        return work / "staged"

    monkeypatch.setattr(packages, "ensure", lambda *arguments: None)
    monkeypatch.setattr(cpython_build, "source_archive", lambda: Path("/nowhere"))
    monkeypatch.setattr(cpython_build, "_compile", compile_fake)
    return facts


def test_a_build_appears_whole_or_not_at_all(compiles: list[dict[str, object]]) -> None:
    compiles.append({"missing_modules": ["ssl"]})
    with pytest.raises(say.SetupError, match=r"without the module\(s\) ssl"):
        cpython_build.build()
    assert not cpython_build.prefix(pgo=False).exists()
    assert not (places.cache() / "build").exists()
    compiles.append({})
    built = cpython_build.build()
    assert built.path == cpython_build.prefix(pgo=False) / "bin" / "python3.14t"
    assert not (places.cache() / "build").exists()


def test_a_build_is_kept(compiles: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch) -> None:
    cpython_build.build()
    monkeypatch.delattr(cpython_build, "_compile")
    cpython_build.build()


def test_a_cache_path_with_a_space_is_refused(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTJIT_CACHE", str(machine / "my cache"))
    with pytest.raises(say.SetupError, match="without spaces"):
        cpython_build.build()


@pytest.mark.parametrize(
    "line",
    ["gcc -c -O3 -o Objects/dictobject.o Objects/dictobject.c", "gcc -o Objects/dictobject.o -O3 -c d.c"],
)
def test_compiled_objects_are_counted(line: str) -> None:
    found = cpython_build._OBJECT.search(line)
    assert found is not None
    assert "Objects/dictobject.o" in found.groups()


def test_only_one_set_up_works_at_a_time(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def said(line: str) -> None:
        order.append(line)
        waiting.set()

    def second() -> None:
        with lock.only_one(machine / "lock"):
            order.append("second")

    monkeypatch.setattr(lock, "say", said)
    thread = threading.Thread(target=second)
    with lock.only_one(machine / "lock"):
        thread.start()
        assert waiting.wait(10)
        order.append("first")
    thread.join(10)
    assert order == [
        f"another set-up is at work (process {os.getpid()}); waiting for it",
        "first",
        "second",
    ]


# --- the virtual environment -------------------------------------------------------------------------------

INTERPRETER = probe.Interpreter(Path("/p/python3.14t"), "cpython", (3, 14, 7), "3.14.7 (one)", True, True, ())


@pytest.fixture
def checkout(machine: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one file of each kind, used in place of the real one."""
    root = machine / "checkout"
    for name in ("cdefs/slot.c", "cdefs/stencils/add.c", "ftjit/stencils/build.py", "setup.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("1")
    (root / "pyproject.toml").write_text('[build-system]\nrequires = ["setuptools"]\n')
    monkeypatch.setattr(places, "REPOSITORY", root)
    monkeypatch.setattr(places, "VENV", root / ".venv")
    monkeypatch.setattr(places, "VENV_PYTHON", root / ".venv/bin/python")
    monkeypatch.setattr(environment, "LOG", root / ".cache/pip.log")
    monkeypatch.setattr(environment, "LOCK", root / ".cache/lock")
    return root


def test_the_stamp_follows_what_is_built_from(checkout: Path) -> None:
    def now(interpreter: probe.Interpreter = INTERPRETER, *extras: str) -> stamp.Stamp:
        return stamp.stamp_of(checkout, interpreter, extras)

    before = now(INTERPRETER, "test", "bench")
    for harmless in ("cdefs/slot.o", "ftjit/stencils/library.x.bin", "ftjit/api.py"):
        (checkout / harmless).write_text("made")
    assert before.covers(now(INTERPRETER, "test"))
    assert not before.covers(now(INTERPRETER, "test", "dev"))
    assert not before.covers(now(replace(INTERPRETER, build="3.14.7 (two)")))
    assert not before.covers(now(replace(INTERPRETER, path=Path("/q/python3.14t"))))
    for name in ("pyproject.toml", "setup.py", "cdefs/slot.c", "cdefs/new.h", "ftjit/stencils/build.py"):
        unchanged = now()
        (checkout / name).write_text(f"changed {name}")
        assert not unchanged.covers(now()), name


def test_a_stamp_is_read_back_and_a_damaged_one_is_none(checkout: Path) -> None:
    venv = checkout / ".venv"
    venv.mkdir()
    assert stamp.read(venv) is None
    written = stamp.stamp_of(checkout, INTERPRETER, ("test",))
    stamp.write(venv, written)
    assert stamp.read(venv) == written
    (venv / stamp.FILE_NAME).write_text('{"interpreter"')
    assert stamp.read(venv) is None


def test_only_what_changed_is_done_again(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    interpreter = INTERPRETER
    broken = False

    def record(command: list[object], log: Path, *, what: str, **options: object) -> None:
        done.append(f"{what} {command[-1]}" if command[-1] != places.VENV else "venv")
        if broken:
            raise say.SetupError("pip failed")
        executable(places.VENV_PYTHON, "")

    def run(*extras: str) -> list[str]:
        done.clear()
        environment.make_ready(extras)
        return list(done)

    monkeypatch.setattr(environment, "run_logged", record)
    monkeypatch.setattr(search, "find", lambda pgo, install_missing: interpreter)
    install = ["pip install (build requirements) setuptools", "pip install (the package) .[bench,test]"]
    assert run("test", "bench") == ["venv", *install]
    assert run("test") == []
    (checkout / "cdefs/slot.c").write_text("2")
    assert run("test") == install  # the extras that are there stay
    interpreter = replace(INTERPRETER, build="3.14.8")
    assert run("test", "bench") == ["venv", *install]
    broken = True
    (checkout / "cdefs/slot.c").write_text("3")
    with pytest.raises(say.SetupError):
        run("test", "bench")
    (checkout / "cdefs/slot.c").write_text("2")  # what the last whole set-up saw
    broken = False
    assert run("test", "bench")[-2:] == install  # half a set-up is not taken for a whole one


# --- the commands, and what they say -----------------------------------------------------------------------


def test_what_pytest_is_given(checkout: Path) -> None:
    quick, extra = commands.pytest_arguments(["-k", "slot"])
    assert quick == ["-q", "-n", "2", "-m", "not full", "-k", "slot", "tests"]
    assert extra == {}
    full, extra = commands.pytest_arguments(["--full", "cdefs/slot.c::test"])
    assert full == ["-q", "-n", "2", "cdefs/slot.c::test"]
    assert extra == {"FTJIT_TEST_FULL": "1"}


def test_a_failed_command_shows_its_last_lines_and_its_log(machine: Path) -> None:
    log = machine / "logs" / "job.log"
    with pytest.raises(say.SetupError) as failure:
        process.run_logged(["sh", "-c", "seq 1 100; exit 7"], log, what="counting")
    shown = str(failure.value).splitlines()
    assert shown[0] == f"counting failed (exit status 7); the last lines of {log}:"
    assert shown[1:] == [f"  | {number}" for number in range(71, 101)]
    assert "\n1\n2\n" in log.read_text()


def test_progress_is_plain_lines_away_from_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(say.Progress, "PLAIN_SECONDS", 0.0)
    stream = io.StringIO()
    progress = say.Progress("job", stream)
    for step in range(101):
        progress.show("compiling", step / 100)
    progress.done("built")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1 + 10 + 1
    assert lines[-1].startswith("job: built")
    assert "\r" not in stream.getvalue()


def test_cleaning_leaves_what_was_written(checkout: Path) -> None:
    made = ".venv/bin/python ftjit/_core.so ftjit/_core.c ftjit/__pycache__/a.pyc x.egg-info/y"
    for name in made.split():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("made")
    cleaning.clean(checkout, None)
    left = {str(path.relative_to(checkout)) for path in checkout.rglob("*") if path.is_file()}
    written = {
        "cdefs/slot.c",
        "cdefs/stencils/add.c",
        "ftjit/stencils/build.py",
        "setup.py",
        "pyproject.toml",
    }
    assert left == written


def test_links_that_lead_nowhere_are_found(machine: Path) -> None:
    page = machine / "page.md"
    page.write_text("[a](page.md#part) [b](gone.md) [c](https://site.test/) [d](#here)\n```\n[e](not.md)\n```\n")
    assert list(documents.broken_links(page)) == ["gone.md"]


@pytest.mark.parametrize(("words", "status"), [(["help"], 0), ([], 2), (["nonsense"], 2), (["setup"], 1)])
@pytest.mark.usefixtures("checkout")
def test_exit_statuses(
    words: list[str], status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FTJIT_PYTHON", "/nowhere/python3.14t")
    assert commands.main(words) == status
    said = capsys.readouterr()
    assert ("./dev test" in said.out) == (words in (["help"], []))
    assert len(said.err.splitlines()) == (words in (["nonsense"], ["setup"]))


def test_the_script_hands_over_to_the_commands() -> None:
    answer = subprocess.run([sys.executable, REPOSITORY / "dev", "help"], capture_output=True, text=True)
    assert answer.returncode == 0
    assert answer.stdout == commands.usage() + "\n"
