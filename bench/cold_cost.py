"""What enabling ftjit costs a program that never gets hot; the claim is less than 1 %.

Method: many pairs of fresh processes, one with ftjit enabled and one without, each running
``programs/cold.py`` once. The two take turns, one step of the program (a few milliseconds) each, and change
who goes first at every step, so that whatever else the machine does meanwhile disturbs both alike. Importing
and enabling ftjit is timed apart. The modules that ftjit itself imports are imported in both processes before
the clock starts; otherwise the program would find them ready with ftjit and not without. The ratio of a pair
compares the CPU time of the thread that runs the program, which other processes disturb least; the ratios of
the CPU time of all threads and of the wall time are shown beside it.

The claim holds when the 99 % confidence interval of the median ratio lies below 1.01 and fails when it lies
above; until then pairs are added, up to a number and a time. (99 %, because looking again and again raises
the odds of being misled.) The command exits with 0 only if the claim holds.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import catalog, machine, processes
from .confidence import Interval, median_interval
from .progress import progress

LIMIT = 1.01
CONFIDENCE = 0.99
MOST_PAIRS = 1000
FEWEST_PAIRS = 20
TIMEOUT_SECONDS = 120.0
UNDECIDED = "undecided, more pairs are needed (--rounds N)"
CLOCKS = {
    "thread": "CPU time of the program's thread",
    "process": "CPU time of all threads",
    "wall": "wall time",
}

type Pair = tuple[dict[str, Any], dict[str, Any]]
"""What ``cold_child`` measured with ftjit, and without."""


def command(quick: bool, pairs: int | None, json_file: Path | None) -> int:
    """Measure, print, and write ``json_file`` if given. ``pairs`` fixes their number; otherwise as many as
    needed.
    """
    try:
        measured = measure("quick" if quick else "full", pairs, 60.0 if quick else 400.0)
    except processes.ProcessFailure as failure:
        print(f"ftjit bench: cold program: {failure}", file=sys.stderr)
        return 1
    intervals = {clock: ratio_interval(measured, clock) for clock in CLOCKS}
    equal = len({answer["checksum"] for pair in measured for answer in pair}) == 1
    facts = machine.facts()
    for clock, words in CLOCKS.items():
        interval = intervals[clock]
        print(f"{words:33} {percent(interval.median)}  ({percent(interval.low)} to {percent(interval.high)})")
    counters = [on["counters"] for on, _ in measured]
    enable = median_interval([on["enable"] for on, _ in measured]).median
    alone = median_interval([off["thread"] for _, off in measured]).median
    installed = sum(c["executors_installed"] for c in counters)
    print(f"One run takes {alone:.3f} s of CPU; importing and enabling ftjit {enable:.3f} s, not counted above.")
    print(f"{len(measured)} pairs, {CONFIDENCE:.0%} confidence; executors installed in all: {installed}")
    print(f"Checksums {'✓' if equal else '✗ differ'}")
    print(*machine.lines(facts), sep="\n")
    outcome = judge(intervals["thread"])
    print(f"Enabled, a program that never gets hot loses less than {LIMIT - 1:.0%}: {outcome}", flush=True)
    if json_file is not None:
        pairs_as_json = [{"on": on, "off": off} for on, off in measured]
        content = {"machine": facts, "outcome": outcome, "pairs": pairs_as_json}
        try:
            json_file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            print(f"ftjit bench: cannot write {error.filename}: {error.strerror}", file=sys.stderr)
            return 2
    return 0 if outcome == "holds" and equal else 1


def measure(size: str, fixed: int | None, budget_seconds: float) -> list[Pair]:
    """As many pairs as ``fixed``, or as are needed within ``budget_seconds``. Raises ProcessFailure."""
    pairs: list[Pair] = []
    number = str(catalog.load("cold").SIZES[size])
    most = fixed or MOST_PAIRS
    with processes.child_environment() as environment, progress("Cold program") as step:
        listed = processes.ask("cold_child", ["modules", number, ""], environment, TIMEOUT_SECONDS)
        if "failure" in listed:
            raise processes.ProcessFailure(listed["failure"])
        modules = ",".join(listed["modules"])
        measure_pair(number, modules, environment)  # fills the cache of compiled modules and the disk's
        began = time.perf_counter()
        while len(pairs) < most:
            on, off = pair = measure_pair(number, modules, environment)
            pairs.append(pair)
            step(len(pairs), most, f"with ftjit {on['thread']:.4f} s, without {off['thread']:.4f} s")
            if fixed is None and len(pairs) >= FEWEST_PAIRS:
                decided = judge(ratio_interval(pairs, "thread")) != UNDECIDED
                if decided or time.perf_counter() - began > budget_seconds:
                    break
    return pairs


def measure_pair(size: str, modules: str, environment: Mapping[str, str]) -> Pair:
    """One pair of processes, step by step. Their answers, and the seconds of the steps added up by clock."""
    with (
        processes.Conversation("cold_child", ["on", size, modules], environment, TIMEOUT_SECONDS) as on,
        processes.Conversation("cold_child", ["off", size, modules], environment, TIMEOUT_SECONDS) as off,
    ):
        conversations = {"on": on, "off": off}
        totals: dict[str, dict[str, Any]] = {name: process.hear() for name, process in conversations.items()}
        for total in totals.values():
            total.update(dict.fromkeys(CLOCKS, 0.0))
        order = ["on", "off"]
        while "checksum" not in totals["on"]:
            for name in order:
                answer = conversations[name].ask()
                for clock in CLOCKS:
                    totals[name][clock] += answer.pop(clock, 0.0)
                totals[name].update(answer)
            order.reverse()
    return totals["on"], totals["off"]


def ratio_interval(pairs: Sequence[Pair], clock: str) -> Interval:
    """The median ratio of the time with ftjit to the time without."""
    return median_interval([on[clock] / off[clock] for on, off in pairs], CONFIDENCE)


def judge(interval: Interval) -> str:
    if interval.high < LIMIT:
        return "holds"
    if interval.low > LIMIT:
        return "does not hold"
    return UNDECIDED


def percent(ratio: float) -> str:
    return f"{(ratio - 1) * 100:+.2f} %"
