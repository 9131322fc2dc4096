"""How much more two threads do than one, by program; the claim is at least 1.9 times.

Method: one process for each program and mode. When it is warm, one thread runs the program over and over for a tenth of
a second or more, then two threads at once, each all of that; one, two, two, one, so that a drift of the machine's speed
is no part of the ratio. After each such round the same is done with a yardstick, arithmetic in C that shares nothing
(PBKDF2 of the standard library): what two threads get from this machine. Processors that share a core, a clock that is
lower when both are busy, and neighbours on the machine keep that below 2.

A program's scaling is the median of its rounds, and so is its share: the scaling to the yardstick's in the same round.
The claim holds for a program when its share is at least 0.95, that is 1.9 of 2. The command exits with 0 only if it
holds for all, checksums agree and machine code ran.
"""

import sys
from typing import Any

from . import catalog, processes
from .confidence import Interval, median_interval
from .progress import progress
from .samples import MODES

SHARE = 0.95
ROUNDS = {"quick": 7, "full": 15}
SECONDS = {"quick": 0.1, "full": 0.2}
TIMEOUT_SECONDS = 900.0

type Answers = dict[tuple[str, str], dict[str, Any]]
"""By program and mode: what ``scaling_child`` said."""


def command(quick: bool, rounds: int | None) -> tuple[int, dict[str, Any] | None]:
    """Measure, print; the exit status, and what is written with --json."""
    size = "quick" if quick else "full"
    modes = MODES[:2]
    wanted = [(program.name, mode) for program in catalog.HOT_PROGRAMS for mode in modes]
    answers: Answers = {}
    try:
        with progress("Scaling") as step:
            for done, (name, mode) in enumerate(wanted):
                step(done, len(wanted), f"{name}, {mode}")
                arguments = [name, mode, size, str(rounds or ROUNDS[size]), str(SECONDS[size])]
                answers[name, mode] = processes.ask_alone("scaling_child", arguments, TIMEOUT_SECONDS)
    except processes.ProcessFailure as failure:
        print(f"ftjit bench: scaling: {failure}", file=sys.stderr)
        return 1, None
    print(f"{'two threads to one':20}" + "".join(f"{mode:>26}{'share':>8}" for mode in modes))
    for program in catalog.HOT_PROGRAMS:
        line = f"{program.name:20}"
        for mode in modes:
            scaling, share = scaling_of(answers[program.name, mode]), share_of(answers[program.name, mode])
            line += f"{scaling.median:12.2f} ({scaling.low:.2f} to {scaling.high:.2f}){share.median:8.2f}"
        print(line)
    yardstick = median_interval([pair[1] for answer in answers.values() for pair in answer["pairs"]])
    print(f"{'yardstick, C':20}{yardstick.median:12.2f} ({yardstick.low:.2f} to {yardstick.high:.2f})")
    wrong = faults(answers)
    print(
        *(wrong or ["Two threads do 1.9 times the work of one, or that part of what the machine lets them: holds"]),
        sep="\n",
    )
    return 1 if wrong else 0, {"answers": {f"{name}, {mode}": answer for (name, mode), answer in answers.items()}}


def scaling_of(answer: dict[str, Any]) -> Interval:
    return median_interval([own for own, _ in answer["pairs"]])


def share_of(answer: dict[str, Any]) -> Interval:
    """The scaling to the yardstick's in the same round."""
    return median_interval([own / yardstick for own, yardstick in answer["pairs"]])


def faults(answers: Answers) -> list[str]:
    """What does not hold with ftjit, a line each."""
    found = []
    for (name, mode), answer in answers.items():
        if len({*answer["checksums"], *answers[name, MODES[0]]["checksums"]}) != 1:
            found.append(f"{name}, {mode}: the checksums differ")
        if mode != MODES[0] and not answer["entries"]:
            found.append(f"{name}: no machine code ran")
        share = share_of(answer).median
        if mode != MODES[0] and share < SHARE:
            found.append(f"{name}: two threads do {share:.2f} of what the machine lets them, less than {SHARE}")
    return found
