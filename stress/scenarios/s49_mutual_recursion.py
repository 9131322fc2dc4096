"""Functions that call one another from machine code while each of them is retired and compiled anew."""

from __future__ import annotations

from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 60


def even(n: int, total: int) -> int:
    if n == 0:
        return total
    for _ in range(2):
        total += 1
    return odd(n - 1, total)


def odd(n: int, total: int) -> int:
    if n == 0:
        return total
    for _ in range(3):
        total += 1
    return even(n - 1, total)


def fibonacci(n: int) -> int:
    if n < 2:
        return n
    return fibonacci(n - 1) + fibonacci(n - 2)


class Depth:
    def __init__(self, rng: Random) -> None:
        self.depth = 2 * rng.randrange(20, 100)


def compute(depth: Depth, _: int) -> Counts:
    n = depth.depth
    right = wrong = 0
    for number in range(TURNS):
        if even(n, number) == number + n // 2 * 5 and fibonacci(12) == 144:
            right += 1
        else:
            wrong += 1
    return {"right": right, "wrong": wrong}


SCENARIO = Scenario(
    world=Depth,
    actors=(Actor(compute, count=3),),
    hot=(even, odd, fibonacci),
    nemeses=("switch",),
    outcomes=(
        acceptable("right", "each level went on where it was called"),
        forbidden("wrong", "a caller was entered again in code that had been retired"),
    ),
)
