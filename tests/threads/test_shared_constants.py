"""What one thread made and all read: numbers are known by their addresses, a loop holds other globals with one count; a
change is seen at the next read."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref
from typing import Any

from fresh_process import fresh_process
from machine import entered, in_threads, join, start_thread, switch_on, wait_idle, wait_inside, wait_until

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
        for _ in range(25):
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


class Control:
    stop = False


def read_until_stopped(items: list[Any], control: Control) -> Any:
    total = items[0]
    index = 0
    while not control.stop:
        total = items[index & 7] + 1
        index += 1
    return total


@fresh_process(cases=["float", "int"])
def test_many_times_one_number_is_counted_once(case: str) -> None:
    """A thread that reads a list of one number of another thread's over and over counts it at the first read:
    whoever looks finds one count more, and never another figure. It is given back at the end."""
    switch_on()
    number = float("0.75") if case == "float" else int("100003")
    items = [number] * 8
    control = Control()
    before = sys.getrefcount(number)
    thread = start_thread(read_until_stopped, items, control)
    wait_inside(read_until_stopped)
    wait_idle()

    def figures() -> set[int]:
        return {sys.getrefcount(number) - before for _ in range(20) if not time.sleep(0.001) for _ in range(5000)}

    wait_until(lambda: figures() == {1}, what="one count, and no other figure")
    control.stop = True
    join(thread)
    assert sys.getrefcount(number) == before


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


class Table:
    """With weak references: the program can see how long it lives."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.width = 1000 + step

    def grown(self, total: int) -> int:
        return total + self.step


TABLE = Table(3)


def walk(limit: int) -> int:
    total = 0
    for _ in range(limit):
        total = TABLE.grown(total)
    return total


def walk_and_call(limit: int) -> int:
    total = 0
    for _ in range(limit):
        total = TABLE.grown(total)
        repr(TABLE.width)
    return total


def walk_on(flag: Settings) -> int:
    turns = 0
    while flag.width:
        turns = TABLE.grown(turns) & 0xFFFF
    return turns


def heat_walks(*functions: Any) -> None:
    def heat() -> None:
        for _ in range(20):
            for function in functions:
                assert function(3000) == 9000
            wait_idle()

    switch_on()
    for function in functions:
        ftjit.jit(function)
    join(start_thread(heat), seconds=15)


@fresh_process()
def test_a_loop_holds_a_global_unless_it_calls_out() -> None:
    heat_walks(walk, walk_and_call)
    assert "global_held" in ftjit.explain(walk).disassembly(ir=True)
    other = ftjit.explain(walk_and_call).disassembly(ir=True)
    assert "global_held" not in other
    assert "global_value_owned" in other

    def read(_: int) -> None:
        for _ in range(30):
            assert walk(3000) == walk_and_call(3000) == 9000

    with entered(30):
        in_threads(read, 4)


@fresh_process(seconds=40)
def test_what_is_held_goes_when_it_is_bound_anew() -> None:
    """Threads stay in a loop that reads the global; it is bound to one object after another. Each is used at once, and
    each goes soon, as the sampler gets everybody out of machine code now and then."""
    global TABLE
    heat_walks(walk)
    ftjit.jit(walk_on)
    flag = Settings(1, 1.0)
    threads = [start_thread(walk_on, flag) for _ in range(3)]
    holds = lambda: "global_held" in ftjit.explain(walk_on).disassembly(ir=True)  # noqa: E731
    wait_until(lambda: ftjit.is_compiled(walk_on) and holds() and ftjit.stats().activations >= 1, 10)
    for step in range(1, 60):
        old = weakref.ref(TABLE)
        TABLE = Table(step)
        wait_until(lambda: old() is None, 5, "the old one gone")  # noqa: B023
        gc.collect()
    flag.width = 0
    join(*threads)
    TABLE = Table(5)
    results: list[int] = []
    join(start_thread(lambda: results.append(walk(3000))))
    assert results == [15000]
    ftjit.disable()
    last = weakref.ref(TABLE)
    TABLE = Table(1)
    assert last() is None


@fresh_process()
def test_a_global_that_is_bound_anew_all_the_time() -> None:
    """Whoever reads it sees one of the two, and no other."""
    global TABLE
    heat_walks(walk)
    stop = threading.Event()

    def change() -> None:
        global TABLE
        while not stop.is_set():
            TABLE = Table(3)
            TABLE = Table(4)

    ftjit.never(change)
    thread = start_thread(change)

    def read(_: int) -> None:
        for _ in range(100):
            assert 9000 <= walk(3000) <= 12000

    in_threads(read, 3)
    stop.set()
    join(thread)
    del TABLE
    failures: list[str] = []

    def fail() -> None:
        try:
            walk(10)
        except NameError as error:
            failures.append(str(error))

    join(start_thread(fail))
    assert failures == ["name 'TABLE' is not defined"]


class Board:
    def __init__(self) -> None:
        self.published = 0
        self.stop = False


def stale_reads(board: Board, limit: int) -> int:
    """How often the global was older than what had been said of it before."""
    stale = 0
    for _ in range(limit):
        published = board.published
        if TABLE.grown(0) < published:
            stale += 1
        if board.stop:
            break
    return stale


@fresh_process(seconds=40)
def test_a_held_global_is_never_older_than_what_was_published() -> None:
    """It is bound anew, then this is published, while readers stay in a loop that holds it."""
    global TABLE
    board = Board()

    def heat() -> None:
        for _ in range(20):
            assert stale_reads(board, 3000) == 0
            wait_idle()

    switch_on()
    ftjit.jit(stale_reads)
    join(start_thread(heat), seconds=15)
    assert "global_held" in ftjit.explain(stale_reads).disassembly(ir=True)
    found: list[int] = []
    with entered(2):
        threads = [start_thread(lambda: found.append(stale_reads(board, 10**9))) for _ in range(2)]
        for number in range(4, 60):
            TABLE = Table(number)
            board.published = number
            time.sleep(0.001)
        board.stop = True
        join(*threads)
    assert found == [0, 0]
