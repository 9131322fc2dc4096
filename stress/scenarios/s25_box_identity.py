"""Numbers are values. Computing with an argument never changes the caller's variable.

A number in a register is written back into a box; a box may be overwritten in place only if nobody else holds it.
Two names of one number stay one object.
"""

from __future__ import annotations

from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 4_000


class Numbers:
    def __init__(self, rng: Random) -> None:
        self.shared = 1.5
        self.big = 10**6
        self.kept = [2.5, 2.5]


def grow(x: float, n: int) -> float:
    for _ in range(n):
        x = x * 1.5 + 1.0
        x += 0.25
    return x


def compute(numbers: Numbers, _: int) -> Counts:
    right = changed = two = 0
    kept = numbers.kept
    for number in range(TURNS):
        s = 1.5 + number
        before = s * 2.0
        big = 10**6 + number
        t = s
        a = grow(s, 3)
        held = kept[0]
        held = held + 1.0
        big_copy = big
        big_copy += 1
        if s + s != before or kept[0] != 2.5 or big != 10**6 + number or numbers.shared != 1.5:
            changed += 1
        elif t is not s or a == s or held != 3.5 or big_copy != big + 1:
            two += 1
        else:
            right += 1
        shared = numbers.shared
        shared += 1.0
        s += 1.0
    return {"untouched": right, "the caller's number changed": changed, "one number became two": two}


SCENARIO = Scenario(
    world=Numbers,
    actors=(Actor(compute, count=3),),
    hot=(grow,),
    outcomes=(
        acceptable("untouched", "only the new value's own place was written"),
        forbidden("the caller's number changed", "a box was overwritten that somebody else held"),
        forbidden("one number became two", "two names of one object were written back as two"),
    ),
)
