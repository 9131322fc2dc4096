"""Two threads give the same new instances their first attributes, each its own: all are there, once, in an order.

The inline values of an instance note the order in which its attributes came. A store that took a place for empty while
another filled one would lose a note or write one twice, and `vars` would show it.
"""

from __future__ import annotations

from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

INSTANCES = 400
ROUNDS = 20


class Plain:
    pass


class Slotted:
    __slots__ = ("a", "b", "c", "d")


class Table:
    def __init__(self, rng: Random) -> None:
        self.plain = [[Plain() for _ in range(INSTANCES)] for _ in range(ROUNDS)]
        self.slotted = [[Slotted() for _ in range(INSTANCES)] for _ in range(ROUNDS)]
        self.turn = [0, 0]


def give_two(instances: list[Plain], number: int) -> None:
    for one in instances:
        one.a = number
        one.b = None


def give_two_others(instances: list[Plain], number: int) -> None:
    for one in instances:
        one.c = number * 0.5
        one.d = instances


def in_step(table: Table, mine: int, turn: int) -> None:
    """The two begin a list together."""
    table.turn[mine] = turn
    while table.turn[1 - mine] < turn:
        pass


def first(table: Table, _: int) -> None:
    for turn in range(ROUNDS):
        in_step(table, 0, turn + 1)
        give_two(table.plain[turn], 1000 + turn)
        give_two(table.slotted[turn], 1000 + turn)


def second(table: Table, _: int) -> None:
    for turn in range(ROUNDS):
        in_step(table, 1, turn + 1)
        give_two_others(table.plain[turn], 1000 + turn)
        give_two_others(table.slotted[turn], 1000 + turn)


def look(table: Table) -> Counts:
    right = wrong = 0
    for turn, (plain, slotted) in enumerate(zip(table.plain, table.slotted, strict=True)):
        number = 1000 + turn
        for one in plain:
            names = list(vars(one))
            values = (one.a, one.b, one.c, one.d) == (number, None, number * 0.5, plain)
            ordered = names.index("a") < names.index("b") and names.index("c") < names.index("d")
            right, wrong = (right + 1, wrong) if values and ordered and len(names) == 4 else (right, wrong + 1)
        for slot in slotted:
            values = (slot.a, slot.b, slot.c, slot.d) == (number, None, number * 0.5, slotted)
            right, wrong = (right + 1, wrong) if values else (right, wrong + 1)
    return {"all four": right, "not these four": wrong}


SCENARIO = Scenario(
    world=Table,
    actors=(Actor(first), Actor(second)),
    check=look,
    outcomes=(
        acceptable("all four", "each stored once, and noted in the order in which its thread stored it"),
        forbidden("not these four", "a value or its place in the order was lost, or is there twice"),
    ),
)
