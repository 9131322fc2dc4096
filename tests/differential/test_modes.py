"""Every benchmark program prints the same in every mode and with any number of threads."""

import functools
import json
import subprocess

import pytest
from ftjit_bench import catalog
from support.child import ROOT, run_python

PROGRAMS = ROOT / "bench" / "programs"
THREADS = (1, 2, 4, 8)
# Many functions, or large imports, each compiled at its first run.
SLOW_WHEN_EAGER = {"cold", "reports", "shared_class", "tokens"}
# The same work without the command line: eager mode compiles argparse too, which takes seconds.
BARE = """\
import sys, threading, importlib
name, threads = sys.argv[1], int(sys.argv[2])
program = importlib.import_module("ftjit_bench.programs." + name)
found = {}
def work(thread):
    found[thread] = program.run(program.SIZES["quick"])
workers = [threading.Thread(target=work, args=(thread,)) for thread in range(1, threads + 1)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
for thread in sorted(found):
    print(f"repeat 1 thread {thread} checksum {found[thread]!r}")
"""


def script(name, threads, repeat=1):
    return [
        str(PROGRAMS / f"{name}.py"),
        "--size",
        "quick",
        "--threads",
        str(threads),
        "--repeat",
        str(repeat),
    ]


def bare(name, threads):
    return ["-c", BARE, name, str(threads)]


@functools.cache
def checksum(name):
    """What plain Python computes. Each thread does all of the work, so one checksum is everybody's."""
    child = run_python(script(name, 1))
    assert (child.returncode, child.stderr) == (0, "")
    return child.stdout.split("checksum ")[1]


def expected(name, threads, repeat=1):
    lines = [(turn, thread) for turn in range(1, repeat + 1) for thread in range(1, threads + 1)]
    return "".join(f"repeat {turn} thread {thread} checksum {checksum(name)}" for turn, thread in lines)


def check(mode, program, wanted, folder, timeout=120):
    """Run it under `mode`; returns the statistics."""
    file = folder / "statistics.json"
    try:
        child = run_python(["-m", "ftjit", "--mode", mode, "--stats-json", str(file), *program], timeout=timeout)
    except subprocess.TimeoutExpired:
        pytest.fail(f"{mode}, {program}: still running after {timeout} s")
    assert (child.returncode, child.stderr, child.stdout) == (0, "", wanted)
    statistics = json.loads(file.read_text())
    assert statistics["compile_errors"] == 0
    return statistics


@pytest.mark.parametrize("name", catalog.BY_NAME)
def test_same_output_in_every_mode(name, tmp_path):
    """In the quick form each program gets one number of threads, and what hardly gets hot one mode."""
    threads = THREADS[list(catalog.BY_NAME).index(name) % len(THREADS)]
    is_hot = catalog.BY_NAME[name] in catalog.HOT_PROGRAMS
    runs = []
    if is_hot or name in SLOW_WHEN_EAGER:
        runs.append(
            check("auto", script(name, threads, repeat=2), expected(name, threads, repeat=2), tmp_path, timeout=30)
        )
    if name not in SLOW_WHEN_EAGER:
        runs.append(check("eager", bare(name, 2), expected(name, 2), tmp_path, timeout=30))
    if is_hot:
        assert all(statistics["entries"] for statistics in runs)


@pytest.mark.full
@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("mode", ["auto", "eager"])
@pytest.mark.parametrize("name", catalog.BY_NAME)
def test_same_output_twenty_times(name, mode, threads, tmp_path):
    """Five times in each of four processes: each warms up anew, and goes on to run what was compiled."""
    wanted = expected(name, threads, repeat=5)
    assert run_python(script(name, threads, repeat=5)).stdout == wanted
    for _ in range(4):
        statistics = check(mode, script(name, threads, repeat=5), wanted, tmp_path, timeout=300)
        assert statistics["entries"] or catalog.BY_NAME[name] not in catalog.HOT_PROGRAMS
