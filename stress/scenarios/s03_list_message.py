"""The same order holds in a list: items are stored and read one after the other.

Stores into a list take its lock, and compiled code keeps that lock from one store to the next. Readers take no lock
at all; they must see the stores in order all the same.
"""

from __future__ import annotations

from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 25_000


class Board:
    def __init__(self, rng: Random) -> None:
        self.cells = [0, 0]
        self.stop = False


def read(board: Board, _: int) -> Counts:
    cells = board.cells
    right = stale = 0
    for _ in range(TURNS):
        ready = cells[1]
        data = cells[0]
        if data < ready:
            stale += 1
        else:
            right += 1
    board.stop = True
    return {"in order": right, "data older than the flag": stale}


def write(board: Board, _: int) -> None:
    cells = board.cells
    number = 0
    while not board.stop:
        number += 1
        cells[0] = number
        cells[1] = number


SCENARIO = Scenario(
    world=Board,
    actors=(Actor(read, count=2), Actor(write)),
    outcomes=(
        acceptable("in order", "the data is as new as the flag, or newer"),
        forbidden("data older than the flag", "items were stored or read out of order"),
    ),
)
