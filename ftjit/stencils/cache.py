"""Where built stencils are kept between builds, and how files are written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """Where built libraries are kept: $FTJIT_CACHE, or ftjit in the user's cache folder."""
    override = os.environ.get("FTJIT_CACHE")
    if override:
        return Path(override).expanduser() / "stencils"
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ftjit" / "stencils"


def write(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all: others see the old content until the new is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def keep(path: Path, content: bytes) -> None:
    """Writes a file to the cache; that it cannot is said, and is no failure."""
    try:
        write(path, content)
    except OSError as error:
        print(f"ftjit: stencils not kept for next time ({error}): set FTJIT_CACHE to a folder you may write")
