"""Each thread counts in a place of its own, side by side with the others': no count is lost."""

from __future__ import annotations

from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 8_000


class Counter:
    def __init__(self) -> None:
        self.hits = 0
        self.sum = 0.0


class Board:
    def __init__(self, rng: Random) -> None:
        self.cells = [0] * 3
        self.floats = [0.0] * 3
        self.counters = [Counter() for _ in range(3)]


def count(board: Board, me: int) -> None:
    cells, floats, counter = board.cells, board.floats, board.counters[me]
    for _ in range(TURNS):
        cells[me] = cells[me] + 1
        floats[me] += 0.5
        counter.hits += 1
        counter.sum = counter.sum + 0.25


def look(board: Board) -> Counts:
    whole = (
        board.cells == [TURNS] * 3
        and board.floats == [TURNS / 2] * 3
        and all(counter.hits == TURNS and counter.sum == TURNS / 4 for counter in board.counters)
    )
    return {"all counted" if whole else "counts were lost": 1}


SCENARIO = Scenario(
    world=Board,
    actors=(Actor(count, count=3),),
    check=look,
    outcomes=(
        acceptable("all counted", "nobody writes into another's place"),
        forbidden("counts were lost", "a store took a neighbour's place with it"),
    ),
)
