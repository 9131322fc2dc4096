"""The sampler gets answers where threads are many, finds loops whose time goes into C, and strands nobody's calls."""

from __future__ import annotations

import ctypes
import threading
import time
from typing import Any

from fresh_process import fresh_process
from machine import join, start_thread, switch_on, wait_until

import ftjit


class Flag:
    def __init__(self) -> None:
        self.done = False


def busy(flag: Any) -> None:
    """Work that is never hot: a new code object each time."""
    turn = 0
    while not flag.done:
        turn += 1
        space: dict[str, Any] = {}
        exec(f"def f(n):\n    t = 0\n    for i in range(n):\n        t += i & {turn & 255}\n    return t\n", space)
        space["f"](3000)


@fresh_process(seconds=60)
def test_many_threads_are_sampled() -> None:
    """M4: answers keep coming where threads are many more than processors."""
    switch_on()
    ftjit.never(busy)
    flag = Flag()
    threads = [start_thread(busy, flag) for _ in range(32)]
    before = ftjit.stats().samples
    wait_until(lambda: ftjit.stats().samples - before >= 30, 10, f"sampled: {ftjit.stats()}")
    flag.done = True
    join(*threads, seconds=20)


@fresh_process(seconds=60)
def test_few_questions_until_something_is_met_again() -> None:
    """Where nothing is hot a question every four milliseconds at most; a loop is found in no time all the same."""
    switch_on()
    ftjit.never(busy)
    sources = [f"def f{i}(n):\n    return [0] * n\n" for i in range(600)]
    functions = []
    for source in sources:
        space: dict[str, Any] = {}
        exec(source, space)
        functions.append(space.popitem()[1])

    def cold(seconds: float) -> int:
        before, end = ftjit.stats().samples, time.monotonic() + seconds
        while time.monotonic() < end:
            for function in functions:
                function(20)
        return ftjit.stats().samples - before

    ftjit.never(cold)
    assert cold(0.2) < 90

    def hot(n: int) -> int:
        total = 0
        for number in range(n):
            total += number & 3
        return total

    began = time.monotonic()
    while not ftjit.is_compiled(hot):
        hot(2000)
        assert time.monotonic() - began < 2.0


@fresh_process()
def test_callers_of_what_stays_in_the_interpreter_are_not_hot() -> None:
    """They would gain nothing: what was sampled is not inlined into them."""
    switch_on()

    def alone(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass

    def caller() -> None:
        alone(0.5)

    ftjit.never(alone)
    caller()
    before = ftjit.stats().samples
    caller()
    assert ftjit.stats().samples - before > 10
    assert "never hot" in str(ftjit.explain(caller)), ftjit.explain(caller)


@fresh_process()
def test_a_loop_of_c_calls_is_found() -> None:
    """M5: samples are answered at CALLs too, and where the time goes into C functions hardly anywhere else."""
    switch_on()

    def calling(numbers: list[int], flag: Flag) -> None:
        while not flag.done:
            sorted(numbers)
            sorted(numbers)

    flag = Flag()
    thread = start_thread(calling, list(range(2000)), flag)
    # Found, looked at, and left alone: C functions are called as fast by the interpreter.
    wait_until(lambda: "the C functions that it calls cost more" in str(ftjit.explain(calling)), 10)
    flag.done = True
    join(thread)


BYSTANDERS, ROUNDS = 8, 4
CALLS_TO_DO = 4  # in a thread state's eval_breaker, its fourth word


def spin(flag: Any) -> None:
    while not flag.done:
        pass


@fresh_process(seconds=60, environment={"FTJIT_TICK_US": "250000"})
def test_no_pending_call_is_stranded() -> None:
    """M6: a call for the main thread that comes while another thread answers a pending call waits until main has its
    bit set again: the next answer of any thread does that, not only main's own, every 2 seconds here."""
    switch_on()
    flag, called, free = Flag(), threading.Event(), threading.Lock()
    python = ctypes.pythonapi
    python.PyThreadState_Get.restype = ctypes.c_void_p
    eval_breaker = ctypes.c_uint64.from_address(python.PyThreadState_Get() + 3 * 8)
    callback = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(lambda _: called.set() or 0)

    def strand() -> None:
        """What 3.14 does then, done by hand while main waits for the lock."""
        time.sleep(0.05)
        assert python.Py_AddPendingCall(callback, None) == 0
        assert eval_breaker.value & CALLS_TO_DO
        eval_breaker.value &= ~CALLS_TO_DO
        free.release()

    for function in (spin, strand):
        ftjit.never(function)
    threads = [start_thread(spin, flag) for _ in range(BYSTANDERS)]
    waited = 0.0
    for _ in range(ROUNDS):
        called.clear()
        free.acquire()
        thread = start_thread(strand)
        free.acquire()
        start = time.monotonic()
        while not called.is_set():
            assert time.monotonic() - start < 10
        waited += time.monotonic() - start
        free.release()
        join(thread)
    flag.done = True
    join(*threads)
    assert waited < ROUNDS * 0.6, f"{waited / ROUNDS:.2f} s on average"
