"""Executors are replaced and taken away while threads are inside them."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ..harness.nemesis import Nemesis, Stage, Step


class SwapStorm(Nemesis):
    name = "swap_storm"
    title = "executors replaced and taken away while threads are inside"
    needs_machine_code = True

    def steps(self, rng: Random) -> Iterator[Step]:
        while True:
            what = "retire" if rng.random() < 0.5 else "renew"
            yield Step(rng.choice((0.001, 0.005, 0.02)) * (0.5 + rng.random()), what, rng.randrange(1 << 16))

    def act(self, stage: Stage, step: Step) -> None:
        targets = stage.swapped
        if targets:
            getattr(stage.machine, step.what)(targets[step.number % len(targets)])
