"""Tracers, profilers and monitoring tools come and go: results stay right, and while a tool watches, it sees all.

Code that another tool watches runs in the interpreter. A tool that is there before a call sees each of its lines.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from random import Random
from types import CodeType, FrameType
from typing import Any

from ..harness.scenario import INTERPRETED, Actor, Counts, Scenario, acceptable, forbidden

TOOL = 4


def work(n: int) -> int:
    total = 0
    for number in range(n):
        total += number & 7
    return total


EXPECTED = sum(number & 7 for number in range(500))


class Room:
    def __init__(self, rng: Random) -> None:
        self.stop = False
        self.rng = rng


def count(room: Room, _: int) -> Counts:
    right = wrong = 0
    while not room.stop:
        total = 0
        for number in range(500):
            total += number & 7
        if total == EXPECTED == work(500):
            right += 1
        else:
            wrong += 1
    return {"right": right, "wrong": wrong}


def watch(room: Room, _: int) -> Counts:
    seen = {"every line was seen": 0, "replaced": 0, "lines were missed": 0}
    for turn in range(12):
        lines: list[int] = []
        still_there = (by_monitoring, by_settrace, profile_calls)[turn % 3](lines)
        whole = lines.count(0) == 500 if turn % 3 < 2 else lines == [1]
        seen["every line was seen" if whole else "lines were missed" if still_there else "replaced"] += 1
    room.stop = True
    return seen


# Each of these returns whether its tool was still the one that watches at the end.


def by_monitoring(lines: list[int]) -> bool:
    """One 0 for each turn of the loop's body."""
    monitoring = sys.monitoring
    body, me = work.__code__.co_firstlineno + 3, get_ident()

    def on_line(code: CodeType, line: int) -> Any:
        if line == body and get_ident() == me:  # the other actor calls `work` as well
            lines.append(0)

    monitoring.use_tool_id(TOOL, "stress")
    monitoring.register_callback(TOOL, monitoring.events.LINE, on_line)
    monitoring.set_local_events(TOOL, work.__code__, monitoring.events.LINE)
    work(500)
    monitoring.set_local_events(TOOL, work.__code__, 0)
    monitoring.register_callback(TOOL, monitoring.events.LINE, None)
    monitoring.free_tool_id(TOOL)
    return True


def by_settrace(lines: list[int]) -> bool:
    body = work.__code__.co_firstlineno + 3

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code is not work.__code__:
            return None
        if event == "line" and frame.f_lineno == body:
            lines.append(0)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    work(500)
    still_there = sys.gettrace() is trace
    sys.settrace(before)
    return still_there


def profile_calls(lines: list[int]) -> bool:
    def profile(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code is work.__code__:
            lines.append(1)

    before = sys.getprofile()
    sys.setprofile(profile)
    work(500)
    still_there = sys.getprofile() is profile
    sys.setprofile(before)
    return still_there


SCENARIO = Scenario(
    world=Room,
    actors=(Actor(watch, tiers=INTERPRETED), Actor(count, count=2)),
    hot=(work,),
    outcomes=(
        acceptable("right", "watched or not"),
        acceptable("every line was seen", "what a tool watches, the interpreter runs"),
        acceptable("replaced", "somebody gave all threads another trace or profile function meanwhile"),
        forbidden("wrong", "leaving or entering because of a tool lost something"),
        forbidden("lines were missed", "machine code ran what a tool was watching"),
    ),
)
