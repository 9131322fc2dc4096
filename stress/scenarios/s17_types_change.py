"""The types that compiled code was made for are guesses: another thread may store other types at any time.

Ints become floats, become big ints, become strings of the same value, in a list and in an attribute.
"""

from __future__ import annotations

from random import Random
from typing import Any

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 10_000
BIG = 1 << 80


class Board:
    def __init__(self, rng: Random) -> None:
        self.items: list[Any] = [1] * 8
        self.value: Any = 1
        self.stop = False


def read(board: Board, _: int) -> Counts:
    items = board.items
    small = floating = big = text = strange = 0
    for number in range(TURNS):
        item = items[number & 7]
        value = board.value
        twice = item + item
        thrice = value + value + value
        if twice == 2:
            small += 1
        elif twice == 4.5:
            floating += 1
        elif twice == BIG + BIG:
            big += 1
        elif twice == "xx":
            text += 1
        else:
            strange += 1
        if thrice != 3 and thrice != 6.75 and thrice != 3 * BIG and thrice != "xxx":
            strange += 1
    board.stop = True
    return {"int": small, "float": floating, "big int": big, "str": text, "neither": strange}


def change(board: Board, _: int) -> None:
    items = board.items
    values = (1, 2.25, BIG, "x")
    number = 0
    while not board.stop:
        number += 1
        items[number & 7] = values[number % 4]
        if number % 5 == 0:
            board.value = values[number % 4]


SCENARIO = Scenario(
    world=Board,
    actors=(Actor(read, count=2), Actor(change)),
    needs_deopts=True,
    outcomes=(
        acceptable("int", "computed as ints"),
        acceptable("float", "computed as floats"),
        acceptable("big int", "computed as big ints"),
        acceptable("str", "concatenated"),
        forbidden("neither", "one type's bits were taken for another's, or an operand changed between its two uses"),
    ),
)
