"""Two readers do not disagree about the order in which two writers stored.

One writer counts x up, another y. One reader reads x, then y; the other y, then x. If the first saw a new x with an
old y, and the second that new y with a still older x, each writer would have been first.
"""

from __future__ import annotations

from bisect import bisect_left
from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

READS = 4_000


class Counters:
    def __init__(self, rng: Random) -> None:
        self.x = 0
        self.y = 0
        self.x_first = [0] * READS
        self.y_after = [0] * READS
        self.y_first = [0] * READS
        self.x_after = [0] * READS
        self.reading = 2
        self.stop = False


def read_x_then_y(counters: Counters, _: int) -> None:
    xs, ys = counters.x_first, counters.y_after
    for number in range(READS):
        xs[number] = counters.x
        ys[number] = counters.y
    counters.stop = True


def read_y_then_x(counters: Counters, _: int) -> None:
    xs, ys = counters.x_after, counters.y_first
    for number in range(READS):
        ys[number] = counters.y
        xs[number] = counters.x


def count_x(counters: Counters, _: int) -> None:
    number = 0
    while not counters.stop:
        number += 1
        counters.x = number


def count_y(counters: Counters, _: int) -> None:
    number = 0
    while not counters.stop:
        number += 1
        counters.y = number


def compare(counters: Counters) -> Counts:
    agree = disagree = 0
    for x, y in zip(counters.x_first, counters.y_after, strict=True):
        # The last read of the other reader that saw an x older than ours: y only grows, so it saw the newest such y.
        place = bisect_left(counters.x_after, x) - 1
        if place >= 0 and counters.y_first[place] > y:
            disagree += 1
        else:
            agree += 1
    return {"the readers agree": agree, "the readers disagree": disagree}


SCENARIO = Scenario(
    world=Counters,
    actors=(Actor(read_x_then_y), Actor(read_y_then_x), Actor(count_x), Actor(count_y)),
    check=compare,
    outcomes=(
        acceptable("the readers agree", "there is one order of the stores that both saw"),
        forbidden("the readers disagree", "a store was seen by one reader before it was there for the other"),
    ),
)
