"""What enabling ftjit costs a program that never gets hot; the claim is less than 1 %.

Method: many pairs of fresh processes, each running ``programs/cold.py`` once, a step (a few milliseconds) at a time.
ftjit is on for every other step of one process and for the steps between of the other, so each step is run with and
without it at nearly the same time. The ratio of a pair is the geometric mean of two: first process on, second off, and
the other way round. So what makes one process slower than the other (where its memory lies, say) is no part of it, nor
what else the machine does for longer than two steps. Who does a step first does it at a colder machine: so pairs come
in twos, the second with every order reversed, and only their mean counts. Importing and enabling, the start of the
sampling thread included, are timed apart; switching, which lets that thread stand still, is not timed. The ratio
compares the CPU time of the thread that runs the program, which other processes disturb least; the ratios of the CPU
time of all threads and of the wall time are shown beside it.

The claim holds when the 99 % confidence interval of the median ratio lies below 1.01 and fails when it lies
above; until then pairs are added, up to a number and a time. (99 %, because looking again and again raises
the odds of being misled.) The command exits with 0 only if the claim holds.
"""

import itertools
import math
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from . import catalog, processes
from .confidence import Interval, median_interval
from .progress import progress

LIMIT = 1.01
CONFIDENCE = 0.99
MOST_PAIRS = 1000
FEWEST_PAIRS = 40
TIMEOUT_SECONDS = 120.0
UNDECIDED = "undecided, more pairs are needed (--rounds N)"
CLOCKS = {
    "thread": "CPU time of the program's thread",
    "process": "CPU time of all threads",
    "wall": "wall time",
}

type Pair = tuple[dict[str, Any], dict[str, Any]]
"""What the two processes said: ``on`` and ``off`` hold seconds by clock, the rest is ``cold_child``'s."""


def command(quick: bool, pairs: int | None) -> tuple[int, dict[str, Any] | None]:
    """Measure, print; the exit status, and what is written with --json. ``pairs`` fixes their number; otherwise as
    many as needed.
    """
    try:
        measured = measure("quick" if quick else "full", pairs, 60.0 if quick else 400.0)
    except processes.ProcessFailure as failure:
        print(f"ftjit bench: cold program: {failure}", file=sys.stderr)
        return 1, None
    intervals = {clock: ratio_interval(measured, clock) for clock in CLOCKS}
    equal = len({answer["checksum"] for pair in measured for answer in pair}) == 1
    for clock, words in CLOCKS.items():
        interval = intervals[clock]
        print(f"{words:33} {percent(interval.median)}  ({percent(interval.low)} to {percent(interval.high)})")
    everybody = [answer for pair in measured for answer in pair]
    counters = [answer["counters"] for answer in everybody]
    enable = median_interval([answer["enable"] for answer in everybody]).median
    alone = median_interval([sum(answer["off"]["thread"] for answer in pair) for pair in measured]).median
    installed = sum(c["executors_installed"] for c in counters)
    print(f"One run takes {alone:.3f} s of CPU; importing and enabling ftjit {enable:.3f} s, not counted above.")
    print(f"{len(measured)} pairs, {CONFIDENCE:.0%} confidence; executors installed in all: {installed}")
    print(f"Checksums {'✓' if equal else '✗ differ'}")
    outcome = judge(intervals["thread"])
    print(f"Enabled, a program that never gets hot loses less than {LIMIT - 1:.0%}: {outcome}", flush=True)
    return 0 if outcome == "holds" and equal else 1, {"outcome": outcome, "pairs": measured}


def measure(size: str, fixed: int | None, budget_seconds: float) -> list[Pair]:
    """Twice as many pairs as ``fixed``, or as are needed within ``budget_seconds``: one in each order. Raises
    ProcessFailure.
    """
    pairs: list[Pair] = []
    number = str(catalog.load("cold").SIZES[size])
    most = 2 * (fixed or MOST_PAIRS)
    with processes.child_environment() as environment, progress("Cold program") as step:
        measure_pair(number, environment, False)  # fills the cache of compiled modules and the disk's
        began = time.perf_counter()
        while len(pairs) < most:
            for reverse in (False, True):
                pairs.append(measure_pair(number, environment, reverse))
            step(len(pairs), most, f"with ftjit {percent(both_orders(*pairs[-2:], clock='thread'))}")
            if fixed is None and len(pairs) >= FEWEST_PAIRS:
                decided = judge(ratio_interval(pairs, "thread")) != UNDECIDED
                if decided or time.perf_counter() - began > budget_seconds:
                    break
    return pairs


def measure_pair(size: str, environment: Mapping[str, str], reverse: bool) -> Pair:
    """One pair of processes, step by step; ``reverse`` changes who goes first at each."""
    with (
        processes.Conversation("cold_child", [size], environment, TIMEOUT_SECONDS) as first,
        processes.Conversation("cold_child", [size], environment, TIMEOUT_SECONDS) as second,
    ):
        conversations = (first, second)
        answers: Pair = (first.hear(), second.hear())
        for answer in answers:
            answer.update({state: dict.fromkeys(CLOCKS, 0.0) for state in ("on", "off")})
        for step in itertools.count():
            for number in (0, 1) if (step // 2 % 2) ^ reverse else (1, 0):
                state = "on" if (step + number) % 2 else "off"
                heard = conversations[number].ask(state)
                for clock in CLOCKS:
                    answers[number][state][clock] += heard.pop(clock, 0.0)
                answers[number].update(heard)
            if "checksum" in answers[0]:
                return answers
    raise AssertionError("a program without an end")


def ratio(pair: Pair, clock: str) -> float:
    """The time with ftjit to the time without: two ratios, each of the same steps in the two processes."""
    first, second = pair
    return math.sqrt(first["on"][clock] / second["off"][clock] * second["on"][clock] / first["off"][clock])


def both_orders(pair: Pair, reversed_pair: Pair, clock: str) -> float:
    return math.sqrt(ratio(pair, clock) * ratio(reversed_pair, clock))


def ratio_interval(pairs: Sequence[Pair], clock: str) -> Interval:
    """The median of the ratios, each of a pair and the one in the other order."""
    return median_interval(
        [both_orders(*two, clock=clock) for two in itertools.batched(pairs, 2, strict=True)], CONFIDENCE
    )


def judge(interval: Interval) -> str:
    if interval.high < LIMIT:
        return "holds"
    if interval.low > LIMIT:
        return "does not hold"
    return UNDECIDED


def percent(ratio: float) -> str:
    return f"{(ratio - 1) * 100:+.2f} %"
