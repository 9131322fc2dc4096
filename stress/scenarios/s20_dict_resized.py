"""Dicts grow, shrink and are cleared while others look things up: addresses inside a dict are good for one lookup."""

from __future__ import annotations

from random import Random
from typing import Any

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 6_000


class Board:
    def __init__(self, rng: Random) -> None:
        self.table: dict[Any, int] = {"key": 5}
        self.stop = False


def look_up(board: Board, _: int) -> Counts:
    table = board.table
    right = gone = wrong = 0
    for number in range(TURNS):
        try:
            value = table["key"]
            other = table.get(number & 15, 5)
        except KeyError:
            gone += 1
        else:
            if value == 5 and other == 5:
                right += 1
            else:
                wrong += 1
    board.stop = True
    return {"the value": right, "KeyError": gone, "another value": wrong}


def resize(board: Board, _: int) -> None:
    table = board.table
    number = 0
    while not board.stop:
        number += 1
        table[number & 63] = 5
        table[f"k{number & 31}"] = 6
        if number % 50 == 0:
            table.clear()
            table["key"] = 5
        elif number % 17 == 0:
            del table["key"]
            table["key"] = 5


SCENARIO = Scenario(
    world=Board,
    actors=(Actor(look_up, count=2), Actor(resize)),
    outcomes=(
        acceptable("the value", "found"),
        acceptable("KeyError", "the key was gone at that moment"),
        forbidden("another value", "found under another key, or in keys that had been given back"),
    ),
)
