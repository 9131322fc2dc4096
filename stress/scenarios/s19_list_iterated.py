"""`for item in items` while others grow, shrink and clear the list: the iterator asks the list at each step."""

from __future__ import annotations

from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

ROUNDS = 400


class Board:
    def __init__(self, rng: Random) -> None:
        self.items = [1.5] * 30
        self.stop = False


def iterate(board: Board, _: int) -> Counts:
    items = board.items
    right = wrong = 0
    for _ in range(ROUNDS):
        steps = 0
        for item in items:
            if item == 1.5:
                right += 1
            else:
                wrong += 1
            steps += 1  # noqa: SIM113  (enumerate is tried below)
            if steps > 200:
                break
        for index, item in enumerate(items):
            if index > 100:
                break
            if item != 1.5:
                wrong += 1
    board.stop = True
    return {"an item": right, "something else": wrong, "done": 1}


def resize(board: Board, _: int) -> None:
    items = board.items
    number = 0
    while not board.stop:
        number += 1
        if number % 7 == 0:
            items.clear()
        elif len(items) < 100:
            items.append(1.5)
            items.extend((1.5, 1.5))
        else:
            del items[10:]


SCENARIO = Scenario(
    world=Board,
    actors=(Actor(iterate, count=2), Actor(resize)),
    outcomes=(
        acceptable("an item", "one that was in the list at that moment"),
        acceptable("done", "every iteration ends"),
        forbidden("something else", "read from an array that had been given back"),
    ),
)
