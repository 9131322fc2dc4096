"""Memory runs short: for a moment at a time the address space may not grow, so that mapping code regions, new
heaps and thread stacks fails. Actors may see a MemoryError; nothing else may go wrong."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from ..harness.nemesis import Nemesis, Stage, Step

_STATM = Path("/proc/self/statm")


def grow_stack(depth: int) -> None:
    """Use the main thread's C stack, about 1 KB a level, once: where it may not grow, the next deep call would be a
    segmentation fault of the operating system's making."""
    if depth:
        list(map(grow_stack, (depth - 1,)))


class Memory(Nemesis):
    name = "memory"
    title = "the address space may not grow, for a moment at a time"
    # Thread.start() waits for ever for a thread that had no memory to say that it has started.
    not_with = ("thread_churn",)

    def why_not(self) -> str | None:
        return None if _STATM.exists() else "it needs /proc"

    def steps(self, rng: Random) -> Iterator[Step]:
        while True:
            yield Step(0.005 + 0.03 * rng.random(), "short of memory", rng.randrange(1, 15))

    def prepare(self, stage: Stage) -> None:
        grow_stack(900)
        self.before = resource.getrlimit(resource.RLIMIT_AS)
        self.file = open(_STATM)  # noqa: SIM115  (read while nothing can be opened)
        stage.memory_was_short = True

    def act(self, stage: Stage, step: Step) -> None:
        with stage.calm:
            self.file.seek(0)
            pages = int(self.file.read().split()[0])
            try:
                resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 16), self.before[1]))
                time.sleep(step.number / 1000)
            finally:
                resource.setrlimit(resource.RLIMIT_AS, self.before)

    def finish(self, stage: Stage) -> None:
        resource.setrlimit(resource.RLIMIT_AS, self.before)
        self.file.close()
