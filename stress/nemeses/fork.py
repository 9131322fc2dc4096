"""Forks: the child, which has one thread, runs machine code, checks its result, and goes."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator
from random import Random

from ..harness.nemesis import Nemesis, Stage, Step
from ..harness.scenario import Tier
from ..harness.tiers import copy_of
from .thread_churn import sum_of_squares

PATIENCE = 10.0  # seconds for a child


def forked(work: object, expected: object, limit: int) -> str:
    """Fork, call work(limit) in the child, wait for it. What was wrong, or nothing."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if work(limit) == expected else 3  # type: ignore[operator]
        finally:
            os._exit(status)
    deadline = time.monotonic() + PATIENCE
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > deadline:
            os.kill(child, 6)
            os.waitpid(child, 0)
            return f"a forked child did not end within {PATIENCE:.0f} s"
        time.sleep(0.001)
    code = os.waitstatus_to_exitcode(status)
    return {0: "", 3: "a forked child computed something else"}.get(code, f"a forked child ended with {code}")


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
        if wrong and not (stage.memory_was_short and wrong.endswith("with 1")):  # the child's MemoryError
            stage.problems.append(wrong)
