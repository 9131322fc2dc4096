"""What stays in memory while one thread never leaves machine code and others go on compiling.

Method: in a fresh process one thread is parked in a compiled loop. Others compile functions anew without end, through
the whole compiler, and swap the new executors in; one more thread calls the functions all the time. Each executor that
is swapped out is retired, and waits in limbo until nobody can be inside. How many wait is looked at every half
millisecond, resident memory ten times, evenly spread over the run.

The command exits with 0 only if never more than BOUND executors waited (a thread that retires while 256 wait drives
reclamation itself; twice that, because the driver may lose its processor), memory did not grow by more than GROWTH_MIB
from the first look to the last, and in the end everything that was retired was freed.
"""

import sys
from typing import Any

from . import processes
from .progress import progress

EXECUTORS = {"quick": 5_000, "full": 100_000}
THREADS = 2
BOUND = 512
GROWTH_MIB = 8.0
TIMEOUT_SECONDS = 3_600.0


def command(quick: bool, executors: int | None) -> tuple[int, dict[str, Any] | None]:
    """Measure, print; the exit status, and what is written with --json."""
    executors = executors or EXECUTORS["quick" if quick else "full"]
    try:
        with progress("Limbo") as step:
            step(0, 1, f"{executors:,} executors")
            answer = processes.ask_alone("limbo_child", [str(executors), str(THREADS)], TIMEOUT_SECONDS)
            step(1, 1, "done")
    except processes.ProcessFailure as failure:
        print(f"ftjit bench: limbo: {failure}", file=sys.stderr)
        return 1, None
    memory = answer["memory_mib"]
    print(
        f"executors installed              {answer['installed']:,} in {answer['seconds']:.1f} s, by {THREADS} threads"
    )
    print(
        f"machine code entered meanwhile   {answer['entries']:,} times; threads inside at the end: {answer['inside']}"
    )
    print(f"most in limbo                    {answer['limbo']}, {answer['limbo_bytes'] / 1024:.0f} KiB (bound {BOUND})")
    print(f"resident memory, MiB             {' '.join(f'{mib:.1f}' for mib in memory)}")
    print(f"freed, by age in epochs          {answer['freed']:,}; {answer['ages']}")
    wrong = faults(answer)
    print(*(wrong or ["Bounded: holds"]), sep="\n", flush=True)
    return 1 if wrong else 0, {"answer": answer}


def faults(answer: dict[str, Any]) -> list[str]:
    """What does not hold, a line each."""
    memory = answer["memory_mib"]
    found = []
    if answer["limbo"] > BOUND:
        found.append(f"{answer['limbo']} executors were in limbo at once, the bound is {BOUND}")
    if memory and memory[-1] - memory[0] > GROWTH_MIB:
        found.append(f"memory grew from {memory[0]:.1f} to {memory[-1]:.1f} MiB")
    if not answer["drained"] or answer["left"]:
        found.append(f"{answer['left']} executors were never freed")
    if answer["freed"] < answer["installed"]:
        found.append(f"{answer['installed']} executors were installed, {answer['freed']} freed")
    if not answer["inside"]:
        found.append("no thread was parked in machine code at the end")
    return found
