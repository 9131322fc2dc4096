"""ftjit is switched off and on again, as a whole."""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random

from ..harness.nemesis import Nemesis, Stage, Step
from ..harness.scenario import Tier

PATIENCE = 0.2  # seconds until there is something to switch off: on a busy machine a compilation takes that long


class Switch(Nemesis):
    name = "switch"
    title = "ftjit.disable() and ftjit.enable() while threads are inside"
    needs_machine_code = True

    def steps(self, rng: Random) -> Iterator[Step]:
        while True:
            yield Step(0.02 + 0.08 * rng.random(), "off")
            yield Step(0.005 * rng.random(), "on")

    def act(self, stage: Stage, step: Step) -> None:
        if step.what == "off":
            until = time.monotonic() + PATIENCE
            while not any(map(stage.machine.ready, stage.targets)) and time.monotonic() < until:
                time.sleep(0.002)
            stage.machine.disable()  # type: ignore[attr-defined]
        else:
            self.finish(stage)

    def finish(self, stage: Stage) -> None:
        stage.machine.enable()  # type: ignore[attr-defined]
        for function in stage.targets:
            stage.machine.prepare(function, Tier.EXECUTOR)
