"""The measuring process: ``python -m ftjit_bench.child REQUEST``, the request and the answer being JSON."""

import json
import math
import sys
import time
from collections.abc import Callable
from typing import Any

from . import catalog
from .samples import COMPILED_MODES, Request, Sample
from .workers import Workers, is_steady

MOST_WARM_UP_RUNS = 40
QUIET_RUNS = 4  # in a row: code that was installed a moment ago may still be compiled anew, in the background
QUIET_SECONDS = 0.15  # with ftjit, and so long: what is hot may be found a little later
DRAIN_SECONDS = 2.0


def measure(request: Request) -> Sample:
    """Do what ``request`` asks in this process."""
    program = catalog.load(request.program)
    ftjit = switch_on(request.mode) if request.mode in COMPILED_MODES else None
    checksums: set[str] = set()
    seconds: list[float] = []
    cpu_seconds: list[float] = []
    half_of_allowance = math.inf if request.allowance_seconds is None else request.allowance_seconds / 2
    with Workers(lambda: program.run(request.size), request.threads) as workers:
        began = time.perf_counter()
        warm_up, steady = get_warm(workers, ftjit, request.warm_up_seconds, half_of_allowance, checksums)
        for _ in range(request.repeats):
            turn = workers.turn()
            seconds.append(turn.seconds)
            cpu_seconds.append(turn.cpu_seconds)
            checksums.update(map(repr, turn.checksums))
            if time.perf_counter() - began > 2 * half_of_allowance:
                break
    counters = None
    if ftjit is not None:
        ftjit.drain(DRAIN_SECONDS)
        counters = ftjit.stats().to_dict()
    return Sample(
        request,
        warm_up[0],
        warm_up,
        seconds,
        cpu_seconds,
        steady,
        checksums=sorted(checksums),
        counters=counters,
    )


def get_warm(
    workers: Workers, ftjit: Any, enough_seconds: float, most_seconds: float, checksums: set[str]
) -> tuple[list[float], bool]:
    """Let them run until it gets no faster and nothing more is installed: seconds by run, and whether it came to that.
    ``checksums`` gets theirs. At least two runs, if they fit."""
    seconds: list[float] = []
    began = time.perf_counter()
    installed_before = -1
    quiet = 0
    quiet_since = began
    while len(seconds) < MOST_WARM_UP_RUNS:
        turn = workers.turn()
        seconds.append(turn.seconds)
        checksums.update(map(repr, turn.checksums))
        installed = executors_so_far(ftjit)
        quiet = quiet + 1 if is_steady(seconds) and installed == installed_before else 0
        if quiet == 0:
            quiet_since = time.perf_counter()
        installed_before = installed
        enough = ftjit is None or (quiet >= QUIET_RUNS and time.perf_counter() - quiet_since >= QUIET_SECONDS)
        if quiet and enough:
            return seconds, True
        elapsed = time.perf_counter() - began
        if elapsed > most_seconds or (len(seconds) >= 2 and elapsed > enough_seconds):
            break
    return seconds, ftjit is not None and quiet >= QUIET_RUNS


def switch_on(mode: str) -> Any:
    """Import ftjit and enable it; returns the module. Raises what either of the two raises."""
    import ftjit

    ftjit.enable(mode="auto" if mode == "ftjit" else mode)
    return ftjit


def executors_so_far(ftjit: Any) -> int:
    """Executors installed or swapped since the start: while this grows, the program is still warming up."""
    if ftjit is None:
        return -1
    counters = ftjit.stats().to_dict()
    return int(counters["executors_installed"]) + int(counters["executors_swapped"])


def main() -> int:
    request = Request(**json.loads(sys.argv[1]))
    try:
        sample = measure(request)
    except Exception as error:  # the parent wants one line, whatever the program or ftjit raised
        sample = Sample(request, failure=describe(error))
    json.dump(sample.to_dict(), sys.stdout)
    return 0


def answer(measure: Callable[..., dict[str, Any]], *arguments: Any) -> int:
    """Print what it gives, or its failure, as JSON: the parent wants one line in any case. The exit status."""
    try:
        content = measure(*arguments)
    except Exception as error:  # whatever the program or ftjit raised
        content = {"failure": describe(error)}
    print(json.dumps(content))
    return 0


def describe(error: Exception) -> str:
    """One line saying what went wrong and, where that is known, what mends it."""
    if isinstance(error, ModuleNotFoundError) and error.name == "ftjit":
        return "ftjit is not installed for this interpreter: install it first (--modes interpreter needs none)"
    return f"{type(error).__name__}: {error}".splitlines()[0]


if __name__ == "__main__":
    raise SystemExit(main())
