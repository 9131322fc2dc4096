"""Each of two threads stores, and then reads what the other stores: one of them must see it.

This is the core of Dekker's algorithm. Processors let a store wait while a later load goes ahead, so compiled code
needs a fence between them wherever no lock is given back in between.
"""

from __future__ import annotations

import time
from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

CELLS = 200


class Step:
    def __init__(self) -> None:
        self.at = 0


class Duel:
    def __init__(self, rng: Random) -> None:
        self.lists = [[0] * CELLS, [0] * CELLS]
        self.seen = [[9] * CELLS, [9] * CELLS]
        self.steps = [Step(), Step()]
        self.stop = False


def first(duel: Duel, _: int) -> None:
    mine, other, seen = duel.lists[0], duel.lists[1], duel.seen[0]
    ours, theirs = duel.steps[0], duel.steps[1]
    for cell in range(CELLS):
        ours.at = cell
        spins = 0
        while theirs.at < cell:
            spins += 1
            if spins & 4095 == 0:
                time.sleep(0)  # the other waits for a processor
                if duel.stop:
                    return
        mine[cell] = 1
        seen[cell] = other[cell]


def second(duel: Duel, _: int) -> None:
    mine, other, seen = duel.lists[1], duel.lists[0], duel.seen[1]
    ours, theirs = duel.steps[1], duel.steps[0]
    for cell in range(CELLS):
        ours.at = cell
        spins = 0
        while theirs.at < cell:
            spins += 1
            if spins & 4095 == 0:
                time.sleep(0)  # the other waits for a processor
                if duel.stop:
                    return
        mine[cell] = 1
        seen[cell] = other[cell]


def compare(duel: Duel) -> Counts:
    pairs = list(zip(*duel.seen, strict=True))
    return {
        "both saw the other's store": pairs.count((1, 1)),
        "one saw the other's store": pairs.count((0, 1)) + pairs.count((1, 0)),
        "neither saw the other's store": pairs.count((0, 0)),
    }


SCENARIO = Scenario(
    world=Duel,
    actors=(Actor(first), Actor(second)),
    check=compare,
    outcomes=(
        acceptable("both saw the other's store", "both stored, then both read"),
        acceptable("one saw the other's store", "one was done before the other stored"),
        forbidden("neither saw the other's store", "a load went ahead of the store before it"),
    ),
)
