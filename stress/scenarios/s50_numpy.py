"""A C extension in the loop: NumPy arrays, one for each thread and one that all read."""

from __future__ import annotations

import importlib.util
from random import Random
from typing import Any

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 300


def skip() -> str | None:
    return None if importlib.util.find_spec("numpy") is not None else "NumPy is not installed"


class Arrays:
    def __init__(self, rng: Random) -> None:
        import numpy

        self.numpy: Any = numpy
        self.shared = numpy.arange(64, dtype=float)


def compute(arrays: Arrays, me: int) -> Counts:
    numpy, shared = arrays.numpy, arrays.shared
    mine = numpy.zeros(64)
    right = wrong = 0
    total = 0.0
    for number in range(TURNS):
        mine[number & 63] = number
        mine[(number + 1) & 63] += 0.5
        total += float(shared[number & 63])
        part = mine[:8] * 2.0 + shared[:8]
        if part[7] == mine[7] * 2.0 + 7.0 and shared.sum() == 2016.0 and mine[number & 63] == number:
            right += 1
        else:
            wrong += 1
    expected = sum(float(number & 63) for number in range(TURNS))
    return {"right": right, "wrong": wrong + (total != expected)}


SCENARIO = Scenario(
    world=Arrays,
    actors=(Actor(compute, count=3),),
    skip=skip,
    outcomes=(
        acceptable("right", "called from machine code as from the interpreter"),
        forbidden("wrong", "an argument or a result was lost on the way"),
    ),
)
