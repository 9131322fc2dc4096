"""Four threads call functions; four compile, forbid, redefine, drop and collect them, and switch ftjit off and on.

Other compilers for Python that load into a free-threaded interpreter crash here within seconds.
"""

from __future__ import annotations

import gc
import time
from random import Random
from typing import Any

from ..harness.heat import forbid, look_around, switch, want
from ..harness.scenario import INTERPRETED, Actor, Counts, Scenario, Tier, acceptable, forbidden

FUNCTIONS = 5
CALLS = 1_500
SOURCE = """
def helper(x):
    return x * {k} & 1023

def f(n):
    total = 0
    items = [0, 0]
    for i in range(n):
        total += helper(i)
        items[i & 1] = total
    return total + items[1]
"""


def make(k: int) -> Any:
    space: dict[str, Any] = {}
    exec(SOURCE.format(k=k), space)
    want(space["f"], space["helper"])
    return space["f"]


class Fair:
    def __init__(self, rng: Random) -> None:
        self.functions = {k: make(k) for k in range(FUNCTIONS)}
        self.expected = {k: function(80) for k, function in self.functions.items()}
        self.seed = rng.randrange(1 << 30)
        self.calling = 4
        self.stop = False


def call(fair: Fair, me: int) -> Counts:
    functions, expected = fair.functions, fair.expected
    right = wrong = 0
    for number in range(CALLS):
        k = (number * 7 + me) % FUNCTIONS
        if functions[k](80) == expected[k]:
            right += 1
        else:
            wrong += 1
    fair.stop = True
    return {"right": right, "wrong": wrong}


def disturb(fair: Fair, me: int) -> Counts:
    rng = Random(fair.seed + me)
    functions = fair.functions
    done = 0
    while not fair.stop:
        k = rng.randrange(FUNCTIONS)
        kind = (me + rng.randrange(2)) % 6
        if kind == 0:
            switch(False)
            time.sleep(rng.random() * 0.003)
            switch(True)
            want(*functions.values())
        elif kind == 1:
            want(functions[k])
            functions[k](80)
        elif kind == 2:
            functions[k] = make(k)
        elif kind == 3:
            gc.collect()
            look_around(functions[k])
        elif kind == 4:
            forbid(functions[k])
            functions[k] = make(k)
        else:
            functions[k].__globals__["helper"] = make(k).__globals__["helper"]
        done += 1
        time.sleep(rng.random() * 0.004)
    return {"disturbed": done}


SCENARIO = Scenario(
    world=Fair,
    actors=(Actor(call, count=4, tiers=(Tier.INTERPRETER, Tier.EXECUTOR)), Actor(disturb, count=4, tiers=INTERPRETED)),
    outcomes=(
        acceptable("right", "under any disturbance"),
        acceptable("disturbed", "so many times"),
        forbidden("wrong", "a redefinition, a compilation or a retirement reached a running call"),
    ),
)
