"""A list's length is checked at each access, not once: another thread may shorten it in between."""

from __future__ import annotations

from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 8_000


class Board:
    def __init__(self, rng: Random) -> None:
        self.items = [7] * 40
        self.stop = False


def read(board: Board, _: int) -> Counts:
    items = board.items
    right = outside = wrong = 0
    for number in range(TURNS):
        try:
            value = items[number % 40]
        except IndexError:
            outside += 1
        else:
            if value == 7:
                right += 1
            else:
                wrong += 1
    board.stop = True
    return {"the item": right, "IndexError": outside, "something else": wrong}


def resize(board: Board, _: int) -> None:
    items = board.items
    number = 0
    while not board.stop:
        number += 1
        kind = number % 5
        if kind == 0:
            items.clear()
        elif kind == 1:
            items.extend([7] * 40)
        elif kind == 2:
            del items[20:]
        elif kind == 3:
            items.append(7)
        elif items:
            items.pop()


SCENARIO = Scenario(
    world=Board,
    actors=(Actor(read, count=2), Actor(resize)),
    outcomes=(
        acceptable("the item", "it was there"),
        acceptable("IndexError", "the list was shorter at that moment"),
        forbidden("something else", "read past the end, or from an array that had been given back"),
    ),
)
