"""Signals to this process, handled in Python by the main thread, which plays the first actor."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from random import Random

from ..harness.nemesis import Nemesis, Stage, Step


class Signals(Nemesis):
    name = "signals"
    title = "signals whose handlers run Python code in the main thread"

    def steps(self, rng: Random) -> Iterator[Step]:
        while True:
            yield Step(0.0005 + 0.01 * rng.random(), "signal", rng.randrange(2))

    def prepare(self, stage: Stage) -> None:
        self.arrived = 0
        self.before = [signal.signal(number, self._handle) for number in (signal.SIGUSR1, signal.SIGUSR2)]

    def _handle(self, number: int, frame: object) -> None:
        self.arrived += 1
        if frame is not None:
            frame.f_locals  # type: ignore[attr-defined]  # noqa: B018  (makes the frame's locals visible)

    def act(self, stage: Stage, step: Step) -> None:
        os.kill(os.getpid(), (signal.SIGUSR1, signal.SIGUSR2)[step.number])

    def finish(self, stage: Stage) -> None:
        for number, handler in zip((signal.SIGUSR1, signal.SIGUSR2), self.before, strict=True):
            signal.signal(number, signal.SIG_IGN if handler is signal.SIG_DFL else handler)
