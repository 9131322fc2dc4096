"""The measuring process of ``wide_cost``: ``python -m ftjit_bench.wide_child FUNCTIONS BLOCKS SECONDS``."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from . import child

SETTLE_SECONDS = 2.5  # on, before the first block
ORDER = ("on", "off", "off", "on")
CLOCKS: dict[str, Callable[[], float]] = {
    "thread": time.thread_time,
    "process": time.process_time,
    "wall": time.perf_counter,
}
SOURCE = """
def f(text, number):
    parts = []
    for word in text.split():
        if len(word) > {k} % 5:
            parts.append(word.upper() + str(number % {k}))
    return len("-".join(parts)) + {k}
"""


def make(count: int) -> list[Callable[[str, int], int]]:
    """So many functions, each with a code object of its own."""
    functions = []
    for k in range(1, count + 1):
        space: dict[str, Any] = {}
        exec(SOURCE.format(k=k), space)
        functions.append(space["f"])
    return functions


def run(functions: Sequence[Callable[[str, int], int]]) -> int:
    """All of them, once."""
    total = 0
    for function in functions:
        total += function("one two three four", total)
    return total


def block(functions: Sequence[Callable[[str, int], int]], seconds: float) -> dict[str, float]:
    """Seconds for one run by each clock, over as many runs as fit. The first is not counted: the switch is near."""
    run(functions)
    before = {name: clock() for name, clock in CLOCKS.items()}
    runs = 0
    while not runs or CLOCKS["wall"]() - before["wall"] < seconds:
        run(functions)
        runs += 1
    return {name: (clock() - before[name]) / runs for name, clock in CLOCKS.items()}


def measure(count: int, blocks: int, seconds: float) -> dict[str, Any]:
    """``blocks`` fours of blocks of ``seconds`` each; ``samples_a_second`` while ftjit was on."""
    functions = make(count)
    ftjit = child.switch_on("ftjit")
    for function in (run, block, measure, main, child.answer):  # what is measured is the rest
        ftjit.never(function)
    block(functions, SETTLE_SECONDS)
    before, began, on_seconds = ftjit.stats().samples, time.perf_counter(), 0.0
    fours: list[list[dict[str, float]]] = []
    for _ in range(blocks):
        four = []
        for state in ORDER:
            (ftjit.enable if state == "on" else ftjit.disable)()
            began = time.perf_counter()
            four.append(block(functions, seconds))
            on_seconds += (time.perf_counter() - began) if state == "on" else 0.0
        fours.append(four)
    after = ftjit.stats()
    return {
        "fours": fours,
        "samples_a_second": (after.samples - before) / on_seconds,
        "installed": after.executors_installed,
        "sum": run(functions),
    }


def main() -> int:
    count, blocks, seconds = sys.argv[1:]
    return child.answer(measure, int(count), int(blocks), float(seconds))


if __name__ == "__main__":
    raise SystemExit(main())
