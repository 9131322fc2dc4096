"""Every object that was made is finalised, and once, however many threads overwrote each other's."""

from __future__ import annotations

import gc
import time
from random import Random
from typing import Any

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 1_200


class Tray:
    def __init__(self, rng: Random) -> None:
        self.items: list[Any] = [None] * 4
        self.item: Any = None
        self.table: dict[int, Any] = {}
        self.made = [0, 0, 0]
        self.ends = [bytearray(3 * TURNS), bytearray(3 * TURNS), bytearray(3 * TURNS)]


class Token:
    """One byte for each token: how often it was finalised. Only its own finaliser writes it."""

    __slots__ = ("ends", "number")

    def __init__(self, ends: bytearray, number: int) -> None:
        self.ends = ends
        self.number = number

    def __del__(self) -> None:
        self.ends[self.number] += 1


def overwrite(tray: Tray, me: int) -> None:
    items, table, ends = tray.items, tray.table, tray.ends[me]
    for number in range(TURNS):
        items[number & 3] = Token(ends, 3 * number)
        tray.item = Token(ends, 3 * number + 1)
        table[number & 3] = Token(ends, 3 * number + 2)
    tray.made[me] = 3 * TURNS


def count(tray: Tray) -> Counts:
    tray.items.clear()
    tray.table.clear()
    tray.item = None
    for _ in range(50):
        gc.collect()  # references that were given back by other threads than their owner's are settled
        ends = [end for mine in tray.ends for end in mine]
        if 0 not in ends:
            break
        time.sleep(0.002)  # a collection does nothing while another thread is at one
    once = ends.count(1)
    return {"once": once, "never": ends.count(0), "more than once": len(ends) - once - ends.count(0)}


SCENARIO = Scenario(
    world=Tray,
    actors=(Actor(overwrite, count=3),),
    check=count,
    outcomes=(
        acceptable("once", "the last reference went, the finaliser ran"),
        forbidden("never", "a reference was leaked"),
        forbidden("more than once", "a reference was given back twice"),
    ),
)
