"""Round a fork: our threads stop, nobody drives reclamation, the door is shut; then all of it goes on, on both sides.

CPython counts the process's threads right after a fork and warns of more than one; and what another thread holds at a
fork is held for ever in the child.
"""

from __future__ import annotations

import _thread
import os
from collections.abc import Callable

from ftjit.runtime.core import Core


class Forks:
    """The hooks of one process; made once. `start_sampling` starts the sampler, `in_child` makes anew what the child
    cannot inherit."""

    def __init__(self, core: Core, start_sampling: Callable[[], int], in_child: Callable[[], None]) -> None:
        self.core = core
        self.start_sampling = start_sampling
        self.in_child = in_child
        self.lock = _thread.RLock()  # one thread at a time stops our threads, forks, and starts them again
        self.was_sampling: list[bool] = []  # more than one where a signal handler forks in the midst of a fork
        os.register_at_fork(before=self._before, after_in_parent=self._after, after_in_child=self._after_in_child)

    def _before(self) -> None:
        self.lock.acquire()
        self.was_sampling.append(bool(self.core.lib.sampler_is_running()))
        self.core.lib.sampler_stop()
        self.core.lib.worker_stop(10.0)
        self.core.lib.door_fork_begins()

    def _after(self) -> None:
        self.core.lib.door_fork_is_over()
        sample = self.was_sampling.pop()
        if not self.was_sampling:
            self.core.lib.worker_allow()
        if sample:
            self.start_sampling()
        self.lock.release()

    def _after_in_child(self) -> None:
        self.core.lib.core_after_fork()
        self.in_child()
        self._after()
