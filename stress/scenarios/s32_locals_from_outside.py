"""A callee may read and write its caller's locals through the frame; the caller sees what was written, at once."""

from __future__ import annotations

import sys
from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 1_500


class Start:
    def __init__(self, rng: Random) -> None:
        self.start = rng.randrange(1000)


def peek() -> int:
    value: int = sys._getframe(1).f_locals["total"]
    return value


def poke(number: int) -> None:
    sys._getframe(1).f_locals["written"] = number


def count(start: Start, _: int) -> Counts:
    right = old = lost = 0
    total = start.start
    written = -1
    for number in range(TURNS):
        total += 3
        if number & 3 == 0:
            if peek() != total:
                old += 1
            poke(number)
            if written != number:
                lost += 1
            else:
                right += 1
    if total != start.start + 3 * TURNS:
        lost += 1
    return {"true": right, "an old value was read": old, "what was written was lost": lost}


SCENARIO = Scenario(
    world=Start,
    actors=(Actor(count, count=2),),
    outcomes=(
        acceptable("true", "read as it is, and changed as it was written"),
        forbidden("an old value was read", "a number in a register was not written back before the call"),
        forbidden("what was written was lost", "a number in a register was kept across the call"),
    ),
)
