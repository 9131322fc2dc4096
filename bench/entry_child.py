"""The measuring process of ``entry_cost``: ``python -m ftjit_bench.entry_child interpreter|ftjit TURNS CALLS``.

The functions below are written out twice on purpose: a caller shared by both would lose CPython's
specialisation for the function it calls, and what it would then show is that.
"""

import json
import operator
import sys
import time
from collections.abc import Callable
from typing import Any

from . import child

WARM_UP_TURNS = 5
PATIENCE_SECONDS = 10.0


def entered() -> None:
    """What ftjit compiles: the smallest function there is."""


def not_entered() -> None:
    """The same function, kept in the interpreter."""


def watched() -> None:
    """The same function again, where a C function that does nothing is called at each start."""


def direct(number: int) -> int:
    """As little as a function does that is compiled but not inlined: it is too long."""
    if number:  # never; too much code to be inlined
        number = number + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1
        number = number + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1
    return number


def not_direct(number: int) -> int:
    """The same function, kept in the interpreter."""
    if number:  # never; too much code to be inlined
        number = number + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1
        number = number + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1
    return number


def call_entered(calls: int) -> None:
    for _ in range(calls):
        entered()


def call_not_entered(calls: int) -> None:
    for _ in range(calls):
        not_entered()


def call_watched(calls: int) -> None:
    for _ in range(calls):
        watched()


def call_direct(calls: int) -> None:
    """Compiled, too: it calls machine code from machine code."""
    for _ in range(calls):
        direct(0)


def call_not_direct(calls: int) -> None:
    for _ in range(calls):
        not_direct(0)


def call_nothing(calls: int) -> None:
    for _ in range(calls):
        pass


Loops = dict[str, Callable[[int], None]]
LEFT_ALONE: Loops = {"not_entered": call_not_entered, "not_direct": call_not_direct, "nothing": call_nothing}
LOOPS: dict[str, Loops] = {
    "interpreter": LEFT_ALONE,
    "ftjit": {**LEFT_ALONE, "entered": call_entered, "watched": call_watched, "direct": call_direct},
}
# What `measure_entering` of the C core is asked for.
RECLAMATION = {"unreclaimed": 0, "reclaimed": 1, "fenced": 2}


def prepare(ftjit: Any) -> None:
    """Compile ``entered``, ``direct`` and its caller, and nothing else of this module. Raises RuntimeError if one
    stays uncompiled."""
    for function in (not_entered, not_direct, watched, call_entered, call_watched, *LEFT_ALONE.values()):
        ftjit.never(function)
    for loop, *compiled in ((call_entered, entered), (call_direct, direct, call_direct)):
        loop(1000)  # what is compiled should be the specialised bytecode
        until = time.monotonic() + PATIENCE_SECONDS
        for function in compiled:
            ftjit.compile(function, *(() if function is entered else (0,)))
        while not all(map(ftjit.is_compiled, compiled)):
            if time.monotonic() > until:
                raise RuntimeError(f"{compiled[0].__name__} was not compiled within {PATIENCE_SECONDS:.0f} s")
            loop(1000)
        for _ in range(WARM_UP_TURNS):
            loop(1000)
            ftjit.drain()


def watch() -> None:
    """Have the cheapest callback there is called at each start of ``watched``: what an event costs anybody."""
    monitoring = sys.monitoring
    tool = monitoring.PROFILER_ID
    monitoring.use_tool_id(tool, "ftjit bench")
    monitoring.register_callback(tool, monitoring.events.PY_START, operator.is_)
    monitoring.set_local_events(tool, watched.__code__, monitoring.events.PY_START)


def reclamation(calls: int) -> dict[str, float]:
    """Nanoseconds for each turn of the C core's own loops; see ``cdefs/measure.c``."""
    from ftjit.runtime.core import core

    return {name: core().lib.measure_entering(form, calls) for name, form in RECLAMATION.items()}


def measure(mode: str, turns: int, calls: int) -> dict[str, Any]:
    """Nanoseconds for each pass of each loop: a list of ``turns`` for each name, taken turn about."""
    ftjit = child.switch_on("ftjit") if mode == "ftjit" else None
    if ftjit is not None:
        prepare(ftjit)
        watch()
    loops = LOOPS[mode]
    nanoseconds: dict[str, list[float]] = {name: [] for name in loops}
    if ftjit is not None:
        nanoseconds.update({name: [] for name in RECLAMATION})
    entries = 0
    for turn in range(-WARM_UP_TURNS, turns):
        if turn == 0 and ftjit is not None:
            entries = ftjit.stats().entries
        for name, loop in loops.items():
            began = time.thread_time_ns()
            loop(calls)
            took = time.thread_time_ns() - began
            if turn >= 0:
                nanoseconds[name].append(took / calls)
        if turn >= 0 and ftjit is not None:
            for name, each in reclamation(calls).items():
                nanoseconds[name].append(each)
    answer: dict[str, Any] = {"nanoseconds": nanoseconds}
    if ftjit is not None:
        answer["entries"] = ftjit.stats().entries - entries
    return answer


def main() -> int:
    mode, turns, calls = sys.argv[1:]
    try:
        answer = measure(mode, int(turns), int(calls))
    except Exception as error:  # the parent wants one line
        answer = {"failure": child.describe(error)}
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
