"""A function or a constant that is redefined is the new one for whoever knows that it was redefined.

Compiled code looks globals up behind a check at each use. The writer redefines a global function and a global number,
then publishes which they are; a reader that has seen the publication must not get older ones.
"""

from __future__ import annotations

from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 8_000
REDEFINITIONS = 40
NUMBER = 0
SOURCE = "def answer(x):\n    return {number}\n"


def answer(x: int) -> int:
    return 0


class Board:
    def __init__(self, rng: Random) -> None:
        global NUMBER
        set_answer(0)
        NUMBER = 0
        self.published = 0
        self.stop = False


def set_answer(number: int) -> None:
    exec(SOURCE.format(number=number), globals())


def use(board: Board, _: int) -> Counts:
    fresh = old_function = old_number = 0
    for x in range(TURNS):
        published = board.published
        function_says = answer(x)
        number_says = NUMBER
        if function_says < published:
            old_function += 1
        elif number_says < published:
            old_number += 1
        else:
            fresh += 1
    board.stop = True
    return {"as published or newer": fresh, "an old function": old_function, "an old number": old_number}


def redefine(board: Board, _: int) -> None:
    global NUMBER
    number = 0
    while not board.stop and number < REDEFINITIONS:
        number += 1
        set_answer(number)
        NUMBER = number
        board.published = number


SCENARIO = Scenario(
    world=Board,
    actors=(Actor(use, count=2), Actor(redefine)),
    hot=(),
    needs_deopts=True,
    outcomes=(
        acceptable("as published or newer", "the global was looked up at its use"),
        forbidden("an old function", "the call went to a function that had been replaced"),
        forbidden("an old number", "a global was folded into the code"),
    ),
)
