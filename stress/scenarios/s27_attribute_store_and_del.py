"""One thread assigns an attribute, one deletes it, one reads it: the value or AttributeError, and no leak."""

from __future__ import annotations

import contextlib
import gc
import sys
import time
from random import Random
from typing import Any

from ..harness.scenario import LONG_ENOUGH, Actor, Counts, Scenario, acceptable, forbidden

TURNS = 4_000


class Box:
    pass


class Board:
    def __init__(self, rng: Random) -> None:
        self.box: Any = Box()
        self.token = [1, 2, 3]
        self.held = sys.getrefcount(self.token)
        self.stop = False


def read(board: Board, _: int) -> Counts:
    box = board.box
    right = gone = wrong = 0
    for _ in range(TURNS):
        try:
            token = box.token
        except AttributeError:
            gone += 1
        else:
            if token[2] == 3:
                right += 1
            else:
                wrong += 1
    board.stop = True
    return {"the value": right, "no such attribute": gone, "another value": wrong}


def store(board: Board, _: int) -> None:
    box, token = board.box, board.token
    while not board.stop:
        box.token = token


def delete(board: Board, _: int) -> None:
    box = board.box
    while not board.stop:
        with contextlib.suppress(AttributeError):
            del box.token


def count(board: Board) -> Counts:
    board.box.token = None
    deadline = time.monotonic() + LONG_ENOUGH
    # One moment at which nobody has more settles it: somebody may take one again, if only to compile.
    while (more := sys.getrefcount(board.token) - board.held) > 0 and time.monotonic() < deadline:
        time.sleep(0.001)  # what is being compiled holds the values that it was seen with
        gc.collect()  # references that were given back by other threads than their owner's are settled
    if more == 0:
        return {"as many references as before": 1}
    return {"references leaked" if more > 0 else "references lost": 1}


SCENARIO = Scenario(
    world=Board,
    actors=(Actor(read), Actor(store), Actor(delete)),
    check=count,
    outcomes=(
        acceptable("the value", "it was there"),
        acceptable("no such attribute", "it was deleted at that moment"),
        acceptable("as many references as before", "each store and each delete counted once"),
        forbidden("another value", "an attribute that was never stored"),
        forbidden("references lost", "one reference was given back twice"),
        forbidden("references leaked", "a reference was not given back"),
    ),
)
