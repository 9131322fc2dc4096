"""`__del__` runs at the bytecode that drops the last reference, and a weak reference is dead from there on.

Compiled code keeps numbers in registers, and a local's place in the frame may hold an older value meanwhile: but only
if that is a number. `x = Thing(); x = 1.0` drops the thing at the second assignment, not when the loop is over.
"""

from __future__ import annotations

import weakref
from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 1_500


class Log:
    def __init__(self, rng: Random) -> None:
        self.dropped = [0, 0, 0, 0]


class Thing:
    def __init__(self, log: Log, me: int) -> None:
        self.log = log
        self.me = me

    def __del__(self) -> None:
        self.log.dropped[self.me] += 1


def assign(log: Log, me: int) -> Counts:
    dropped = log.dropped
    at_once = late = early = alive = 0
    for number in range(TURNS):
        x = Thing(log, me)
        reference = weakref.ref(x)
        if dropped[me] != number:
            early += 1
        x = 1.0 * number  # type: ignore[assignment]
        if dropped[me] != number + 1:
            late += 1
        elif reference() is not None:
            alive += 1
        else:
            at_once += 1
        x = x + 1.0  # type: ignore[operator]
    return {"at once": at_once, "late": late, "early": early, "weak reference alive": alive}


SCENARIO = Scenario(
    world=Log,
    actors=(Actor(assign, count=3),),
    outcomes=(
        acceptable("at once", "dropped by the assignment"),
        forbidden("late", "something held on to what had been overwritten"),
        forbidden("early", "dropped while the local still named it"),
        forbidden("weak reference alive", "the object was finalised and could still be had"),
    ),
)
