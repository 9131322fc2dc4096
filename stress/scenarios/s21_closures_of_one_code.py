"""Closures of one code object share their machine code, and nothing else.

Each has its own defaults, its own cells, its own globals. `func_version` does not tell them apart, so compiled code
looks at the rest when it calls.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 3_000
CODE = compile("def inner(x):\n    return x + K\n", "stress closures", "exec")


def with_default(k: int) -> Callable[[int], int]:
    def inner(x: int, add: int = k) -> int:
        return x + add

    return inner


def with_cell(k: int) -> Callable[[int], int]:
    def inner(x: int) -> int:
        return x + k

    return inner


def with_globals(k: int) -> Callable[[int], int]:
    space: dict[str, Any] = {"K": k}
    exec(CODE, space)
    function: Callable[[int], int] = space["inner"]
    return function


class Closures:
    def __init__(self, rng: Random) -> None:
        ks = [rng.randrange(1, 1 << 20) for _ in range(4)]
        self.pairs = [(make(k), k) for make in (with_default, with_cell, with_globals) for k in ks]
        rng.shuffle(self.pairs)


def call(closures: Closures, me: int) -> Counts:
    pairs = closures.pairs
    right = wrong = 0
    for number in range(TURNS):
        function, k = pairs[(number + me) % 12]
        if function(number) == number + k:
            right += 1
        else:
            wrong += 1
    return {"its own": right, "another closure's": wrong}


SCENARIO = Scenario(
    world=Closures,
    actors=(Actor(call, count=3),),
    outcomes=(
        acceptable("its own", "default, cell, global: of the function that was called"),
        forbidden("another closure's", "two functions of one code were taken for one"),
    ),
)
