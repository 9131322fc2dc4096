"""A read is not reused across another read.

`data, flag, data`: it is tempting to keep the first read of `data` for the third. But then data older than the flag
can be seen, which the interpreter never shows: there the third read comes after the flag's.
"""

from __future__ import annotations

from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 25_000


class Box:
    def __init__(self, rng: Random) -> None:
        self.data = 0
        self.ready = 0
        self.stop = False


def read(box: Box, _: int) -> Counts:
    right = stale = back = 0
    for _ in range(TURNS):
        first = box.data
        ready = box.ready
        second = box.data
        if second < ready:
            stale += 1
        elif second < first:
            back += 1
        else:
            right += 1
    box.stop = True
    return {"in order": right, "second read older than the flag": stale, "second read older than the first": back}


def write(box: Box, _: int) -> None:
    number = 0
    while not box.stop:
        number += 1
        box.data = number
        box.ready = number


SCENARIO = Scenario(
    world=Box,
    actors=(Actor(read), Actor(write)),
    outcomes=(
        acceptable("in order", "each read is one of its own"),
        forbidden("second read older than the flag", "the first read was reused"),
        forbidden("second read older than the first", "a cell went back in time"),
    ),
)
