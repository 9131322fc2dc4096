"""Generators: each thread's own, and one that all take from under a lock. Each value comes once, in order.

The loops that take from them are in machine code; the generators run in the interpreter, resumed from there by
whichever thread comes. Without the lock CPython 3.14t crashes by itself: it looks whether a generator runs and marks it
running in two steps.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 600


def numbers(n: int) -> Iterator[int]:
    total = 0
    for number in range(n):
        total += number & 3
        yield number + total - total


class Source:
    def __init__(self, rng: Random) -> None:
        self.shared = numbers(1 << 40)
        self.lock = threading.Lock()


def take(source: Source, _: int) -> Counts:
    shared, lock = source.shared, source.lock
    right = wrong = 0
    last = -1
    for _ in range(TURNS):
        with lock:
            value = next(shared)
        if value > last:
            right += 1
        else:
            wrong += 1
        last = value
    own = 0
    for value in numbers(TURNS):
        if value != own:
            wrong += 1
        own += 1  # noqa: SIM113  (the loop is what is tested)
    return {"onward": right, "out of order": wrong}


SCENARIO = Scenario(
    world=Source,
    actors=(Actor(take, count=3),),
    brief=True,
    outcomes=(
        acceptable("onward", "each thread sees values grow"),
        forbidden("out of order", "a generator's frame was entered twice, or lost a step"),
    ),
)
