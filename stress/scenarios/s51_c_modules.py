"""The standard library's C modules in the loop: callbacks into Python, buffers, iterators, regular expressions."""

from __future__ import annotations

import bisect
import functools
import hashlib
import heapq
import itertools
import json
import operator
import re
import struct
import zlib
from collections import deque
from random import Random
from typing import Any

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 60


def key(number: int) -> int:
    return -number


def combine(total: int, number: int) -> int:
    return total * 31 + number & 0xFFFF


class Work:
    def __init__(self, rng: Random) -> None:
        self.numbers = [rng.randrange(1000) for _ in range(30)]
        self.digest, self.expected = once(self.numbers)


def once(numbers: list[int]) -> tuple[str, Any]:
    ordered = sorted(numbers, key=key)
    folded = functools.reduce(combine, numbers)
    queue = deque(numbers, maxlen=10)
    heap = list(numbers)
    heapq.heapify(heap)
    packed = struct.pack("30i", *numbers)
    text = json.dumps({"numbers": numbers, "folded": folded})
    found = [int(match) for match in re.findall(r"\d+", text)]
    place = bisect.bisect(sorted(numbers), 500)
    sums = list(itertools.accumulate(map(operator.neg, numbers)))
    data = zlib.decompress(zlib.compress(packed))
    result = (ordered, folded, list(queue), heapq.heappop(heap), found, place, sums, json.loads(text), data == packed)
    return hashlib.sha256(repr(result).encode()).hexdigest(), result


def compute(work: Work, _: int) -> Counts:
    numbers, digest = work.numbers, work.digest
    right = wrong = 0
    for _ in range(TURNS):
        if once(numbers)[0] == digest:
            right += 1
        else:
            wrong += 1
    return {"right": right, "wrong": wrong}


SCENARIO = Scenario(
    world=Work,
    actors=(Actor(compute, count=3),),
    hot=(once, key, combine),
    outcomes=(
        acceptable("right", "the same digest every time"),
        forbidden("wrong", "an argument or a result was lost on the way"),
    ),
)
