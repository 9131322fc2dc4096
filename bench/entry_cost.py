"""What it costs to enter machine code and leave it again, in nanoseconds.

Method: one loop calls an empty function that is compiled, so that every call goes through the door, and
another loop calls an empty function with the same source that ftjit was told to leave alone. The loops
themselves are left alone as well, so both run in the interpreter. They take turns in one process, a few
milliseconds each (of the thread's CPU time: what else the machine does is not counted), and the cost of an
entry is the median difference between two neighbouring turns. The empty body is so small that running it,
either way, is lost in that difference: what is left is the monitoring event, the pin, the jump in and the way
out. Processes without ftjit take turns with those that have it and show what such a call costs there: the
functions that ftjit leaves alone must not have become slower.

Three parts of it are measured alone. The event: another tool has `operator.is_`, as cheap a callback as
CPython has, called at each start of one more empty function that ftjit leaves alone; no door can cost much
less. Reclamation: a loop in the C core enters and leaves a made-up executor, with and without what keeps it
from being freed meanwhile, and with a fence besides. A direct call: a compiled loop calls a compiled function
that cannot be inlined, beside the same loop in the interpreter.

The claim, less than 20 ns, holds when the whole confidence interval of the cost lies below. The command exits with 0
only then, and if machine code was entered at every call.
"""

import sys
from typing import Any

from . import processes
from .confidence import Interval, median_interval
from .progress import progress

CALLS = 100_000
LIMIT_NANOSECONDS = 20.0
TIMEOUT_SECONDS = 120.0


def command(quick: bool, turns: int | None) -> tuple[int, dict[str, Any] | None]:
    """Measure, print; the exit status, and what is written with --json. ``turns`` is how often each loop runs in each
    process.
    """
    turns = turns or (60 if quick else 300)
    pairs = 3 if quick else 7
    try:
        answers = measure(turns, pairs)
    except processes.ProcessFailure as failure:
        print(f"ftjit bench: entry cost: {failure}", file=sys.stderr)
        return 1, None
    intervals = evaluate(answers)
    names = {
        "entered": "a call of an empty function that is machine code",
        "not_entered": "the same call, left to the interpreter",
        "without": "the same call in processes without ftjit",
        "cost": "cost of entering machine code (the first less the second)",
        "event": "a monitoring event alone, another tool's",
        "reclamation": "reclamation alone, of one entry",
        "fence": "the same where entering needs a fence",
        "direct": "a call from machine code to machine code, with its loop",
        "not_direct": "the same, left to the interpreter",
    }
    for name, words in names.items():
        interval = intervals[name]
        print(f"{words:60} {interval.median:7.1f} ns  ({interval.low:.1f} to {interval.high:.1f})")
    print(f"{pairs} pairs of processes, {turns} turns of {CALLS:,} calls in each; medians, 95 % confidence")
    expected = 2 * turns * CALLS  # through the door, and directly
    missed = [answer["entries"] for answer in answers["ftjit"] if answer["entries"] < expected]
    if missed:
        print(f"ftjit bench: only {min(missed):,} entries in {expected:,} calls", file=sys.stderr)
    outcome = judge(intervals["cost"])
    print(f"Entering machine code costs less than {LIMIT_NANOSECONDS:.0f} ns: {outcome}", flush=True)
    return 1 if missed or outcome != "holds" else 0, {"outcome": outcome, "answers": answers}


def judge(cost: Interval) -> str:
    if cost.high < LIMIT_NANOSECONDS:
        return "holds"
    return "does not hold" if cost.low > LIMIT_NANOSECONDS else "undecided, more turns are needed (--rounds N)"


def measure(turns: int, pairs: int) -> dict[str, list[dict[str, Any]]]:
    """The answers of ``entry_child`` by mode, ``pairs`` of them for each. Raises ProcessFailure."""
    answers: dict[str, list[dict[str, Any]]] = {"interpreter": [], "ftjit": []}
    with processes.child_environment() as environment, progress("Entry cost") as step:
        for pair in range(pairs):
            for index, (mode, sofar) in enumerate(answers.items()):
                arguments = [mode, str(turns), str(CALLS)]
                answer = processes.ask("entry_child", arguments, environment, TIMEOUT_SECONDS)
                if "failure" in answer:
                    raise processes.ProcessFailure(answer["failure"])
                sofar.append(answer)
                step(2 * pair + index + 1, 2 * pairs, mode)
    return answers


def evaluate(answers: dict[str, list[dict[str, Any]]]) -> dict[str, Interval]:
    """Nanoseconds for one call, the loop around it taken off (but for direct calls), and for one entry and its parts:
    over all turns of all processes.
    """

    def whole(mode: str, name: str) -> Interval:
        return median_interval([each for answer in answers[mode] for each in answer["nanoseconds"][name]])

    def differences(mode: str, more: str, less: str) -> Interval:
        turns = [zip(a["nanoseconds"][more], a["nanoseconds"][less], strict=True) for a in answers[mode]]
        return median_interval([high - low for turn in turns for high, low in turn])

    return {
        "entered": differences("ftjit", "entered", "nothing"),
        "not_entered": differences("ftjit", "not_entered", "nothing"),
        "without": differences("interpreter", "not_entered", "nothing"),
        "cost": differences("ftjit", "entered", "not_entered"),
        "event": differences("ftjit", "watched", "not_entered"),
        "reclamation": differences("ftjit", "reclaimed", "unreclaimed"),
        "fence": differences("ftjit", "fenced", "unreclaimed"),
        "direct": whole("ftjit", "direct"),
        "not_direct": whole("ftjit", "not_direct"),
    }
