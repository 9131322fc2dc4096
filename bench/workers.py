"""Threads that all start the same call at the same moment, again and again, and are timed."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from .script import Checksum

PATIENCE_SECONDS = 3600.0  # the parent's time-out ends a stuck process long before


@dataclass(frozen=True)
class Turn:
    """One call in every thread: wall seconds of all together, CPU seconds of all added up, checksums by thread."""

    seconds: float
    cpu_seconds: float
    checksums: list[Checksum]


class Workers:
    """``count`` threads that live as long as the ``with`` block, as a program's thread pool does."""

    def __init__(self, call: Callable[[], Checksum], count: int) -> None:
        self._call = call
        self._start = threading.Barrier(count + 1)
        self._finish = threading.Barrier(count + 1)
        self._closing = False
        self._failures: list[BaseException] = []
        self._spans: list[tuple[float, float, float]] = [(0.0, 0.0, 0.0)] * count
        self._checksums: list[Checksum] = [0] * count
        self._threads = [threading.Thread(target=self._work, args=(index,), daemon=True) for index in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._start.wait(PATIENCE_SECONDS)
        for thread in self._threads:
            thread.join()

    def turn(self) -> Turn:
        """Let every thread make the call once, all at once. Raises what a thread raised."""
        self._start.wait(PATIENCE_SECONDS)
        self._finish.wait(PATIENCE_SECONDS)
        if self._failures:
            raise self._failures[0]
        begins, ends, cpu = zip(*self._spans, strict=True)
        return Turn(max(ends) - min(begins), sum(cpu), list(self._checksums))

    def _work(self, index: int) -> None:
        while True:
            self._start.wait(PATIENCE_SECONDS)
            if self._closing:
                return
            begin, cpu_begin = time.perf_counter(), time.thread_time()
            try:
                self._checksums[index] = self._call()
            except BaseException as failure:  # raised again in the thread that asked for the turn
                self._failures.append(failure)
            end, cpu_end = time.perf_counter(), time.thread_time()
            self._spans[index] = (begin, end, cpu_end - cpu_begin)
            self._finish.wait(PATIENCE_SECONDS)


def is_steady(seconds: Sequence[float], tolerance: float = 0.05) -> bool:
    """Whether the last run was no longer getting faster: at most ``tolerance`` below the best before it.

    ``seconds`` are the runs so far, oldest first; two are the fewest that can say anything.
    """
    return len(seconds) >= 2 and seconds[-1] >= min(seconds[:-1]) * (1.0 - tolerance)
