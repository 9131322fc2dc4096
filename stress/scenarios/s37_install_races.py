"""Many code objects get hot at once: each is compiled and installed while several threads call it.

A fresh set of functions each turn. Whoever calls gets the right answer, from the interpreter, from machine code, or
partly from both.
"""

from __future__ import annotations

from random import Random
from typing import Any

from ..harness.heat import want
from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

FUNCTIONS = 6
CALLS = 60
SOURCE = """
def f(n):
    total = {k}
    for i in range(n):
        total = (total * 3 + i * {k}) & 0xFFFF
        if total & 1:
            total += 0.5
            total = int(total)
    return total
"""


def truth(k: int, n: int) -> int:
    total = k
    for i in range(n):
        total = (total * 3 + i * k) & 0xFFFF
    return total


class Fresh:
    def __init__(self, rng: Random) -> None:
        self.functions: list[Any] = []
        for _ in range(FUNCTIONS):
            k = rng.randrange(3, 1 << 12)
            space: dict[str, Any] = {}
            exec(SOURCE.format(k=k), space)
            self.functions.append((space["f"], truth(k, 300)))
            want(space["f"])


def call(fresh: Fresh, me: int) -> Counts:
    right = wrong = 0
    for number in range(CALLS * FUNCTIONS):
        function, expected = fresh.functions[(number + me) % FUNCTIONS]
        if function(300) == expected:
            right += 1
        else:
            wrong += 1
    return {"right": right, "wrong": wrong}


SCENARIO = Scenario(
    world=Fresh,
    actors=(Actor(call, count=4),),
    outcomes=(
        acceptable("right", "whichever tier it came from"),
        forbidden("wrong", "an executor was entered before it was whole, or at the wrong place"),
    ),
)
