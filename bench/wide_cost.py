"""What enabling ftjit costs a long-running program whose time is spread too wide for anything to be hot; the claim is
less than 1 %.

Method: thousands of functions, each with a code object of its own, run one after the other, again and again, in one
process. ftjit is switched on and off every few hundredths of a second, in the order on, off, off, on, so that a drift
of the machine's speed is no part of the ratio; each four gives one ratio, of time with ftjit to time without. The
sampler has found its slowest pace before the first of them, and keeps it while it is off: this is the cost to a program
that has been running for some seconds. What the first seconds of a short program cost is `--measure cold`.

The claim is about the CPU time of all threads, the sampler's included. It holds when the 99 % confidence interval of
the median lies below 1.01, and nothing was compiled. The command exits with 0 only then.
"""

import sys
from typing import Any

from . import processes
from .cold_cost import CLOCKS, CONFIDENCE, LIMIT, judge, percent
from .confidence import Interval, median_interval
from .progress import progress

FUNCTIONS = 3_000
BLOCK_SECONDS = 0.05
FOURS = {"quick": 60, "full": 600}
TIMEOUT_SECONDS = 3_600.0


def command(quick: bool, fours: int | None) -> tuple[int, dict[str, Any] | None]:
    """Measure, print; the exit status, and what is written with --json. ``fours``: so many groups of four blocks."""
    fours = fours or FOURS["quick" if quick else "full"]
    try:
        arguments = [str(FUNCTIONS), str(fours), str(BLOCK_SECONDS)]
        with progress("Wide program") as step:
            step(0, 1, f"{fours} times on, off, off, on")
            answer = processes.ask_alone("wide_child", arguments, TIMEOUT_SECONDS)
            step(1, 1, "done")
    except processes.ProcessFailure as failure:
        print(f"ftjit bench: wide program: {failure}", file=sys.stderr)
        return 1, None
    intervals = {clock: ratio_interval(answer["fours"], clock) for clock in CLOCKS}
    for clock, words in CLOCKS.items():
        interval = intervals[clock]
        print(f"{words:33} {percent(interval.median)}  ({percent(interval.low)} to {percent(interval.high)})")
    print(f"{fours} times on, off, off, on, {BLOCK_SECONDS * 1000:.0f} ms each; {CONFIDENCE:.0%} confidence")
    print(f"{answer['samples_a_second']:.0f} samples a second while on; executors installed: {answer['installed']}")
    outcome = judge(intervals["process"]) if not answer["installed"] else "not measured, something was hot"
    print(f"Enabled, a long-running program that never gets hot loses less than {LIMIT - 1:.0%}: {outcome}", flush=True)
    return 0 if outcome == "holds" else 1, {"outcome": outcome, "answer": answer}


def ratio_interval(fours: list[list[dict[str, float]]], clock: str) -> Interval:
    """The median of the fours' ratios by one clock."""
    ratios = []
    for first, second, third, fourth in fours:
        ratios.append((first[clock] + fourth[clock]) / (second[clock] + third[clock]))
    return median_interval(ratios, CONFIDENCE)
