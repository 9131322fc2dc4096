"""The measuring process of ``cold_cost``: ``python -m ftjit_bench.cold_child on|off|modules SIZE MODULES``.

MODULES are names with commas, imported before the clock starts. ``modules`` answers with one line of JSON;
``on`` and ``off`` with one line when ready, then one for each line on standard input: the next step of the
program, and after the last step a summary.
"""

import contextlib
import hashlib
import importlib
import json
import sys
import time
from typing import Any

from . import catalog, child


def modules_after_enabling() -> list[str]:
    """Modules of others that are loaded once ftjit is enabled."""
    child.switch_on("ftjit")
    own = ("ftjit", "ftjit_bench", "__main__")
    return sorted(name for name in sys.modules if name.partition(".")[0] not in own)


def measure(on: bool, size: int, modules: list[str]) -> None:
    """One run of the cold program, with or without ftjit, a step at a time as the parent asks. Seconds
    throughout.

    ``thread`` is the CPU time of the thread that ran the step, ``process`` that of all threads, ``wall`` the
    time on the clock; ``enable`` is what importing and enabling ftjit took, which is no part of the others.
    """
    for name in modules:
        with contextlib.suppress(ImportError):  # a module that exists only once another has made it
            importlib.import_module(name)
    steps = catalog.load("cold").write_all(size)
    digest = hashlib.sha256()
    began = time.perf_counter()
    ftjit = child.switch_on("ftjit") if on else None
    say({"enable": time.perf_counter() - began})
    while True:
        sys.stdin.readline()
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
    counters = None if ftjit is None else ftjit.stats().to_dict()
    say({"checksum": digest.hexdigest(), "counters": counters})


def say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


def main() -> int:
    task, size, modules = sys.argv[1:]
    try:
        if task == "modules":
            say({"modules": modules_after_enabling()})
        else:
            measure(task == "on", int(size), [name for name in modules.split(",") if name])
    except Exception as error:  # the parent wants one line
        say({"failure": child.describe(error)})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
