"""From samples to medians, speed-ups, scaling and problems."""

import math
import random

import pytest
from ftjit_bench import aims, confidence, table
from ftjit_bench.samples import Request, Sample
from ftjit_bench.summary import summarise
from ftjit_bench.workers import is_steady

COUNTERS = {
    "entries": 5,
    "exits": 2,
    "deopts": {"type": 3, "overflow": 4},
    "executors_installed": 1,
    "code_bytes": 100,
}


def make(program="sieve", mode="interpreter", threads=1, seconds=(1.0,), checksum="7", entries=5, failure=None):
    counters = None if mode == "interpreter" else COUNTERS | {"entries": entries}
    return Sample(
        Request(program, mode, threads, 10, len(seconds), 1.0),
        first_seconds=2.0,
        warm_up=[2.0, 1.0],
        seconds=list(seconds),
        cpu_seconds=list(seconds),
        steady=True,
        checksums=[checksum],
        counters=counters,
        failure=failure,
    )


def test_speed_up_is_the_ratio_of_medians_over_all_rounds():
    samples = [make(seconds=[4.0, 5.0]), make(mode="ftjit", seconds=[1.0, 2.0])]
    samples += [make(seconds=[6.0, 7.0]), make(mode="ftjit", seconds=[3.0, 4.0])]
    (row,) = summarise(samples).rows
    assert row.speed_up == 5.5 / 2.5
    assert row.speed_up_range == (6.5 / 3.5, 4.5 / 1.5)
    assert (row.interpreter.runs, row.compiled.runs) == (4, 4)
    assert row.compiled.warm_up_seconds == 3.0
    assert row.machine_code
    assert row.checksums_equal


def test_scaling_is_work_relative_to_one_thread():
    samples = [make(seconds=[1.0]), make(mode="ftjit", seconds=[0.5])]
    samples += [make(threads=4, seconds=[2.0]), make(mode="ftjit", threads=4, seconds=[0.5])]
    rows = summarise(samples).rows
    assert [(row.scaling_interpreter, row.scaling_compiled) for row in rows] == [(1.0, 1.0), (2.0, 4.0)]


def test_scaling_is_unknown_without_one_thread():
    (row,) = summarise([make(threads=2), make(mode="ftjit", threads=2)]).rows
    assert row.scaling_interpreter is None
    assert row.scaling_compiled is None


def test_means_are_geometric_and_keep_numeric_kernels_apart():
    samples = [make(seconds=[8.0]), make(mode="ftjit", seconds=[1.0])]
    samples += [make("nbody", seconds=[2.0]), make("nbody", mode="ftjit", seconds=[1.0])]
    (mean,) = summarise(samples).means
    assert mean.numeric == pytest.approx(8.0)
    assert mean.all == pytest.approx(4.0)


def test_good_run_has_no_problems_and_adds_counters_up():
    summary = summarise([make(), make(mode="ftjit"), make(mode="ftjit", entries=7)])
    assert summary.problems == []
    assert summary.counters["entries"] == 12
    assert summary.counters["deopts"] == 14
    assert summary.runs == 3


def test_different_checksums_are_a_problem_in_every_row_of_the_program():
    samples = [make(), make(mode="ftjit"), make(threads=2), make(mode="ftjit", threads=2, checksum="8")]
    summary = summarise([*samples, make("nbody"), make("nbody", mode="ftjit")])
    assert [row.checksums_equal for row in summary.rows] == [False, False, True]
    assert summary.problems == ["sieve: the checksums differ: 7, 8"]
    assert "✗" in table.plain(table.speed_table(summary))


@pytest.mark.parametrize("mode", ["ftjit", "eager"])
def test_one_process_without_machine_code_is_a_problem(mode):
    summary = summarise([make(), make(mode=mode), make(mode=mode, entries=0)])
    assert summary.problems == [f"sieve, 1 threads, {mode}: no machine code ran"]
    assert "no machine code ran" in table.plain(table.speed_table(summary))


def test_cold_program_needs_no_machine_code():
    summary = summarise([make("cold"), make("cold", mode="ftjit", entries=0)])
    assert summary.problems == []
    assert summary.rows[0].machine_code is None


def test_failed_process_is_a_problem_and_leaves_the_other_numbers():
    summary = summarise([make(), make(mode="ftjit", failure="crashed")])
    assert summary.problems == ["sieve, 1 threads, ftjit: crashed"]
    (row,) = summary.rows
    assert row.interpreter is not None
    assert row.compiled is None
    assert row.speed_up is None
    assert "failed" in table.plain(table.speed_table(summary))


def test_interpreter_alone_has_rows_without_speed_ups():
    summary = summarise([make(), make(threads=2)])
    assert [(row.threads, row.mode, row.speed_up) for row in summary.rows] == [
        (1, "interpreter", None),
        (2, "interpreter", None),
    ]
    assert summary.means == []
    assert summary.problems == []


def test_one_row_for_each_compiled_mode():
    summary = summarise([make(), make(mode="eager"), make(mode="ftjit")])
    assert [row.mode for row in summary.rows] == ["ftjit", "eager"]
    assert "sieve (eager)" in table.plain(table.speed_table(summary))


@pytest.mark.parametrize(
    ("count", "rank"),
    [(6, 1), (10, 2), (20, 6), (100, 40)],  # from the tables of the sign test, two-sided, 5 %
)
def test_median_interval_takes_the_ranks_of_the_sign_test(count, rank):
    interval = confidence.median_interval([float(n) for n in range(count, 0, -1)])
    assert (interval.low, interval.high) == (rank, count - rank + 1)
    assert interval.median == (count + 1) / 2


def test_median_interval_of_too_few_values_is_unbounded():
    interval = confidence.median_interval([1.0] * 5)
    assert (interval.low, interval.median, interval.high) == (-math.inf, 1.0, math.inf)
    with pytest.raises(ValueError, match="no values"):
        confidence.median_interval([])


@pytest.mark.parametrize("count", [31, 1200])
def test_median_interval_covers_the_true_median_as_often_as_it_says(count):
    generator = random.Random(count)
    trials = 400
    hits = 0
    for _ in range(trials):
        interval = confidence.median_interval([generator.expovariate(1.0) for _ in range(count)])
        hits += interval.low <= math.log(2) <= interval.high
    assert 0.92 <= hits / trials <= 0.995


def test_geometric_mean():
    assert confidence.geometric_mean([2.0, 8.0]) == pytest.approx(4.0)
    assert confidence.geometric_mean([]) is None


@pytest.mark.parametrize(
    ("seconds", "steady"),
    [
        ([], False),
        ([1.0], False),
        ([1.0, 0.5], False),
        ([1.0, 0.97], True),
        ([1.0, 0.5, 0.5], True),
        ([1.0, 2.0], True),
    ],
)
def test_is_steady(seconds, steady):
    assert is_steady(seconds) is steady


def lines_of(speed_ups, threads=1):
    samples = []
    for program, speed_up in speed_ups.items():
        samples += [
            make(program, threads=threads, seconds=[speed_up]),
            make(program, "ftjit", threads=threads, seconds=[1.0]),
        ]
    return aims.verdicts(summarise(samples))


def test_aims_are_judged_where_they_were_measured():
    numeric = dict.fromkeys(aims.NUMERIC, 12.5)
    assert len(numeric) == 6
    assert lines_of(numeric) == [
        "Aim     geometric mean of the numeric kernels, one thread: 12.50x of 12x ✓",
        "Aim     every program: 12.50x of 1x ✓",
    ]
    assert lines_of(numeric | {"sieve": 9.0})[0].endswith("11.83x of 12x ✗")
    del numeric["sieve"]
    assert lines_of(numeric) == ["Aim     every program: 12.50x of 1x ✓"]
    assert lines_of({"nbody": 1.9, "fannkuch": 2.1, "shared_class": 0.9}, threads=2) == [
        "Aim     nbody: 1.90x of 2x ✗",
        "Aim     fannkuch: 2.10x of 2x ✓",
        "Aim     every program: 0.90x of 1x ✗",
    ]
    assert lines_of({"cold": 0.5}) == []
