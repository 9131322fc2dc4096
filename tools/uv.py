"""A ready-made interpreter by way of uv: the quickest way to one, where the network has it."""

import sys
from pathlib import Path

from tools import places
from tools.lock import only_one
from tools.probe import Interpreter, usable
from tools.process import clean_environment, run_logged
from tools.say import SetupError, say

CONNECT_SECONDS = 8  # a network without it must not cost more than a few of these
DOWNLOAD_SECONDS = 300

_SETTINGS = {
    "UV_PYTHON_INSTALL_BIN": "0",  # keep out of ~/.local/bin
    "UV_HTTP_TIMEOUT": str(CONNECT_SECONDS),
    "UV_HTTP_RETRIES": "0",
    "UV_NO_PROGRESS": "1",
}


def _installed_under() -> Path:
    return places.cache() / "uv" / "python"


def installed() -> Interpreter | None:
    """The interpreter that an earlier `install` left in the cache."""
    for program in sorted(_installed_under().glob("cpython-3.14*/bin/python3.14t"), reverse=True):
        answer = usable(program)
        if isinstance(answer, Interpreter):
            return answer
    return None


def install() -> Interpreter | None:
    """Have uv fetch an interpreter into the cache; None, after saying so, when this network has none."""
    log = places.logs() / "uv.log"
    say("looking for a ready-made python3.14t with uv")
    with only_one(places.cache() / "uv.lock"):
        try:
            environ = clean_environment(**_SETTINGS, UV_PYTHON_INSTALL_DIR=str(_installed_under()))
            # `timeout` also ends what crawls along without ever stalling.
            command: list[str | Path] = [
                "timeout",
                str(DOWNLOAD_SECONDS),
                _uv(log),
                "python",
                "install",
                "3.14t",
            ]
            run_logged(command, log, environ=environ, what="uv python install 3.14t")
        except (SetupError, OSError):
            say(f"uv has none on this network; going on to a build from source (what it said: {log})")
            return None
    return installed()


def _uv(log: Path) -> Path:
    """The path of uv in a folder of its own, put there with pip when it is not yet. Raises SetupError."""
    folder = places.cache() / "uv" / "tool"
    program = folder / "bin" / "uv"
    if not program.is_file():
        # --target rather than an environment: Debian's python3 comes without venv.
        options: list[str | Path] = [
            "--quiet",
            "--timeout",
            str(CONNECT_SECONDS),
            "--retries",
            "0",
            "--target",
            folder,
        ]
        run_logged([sys.executable, "-m", "pip", "install", *options, "uv"], log, what="pip install uv")
    if not program.is_file():
        raise SetupError(f"pip installed uv without {program}")
    return program
