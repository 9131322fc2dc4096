"""The measuring process of ``limbo_cost``: ``python -m ftjit_bench.limbo_child EXECUTORS THREADS``."""

import builtins
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import child

PATIENCE_SECONDS = 20.0
MARKS = 10  # resident memory is read so often, evenly spread
MIB = 1 << 20


class Stop:
    """What the parked loop waits for."""

    def __init__(self) -> None:
        self.done = False


def park(stop: Any) -> int:
    """Stays in machine code until somebody sets ``stop.done``."""
    turns = 0
    while not stop.done:
        turns += 1
    return turns


def make() -> Callable[[int], int]:
    """A function with a code object of its own."""
    space: dict[str, Any] = {}
    exec("def f(n):\n    t = 0\n    while t < n:\n        t += 1\n    return t\n", space)
    function: Callable[[int], int] = space["f"]
    return function


def resident() -> int:
    """Bytes of memory that this process holds (Linux)."""
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * 4096


def start(*target: Any) -> threading.Thread:
    thread = threading.Thread(target=target[0], args=target[1:], daemon=True)
    thread.start()
    return thread


def wait(condition: Callable[[], bool], what: str) -> None:
    """RuntimeError when it does not come true in time."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > until:
            raise RuntimeError(f"not within {PATIENCE_SECONDS:.0f} s: {what}")
        time.sleep(0.002)


def measure(executors: int, threads: int) -> dict[str, Any]:
    """Install ``executors`` in all, each through the whole compiler, each swapped out by the next: ``threads`` threads
    compile, one for each function, and one calls them all the time. ``limbo``: the most that ever waited."""
    ftjit = child.switch_on("ftjit")
    from ftjit.profile.feedback import Feedback
    from ftjit.profile.snapshot import Snapshot
    from ftjit.runtime.executors import install
    from ftjit.runtime.tier import tier

    runtime = tier()
    counter = runtime.core.counter
    stop = Stop()
    ftjit.jit(park)
    parked = start(park, stop)
    wait(lambda: ftjit.stats().activations >= 1, "a thread parked in machine code")
    functions = [make() for _ in range(threads)]
    for function in functions:
        ftjit.compile(function, 50)
    before = ftjit.stats()
    installed = [0] * threads
    failures: list[BaseException] = []

    def compile_again(index: int) -> None:
        code = functions[index].__code__
        seen = code._co_code_adaptive
        snapshot = Snapshot(code, 0, True, seen, (5, 5), (), functions[index].__globals__, vars(builtins))
        try:
            for _ in range(executors // threads):
                install(runtime.core, runtime.config, runtime.room, snapshot, Feedback(), insist=True)
                installed[index] += 1
        except BaseException as error:
            failures.append(error)

    def call() -> None:
        while not stop.done:
            for function in functions:
                if function(7) != 7:
                    failures.append(AssertionError("a wrong result"))

    began = time.perf_counter()
    workers = [start(compile_again, index) for index in range(threads)]
    caller = start(call)
    limbo = limbo_bytes = 0
    memory: list[float] = []
    while any(worker.is_alive() for worker in workers):
        limbo = max(limbo, counter("limbo_executors"))
        limbo_bytes = max(limbo_bytes, counter("limbo_bytes"))
        if sum(installed) >= (len(memory) + 1) * executors // (MARKS + 1):
            memory.append(resident() / MIB)
        time.sleep(0.0005)
    seconds = time.perf_counter() - began
    if failures:
        raise failures[0]
    wait(lambda: ftjit.stats().activations >= 1, "the parked thread inside at the end")
    inside = ftjit.stats().activations
    stop.done = True
    parked.join(PATIENCE_SECONDS)
    caller.join(PATIENCE_SECONDS)
    ftjit.disable()
    drained = ftjit.drain(PATIENCE_SECONDS)
    after = ftjit.stats()
    return {
        "seconds": seconds,
        "installed": sum(installed),
        "freed": after.executors_freed - before.executors_freed,
        "entries": after.entries - before.entries,
        "inside": inside,
        "limbo": limbo,
        "limbo_bytes": limbo_bytes,
        "memory_mib": memory,
        "left": after.limbo_executors,
        "drained": drained,
        "ages": after.freed_ages,
    }


def main() -> int:
    executors, threads = map(int, sys.argv[1:])
    return child.answer(measure, executors, threads)


if __name__ == "__main__":
    raise SystemExit(main())
