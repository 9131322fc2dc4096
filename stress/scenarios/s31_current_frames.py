"""Another thread looks: `sys._current_frames()` shows each frame at a line of its function, with true arguments.

Looking stops the world, so machine code is left, and what was in registers is written back. Then it goes on.
"""

from __future__ import annotations

import sys
import threading
from random import Random
from typing import Any

from ..harness.scenario import INTERPRETED, Actor, Counts, Scenario, acceptable, forbidden

LOOKS = 40


class Room:
    def __init__(self, rng: Random) -> None:
        self.threads: list[int] = []
        self.ready = 0
        self.stop = False
        self.limit = rng.randrange(1, 1000)


def spin(room: Room, me: int) -> Counts:
    room.threads.append(threading.get_ident())
    kept = room.limit
    turns = 0
    total = 0.0
    while not room.stop:
        turns += 1
        total += 0.5
    right = total == turns * 0.5 and kept == room.limit
    return {"the loop's own numbers are right" if right else "the loop's own numbers are wrong": 1}


def look(room: Room, _: int) -> Counts:
    while len(room.threads) < 2:
        pass
    seen: dict[str, int] = {"a line of the loop": 0, "another line": 0, "true arguments": 0, "wrong arguments": 0}
    for _ in range(LOOKS):
        frames = sys._current_frames()
        for thread in room.threads:
            frame: Any = frames[thread]
            if frame.f_code.co_name != "spin":
                continue
            inside = frame.f_code.co_firstlineno < frame.f_lineno < frame.f_code.co_firstlineno + 11
            seen["a line of the loop" if inside else "another line"] += 1
            values = frame.f_locals
            true = values["room"] is room and values["me"] in (0, 1) and values.get("kept", room.limit) == room.limit
            seen["true arguments" if true else "wrong arguments"] += 1
            del frame, values
        del frames
    room.stop = True
    return seen


SCENARIO = Scenario(
    world=Room,
    actors=(Actor(look, tiers=INTERPRETED), Actor(spin, count=2)),
    outcomes=(
        acceptable("a line of the loop", "where the thread was when the world stood still"),
        acceptable("true arguments", "what was passed, and what was computed before the loop"),
        acceptable("the loop's own numbers are right", "nobody lost a turn by being looked at"),
        forbidden("another line", "the frame points elsewhere"),
        forbidden("wrong arguments", "a local that was not written back, or was written back wrong"),
        forbidden("the loop's own numbers are wrong", "leaving or entering lost a register"),
    ),
)
