"""A collection stops the world, so every hot loop gives way; what is reachable from its frames stays."""

from __future__ import annotations

import gc
import time
import weakref
from random import Random
from typing import Any

from ..harness.scenario import INTERPRETED, Actor, Counts, Scenario, acceptable, forbidden, interesting

COLLECTIONS = 10


class Node:
    def __init__(self) -> None:
        self.me = self
        self.number = 7


class Heap:
    def __init__(self, rng: Random) -> None:
        self.stop = False


def spin(heap: Heap, _: int) -> Counts:
    kept: Any = Node()  # a cycle that only this frame holds
    reference = weakref.ref(kept)
    total = 0
    while not heap.stop:
        total += kept.number
        fresh = [kept]
        total -= fresh[0].number
    return {"what a frame holds lives" if reference() is kept and total == 0 else "collected while in use": 1}


def collect(heap: Heap, _: int) -> Counts:
    seen = {"collected": 0, "collected, after a long wait": 0, "garbage was kept": 0}
    for _ in range(COLLECTIONS):
        node: Any = Node()
        reference = weakref.ref(node)
        del node
        start = time.monotonic()
        gc.collect()
        slow = time.monotonic() - start > 1.0
        if reference() is not None:
            seen["garbage was kept"] += 1
        else:
            seen["collected, after a long wait" if slow else "collected"] += 1
        time.sleep(0.001)
    heap.stop = True
    return seen


SCENARIO = Scenario(
    world=Heap,
    actors=(Actor(collect, tiers=INTERPRETED), Actor(spin, count=2)),
    outcomes=(
        acceptable("collected", "garbage in a cycle goes"),
        acceptable("what a frame holds lives", "homes of locals are roots"),
        interesting(
            "collected, after a long wait", "more than a second: a busy machine, or a loop that polls too seldom"
        ),
        forbidden("collected while in use", "the collector did not see a local"),
        forbidden("garbage was kept", "something of ftjit's held on to it"),
    ),
)
