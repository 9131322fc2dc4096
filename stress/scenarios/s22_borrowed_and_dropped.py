"""An object that is in use is not freed because its list or its attribute lets go of it.

Compiled code borrows references without counting where an owner cannot go away. A list that another thread writes to
is no such owner.
"""

from __future__ import annotations

from random import Random
from typing import Any

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 5_000


class Parcel:
    def __init__(self, number: int) -> None:
        self.content = [number, number]
        self.number = number

    def check(self) -> bool:
        content = self.content
        return content[0] == self.number and content[1] == self.number


class Depot:
    def __init__(self, rng: Random) -> None:
        self.shelf: list[Any] = [Parcel(0) for _ in range(4)]
        self.front = Parcel(0)
        self.stop = False


def use(depot: Depot, _: int) -> Counts:
    shelf = depot.shelf
    whole = broken = 0
    for number in range(TURNS):
        if shelf[number & 3].check() and depot.front.check() and len(shelf[number & 3].content) == 2:
            whole += 1
        else:
            broken += 1
    depot.stop = True
    return {"whole": whole, "freed or torn": broken}


def replace(depot: Depot, _: int) -> None:
    shelf = depot.shelf
    number = 0
    while not depot.stop:
        number += 1
        shelf[number & 3] = Parcel(number)
        depot.front = Parcel(number)


SCENARIO = Scenario(
    world=Depot,
    actors=(Actor(use, count=2), Actor(replace)),
    outcomes=(
        acceptable("whole", "the object lived as long as it was used"),
        forbidden("freed or torn", "it was freed under a method that was running on it"),
    ),
)
