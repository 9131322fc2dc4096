"""The lock of the Python side."""

from __future__ import annotations

import _thread
from typing import Any

RLock: Any = _thread.RLock


class Lock(RLock):  # type: ignore[misc]
    """A re-entrant lock for `with` that Ctrl-C does not leave taken. What a signal handler raises may come right after
    the lock was taken, before the `with` block begins; leaving the block is one call into C, which is not cut short."""

    def __enter__(self) -> bool:
        depth = self._recursion_count()
        try:
            self.acquire()
            return True  # no check for signals after that call's own before the block begins
        except BaseException:
            if self._recursion_count() > depth:
                self.release()
            raise
