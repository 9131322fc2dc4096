"""One cell never goes back: a thread that has seen a value does not see an older one later.

Three ways to read the same counter: as an attribute, as an item, through a slot.
"""

from __future__ import annotations

from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 20_000


class Cell:
    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class Cells:
    def __init__(self, rng: Random) -> None:
        self.attribute = 0
        self.slot = Cell()
        self.item = [0]
        self.stop = False


def watch(cells: Cells, _: int) -> Counts:
    slot, item = cells.slot, cells.item
    last_attribute = last_slot = last_item = back = onward = 0
    for _ in range(TURNS):
        attribute = cells.attribute
        in_slot = slot.value
        in_list = item[0]
        if attribute < last_attribute or in_slot < last_slot or in_list < last_item:
            back += 1
        else:
            onward += 1
        last_attribute = attribute
        last_slot = in_slot
        last_item = in_list
    cells.stop = True
    return {"onward": onward, "back": back}


def count(cells: Cells, _: int) -> None:
    slot, item = cells.slot, cells.item
    number = 0
    while not cells.stop:
        number += 1
        cells.attribute = number
        slot.value = number
        item[0] = number


SCENARIO = Scenario(
    world=Cells,
    actors=(Actor(watch, count=2), Actor(count)),
    outcomes=(
        acceptable("onward", "every cell is as it was, or newer"),
        forbidden("back", "an older value was seen after a newer one"),
    ),
)
