"""Methods and class attributes may change while they are hot; a change that was published is seen.

The class's version number guards what compiled code knows of it. Each use checks it again: a check from before the
publication is worth nothing after it.
"""

from __future__ import annotations

from random import Random
from typing import Any

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 8_000
CHANGES = 60


class Thing:
    level = 0

    def method(self) -> int:
        return 0


def make_method(number: int) -> Any:
    def method(self: Thing) -> int:
        return number

    return method


class Board:
    def __init__(self, rng: Random) -> None:
        Thing.method = make_method(0)  # type: ignore[method-assign]
        Thing.level = 0
        self.thing = Thing()
        self.published = 0
        self.stop = False


def use(board: Board, _: int) -> Counts:
    thing = board.thing
    fresh = old_method = old_attribute = 0
    for _ in range(TURNS):
        published = board.published
        method_says = thing.method()
        attribute_says = thing.level
        if method_says < published:
            old_method += 1
        elif attribute_says < published:
            old_attribute += 1
        else:
            fresh += 1
    board.stop = True
    return {"as published or newer": fresh, "an old method": old_method, "an old attribute": old_attribute}


def change(board: Board, _: int) -> None:
    number = 0
    while not board.stop and number < CHANGES:
        number += 1
        Thing.method = make_method(number)  # type: ignore[method-assign]
        Thing.level = number
        board.published = number


SCENARIO = Scenario(
    world=Board,
    actors=(Actor(use, count=2), Actor(change)),
    needs_deopts=True,
    outcomes=(
        acceptable("as published or newer", "the class was asked at the use"),
        forbidden("an old method", "a method was kept from before its class changed"),
        forbidden("an old attribute", "a class attribute was kept from before its class changed"),
    ),
)
