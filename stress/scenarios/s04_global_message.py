"""Globals are shared memory like any other: `DATA` is read where the program says so, each time."""

from __future__ import annotations

from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 25_000
DATA = 0
READY = 0


class Turn:
    def __init__(self, rng: Random) -> None:
        self.stop = False


def read(turn: Turn, _: int) -> Counts:
    right = stale = 0
    for _ in range(TURNS):
        first = DATA
        ready = READY
        second = DATA
        if second < ready or second < first:
            stale += 1
        else:
            right += 1
    turn.stop = True
    return {"in order": right, "an old global": stale}


def write(turn: Turn, _: int) -> None:
    global DATA, READY
    number = DATA  # goes on from turn to turn: globals outlive them
    while not turn.stop:
        number += 1
        DATA = number
        READY = number


SCENARIO = Scenario(
    world=Turn,
    actors=(Actor(read), Actor(write)),
    outcomes=(
        acceptable("in order", "the second read of DATA is as new as READY, and as the first"),
        forbidden("an old global", "a global's value was kept, or taken for a constant"),
    ),
)
