"""Every benchmark program prints the same in every mode and with any number of threads."""

import json
import subprocess

import pytest
from ftjit_bench import catalog
from support.child import ROOT, run_python

PROGRAMS = ROOT / "bench" / "programs"
# Large enough to get hot: some tens of milliseconds of interpreted work.
SIZES = {
    "mandelbrot": 60,
    "sieve": 60_000,
    "spectral_norm": 50,
    "matrix_product": 30,
    "int_recurrence": 300_000,
    "float_recurrence": 300_000,
    "nbody": 1500,
    "fannkuch": 6000,
    "shared_class": 20_000,
    "cold": 3,
}
MODES = ("auto", "eager")


def run(name, threads, options=(), repeat=2):
    script = [str(PROGRAMS / f"{name}.py"), "--size", str(SIZES[name]), "--threads", str(threads), "--repeat", str(repeat)]
    return run_python([*options, *script], timeout=120)


def expected(name, threads, repeat=2):
    """What plain Python prints. Each thread does all of the work, so one thread's checksum is everybody's."""
    child = run(name, 1, repeat=1)
    assert child.returncode == 0, child.stderr
    checksum = child.stdout.split("checksum ")[1]
    lines = ((turn, thread) for turn in range(1, repeat + 1) for thread in range(1, threads + 1))
    return "".join(f"repeat {turn} thread {thread} checksum {checksum}" for turn, thread in lines)


def check(name, mode, threads, wanted, folder, repeat=2):
    file = folder / f"{mode}-{threads}.json"
    try:
        child = run(name, threads, ["-m", "ftjit", "--mode", mode, "--stats-json", str(file)], repeat)
    except subprocess.TimeoutExpired:
        pytest.fail(f"{name}, {mode}, {threads} threads: does not end")
    assert (child.returncode, child.stderr, child.stdout) == (0, "", wanted)
    statistics = json.loads(file.read_text())
    assert statistics["compile_errors"] == 0
    return statistics


def test_every_program_has_a_size():
    assert set(SIZES) == set(catalog.BY_NAME)


@pytest.mark.parametrize("name", SIZES)
def test_same_output_in_every_mode(name, tmp_path):
    entries = [
        check(name, mode, threads, expected(name, threads), tmp_path)["entries"]
        for mode, threads in (("auto", 1), ("auto", 4), ("eager", 2))
    ]
    if name != "cold":  # the one that is made to stay cold
        assert all(entries)


@pytest.mark.full
@pytest.mark.parametrize("threads", [1, 2, 4, 8])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SIZES)
def test_same_output_twenty_times(name, mode, threads, tmp_path):
    wanted = expected(name, threads)
    assert run(name, threads).stdout == wanted
    for _ in range(20):
        check(name, mode, threads, wanted, tmp_path)
