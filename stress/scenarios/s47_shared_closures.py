"""Closures that share variables: what one function stores into a cell, the other reads, in order."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 6_000


def cells() -> tuple[Callable[[int], None], Callable[[], tuple[int, int]]]:
    data = 0
    ready = 0

    def put(number: int) -> None:
        nonlocal data, ready
        data = number
        ready = number

    def get() -> tuple[int, int]:
        seen = ready
        return seen, data

    return put, get


class Shared:
    def __init__(self, rng: Random) -> None:
        self.put, self.get = cells()
        self.stop = False


def read(shared: Shared, _: int) -> Counts:
    get = shared.get
    right = stale = back = last = 0
    for _ in range(TURNS):
        ready, data = get()
        if data < ready:
            stale += 1
        elif ready < last:
            back += 1
        else:
            right += 1
        last = ready
    shared.stop = True
    return {"in order": right, "data older than the flag": stale, "back": back}


def write(shared: Shared, _: int) -> None:
    put = shared.put
    number = 0
    while not shared.stop:
        number += 1
        put(number)


SCENARIO = Scenario(
    world=Shared,
    actors=(Actor(read, count=2), Actor(write)),
    outcomes=(
        acceptable("in order", "a cell is shared memory like any other"),
        forbidden("data older than the flag", "cells were stored or read out of order"),
        forbidden("back", "an older value was seen after a newer one"),
    ),
)
