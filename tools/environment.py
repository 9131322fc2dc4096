"""The virtual environment of a checkout: interpreter, dependencies, and the package itself, editable."""

import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterable
from pathlib import Path

from tools import packages, places, search, stamp
from tools.lock import only_one
from tools.probe import Interpreter
from tools.process import clean_environment, run_logged
from tools.say import Progress, SetupError, say

EXTRAS = ("test", "bench", "stress")  # what every set-up installs
EXTRAS_OF_DEVELOPERS = ("dev",)  # linters and the type checker, on top, once a command asks for them

LOG = places.LOCAL / "pip.log"
LOCK = places.LOCAL / "lock"
_NO_PACKAGES = ("No matching distribution", "Could not find a version", "connection", "Connection", "Retrying")


def make_ready(extras: Iterable[str] = EXTRAS, pgo: bool = False, install_missing: bool = False) -> Path:
    """Bring the environment up to date and return its python; quick when nothing changed. SetupError."""
    with only_one(LOCK):
        interpreter = search.find(pgo, install_missing)
        before = stamp.read(places.VENV)
        wanted = stamp.stamp_of(places.REPOSITORY, interpreter, extras)
        if before and before.covers(wanted) and places.VENV_PYTHON.exists():
            return places.VENV_PYTHON
        packages.ensure(packages.COMPILER, "building the C core", install_missing)
        LOG.parent.mkdir(parents=True, exist_ok=True)
        LOG.write_text("", encoding="utf-8")
        if before is None or before.interpreter != wanted.interpreter or not places.VENV_PYTHON.exists():
            _create(interpreter)
        else:  # what was asked for once stays
            wanted = stamp.stamp_of(places.REPOSITORY, interpreter, {*wanted.extras, *before.extras})
        stamp.erase(places.VENV)
        _install(wanted.extras)
        stamp.write(places.VENV, wanted)
    return places.VENV_PYTHON


def _create(interpreter: Interpreter) -> None:
    """A fresh environment on `interpreter`, in place of the one that is there."""
    say(f"creating {places.VENV} with {interpreter} ({interpreter.path})")
    if places.VENV.is_dir() and not places.VENV.is_symlink():
        shutil.rmtree(places.VENV)
    run_logged([interpreter.path, "-m", "venv", places.VENV], LOG, what="creating the virtual environment")


def _install(extras: Iterable[str]) -> None:
    """Install the build requirements, then the package with `extras`, built against just these."""
    progress = Progress("installing ftjit and its dependencies")
    pip: list[str | Path] = [
        places.VENV_PYTHON,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--no-input",
        "install",
    ]

    def run(phase: str, *arguments: str) -> None:
        progress.show(phase)
        try:
            run_logged(
                [*pip, *arguments],
                LOG,
                cwd=places.REPOSITORY,
                on_line=lambda line: progress.show(phase, detail=line.strip()),
                what=f"pip install ({phase})",
            )
        except SetupError as error:
            if not any(sign in str(error) for sign in _NO_PACKAGES):
                raise
            raise SetupError(f"{error}\n(PIP_INDEX_URL or PIP_FIND_LINKS tells pip where packages are)") from None

    # Without build isolation a changed C file means one compile: nothing is downloaded again for it.
    run("build requirements", *build_requirements(places.REPOSITORY / "pyproject.toml"))
    run("the package", "--no-build-isolation", "-e", f".[{','.join(extras)}]")
    progress.done("done")


def build_requirements(pyproject: Path) -> list[str]:
    """What `pyproject` says building needs; raises SetupError when it says nothing."""
    try:
        described = tomllib.loads(pyproject.read_text(encoding="utf-8"))
        requirements = list(described["build-system"]["requires"])
    except FileNotFoundError:
        raise SetupError(f"{pyproject} is missing: this is not a whole checkout") from None
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise SetupError(f"{pyproject}: no [build-system] requires could be read ({error})") from None
    return requirements


def run_in(python: Path, *arguments: str, **extra: str) -> int:
    """Run `python` in the checkout with `extra` environment variables; its exit status, as a shell's."""
    status = subprocess.call([str(python), *arguments], cwd=places.REPOSITORY, env=clean_environment(**extra))
    return status if status >= 0 else 128 - status


def become(python: Path, *arguments: str, **extra: str) -> int:
    """Turn this process into the environment's `python`: signals and the exit status are then its own."""
    os.chdir(places.REPOSITORY)
    os.execve(python, [str(python), *arguments], clean_environment(**extra))
