"""Functions that run in their caller's frame: whoever looks finds the frames the interpreter would have."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
import weakref
from types import FrameType
from typing import Any

from fresh_process import fresh_process
from machine import heat, in_threads, join, start_thread, switch_on, wait_inside, wait_until

import ftjit
from ftjit.runtime.tier import existing


class Flag:
    def __init__(self) -> None:
        self.done = False


def wait_for(flag: Flag, limit: int) -> int:
    turns = 0
    while not flag.done:
        turns += 1
        if turns > limit:
            break
    return turns


def caller(flag: Flag, rounds: int, limit: int) -> int:
    total = 0
    for _ in range(rounds):
        total += wait_for(flag, limit)
    return total


def half(x: Any) -> Any:
    return x * 2 - x


def quarter(x: Any) -> Any:
    return half(x) + 1


def twice_removed(xs: list[Any]) -> list[Any]:
    found = []
    for x in xs:
        found.append(quarter(x))
    return found


def assert_inlined(function: Any) -> None:
    runtime = existing()
    assert runtime is not None
    record = runtime.known(function.__code__)
    assert record is not None
    assert any("in @" in entry.ir for entry in record.installed.values()), ftjit.explain(function)


def inside() -> threading.Thread:
    """A thread in `caller`, in the loop of the inlined `wait_for`, until it is given FLAG.done."""
    heat(caller, Flag(), 50, 40)
    heat(caller, Flag(), 50, 40)
    assert_inlined(caller)
    thread = start_thread(caller, FLAG, 3, 1 << 60)
    wait_inside(caller)
    return thread


FLAG = Flag()


@fresh_process()
def test_another_thread_sees_the_frames_and_ends_the_loop() -> None:
    thread = inside()
    for _ in range(20):
        frame: FrameType | None = sys._current_frames()[thread.ident or 0]
        assert frame is not None
        assert frame.f_code is wait_for.__code__
        assert frame.f_back is not None
        assert frame.f_back.f_code is caller.__code__
        del frame  # its locals are not for another thread to read while it runs: rule 14 of the memory model
        time.sleep(0.002)
    FLAG.done = True
    join(thread, seconds=5)


@fresh_process()
def test_collecting_is_not_held_up() -> None:
    thread = inside()
    slowest = 0.0
    for _ in range(20):
        start = time.perf_counter()
        gc.collect()
        slowest = max(slowest, time.perf_counter() - start)
    assert slowest < 2, slowest
    FLAG.done = True
    join(thread, seconds=5)


@fresh_process()
def test_a_signal_handler_sees_the_inlined_frame() -> None:
    """In the main thread; the handler ends the loop."""
    heat(caller, Flag(), 50, 40)
    heat(caller, Flag(), 50, 40)
    assert_inlined(caller)
    seen: list[str] = []

    def handler(number: int, frame: FrameType | None) -> None:
        while frame is not None and len(seen) < 2:
            seen.append(frame.f_code.co_name)
            frame = frame.f_back
        FLAG.done = True

    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    before = ftjit.stats().entries
    assert caller(FLAG, 2, 1 << 60) > 0
    assert ftjit.stats().entries > before
    assert seen == ["wait_for", "caller"]


@fresh_process()
def test_threads_that_never_ran_the_inlined_function() -> None:
    """An exit makes a frame in a thread that has no copy of that bytecode yet; two frames deep."""
    numbers = list(range(50))
    heat(twice_removed, numbers)
    heat(twice_removed, numbers)
    assert_inlined(twice_removed)
    for turn in range(40):
        odd: Any = [1.5, "ab", 2**70, None][turn % 4]

        def run(index: int, odd: Any = odd) -> Any:
            try:
                return twice_removed([1, 2, 3, odd, 5])
            except TypeError as error:
                names = []
                entry = error.__traceback__
                while entry is not None:
                    names.append(entry.tb_frame.f_code.co_name)
                    entry = entry.tb_next
                return names

        expected = [2, 3, 4, odd + 1, 6] if isinstance(odd, float | int) else None
        for result in in_threads(run, 3):
            assert result == (expected or ["run", "twice_removed", "quarter", "half"]), result


@fresh_process()
def test_its_code_is_replaced_while_it_runs() -> None:
    """Every result is that of one of the two, and what was replaced is gone in the end."""

    def other(x: Any) -> Any:
        return x * 3 - x * 2 + 1000

    numbers = list(range(30))
    heat(twice_removed, numbers)
    codes = [half.__code__, other.__code__]
    stop = threading.Event()

    def replace() -> None:
        while not stop.is_set():
            for code in codes[::-1]:
                half.__code__ = code
                time.sleep(0.0005)

    thread = start_thread(replace)

    def run(index: int) -> int:
        until = time.monotonic() + 1
        rounds = 0
        while time.monotonic() < until:
            for x, result in zip(numbers, twice_removed(numbers), strict=True):
                assert result in (x + 1, x + 1001), (x, result)
            rounds += 1
        return rounds

    assert min(in_threads(run, 3)) > 0
    stop.set()
    join(thread)
    half.__code__ = codes[1]
    gone = weakref.ref(codes[0])
    codes.clear()
    ftjit.disable()
    assert ftjit.drain(10)
    wait_until(lambda: (gc.collect(), ftjit.drain(1), gone() is None)[2], 10, "the old code object gone")


@fresh_process()
def test_near_the_recursion_limit() -> None:
    """The error comes at the same depth with the frame inlined and without."""

    def dive(depth: int) -> int:
        total = 0
        for x in range(3):
            total += quarter(x)
        return dive(depth - 1) + total if depth else total

    def deepest() -> int:
        depth = 0
        while True:
            try:
                dive(depth)
            except RecursionError:
                return depth
            depth += 1

    sys.setrecursionlimit(150)
    expected = deepest()
    switch_on()
    heat(dive, 60)
    heat(dive, 60)
    for _ in range(5):
        assert deepest() == expected
