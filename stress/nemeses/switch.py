"""ftjit is switched off and on again, as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ..harness.nemesis import Nemesis, Stage, Step
from ..harness.scenario import Tier


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
            stage.machine.disable()  # type: ignore[attr-defined]
        else:
            self.finish(stage)

    def finish(self, stage: Stage) -> None:
        stage.machine.enable()  # type: ignore[attr-defined]
        for function in stage.targets:
            stage.machine.prepare(function, Tier.EXECUTOR)
