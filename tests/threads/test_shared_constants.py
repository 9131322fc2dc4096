"""Numbers that one thread made and all read: known by their addresses, without a count; a change is seen at the next
read."""

from __future__ import annotations

import threading
from typing import Any

from fresh_process import fresh_process
from machine import entered, in_threads, join, start_thread, switch_on, wait_idle, wait_until

import ftjit

LIMIT = 100_003
RATIO = 0.750001


class Settings:
    def __init__(self, width: int, factor: float) -> None:
        self.width = width
        self.factor = factor

    def fits(self, x: int) -> bool:
        return x * self.factor <= self.width


class Slotted:
    __slots__ = ("factor", "width")

    def __init__(self, width: int, factor: float) -> None:
        self.width = width
        self.factor = factor

    def fits(self, x: int) -> bool:
        return x * self.factor <= self.width


def count(settings: Any, limit: int) -> int:
    fitting = 0
    for number in range(limit):
        if settings.fits(number) and number * RATIO < LIMIT:
            fitting += 1
    return fitting


def heat_by_another_thread(settings: Any, expected: int) -> None:
    """Until nothing more is learnt: what the main thread made is another thread's there."""

    def heat() -> None:
        for _ in range(60):
            assert count(settings, 5000) == expected
            wait_idle()

    switch_on()
    ftjit.jit(count)
    ftjit.jit(type(settings).fits)
    join(start_thread(heat), seconds=15)


@fresh_process(cases=["Settings", "Slotted"])
def test_threads_read_without_a_count(case: str) -> None:
    """Inlined, with nothing left to complain of; and no thread writes to a number that all of them read."""
    settings = {"Settings": Settings, "Slotted": Slotted}[case](1_000_001, 300.5)
    expected = count(settings, 5000)
    heat_by_another_thread(settings, expected)
    assert "another thread" not in str(ftjit.explain(count))
    ir = ftjit.explain(count).disassembly(ir=True)
    form = "value" if case == "Settings" else "slot"
    assert f"attr_{form}_is" in ir
    assert "global_is" in ir

    def read(_: int) -> None:
        for _ in range(20):
            assert count(settings, 5000) == expected

    with entered(20):
        in_threads(read, 4)


@fresh_process(cases=["Settings", "Slotted"])
def test_a_change_is_seen_at_the_next_read(case: str) -> None:
    """Another thread changes the attributes, many times: readers see it, and in the end it is no longer taken for a
    constant."""
    kind = {"Settings": Settings, "Slotted": Slotted}[case]
    settings = kind(1_000_001, 300.5)
    heat_by_another_thread(settings, count(settings, 5000))
    stop = threading.Event()
    changes = 0

    def change() -> None:
        nonlocal changes
        while not stop.is_set():
            settings.width = 1_000_003 + changes % 7
            settings.factor = 300.5
            changes += 1

    def read(_: int) -> int:
        for _ in range(50):
            assert 3327 <= count(settings, 5000) <= 3328
        return 1

    ftjit.never(change)
    thread = start_thread(change)
    in_threads(read, 3)
    stop.set()
    join(thread)
    assert changes > 100
    settings.width, settings.factor = 700_001, 700.25
    expected = 999 + 1
    with entered():
        results = in_threads(lambda _: count(settings, 5000), 2)
    assert results == [expected, expected]


@fresh_process()
def test_a_global_that_is_bound_anew() -> None:
    """The executor keeps the number it knows, so that no other can come to be at its address."""
    global LIMIT
    settings = Settings(1_000_001, 1.0)
    heat_by_another_thread(settings, 5000)
    seen: list[int] = []

    def read() -> None:
        for _ in range(300):
            seen.append(count(settings, 5000))

    for limit in range(1001, 1301):
        LIMIT = limit * 2  # the old one is let go of, and its place in memory is free for the next
        seen.clear()
        join(start_thread(lambda: seen.append(count(settings, 5000))))
        expected = sum(number * RATIO < LIMIT for number in range(5000))
        assert seen == [expected], (limit, seen)
    LIMIT = 100_003
    thread = start_thread(read)
    wait_until(lambda: not thread.is_alive(), 20)
    assert set(seen) <= {5000, *seen[:1]}
