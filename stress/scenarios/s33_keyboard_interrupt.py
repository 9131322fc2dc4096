"""Ctrl-C ends a hot loop: KeyboardInterrupt is raised in it, at one of its lines, with its locals right."""

from __future__ import annotations

import os
import signal
import time
from random import Random

from ..harness.scenario import INTERPRETED, Actor, Counts, Scenario, acceptable, forbidden, interesting


class Wait:
    def __init__(self, rng: Random) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.pause = rng.uniform(0.0005, 0.02)
        self.inside = 0
        self.sent = 0.0
        self.over = False


def loop(wait: Wait, _: int) -> Counts:
    total = 0
    number = 0
    seen = "interrupted in time"
    try:
        wait.inside = 1
        for number in range(1 << 50):
            total += number & 1
        seen = "the loop ended"
    except KeyboardInterrupt:
        if time.monotonic() - wait.sent > 1.0:
            seen = "interrupted late"
        if total != number // 2 and total != (number + 1) // 2:
            seen = "wrong locals"
    wait.over = True
    return {seen: 1}


def interrupt(wait: Wait, _: int) -> None:
    while not wait.inside:
        pass
    time.sleep(wait.pause)
    wait.sent = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)
    while not wait.over:
        time.sleep(0.0005)


SCENARIO = Scenario(
    world=Wait,
    actors=(Actor(loop), Actor(interrupt, tiers=INTERPRETED)),
    outcomes=(
        acceptable("interrupted in time", "the next poll saw the signal"),
        interesting("interrupted late", "more than a second: a busy machine, or a loop that polls too seldom"),
        forbidden("the loop ended", "the signal was lost"),
        forbidden("wrong locals", "the exception found the loop's variables half way"),
    ),
)
