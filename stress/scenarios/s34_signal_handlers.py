"""Signal handlers run Python code in the middle of hot loops; some raise, and the loop's handler catches it."""

from __future__ import annotations

import os
import signal
import time
from random import Random
from types import FrameType

from ..harness.scenario import INTERPRETED, LONG_ENOUGH, Actor, Counts, Scenario, acceptable, forbidden

SIGNALS = 20
BODY = 5  # the line of the inner loop's body, counted from the function's first


class Enough(Exception):
    """Raised by the handler."""


class Wait:
    def __init__(self, rng: Random) -> None:
        self.handled = 0
        self.sent = 0
        self.raised = 0
        self.caught = 0
        self.lines: list[int] = []
        self.stop = False
        signal.signal(signal.SIGUSR1, self.handle)

    def handle(self, number: int, frame: FrameType | None) -> None:
        self.handled += 1
        if frame is not None and frame.f_code.co_name == "loop":
            if frame.f_locals.get("total", 0) < 0:  # a signal at the very start comes before the first assignment
                self.lines.append(frame.f_lineno)
            # Only inside the `try`: the outer loop's own jump back handles signals, too.
            inside = frame.f_lineno == frame.f_code.co_firstlineno + BODY
            if self.handled % 3 == 0 and inside and not self.stop:
                self.raised += 1
                raise Enough


def loop(wait: Wait, _: int) -> Counts:
    total = 0
    while not wait.stop:
        try:
            for number in range(2000):
                total += number & 3
        except Enough:
            wait.caught += 1
    return {"every exception was caught" if wait.caught == wait.raised else "an exception went astray": 1}


def send(wait: Wait, _: int) -> None:
    deadline = time.monotonic() + LONG_ENOUGH
    for number in range(SIGNALS):
        os.kill(os.getpid(), signal.SIGUSR1)
        while wait.handled <= number and time.monotonic() < deadline:
            time.sleep(0.0005)
    wait.stop = True


def look(wait: Wait) -> Counts:
    return {
        "every signal was handled" if wait.handled >= SIGNALS else "a signal was lost": 1,
        "wrong locals in the handler": len(wait.lines),
    }


SCENARIO = Scenario(
    world=Wait,
    actors=(Actor(loop), Actor(send, tiers=INTERPRETED)),
    check=look,
    outcomes=(
        acceptable("every signal was handled", "within the poll that saw it"),
        acceptable("every exception was caught", "by the handler round the loop it came up in"),
        forbidden("a signal was lost", "no poll saw it"),
        forbidden("an exception went astray", "unwound to the wrong handler"),
        forbidden("wrong locals in the handler", "the frame was not as it should be at that line"),
    ),
)
