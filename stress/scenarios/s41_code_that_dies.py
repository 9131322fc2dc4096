"""A function is dropped while threads are inside its machine code: it runs on, and goes when the last has left."""

from __future__ import annotations

import gc
import time
import weakref
from random import Random
from typing import Any

from ..harness.heat import want
from ..harness.scenario import LONG_ENOUGH, Actor, Counts, Scenario, acceptable, forbidden

SOURCE = """
def f(door, n):
    total = 0
    for i in range(n):
        total += i & 7
    while door.shut:
        total += 1
        total -= 1
    return total
"""
EXPECTED = sum(i & 7 for i in range(3000))


class Door:
    def __init__(self, shut: bool) -> None:
        self.shut = shut


class Room:
    def __init__(self, rng: Random) -> None:
        space: dict[str, Any] = {}
        exec(SOURCE, space)
        self.function: Any = space["f"]
        self.code = weakref.ref(self.function.__code__)
        want(self.function)
        self.open = Door(False)
        self.shut = Door(True)
        self.going_in = 0


def call(room: Room, _: int) -> Counts:
    function = room.function
    right = wrong = 0
    for number in range(30):
        if number == 29:
            room.going_in = 1
        if function(room.shut if number == 29 else room.open, 3000) == EXPECTED:
            right += 1
        else:
            wrong += 1
    return {"right": right, "wrong": wrong}


def drop(room: Room, _: int) -> None:
    """Once the other is in, and does not come out, nobody else knows the function."""
    while not room.going_in:
        room.function(room.open, 3000)
    room.function = None
    gc.collect()
    time.sleep(0.002)
    room.shut.shut = False


def buried(room: Room) -> Counts:
    deadline = time.monotonic() + LONG_ENOUGH
    while room.code() is not None and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.002)
    return {"gone" if room.code() is None else "never gone": 1}


SCENARIO = Scenario(
    world=Room,
    actors=(Actor(call), Actor(drop)),
    check=buried,
    outcomes=(
        acceptable("right", "the code was there as long as it was needed"),
        acceptable("gone", "the code object died, and its machine code with it"),
        forbidden("wrong", "it was freed under a thread"),
        forbidden("never gone", "something of ftjit's kept it alive"),
    ),
)
