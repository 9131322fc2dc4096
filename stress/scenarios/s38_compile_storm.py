"""Eight threads run one fresh code object: one of them takes the snapshot, all of them enter what comes of it."""

from __future__ import annotations

from random import Random
from typing import Any

from ..harness.heat import want
from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

CALLS = 40
SOURCE = """
def f(n, seed):
    a = seed
    b = 0.5
    for i in range(n):
        a = (a + i) & 1023
        b = b * 0.5 + a
        for j in range(3):
            a ^= j
    return a, b
"""


class Fresh:
    def __init__(self, rng: Random) -> None:
        space: dict[str, Any] = {}
        exec(SOURCE, space)
        self.cold = space["f"]
        self.seeds = [rng.randrange(1024) for _ in range(4)]
        self.expected = [self.cold(200, seed) for seed in self.seeds]
        space = {}
        exec(SOURCE, space)
        self.function = space["f"]
        want(self.function)


def call(fresh: Fresh, me: int) -> Counts:
    right = wrong = 0
    function = fresh.function
    for number in range(CALLS):
        which = (number + me) & 3
        if function(200, fresh.seeds[which]) == fresh.expected[which]:
            right += 1
        else:
            wrong += 1
    return {"right": right, "wrong": wrong}


SCENARIO = Scenario(
    world=Fresh,
    actors=(Actor(call, count=8),),
    outcomes=(
        acceptable("right", "in all threads"),
        forbidden("wrong", "one thread's numbers in another's registers"),
    ),
)
