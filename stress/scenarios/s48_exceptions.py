"""Exceptions out of machine code find their handler, their line and true locals, while executors are swapped."""

from __future__ import annotations

from random import Random
from typing import Any

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 1_500


def divide(a: int, b: int) -> int:
    return 100 * a // b


class Table:
    def __init__(self, rng: Random) -> None:
        self.divisors: list[Any] = [1, 2, 0, 4, "x", 5, 0, 7]
        rng.shuffle(self.divisors)
        self.short = [1, 2, 3]


def compute(table: Table, _: int) -> Counts:
    divisors, short = table.divisors, table.short
    right = wrong = 0
    for number in range(TURNS):
        divisor = divisors[number & 7]
        reached = 0
        cleaned = 0
        outcome = "?"
        try:
            try:
                reached = 1
                quotient = divide(number, divisor)
                reached = 2
                quotient += short[number & 3]
                reached = 3
            finally:
                cleaned = number
            outcome = "value" if quotient >= 0 else "negative"
        except ZeroDivisionError as error:
            last = error.__traceback__
            while last is not None and last.tb_next is not None:
                last = last.tb_next
            inside = last is not None and last.tb_frame.f_code is divide.__code__ and last.tb_frame.f_locals["b"] == 0
            outcome = "zero" if inside else "wrong place"
        except TypeError:
            outcome = "type"
        except IndexError:
            outcome = "index"
        if divisor == 0:
            expected, until = "zero", 1
        elif divisor == "x":
            expected, until = "type", 1
        elif number & 3 == 3:
            expected, until = "index", 2
        else:
            expected, until = "value", 3
        if outcome == expected and reached == until and cleaned == number:
            right += 1
        else:
            wrong += 1
    return {"the right handler": right, "the wrong one": wrong}


SCENARIO = Scenario(
    world=Table,
    actors=(Actor(compute, count=3),),
    hot=(divide,),
    brief=True,
    outcomes=(
        acceptable("the right handler", "with the locals as they were when it was raised"),
        forbidden("the wrong one", "unwound to another handler, or with locals of another moment"),
    ),
)
