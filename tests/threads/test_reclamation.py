"""What is retired is freed: after disable(), after functions are dropped, during storms, with a thread parked
inside."""

from __future__ import annotations

import gc
import random
import resource
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from fresh_process import fresh_process
from machine import (
    entered,
    heat,
    in_threads,
    join,
    start_thread,
    switch_on,
    wait_idle,
    wait_inside,
    wait_until,
)

import ftjit

SOURCE = """
def f(n):
    total = 0
    for i in range(n):
        total += (i * {k}) & 1023
    return total
"""


class Flag:
    def __init__(self) -> None:
        self.done = False


def make(k: int) -> Callable[[int], int]:
    scope: dict[str, Any] = {}
    exec(SOURCE.format(k=k), scope)
    function: Callable[[int], int] = scope["f"]
    return function


def truth(k: int, n: int) -> int:
    return sum((i * k) & 1023 for i in range(n))


def wait_dead(references: Sequence[weakref.ref[Any]]) -> None:
    """Until everything referred to is gone, collecting; a compilation under way may hold it for a moment."""

    def dead() -> bool:
        gc.collect()
        return not any(reference() for reference in references)

    wait_until(dead, 5, "what was dropped is gone")


def assert_clean(seconds: float = 3.0) -> None:
    """Nothing installed, nothing in limbo, every executor that was retired freed."""
    wait_idle()  # what was being compiled goes too
    assert ftjit.drain(seconds), ftjit.stats()
    after = ftjit.stats()
    assert after.limbo_executors == 0, after
    assert after.limbo_bytes == 0, after
    assert after.executors_retired == after.executors_freed, after
    assert after.executors_freed > 0, after


@fresh_process()
def test_disable_frees_everything() -> None:
    switch_on()
    own = ftjit.stats().region_bytes  # the way in and out, which stays
    functions = [make(k) for k in range(20)]
    for function in functions:
        heat(function, 200)
    with entered(20):
        assert [f(100) for f in functions] == [truth(k, 100) for k in range(20)]
    ftjit.disable()
    assert not any(ftjit.is_compiled(f) for f in functions)
    assert_clean()
    after = ftjit.stats()
    assert after.executors_freed == after.executors_installed
    assert after.code_bytes == 0
    wait_until(lambda: ftjit.stats().region_bytes == own, 3, f"all regions freed: {after}")
    assert [f(100) for f in functions] == [truth(k, 100) for k in range(20)]


@fresh_process()
def test_dropped_functions_take_their_code_along() -> None:
    """Code objects die although they were compiled, and their executors with them; ids that come back mean
    nothing."""
    switch_on()
    for turn in range(5):
        functions = [make(k) for k in range(10)]
        for function in functions:
            heat(function, 200)
        with entered(10):
            assert [f(100) for f in functions] == [truth(k, 100) for k in range(10)]
        references = [weakref.ref(thing) for f in functions for thing in (f, f.__code__)]
        del function
        functions.clear()
        wait_dead(references)
        assert_clean()
        assert ftjit.stats().executors_freed >= 10 * (turn + 1)


EACH_OTHER = """
def f(n):
    total = 0
    for i in range(3):
        total += i
    return total + (g(n - 1) if n else 0)
def g(n):
    total = 0
    for i in range(4):
        total += i
    return total + (f(n - 1) if n else 0)
"""


@fresh_process()
def test_functions_that_call_each_other_are_freed() -> None:
    """M9: code that enters code, in a circle and itself: neither owns the other, so nothing is held back, and what is
    retired is not entered again through a caller that is not."""
    switch_on()
    for _ in range(5):
        functions = call_each_other()
        references = [weakref.ref(thing) for each in functions for thing in (each, each.__code__)]
        del functions
        wait_dead(references)
        assert_clean()


def call_each_other() -> list[Any]:
    """Two functions, compiled and run; the second is forbidden at the end."""
    scope: dict[str, Any] = {}
    exec(EACH_OTHER, scope)
    f, g = scope["f"], scope["g"]
    ftjit.jit(f)
    ftjit.jit(g)
    wait_until(lambda: (f(20), ftjit.is_compiled(f) and ftjit.is_compiled(g))[1], 10)
    expected = f(20)
    with entered(10 * 21):
        assert [f(20) for _ in range(10)] == [expected] * 10
    ftjit.never(g)
    assert not ftjit.is_compiled(g)
    before = ftjit.stats().entries
    assert [f(20) for _ in range(10)] == [expected] * 10
    # 11 calls of f are left to enter, once at the start or at its loop; none of the 10 calls of g.
    assert ftjit.stats().entries - before <= 10 * 11
    return [f, g]


@fresh_process()
def test_a_parked_thread_holds_only_what_it_is_in() -> None:
    """One thread stays inside its loop for ever: everything else that is retired is freed all the same."""
    switch_on()

    def spin(flag: Any) -> int:
        turns = 0
        while not flag.done:
            turns += 1
        return turns

    ftjit.jit(spin)
    flag = Flag()
    thread = start_thread(spin, flag)
    wait_inside(spin)
    for k in range(10):
        function = make(k)
        heat(function, 200)
        code = weakref.ref(function.__code__)
        del function
        wait_dead([code])
    assert ftjit.stats().executors_retired >= 10
    assert_clean()
    wait_until(lambda: ftjit.stats().activations >= 1, 2, "still inside")
    assert thread.is_alive()
    flag.done = True
    join(thread)


@fresh_process()
def test_code_dropped_while_running() -> None:
    """The function object, its module and every name of it are gone while threads are inside its code."""
    switch_on()
    scope: dict[str, Any] = {}
    exec("def spin(flag):\n n = 0\n while not flag.done:\n  n += 1\n return n", scope)
    ftjit.jit(scope["spin"])
    flag = Flag()
    threads = [start_thread(scope["spin"], flag) for _ in range(2)]
    wait_inside(scope["spin"], threads=2)
    code = weakref.ref(scope.pop("spin").__code__)
    gc.collect()
    ftjit.drain(0.05)
    assert all(thread.is_alive() for thread in threads)
    flag.done = True
    join(*threads)
    threads.clear()
    gc.collect()
    wait_dead([code])
    assert_clean()


def storm(seconds: float, seed: int) -> None:
    """Four threads call; four switch ftjit on and off, compile, redefine, drop and collect. Results stay right."""
    switch_on()
    keys = list(range(5))
    expected = {k: truth(k, 120) for k in keys}
    functions = {k: make(k) for k in keys}
    start = time.monotonic()
    dropped: list[weakref.ref[Any]] = []
    calls = [0] * 4

    def going() -> bool:
        """Until the time is over and enough has happened, on a slow machine too."""
        seen, elapsed = ftjit.stats(), time.monotonic() - start
        return elapsed < seconds or (elapsed < seconds + 10 and (seen.entries < 200 or seen.executors_retired < 5))

    def caller(index: int) -> None:
        rng = random.Random(seed + index)
        while going():
            for _ in range(20):
                k = rng.choice(keys)
                result = functions[k](120)
                assert result == expected[k], (k, result, expected[k])
                calls[index] += 1

    def disturber(index: int) -> None:
        rng = random.Random(seed + 100 + index)
        while going():
            k = rng.choice(keys)
            match (index + rng.randrange(2)) % 4:
                case 0:
                    ftjit.disable()
                    time.sleep(rng.random() * 0.005)
                    ftjit.enable()
                    for key in keys:
                        ftjit.jit(functions[key])
                    time.sleep(0.05 + rng.random() * 0.1)
                case 1:
                    ftjit.jit(functions[k])
                    functions[k](120)
                    time.sleep(0.001)
                case 2:
                    dropped.append(weakref.ref(functions[k].__code__))
                    functions[k] = make(k)
                    ftjit.jit(functions[k])
                    time.sleep(0.02 + rng.random() * 0.04)
                case 3:
                    gc.collect()
                    ftjit.drain(0.01)
                    ftjit.stats()
                    str(ftjit.explain(functions[k]))
                    time.sleep(rng.random() * 0.01)

    in_threads(lambda index: caller(index) if index < 4 else disturber(index - 4), 8, seconds + 30)
    ftjit.enable()
    before = ftjit.stats()
    assert before.entries > 100, before
    assert before.executors_retired >= 5, before
    assert all(calls)
    functions.clear()
    ftjit.disable()
    gc.collect()
    wait_dead(dropped)
    assert_clean()
    wait_until(
        lambda: ftjit.stats().executors_freed == ftjit.stats().executors_installed,
        3,
        f"all freed: {ftjit.stats()}",
    )
    assert ftjit.stats().code_bytes == 0


@fresh_process(marks=["threads"])
def test_storm() -> None:
    storm(1.5, 1)


@fresh_process(marks=["threads", "full"], seconds=120, cases=["2", "3", "4"])
def test_storm_long(case: str) -> None:
    storm(30, int(case))


@fresh_process(environment={"FTJIT_BARRIER": "fence"}, marks=["threads"])
def test_storm_with_fences() -> None:
    storm(1.5, 5)
    assert not ftjit.stats().asymmetric_barrier


def swap_storm(seconds: float) -> None:
    """The executors of code that threads are inside are swapped by new ones all the time."""
    switch_on()
    stop = Flag()

    def work(flag: Any, n: int) -> int:
        wrong = 0
        while not flag.done:
            total = 0
            for i in range(n):
                total += i & 15
            if total != 7468:
                wrong += 1
        return wrong

    ftjit.jit(work)
    results: list[int] = []
    threads = [start_thread(lambda: results.append(work(stop, 1000))) for _ in range(4)]
    wait_inside(work, threads=1)
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        ftjit.disable()
        ftjit.enable()
        ftjit.jit(work)
        time.sleep(0.01)
        wait_until(lambda: ftjit.is_compiled(work), 5)
    seen = ftjit.stats()
    assert seen.executors_retired >= 3, seen
    wait_until(lambda: ftjit.stats().activations >= 1, 5, "inside again")
    stop.done = True
    join(*threads)
    assert results == [0] * 4
    ftjit.disable()
    assert_clean()


@fresh_process(marks=["threads"])
def test_swap_storm() -> None:
    swap_storm(1.0)


@fresh_process(marks=["threads", "full"], seconds=90)
def test_swap_storm_long() -> None:
    swap_storm(30)


@fresh_process()
def test_threads_come_and_go() -> None:
    """Records of dead threads are recycled; short threads enter and leave; nothing is pinned by the dead."""
    switch_on()
    function = make(3)
    heat(function, 200)
    expected = truth(3, 150)
    with entered(400):
        for _ in range(100):
            results = in_threads(lambda _: function(150), 4)
            assert results == [expected] * 4
    ftjit.disable()
    assert_clean()


@fresh_process(seconds=40, marks=["threads"])
def test_a_loop_inside_does_not_hold_back_other_threads_memory() -> None:
    """F7: an attached loop in machine code reports quiescent states, so that what another thread's list operations
    free lazily (QSBR) is freed: the process grows by a part of it at most."""

    def spin(flag: Any) -> int:
        turns = 0
        while not flag.done:
            turns += 1
        return turns

    def churn(shared: list[int], seconds: float) -> int:
        chunk = list(range(5000))
        rounds = 0
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            shared.extend(chunk)
            shared.clear()
            rounds += 1
        return rounds

    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize() >> 20

    switch_on()
    ftjit.never(churn)
    ftjit.jit(spin)
    flag, shared = Flag(), [1]
    thread = start_thread(spin, flag)
    wait_inside(spin)
    start_thread(shared.append, 2).join()  # another thread has touched it: shared from now on
    before = resident()
    rounds = churn(shared, 1.0)
    grown = resident() - before
    assert rounds > 200
    assert ftjit.stats().activations == 1
    flag.done = True
    join(thread)
    everything = rounds * 5000 * 8 >> 20
    assert grown < max(150, everything // 3), f"{grown} MiB in {rounds} rounds"
    assert threading.active_count() <= 2
