"""One thread stays in its loop for ever while others come, are compiled and go: nothing piles up.

What is retired is freed although the parked thread never leaves machine code. It holds only the executors it is in.
"""

from __future__ import annotations

import time
from random import Random
from typing import Any

from ..harness.heat import limbo, want
from ..harness.scenario import INTERPRETED, LONG_ENOUGH, Actor, Counts, Scenario, acceptable, forbidden
from ..harness.timeline import resident_mib

FUNCTIONS = 8
MOST_MIB = 40.0
SOURCE = "def f(n):\n    total = 0\n    for i in range(n):\n        total += i * {k} & 255\n    return total\n"


class Room:
    def __init__(self, rng: Random) -> None:
        self.k = rng.randrange(1 << 20)
        self.stop = False


def park(room: Room, _: int) -> Counts:
    turns = 0
    while not room.stop:
        turns += 1
    return {"parked": 1}


def come_and_go(room: Room, _: int) -> Counts:
    right = wrong = 0
    before = resident_mib()
    for number in range(FUNCTIONS):
        space: dict[str, Any] = {}
        k = room.k + number
        exec(SOURCE.format(k=k), space)
        want(space["f"])
        expected = sum(i * k & 255 for i in range(100))
        for _ in range(20):
            if space["f"](100) == expected:
                right += 1
            else:
                wrong += 1
    deadline = time.monotonic() + LONG_ENOUGH
    while (seen := limbo())[0] > seen[1] + 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    room.stop = True
    grown = resident_mib() - before
    return {
        "right": right,
        "wrong": wrong,
        "limbo stays small" if seen[0] <= seen[1] + 2 else "limbo piles up": 1,
        "memory stays" if grown < MOST_MIB else "memory grows": 1,
    }


SCENARIO = Scenario(
    world=Room,
    actors=(Actor(come_and_go, tiers=INTERPRETED), Actor(park)),
    nemeses=("swap_storm",),
    outcomes=(
        acceptable("right", "what came and went computed right"),
        acceptable("parked", "the loop ended when it was told to"),
        acceptable("limbo stays small", "not more in limbo than threads are inside, and one batch"),
        acceptable("memory stays", f"the process grew by less than {MOST_MIB:.0f} MiB"),
        forbidden("wrong", "freed code was run"),
        forbidden("limbo piles up", "a parked thread held back what it is not in"),
        forbidden("memory grows", "something retired was not given back"),
    ),
)
