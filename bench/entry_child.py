"""The measuring process of ``entry_cost``: ``python -m ftjit_bench.entry_child interpreter|ftjit TURNS
CALLS``.

The functions below are written out twice on purpose: a caller shared by both would lose CPython's
specialisation for the function it calls, and what it would then show is that.
"""

import json
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


def call_entered(calls: int) -> None:
    for _ in range(calls):
        entered()


def call_not_entered(calls: int) -> None:
    for _ in range(calls):
        not_entered()


def call_nothing(calls: int) -> None:
    for _ in range(calls):
        pass


LOOPS: dict[str, Callable[[int], None]] = {
    "entered": call_entered,
    "not_entered": call_not_entered,
    "nothing": call_nothing,
}


def prepare(ftjit: Any) -> None:
    """Compile ``entered`` and nothing else of this module. Raises RuntimeError if it stays uncompiled."""
    for function in (not_entered, *LOOPS.values()):
        ftjit.never(function)
    call_entered(1000)  # what is compiled should be the specialised bytecode
    ftjit.compile(entered)
    until = time.monotonic() + PATIENCE_SECONDS
    while not ftjit.is_compiled(entered):
        if time.monotonic() > until:
            raise RuntimeError(f"the empty function was not compiled within {PATIENCE_SECONDS:.0f} s")
        call_entered(1000)


def measure(mode: str, turns: int, calls: int) -> dict[str, Any]:
    """Nanoseconds for each pass of each loop: a list of ``turns`` for each name in ``LOOPS``, taken turn
    about.
    """
    ftjit = child.switch_on("ftjit") if mode == "ftjit" else None
    if ftjit is not None:
        prepare(ftjit)
    nanoseconds: dict[str, list[float]] = {name: [] for name in LOOPS}
    entries = 0
    for turn in range(-WARM_UP_TURNS, turns):
        if turn == 0 and ftjit is not None:
            entries = ftjit.stats().entries
        for name, loop in LOOPS.items():
            began = time.perf_counter_ns()
            loop(calls)
            took = time.perf_counter_ns() - began
            if turn >= 0:
                nanoseconds[name].append(took / calls)
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
