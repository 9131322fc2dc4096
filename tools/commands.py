"""The commands of `./dev`: one table, and what each does once everything is set up."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools import cleaning, doctor, documents, packages, places
from tools.environment import EXTRAS, EXTRAS_OF_DEVELOPERS, become, make_ready, run_in
from tools.say import SetupError, say

INTERRUPTED = 130
MISUSED = 2
FAILED = 1


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line, after the command's own name."""

    install_missing: bool
    arguments: list[str]


@dataclass(frozen=True)
class Command:
    """One word after `./dev`."""

    name: str
    usage: str
    help: str
    run: Callable[[Request], int]  # returns the exit status


def _module(name: str, *leading: str) -> Callable[[Request], int]:
    """A command that sets everything up and becomes `python -m name leading... arguments...`."""

    def run(request: Request) -> int:
        python = make_ready(install_missing=request.install_missing)
        return become(python, "-m", name, *leading, *request.arguments)

    return run


def _setup(request: Request) -> int:
    parser = argparse.ArgumentParser(prog="dev setup", description="Find or build the interpreter, fill .venv.")
    parser.add_argument("--pgo", action="store_true", help="build CPython with PGO and LTO (about half an hour)")
    parser.add_argument("--dev", action="store_true", help="install the linters and the type checker too")
    chosen = parser.parse_args(request.arguments)
    extras = EXTRAS + (EXTRAS_OF_DEVELOPERS if chosen.dev else ())
    say(f"ready: {make_ready(extras, chosen.pgo, request.install_missing)}")
    return 0


def pytest_arguments(arguments: list[str]) -> tuple[list[str], dict[str, str]]:
    """What `./dev test arguments...` hands to pytest, and the variables it sets."""
    full = "--full" in arguments
    rest = [argument for argument in arguments if argument != "--full"]
    named = any((places.REPOSITORY / argument.partition("::")[0]).exists() for argument in rest if argument[:1] != "-")
    selection = [] if full else ["-m", "not full"]
    return ["-q", "-n", "2", *selection, *rest, *([] if named else ["tests"])], (
        {"FTJIT_TEST_FULL": "1"} if full else {}
    )


def _test(request: Request) -> int:
    packages.ensure(packages.TESTS, "testing", request.install_missing)
    python = make_ready(install_missing=request.install_missing)
    arguments, extra = pytest_arguments(request.arguments)
    return become(python, "-m", "pytest", *arguments, **extra)


def _lint(request: Request) -> int:
    python = make_ready(EXTRAS + EXTRAS_OF_DEVELOPERS, install_missing=request.install_missing)
    checks = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy", "ftjit"])
    statuses = [run_in(python, "-m", *check) for check in checks]
    return max(statuses)


def _format(request: Request) -> int:
    python = make_ready(EXTRAS + EXTRAS_OF_DEVELOPERS, install_missing=request.install_missing)
    return run_in(python, "-m", "ruff", "format", *(request.arguments or ["."]))


def _docs(request: Request) -> int:
    return documents.check(make_ready(install_missing=request.install_missing))


def _model(request: Request) -> int:
    packages.ensure(packages.MODEL, "model checking", request.install_missing)
    python = places.VENV_PYTHON if places.VENV_PYTHON.exists() else Path(sys.executable)  # any 3.11 does
    return become(python, str(places.REPOSITORY / "model" / "check.py"), *request.arguments)


def _doctor(request: Request) -> int:
    return doctor.report()


def _python(request: Request) -> int:
    print(make_ready(install_missing=request.install_missing))
    return 0


def _torture(request: Request) -> int:
    from torture.run import main as run  # needs a C compiler and nothing else of the set-up

    packages.ensure(packages.TORTURE, "torture", request.install_missing)
    return run(request.arguments)


def _clean(request: Request) -> int:
    parser = argparse.ArgumentParser(prog="dev clean", description="Remove what set-up and builds have made.")
    parser.add_argument("--all", action="store_true", help=f"the user's cache too, {places.cache()}")
    cleaning.clean(places.REPOSITORY, places.cache() if parser.parse_args(request.arguments).all else None)
    return 0


BENCH = _module("ftjit", "bench")
STRESS = _module("ftjit", "stress")

COMMANDS = (
    Command("demo", "[bench arguments]", "the main job: benchmarks with and without ftjit", BENCH),
    Command("test", "[--full] [pytest arguments]", "the quick tests; --full: all, up to an hour", _test),
    Command("setup", "[--pgo] [--dev]", "only set up; --pgo builds a profile-guided CPython", _setup),
    Command("bench", "[arguments]", "python -m ftjit bench", BENCH),
    Command("stress", "[arguments]", "python -m ftjit stress", STRESS),
    Command("model", "[--full] [arguments]", "check the reclamation protocol with Spin; needs no set-up", _model),
    Command("torture", "[--controls] [--seconds N]", "torture the reclamation core in C, with sanitizers", _torture),
    Command("lint", "", "ruff check, ruff format --check, mypy", _lint),
    Command("format", "[paths]", "ruff format", _format),
    Command("docs", "", "check the documents: links lead somewhere, examples print what they say", _docs),
    Command("doctor", "", "what is on this machine and what is not; changes nothing", _doctor),
    Command("clean", "[--all]", "remove what set-up and builds have made", _clean),
    Command("python", "", "print the path of the environment's python", _python),
)


def usage() -> str:
    """The help text: every command on a line."""
    width = max(len(f"{command.name} {command.usage}") for command in COMMANDS)
    lines = [f"  ./dev {f'{command.name} {command.usage}':{width}}  {command.help}" for command in COMMANDS]
    return "\n".join(
        [
            "usage: ./dev [--install-missing] COMMAND [arguments]",
            "",
            *lines,
            "",
            "Each command first sets up what it needs: interpreter, .venv, dependencies, the C core.",
            "--install-missing: install missing system packages through sudo (root does so unasked).",
            "FTJIT_PYTHON: the python3.14t to use.  FTJIT_CACHE: where a built one is kept.",
        ]
    )


def main(arguments: list[str]) -> int:
    """Run one command line; the exit status. A mistake of the user's is one clear line, never a traceback."""
    install_missing = "--install-missing" in arguments
    words = [argument for argument in arguments if argument != "--install-missing"]
    if not words or words[0] in ("help", "-h", "--help"):
        print(usage())
        return 0 if words else MISUSED
    command = {command.name: command for command in COMMANDS}.get(words[0])
    if command is None:
        say(f"dev: there is no command {words[0]!r}; ./dev help lists them")
        return MISUSED
    try:
        return command.run(Request(install_missing, words[1:]))
    except (SetupError, OSError) as error:
        say(f"dev: {error}")
        return FAILED
    except KeyboardInterrupt:
        say("dev: interrupted")
        return INTERRUPTED
