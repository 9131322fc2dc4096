"""A store that the program does not reach is not done, not even for a moment.

Writers store 1 or 3; that they might store 2 is written down, behind a condition that never holds. And a sum that is
made in a local variable is stored once, at its end: nobody sees it half done.
"""

from __future__ import annotations

from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 20_000


class Shared:
    def __init__(self, rng: Random) -> None:
        self.value = 1
        self.never = False
        self.total = 10
        self.cells = [1, 1]
        self.stop = False


def write(shared: Shared, _: int) -> None:
    cells = shared.cells
    number = 0
    while not shared.stop:
        number += 1
        if shared.never:
            shared.value = 2
            cells[0] = 2
        elif number & 1:
            shared.value = 3
            cells[0] = 3
        else:
            shared.value = 1
            cells[0] = 1
        total = 0
        for part in range(5):
            total += part
        shared.total = total


def read(shared: Shared, _: int) -> Counts:
    cells = shared.cells
    stored = invented = half_done = 0
    for _ in range(TURNS):
        value = shared.value
        item = cells[0]
        total = shared.total
        if value == 2 or item == 2:
            invented += 1
        elif total != 10:
            half_done += 1
        else:
            stored += 1
    shared.stop = True
    return {"a value that was stored": stored, "a value that nobody stored": invented, "a sum half done": half_done}


SCENARIO = Scenario(
    world=Shared,
    actors=(Actor(read), Actor(write)),
    outcomes=(
        acceptable("a value that was stored", "1 or 3, and the whole sum"),
        forbidden("a value that nobody stored", "a store was done on suspicion"),
        forbidden("a sum half done", "a local variable's value was stored before its time"),
    ),
)
