"""Making calls fail that ftjit's core makes into the C library (`faults.c`, preloaded), and a program to run meanwhile.

`python faults.py KIND FIRST COUNT VARIANT` runs the program with calls number FIRST to FIRST + COUNT - 1 of one kind
failing, and prints one line of JSON: what the program computed, what ftjit said, how many calls failed.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

KINDS = ["memory", "mmap", "mprotect", "madvise", "membarrier", "thread", "key", "open", "pwrite"]
SOURCE = Path(__file__).with_suffix(".c")


def build(folder: Path) -> Path:
    """Compile the library to preload; FileNotFoundError without a C compiler."""
    made = folder / "faults.so"
    command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(made), str(SOURCE), "-ldl", "-lpthread"]
    subprocess.run(command, check=True, capture_output=True)
    return made


def core_mapping() -> tuple[int, int]:
    """Where the core's shared library lies: (start, end)."""
    from ftjit import _core  # type: ignore[attr-defined]

    with open("/proc/self/maps") as file:
        rows = [line.split()[0].split("-") for line in file if line.rstrip().endswith(_core.__file__)]
    return int(rows[0][0], 16), int(rows[-1][1], 16)


def total(n: int) -> int:
    t = 0
    for i in range(n):
        t += i & 7
    return t


def mean(n: int) -> float:
    t = 0.0
    for i in range(n):
        t += i * 0.5
    return t / n


def collect(items: list[int]) -> list[int]:
    out = []
    for item in items:
        out.append(item * 2)
    return out


def depth(n: int) -> int:
    """Deeper than the places that a thread's record has at first."""
    t = 0
    for i in range(3):
        t += i
    return t if n == 0 else depth(n - 1) + t


def failing(n: int) -> str:
    try:
        for i in range(n):
            if i == n - 1:
                raise ValueError(str(i))
    except ValueError as error:
        return f"caught {error}"
    return ""


FUNCTIONS = [total, mean, collect, depth, failing]


def turn() -> list[Any]:
    return [total(200), mean(200), collect(list(range(20))), depth(70), failing(30)]


EXPECTED = [total(200), mean(200), collect(list(range(20))), depth(70), failing(30)]


def program(ftjit: Any) -> list[list[Any]]:
    """Two threads and the main one call everything while it is compiled, switched off and on again."""
    results: list[list[Any]] = []

    def work(seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = turn()
            if not results or found != results[-1]:
                results.append(found)

    def in_threads(seconds: float) -> None:
        threads = [threading.Thread(target=work, args=(seconds,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            work(0.01)
            if all(map(ftjit.is_compiled, FUNCTIONS)):
                break
        for thread in threads:
            thread.join()

    in_threads(0.3)
    ftjit.disable()
    ftjit.drain(1)
    work(0.01)
    ftjit.enable()
    for function in FUNCTIONS:
        ftjit.jit(function)
    in_threads(0.2)
    return results


def main(kind: str, first: str, count: str, variant: str) -> None:
    if variant == "sealed":
        os.environ["FTJIT_SEALED_PAGES"] = "1"
    import ftjit
    from ftjit.runtime import core, room, tier

    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("ftjit").addHandler(handler)
    assert all((core, room, tier)), "imported now, before calls fail"
    shim = ctypes.CDLL(None)
    shim.faults_arm.argtypes = [ctypes.c_int, ctypes.c_long, ctypes.c_long, ctypes.c_ulong, ctypes.c_ulong]
    shim.faults_arm(KINDS.index(kind), int(first), int(count), *core_mapping())
    results: list[list[Any]] = []
    try:
        ftjit.enable()
        for function in FUNCTIONS:
            ftjit.jit(function)
        results = program(ftjit)
    except ftjit.UnsupportedPython as why:
        said.append(str(why))
        results = [turn()]
    seen = ftjit.stats()
    fired = shim.faults_fired()
    explained = [str(ftjit.explain(function)) for function in FUNCTIONS]
    line = {
        "right": results == [EXPECTED], "results": results[:3], "said": said, "fired": fired, "stats": seen.to_dict(),
        "explained": explained, "dense": bool(ftjit.api.existing() and ftjit.api.existing().core.lib.heap_is_dense()),
        "calls": shim.faults_calls(),
    }  # fmt: skip
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
