"""Every guess goes wrong again and again: ints overflow, become floats, lists become tuples, loops get other bounds."""

from __future__ import annotations

from random import Random
from typing import Any

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 64


def mix(values: Any, start: Any, n: int) -> Any:
    total = start
    for number in range(n):
        total = total + values[number & 7] * 2
        if number % 50 == 49:
            total = total - number
    return total


class Mixture:
    def __init__(self, rng: Random) -> None:
        kinds: list[Any] = [
            [1] * 8,
            (1,) * 8,
            [0.5] * 8,
            [1, 0.5] * 4,
            [1 << 62] * 8,
            [True, 2] * 4,
            [1 + 2j] * 8,
            range(8),
        ]
        rng.shuffle(kinds)
        self.cases = [(kind, start, mix(kind, start, 1000)) for kind in kinds for start in (0, 0.25)]


def compute(mixture: Mixture, me: int) -> Counts:
    cases = mixture.cases
    right = wrong = 0
    for number in range(TURNS):
        values, start, expected = cases[(number * (me + 1)) & 15]
        total = start
        for turn in range(1000):
            total = total + values[turn & 7] * 2
            if turn % 50 == 49:
                total = total - turn
        if total == expected and type(total) is type(expected) and mix(values, start, 1000) == expected:
            right += 1
        else:
            wrong += 1
    return {"right": right, "wrong": wrong}


SCENARIO = Scenario(
    world=Mixture,
    actors=(Actor(compute, count=3),),
    hot=(mix,),
    needs_deopts=True,
    nemeses=("deopt_storm",),
    outcomes=(
        acceptable("right", "the value and its type"),
        forbidden("wrong", "an exit gave the interpreter a wrong state"),
    ),
)
