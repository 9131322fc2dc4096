"""What is on this machine and what is not, in one page; changes nothing."""

import platform
import sys

from tools import apt, packages, places, search, stamp
from tools.environment import EXTRAS, run_in
from tools.probe import NEEDED
from tools.release import RELEASE
from tools.say import SetupError


def report() -> int:
    """Print what was found; 0 when the environment is ready to use, else 1 and what makes it so."""
    _row("runs ./dev", f"Python {platform.python_version()} ({sys.executable}) on {platform.platform()}")
    _row("cache", str(places.cache()))
    _row("archives of apt", ", ".join(map(apt.without_secrets, apt.configured_archives())) or "none")
    lacking = packages.missing(packages.CPYTHON)
    _row("to build CPython", f"missing; {packages.install_line(lacking)}" if lacking else "everything is there")
    lacking = packages.missing(packages.MODEL)
    _row("to check the model", f"missing; {packages.install_line(lacking)}" if lacking else "everything is there")
    try:
        found = search.first(search.at_hand())
    except SetupError as error:
        _row("interpreter", str(error))
        return 1
    if found is None:
        _row("interpreter", f"none at hand ({NEEDED}); ./dev setup fetches one or builds {RELEASE.version}")
        return 1
    place, interpreter = found
    _row("interpreter", f"{interpreter}, {interpreter.path} (from: {place.name})")
    made_from = stamp.read(places.VENV)
    wanted = stamp.stamp_of(places.REPOSITORY, interpreter, EXTRAS)
    if made_from is None or not places.VENV_PYTHON.exists():
        _row("environment", f"none in {places.VENV}; ./dev setup makes it")
        return 1
    if not made_from.covers(wanted):
        _row("environment", f"{places.VENV} is out of date; the next command renews it")
        return 1
    _row("environment", f"{places.VENV} is up to date")
    sys.stdout.flush()
    return run_in(places.VENV_PYTHON, "-m", "ftjit", "doctor")


def _row(name: str, value: str) -> None:
    print(f"{name + ':':<20} {value}")
