"""Thousands of threads that live for a moment: each takes a record, enters machine code, leaves, and is gone."""

from __future__ import annotations

import threading
from random import Random

from ..harness.heat import want
from ..harness.scenario import INTERPRETED, Actor, Counts, Scenario, acceptable, forbidden

THREADS = 60


def work(n: int) -> int:
    total = 0
    for number in range(n):
        total += number * number & 255
    return total


EXPECTED = sum(number * number & 255 for number in range(400))


class Crowd:
    def __init__(self, rng: Random) -> None:
        want(work)
        self.results: list[int] = []
        self.stop = False


def start_threads(crowd: Crowd, _: int) -> Counts:
    results = crowd.results
    for _ in range(THREADS // 4):
        threads = [threading.Thread(target=lambda: results.append(work(400))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    crowd.stop = True
    right = results.count(EXPECTED)
    return {"right": right, "wrong": len(results) - right, "a thread without a result": THREADS - len(results)}


def keep_busy(crowd: Crowd, _: int) -> None:
    turns = 0
    while not crowd.stop:
        turns += 1


SCENARIO = Scenario(
    world=Crowd,
    actors=(Actor(start_threads, tiers=INTERPRETED), Actor(keep_busy)),
    hot=(work,),
    outcomes=(
        acceptable("right", "each with a record of its own"),
        forbidden("wrong", "two threads shared a record"),
        forbidden("a thread without a result", "a thread died"),
    ),
)
