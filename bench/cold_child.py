"""The measuring process of ``cold_cost``: ``python -m ftjit_bench.cold_child SIZE``.

It answers with one line of JSON when ready, then with one for each line on standard input: ``on`` or ``off``, the next
step of the program with ftjit so. After the last step comes a summary.
"""

import hashlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from . import catalog, child


def measure(size: int) -> None:
    """One run of the cold program, a step at a time as the parent asks. Seconds throughout.

    ``thread`` is the CPU time of the thread that ran the step, ``process`` that of all threads, ``wall`` the
    time on the clock; ``enable`` is what importing and enabling ftjit took. Switching is no part of the others.
    """
    steps = catalog.load("cold").write_all(size)
    digest = hashlib.sha256()
    began = time.perf_counter()
    ftjit = child.switch_on("ftjit")
    switch = switch_of_the_sampler()
    switch(False)
    say({"enable": time.perf_counter() - began})
    while True:
        switch(sys.stdin.readline().strip() == "on")
        wall, process, thread = time.perf_counter(), time.process_time(), time.thread_time()
        text = next(steps, None)
        clocks = {
            "thread": time.thread_time() - thread,
            "process": time.process_time() - process,
            "wall": time.perf_counter() - wall,
        }
        if text is None:
            break
        digest.update(text.encode())
        say(clocks)
    say({"checksum": digest.hexdigest(), "counters": ftjit.stats().to_dict()})


def switch_of_the_sampler() -> Callable[[bool], None]:
    """What stops ftjit for a step: it neither asks nor wakes up, and its time stands still, so that the steps with it
    together are asked as often as one run of that length. (`disable` would end its thread, and `enable` start another.)
    """
    from ftjit.runtime.core import core

    lib = core().lib

    def switch(on: bool) -> None:
        lib.door_enable(on)
        lib.sampler_pause(not on)

    return switch


def say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


def main() -> int:
    (size,) = sys.argv[1:]
    try:
        measure(int(size))
    except Exception as error:  # the parent wants one line
        say({"failure": child.describe(error)})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
