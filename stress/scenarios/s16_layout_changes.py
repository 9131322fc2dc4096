"""Where an instance keeps its attributes may change under the reader: attributes come and go, the class is another.

A reader gets the value, or AttributeError where the attribute was gone at that moment. Never another attribute's.
"""

from __future__ import annotations

from random import Random
from typing import Any

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 8_000


class Plain:
    def __init__(self) -> None:
        self.a = "a"
        self.b = "b"


class Other:
    kind = "other"


class Board:
    def __init__(self, rng: Random) -> None:
        self.thing: Any = Plain()
        self.stop = False


def read(board: Board, _: int) -> Counts:
    thing = board.thing
    right = gone = wrong = 0
    for _ in range(TURNS):
        try:
            a = thing.a
            b = thing.b
        except AttributeError:
            gone += 1
        else:
            if a == "a" and b == "b":
                right += 1
            else:
                wrong += 1
    board.stop = True
    return {"the attribute's own value": right, "no such attribute": gone, "another value": wrong}


def change(board: Board, _: int) -> None:
    thing = board.thing
    number = 0
    while not board.stop:
        number += 1
        kind = number % 4
        if kind == 0:
            thing.__class__ = Other
            thing.__class__ = Plain
        elif kind == 1:
            setattr(thing, f"x{number % 60}", number)
        elif kind == 2:
            del thing.a
            thing.a = "a"
        else:
            thing.__dict__ = {"b": "b", "a": "a"}


SCENARIO = Scenario(
    world=Board,
    actors=(Actor(read, count=2), Actor(change)),
    needs_deopts=True,
    outcomes=(
        acceptable("the attribute's own value", "read as it lay at that moment"),
        acceptable("no such attribute", "between `del` and the next assignment"),
        forbidden("another value", "read where the attribute had been before"),
    ),
)
