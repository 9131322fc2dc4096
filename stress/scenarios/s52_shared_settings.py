"""Settings that one thread makes and all read are used without a count at every turn, and still at their time.

A loop in machine code counts such a global once, and knows numbers in it by their addresses. The writer binds the
global to new settings, then publishes which; a reader that has seen the publication must use no older ones, nor numbers
that do not belong together. Settings that nobody uses any more go.
"""

from __future__ import annotations

import time
import weakref
from random import Random
from typing import Any

from ..harness.scenario import LONG_ENOUGH, Actor, Counts, Scenario, acceptable, forbidden

TURNS = 20_000
CHANGES = 4  # a turn: what changes all the time is soon read in the general way
PAUSE = 0.0003


class Settings:
    def __init__(self, number: int) -> None:
        self.number = 1000 + number
        self.width = 5000 + number
        self.factor = 0.5 * self.width

    def number_if_whole(self) -> int:
        return self.number if self.factor * 2.0 == self.width else -1


SETTINGS: Any = None


class Board:
    def __init__(self, rng: Random) -> None:
        global SETTINGS
        SETTINGS = Settings(0)
        self.published = 1000
        self.stop = False
        self.old: list[weakref.ref[Settings]] = []


def use(board: Board, _: int) -> Counts:
    fresh = old = torn = 0
    for _ in range(TURNS):
        published = board.published
        number = SETTINGS.number_if_whole()
        if number < 0:
            torn += 1
        elif number < published:
            old += 1
        else:
            fresh += 1
    board.stop = True
    return {"as published or newer": fresh, "old settings": old, "numbers of several": torn}


def change(board: Board, _: int) -> None:
    global SETTINGS
    number = 0
    while not board.stop and number < CHANGES:
        time.sleep(PAUSE)
        number += 1
        board.old.append(weakref.ref(SETTINGS))
        SETTINGS = Settings(number)
        board.published = 1000 + number


def leaks(board: Board) -> Counts:
    deadline = time.monotonic() + LONG_ENOUGH
    while any(old() is not None for old in board.old) and time.monotonic() < deadline:
        time.sleep(0.001)
    return {"never gone": sum(old() is not None for old in board.old)}


SCENARIO = Scenario(
    world=Board,
    actors=(Actor(use, count=2), Actor(change)),
    check=leaks,
    hot=(Settings.number_if_whole,),
    needs_deopts=True,
    outcomes=(
        acceptable("as published or newer", "the global was looked up at its use"),
        forbidden("old settings", "the loop went on with what it held"),
        forbidden("numbers of several", "a number was taken for a constant that it is not"),
        forbidden("never gone", "something still holds settings that were replaced"),
    ),
)
