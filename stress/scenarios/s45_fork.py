"""`os.fork` beside threads in machine code: the child, alone, runs machine code and gets new code compiled."""

from __future__ import annotations

import warnings
from random import Random

from ..harness.children import LOST, forked
from ..harness.heat import want
from ..harness.scenario import INTERPRETED, Actor, Counts, Scenario, acceptable, interesting

FORKS = 4
SOURCE = "def g(n):\n    total = 0\n    for i in range(n):\n        total += i * {k} & 63\n    return total\n"


def spin_a_while(n: int) -> int:
    total = 0
    for number in range(n):
        total += number & 3
    return total


class Room:
    def __init__(self, rng: Random) -> None:
        warnings.simplefilter("ignore", DeprecationWarning)
        want(spin_a_while)
        self.k = rng.randrange(1 << 16)
        self.stop = False


def fork(room: Room, _: int) -> Counts:
    seen: dict[str, int] = {}
    for number in range(FORKS):
        expected = in_child(2000 + number, room.k)
        wrong = forked(lambda n: in_child(n, room.k), expected, 2000 + number)
        seen[wrong or "the child is right"] = seen.get(wrong or "the child is right", 0) + 1
    room.stop = True
    return seen


def in_child(n: int, k: int) -> int:
    """What is compiled, and something that gets hot only here."""
    space: dict[str, object] = {}
    exec(SOURCE.format(k=k), space)
    fresh = space["g"]
    want(fresh)  # type: ignore[arg-type]
    return spin_a_while(n) + sum(fresh(100) for _ in range(30))  # type: ignore[operator]


def spin(room: Room, _: int) -> Counts:
    turns = twice = 0
    while not room.stop:
        turns += 1
        twice += 2
    return {"the parent goes on": 1 if twice == 2 * turns else 0, "the parent lost count": int(twice != 2 * turns)}


SCENARIO = Scenario(
    world=Room,
    actors=(Actor(fork, tiers=INTERPRETED), Actor(spin, count=2)),
    hot=(spin_a_while,),
    outcomes=(
        acceptable("the child is right", "it computed and compiled, and ended"),
        interesting(LOST, "the interpreter's own: other threads used what this thread uses, too"),
        acceptable("the parent goes on", "its threads were not disturbed"),
    ),
)
