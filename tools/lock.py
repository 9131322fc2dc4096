"""One set-up at a time: a lock file held with flock, freed by the kernel however its holder ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools import places
from tools.say import SetupError, say


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold `path` locked for the length of the block; wait, saying for whom, while another holds it. SetupError where
    it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        where = "let the checkout be yours" if places.REPOSITORY in path.parents else "FTJIT_CACHE names another folder"
        raise SetupError(f"cannot write {path} ({error.strerror}): {where}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            say(f"another set-up is at work (process {holder or 'unknown'}); waiting for it")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        yield
    finally:
        os.close(descriptor)
