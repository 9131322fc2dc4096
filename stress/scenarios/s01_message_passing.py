"""Who sees the flag sees the data.

One thread stores the data and then the flag; the other reads the flag and then the data. Bytecode after bytecode,
the interpreter keeps that order, so data older than the flag is never seen. Compiled code must keep the order of
both the stores and the loads.
"""

from __future__ import annotations

from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 30_000


class Box:
    def __init__(self, rng: Random) -> None:
        self.data = 0
        self.ready = 0
        self.stop = False


def read(box: Box, _: int) -> Counts:
    fresh = newer = older = 0
    for _ in range(TURNS):
        ready = box.ready
        data = box.data
        if data < ready:
            older += 1
        elif data == ready:
            fresh += 1
        else:
            newer += 1
    box.stop = True
    return {"data as new as the flag": fresh, "data newer than the flag": newer, "data older than the flag": older}


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
        acceptable("data as new as the flag", "the writer stood still between the two reads"),
        acceptable("data newer than the flag", "the writer went on between the two reads"),
        forbidden("data older than the flag", "the loads, or the stores, changed places"),
    ),
)
