"""Stores into a list while others append to it and clear it: each goes under the list's lock.

Values are only ever stored where the list has them, and every value belongs to one of the writers.
"""

from __future__ import annotations

from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 4_000


class Board:
    def __init__(self, rng: Random) -> None:
        self.items = [1] * 16
        self.stop = False


def store(board: Board, me: int) -> Counts:
    items = board.items
    stored = short = 0
    for number in range(TURNS):
        try:
            items[number & 15] = 2 + me
            stored += 1
        except IndexError:
            short += 1
    board.stop = True
    return {"stored": stored, "IndexError": short}


def resize(board: Board, _: int) -> None:
    items = board.items
    number = 0
    while not board.stop:
        number += 1
        if number % 32 == 0:
            items.clear()
        else:
            items.append(1)


def look(board: Board) -> Counts:
    return {"values that were stored" if set(board.items) <= {1, 2, 3} else "a value that nobody stored": 1}


SCENARIO = Scenario(
    world=Board,
    actors=(Actor(store, count=2), Actor(resize)),
    check=look,
    outcomes=(
        acceptable("stored", "the index was there"),
        acceptable("IndexError", "the list was shorter at that moment"),
        acceptable("values that were stored", "of the writers, or of the one who appends"),
        forbidden("a value that nobody stored", "a store went past the end, or was torn"),
    ),
)
