"""Threads that come, run a little machine code of their own, and go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from random import Random

from ..harness.nemesis import Nemesis, Stage, Step
from ..harness.scenario import Tier
from ..harness.tiers import copy_of


def sum_of_squares(limit: int) -> int:
    total = 0
    for number in range(limit):
        total += number * number & 1023
    return total


class ThreadChurn(Nemesis):
    name = "thread_churn"
    title = "short-lived threads that enter and leave machine code"

    def steps(self, rng: Random) -> Iterator[Step]:
        while True:
            yield Step(0.001 + 0.01 * rng.random(), "threads", rng.randrange(1, 6))

    def prepare(self, stage: Stage) -> None:
        self.work = copy_of(sum_of_squares)
        self.expected = sum(number * number & 1023 for number in range(200))
        stage.machine.prepare(self.work, Tier.EXECUTOR)

    def act(self, stage: Stage, step: Step) -> None:
        def live() -> None:
            result = self.work(200)
            if result != self.expected:
                stage.problems.append(f"a short-lived thread computed {result}, not {self.expected}")

        threads = [threading.Thread(target=live, daemon=True) for _ in range(step.number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
