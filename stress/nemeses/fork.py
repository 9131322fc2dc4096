"""Forks: the child, which has one thread, runs machine code, checks its result, and goes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from random import Random

from ..harness.children import LOST, forked
from ..harness.nemesis import Nemesis, Stage, Step
from ..harness.scenario import Tier
from ..harness.tiers import copy_of
from .thread_churn import sum_of_squares


class Fork(Nemesis):
    name = "fork"
    title = "os.fork beside the actors; the child runs machine code too"

    def steps(self, rng: Random) -> Iterator[Step]:
        while True:
            yield Step(0.02 + 0.1 * rng.random(), "fork", rng.randrange(100, 5000))

    def prepare(self, stage: Stage) -> None:
        warnings.simplefilter("ignore", DeprecationWarning)  # CPython warns of forks beside threads, rightly
        self.work = copy_of(sum_of_squares)
        stage.machine.prepare(self.work, Tier.EXECUTOR)

    def act(self, stage: Stage, step: Step) -> None:
        expected = self.work(step.number)
        wrong = forked(self.work, expected, step.number)
        stage.children += 1
        if wrong == LOST:
            stage.children_lost += 1
        elif wrong and not (stage.memory_was_short and wrong.endswith("with 1")):  # the child's MemoryError
            stage.problems.append(wrong)
