"""What other threads free lazily is freed, although a loop never leaves machine code.

List arrays that readers may still look at are freed once every thread has passed a quiescent state. A loop that never
reported one would make a neighbour's `extend` and `clear` grow the process without end.
"""

from __future__ import annotations

import threading
import time
from random import Random

from ..harness.scenario import INTERPRETED, Actor, Counts, Scenario, acceptable, forbidden
from ..harness.timeline import resident_mib

ROUNDS = 32_000  # 1,200 MiB, if nothing of it were freed
MUCH_MIB, MOST_MIB = 250.0, 800.0  # the loop may have been without a CPU: beyond the first it gets time to report


class Shared:
    def __init__(self, rng: Random) -> None:
        self.items = [1]
        thread = threading.Thread(target=self.items.append, args=(2,))
        thread.start()  # another thread has touched it: its arrays are freed lazily from now on
        thread.join()
        self.stop = False


def spin(shared: Shared, _: int) -> Counts:
    turns = 0
    while not shared.stop:
        turns += 1
    return {"spun": 1}


def churn(shared: Shared, _: int) -> Counts:
    chunk = list(range(5000))
    items = shared.items
    before = resident_mib()
    grown = 0.0
    for done in range(ROUNDS):
        items.extend(chunk)
        items.clear()
        if done % 500 == 499:
            grown = max(grown, resident_mib() - before)
            if grown >= MUCH_MIB:
                time.sleep(0.02)
            if grown >= MOST_MIB:
                break
    shared.stop = True
    return {"memory stayed" if grown < MOST_MIB else "memory grew without end": 1}


def skip() -> str | None:
    return None if resident_mib() else "it needs /proc"


SCENARIO = Scenario(
    world=Shared,
    actors=(Actor(churn, tiers=INTERPRETED), Actor(spin)),
    skip=skip,
    long=True,
    not_with=("memory",),  # it starts threads: see there
    outcomes=(
        acceptable("memory stayed", f"{ROUNDS:,} rounds of 40 KB grew the process by less than {MOST_MIB:.0f} MiB"),
        acceptable("spun", "the loop was there all the time"),
        forbidden("memory grew without end", "the loop reported no quiescent state"),
    ),
)
