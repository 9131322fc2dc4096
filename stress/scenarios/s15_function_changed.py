"""A function object may get other defaults and another code object, under the same name, while it is called.

`func_version` says which code a function has, and changes with `__defaults__` and `__code__`.
"""

from __future__ import annotations

from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 8_000
CHANGES = 60


def answer(x: int, extra: int = 0) -> int:
    return x + extra


def doubled(x: int, extra: int = 0) -> int:
    return x + extra + extra


def plain(x: int, extra: int = 0) -> int:
    return x + extra


class Board:
    def __init__(self, rng: Random) -> None:
        answer.__code__ = plain.__code__
        answer.__defaults__ = (0,)
        self.published = 0
        self.stop = False


def use(board: Board, _: int) -> Counts:
    fresh = old = 0
    for x in range(TURNS):
        published = board.published
        extra = answer(x) - x
        if extra < published:
            old += 1
        else:
            fresh += 1
    board.stop = True
    return {"as published or newer": fresh, "old defaults or old code": old}


def change(board: Board, _: int) -> None:
    number = 0
    while not board.stop and number < CHANGES:
        number += 1
        answer.__defaults__ = (number,)
        answer.__code__ = doubled.__code__ if number & 1 else plain.__code__
        board.published = number


SCENARIO = Scenario(
    world=Board,
    actors=(Actor(use, count=2), Actor(change)),
    needs_deopts=True,
    outcomes=(
        acceptable("as published or newer", "the function was looked at when it was called"),
        forbidden("old defaults or old code", "the call was made as it would have been before the change"),
    ),
)
