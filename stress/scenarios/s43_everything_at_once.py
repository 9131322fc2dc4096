"""Four threads call functions; four compile, forbid, redefine, drop and collect them, and switch ftjit off and on.

Other compilers for Python that load into a free-threaded interpreter crash here within seconds.
"""

from __future__ import annotations

import gc
import threading
import time
from random import Random
from typing import Any

from ..harness.heat import compile_now, forbid, look_around, switch, want
from ..harness.scenario import INTERPRETED, Actor, Counts, Scenario, Tier, acceptable, forbidden

FUNCTIONS = 5
CALLS = 1_500
TURNS = 80  # of a call's loop, an even number
HELPER = """
def helper(x):
    return (x * {k} & 1023) + ({version} << 20)
"""
SOURCE = """
def f(n):
    total = 0
    items = [0, 0]
    for i in range(n):
        total += helper(i)
        items[i & 1] = total
    return total if items[1] == total else -1
"""
LOW = {k: sum(i * k & 1023 for i in range(TURNS)) for k in range(FUNCTIONS)}  # below 1 << 20


def make(k: int) -> Any:
    space: dict[str, Any] = {"version": 0}
    exec(HELPER.format(k=k, version=0) + SOURCE, space)
    want(space["f"], space["helper"])
    return space["f"]


def redefine(k: int, function: Any) -> None:
    """Another helper, in place; `version` says so as soon as it is there. One at a time for each function."""
    space = function.__globals__
    version = space["version"] + 1
    exec(HELPER.format(k=k, version=version), space)
    space["version"] = version


def is_right(k: int, function: Any) -> bool:
    """Call it: each turn of its loop has used a helper that was not replaced before the call, none of the future."""
    space = function.__globals__
    before = space["version"]
    high, low = divmod(function(TURNS), 1 << 20)
    return low == LOW[k] and TURNS * before <= high <= TURNS * (space["version"] + 1)


class Fair:
    def __init__(self, rng: Random) -> None:
        self.functions = {k: make(k) for k in range(FUNCTIONS)}
        self.redefining = {k: threading.Lock() for k in range(FUNCTIONS)}
        self.seed = rng.randrange(1 << 30)
        self.stop = False


def call(fair: Fair, me: int) -> Counts:
    functions = fair.functions
    right = wrong = 0
    for number in range(CALLS):
        k = (number * 7 + me) % FUNCTIONS
        if is_right(k, functions[k]):
            right += 1
        else:
            wrong += 1
    fair.stop = True
    return {"right": right, "wrong": wrong}


def disturb(fair: Fair, me: int) -> Counts:
    rng = Random(fair.seed + me)
    functions = fair.functions
    seen: dict[str, int] = {}
    while not fair.stop:
        k = rng.randrange(FUNCTIONS)
        what = rng.choice(DISTURBANCES)
        if what == "switched off and on":
            switch(False)
            time.sleep(rng.random() * 0.003)
            switch(True)
            want(*functions.values())
        elif what == "compiled":
            compile_now(functions[k], TURNS)
        elif what == "replaced":
            functions[k] = make(k)
        elif what == "collected":
            gc.collect()
            look_around(functions[k])
        elif what == "forbidden":
            forbid(functions[k])
            functions[k] = make(k)
        else:
            with fair.redefining[k]:
                redefine(k, functions[k])
        seen[what] = seen.get(what, 0) + 1
        time.sleep(rng.random() * 0.004)
    return seen


DISTURBANCES = ("switched off and on", "compiled", "replaced", "collected", "forbidden", "redefined")
SCENARIO = Scenario(
    world=Fair,
    actors=(Actor(call, count=4, tiers=(Tier.INTERPRETER, Tier.EXECUTOR)), Actor(disturb, count=4, tiers=INTERPRETED)),
    outcomes=(
        acceptable("right", "under any disturbance"),
        *(acceptable(what, "a disturbance: so many times") for what in DISTURBANCES),
        forbidden("wrong", "a redefinition, a compilation or a retirement reached a running call"),
    ),
)
