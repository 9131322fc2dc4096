"""What the counters were over time: one point every 50 ms, thinned for the report."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path

from .machine_code import Machine

PERIOD = 0.05  # seconds
MOST = 160  # points in a report
_KEPT = ("limbo_executors", "limbo_bytes", "advances", "swapped", "retired", "installed", "entries")
_STATM = Path("/proc/self/statm")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_mib() -> float:
    """What this process holds in memory, MiB; 0 where there is no /proc."""
    try:
        return int(_STATM.read_text().split()[1]) * _PAGE / 2**20
    except OSError:
        return 0.0


class Timeline:
    """Samples in a thread of its own between `start` and `stop`."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.points: list[dict[str, float]] = []
        self.stopping = threading.Event()
        self.began = time.monotonic()
        self.thread = threading.Thread(target=self.work, daemon=True, name="timeline")

    def start(self) -> None:
        self.thread.start()

    def work(self) -> None:
        while True:
            with contextlib.suppress(MemoryError):  # a nemesis may be at work on it
                self.points.append(self.point())
            if self.stopping.wait(PERIOD):
                return

    def point(self) -> dict[str, float]:
        counters = self.machine.counters()
        values: dict[str, float] = {name: counters[name] for name in _KEPT if name in counters}
        values["seconds"] = round(time.monotonic() - self.began, 3)
        values["resident_mib"] = round(resident_mib(), 1)
        return values

    def stop(self) -> list[dict[str, float]]:
        """At most MOST points, evenly chosen, the last one among them."""
        self.stopping.set()
        self.thread.join(10)
        every = -(-len(self.points) // MOST) or 1
        return self.points[::-1][::every][::-1]
