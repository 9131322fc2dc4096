"""Where things are kept: the checkout, its .venv, and the cache that all checkouts of a user share."""

import os
from collections.abc import Mapping
from pathlib import Path

from tools.say import SetupError

REPOSITORY = Path(__file__).resolve().parent.parent
VENV = REPOSITORY / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
LOCAL = REPOSITORY / ".cache" / "setup"  # logs and the lock of this checkout


def cache(environ: Mapping[str, str] = os.environ) -> Path:
    """FTJIT_CACHE, else $XDG_CACHE_HOME/ftjit, else ~/.cache/ftjit. Absolute; may not exist yet.
    SetupError where there is no home."""
    if environ.get("FTJIT_CACHE"):
        chosen = Path(environ["FTJIT_CACHE"])
    elif environ.get("XDG_CACHE_HOME"):
        chosen = Path(environ["XDG_CACHE_HOME"]) / "ftjit"
    else:
        chosen = Path("~/.cache/ftjit")
    try:
        return chosen.expanduser().absolute()
    except RuntimeError:
        raise SetupError(f"there is no home folder for {chosen}: set FTJIT_CACHE to a folder you may write") from None


def downloads() -> Path:
    """Files fetched and verified; anything put here by hand is used when its digest is right."""
    return cache() / "downloads"


def interpreters() -> Path:
    """Interpreters built from source, one folder each."""
    return cache() / "python"


def logs() -> Path:
    """What the builders of interpreters said."""
    return cache() / "logs"
