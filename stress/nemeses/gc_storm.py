"""Collections, of garbage made for the purpose: each stops the world."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from random import Random
from typing import Any

from ..harness.nemesis import Nemesis, Stage, Step


class GcStorm(Nemesis):
    name = "gc_storm"
    title = "garbage collections beside the actors"

    def steps(self, rng: Random) -> Iterator[Step]:
        while True:
            yield Step(0.002 + 0.02 * rng.random(), "collect", rng.randrange(3))

    def act(self, stage: Stage, step: Step) -> None:
        ring: list[Any] = []
        for _ in range(50):
            ring = [ring]
            ring.append(ring)
        del ring
        gc.collect(step.number)
