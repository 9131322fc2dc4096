"""Builtins are found by name, too: `len` may be shadowed by a global of the module, or replaced in `builtins`."""

from __future__ import annotations

import builtins
from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 8_000
TRUE_LEN = len
ITEMS = (1, 2, 3)


class Board:
    def __init__(self, rng: Random) -> None:
        restore()
        self.changing = 0
        self.stop = False


def restore() -> None:
    globals().pop("len", None)
    builtins.abs = TRUE_ABS


TRUE_ABS = abs


def forged_len(items: object) -> int:
    return 100


def forged_abs(number: int) -> int:
    return 200


def use(board: Board, _: int) -> Counts:
    items = ITEMS
    true = forged = strange = 0
    for x in range(TURNS):
        length = len(items)
        size = abs(-x)
        if (length == 3 or length == 100) and (size == x or size == 200):
            if length == 3 and size == x:
                true += 1
            else:
                forged += 1
        else:
            strange += 1
    board.stop = True
    return {"the true one": true, "the forged one": forged, "neither": strange}


def forge(board: Board, _: int) -> None:
    space = globals()
    while not board.stop:
        space["len"] = forged_len
        builtins.abs = forged_abs  # type: ignore[assignment]
        board.changing += 1
        space.pop("len", None)
        builtins.abs = TRUE_ABS


def settled(board: Board) -> Counts:
    """After the last change everybody sees it."""
    restore()
    return {"settled": 1} if use_once(ITEMS) == (3, 7) else {"forged after it was undone": 1}


def use_once(items: tuple[int, ...]) -> tuple[int, int]:
    return len(items), abs(-7)


SCENARIO = Scenario(
    world=Board,
    actors=(Actor(use, count=2), Actor(forge)),
    check=settled,
    needs_deopts=True,
    not_with=("fork",),  # the lock of `builtins` may just have been handed to a thread that the child does not have
    long=True,
    outcomes=(
        acceptable("the true one", "the builtin"),
        acceptable("the forged one", "what stood in its place at that moment"),
        acceptable("settled", "after the change was undone, the builtin again"),
        forbidden("forged after it was undone", "an old value was kept"),
        forbidden("neither", "a value that no such function returns"),
    ),
)
