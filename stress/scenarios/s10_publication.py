"""An object that is published by a store is seen whole: with everything that was stored into it before."""

from __future__ import annotations

from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 15_000


class Node:
    def __init__(self, number: int) -> None:
        self.first = number
        self.second = number
        self.items = [number, number]


class Shelf:
    def __init__(self, rng: Random) -> None:
        self.node = Node(0)
        self.stop = False


def publish(shelf: Shelf, _: int) -> None:
    number = 0
    while not shelf.stop:
        number += 1
        shelf.node = Node(number)


def look(shelf: Shelf, _: int) -> Counts:
    whole = torn = 0
    for _ in range(TURNS):
        node = shelf.node
        items = node.items
        if node.first == node.second and items[0] == items[1] == node.first:
            whole += 1
        else:
            torn += 1
    shelf.stop = True
    return {"whole": whole, "torn": torn}


SCENARIO = Scenario(
    world=Shelf,
    actors=(Actor(look, count=2), Actor(publish)),
    outcomes=(
        acceptable("whole", "all fields are of one making"),
        forbidden("torn", "the object was seen before its fields, or after it was freed"),
    ),
)
