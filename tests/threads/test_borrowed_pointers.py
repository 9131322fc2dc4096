"""Pointers that machine code has only borrowed: what they rest on may end at a safepoint, or with a count that this
very thread gives back. Freed memory is overwritten here (mimalloc_debug), so that a stale pointer is found out."""

from __future__ import annotations

import gc
import time
from typing import Any

from fresh_process import fresh_process
from machine import entered, join, start_thread, switch_on, wait_idle

import ftjit
from ftjit.runtime.tier import existing

FREED = {"PYTHONMALLOC": "mimalloc_debug"}


def sink(*values: Any) -> tuple[Any, ...]:
    return values


def first_of_both(xs: list[Any], ys: list[Any]) -> Any:
    return sink(xs[0], ys[0])


def spend(x: int, n: int) -> int:
    total = 0
    for _ in range(n):
        total += x
    return total


def lets_go(xs: list[Any], text: str | None, n: int) -> Any:
    return sink(xs[0], spend(1, n), (text := None))  # noqa: F841


def text(turn: int) -> str:
    return f"text {turn} {'=' * 40}"


def settle(function: Any, *arguments: Any) -> None:
    switch_on()
    ftjit.compile(function, *arguments)
    for _ in range(100):
        function(*arguments)
        time.sleep(0.0005)
    wait_idle()


@fresh_process(environment=FREED)
def test_a_list_whose_lock_is_busy() -> None:
    """A thread that waited for the second list's lock would let the collection go on that ends what it holds of the
    first."""
    settle(first_of_both, ["abc"], [1])
    for turn in range(5):
        gc.collect()
        xs: list[Any] = [text(turn)]
        locked: list[Any] = []
        start: list[bool] = []
        busy: list[bool] = []

        def other(xs: list[Any], locked: list[Any], start: list[bool], busy: list[bool]) -> None:
            def growing() -> Any:
                busy.append(True)
                end = time.perf_counter() + 0.05
                while time.perf_counter() < end:
                    pass
                xs[0] = None
                gc.collect()
                yield [f"junk {number} {'#' * 40}" for number in range(100)]

            ys: list[Any] = [1, 2]  # made here, and nobody else has read it yet
            locked.append(ys)
            while not start:
                pass
            ys.extend(growing())

        thread = start_thread(other, xs, locked, start, busy)
        while not locked:
            pass
        ys = locked[0]
        start.append(True)
        while not busy:
            pass
        with entered():
            result = first_of_both(xs, ys)
        assert result in ((text(turn), 1), (None, 1))
        join(thread)


@fresh_process(environment=FREED)
def test_the_last_count_is_this_threads_own() -> None:
    """This thread owns the object, and a local holds the last count that is left when the local is bound anew."""
    settle(lets_go, ["abc"], "xyz" * 3, 300)
    runtime = existing()
    assert runtime is not None
    runtime.core.lib.sampler_stop()  # whoever is asked leaves machine code, and counts what it holds
    entries = ftjit.stats().entries
    for turn in range(3):
        xs: list[Any] = [None]
        box = [text(turn)]
        join(start_thread(lambda: xs.__setitem__(0, box[0])))  # noqa: B023

        def other(xs: list[Any], go: list[bool]) -> None:
            while not go:
                pass
            time.sleep(0.02)
            xs[0] = None
            time.sleep(0.2)  # it does not end meanwhile, which would settle counts

        go: list[bool] = []
        thread = start_thread(other, xs, go)
        go.append(True)
        result = lets_go(xs, box.pop(), 80_000_000)
        assert result == (text(turn), 80_000_000, None)
        join(thread)
    assert ftjit.stats().entries >= entries + 3
