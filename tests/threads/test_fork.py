"""os.fork in a hot program: no thread of ours is in the way, and the child goes on compiling and running."""

from __future__ import annotations

import _thread
import ctypes
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any

from fresh_process import fresh_process
from machine import entered, in_threads, join, start_thread, switch_on, wait_compiled, wait_inside, wait_until

import ftjit
from ftjit.runtime.tier import existing


class Flag:
    def __init__(self) -> None:
        self.done = False


def spin(flag: Any) -> int:
    turns = 0
    while not flag.done:
        turns += 1
    return turns


def count(limit: int) -> int:
    total = 0
    for number in range(limit):
        total += number & 7
    return total


def count_again(limit: int) -> int:
    total = 0.0
    for number in range(limit):
        total += number
    return int(total)


def in_child(work: Callable[[], None], seconds: float = 8.0) -> None:
    """Fork, run `work` in the child, expect it to succeed in time. A hung child is killed, with its stacks
    printed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    deadline = time.monotonic() + seconds
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGABRT)
            os.waitpid(child, 0)
            raise AssertionError(f"the child did not end within {seconds} s")
        time.sleep(0.005)
    assert os.WIFEXITED(status), f"the child was killed by signal {os.WTERMSIG(status)}"
    assert os.WEXITSTATUS(status) == 0


def compile_and_run() -> None:
    """What was compiled runs, what was not gets compiled, what is retired gets freed."""
    with entered():
        assert count(1000) == sum(n & 7 for n in range(1000))
    ftjit.jit(count_again)
    wait_until(lambda: count_again(500) == 124750 and ftjit.is_compiled(count_again), 5, "compiled in the child")
    with entered():
        assert count_again(1000) == 499500
    ftjit.disable()
    assert ftjit.drain(3), ftjit.stats()


@fresh_process()
def test_child_goes_on() -> None:
    switch_on()
    ftjit.compile(count, 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        in_child(compile_and_run)
    compile_and_run()


@fresh_process(seconds=60, marks=["threads"])
def test_forks_at_once() -> None:
    """Several threads fork at the same time, others come and go: the first stops our threads, and the sampler runs
    again after the last. (A second one that stopped it would wait for a thread that is no longer ours.)"""
    switch_on()
    warnings.simplefilter("ignore")
    until = time.monotonic() + 1.5

    def fork_often(_: int) -> None:
        while time.monotonic() < until:
            child = os.fork()
            if child == 0:
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0

    def churn(_: int) -> None:
        while time.monotonic() < until:
            join(*(start_thread(count, 100) for _ in range(3)))

    in_threads(lambda index: (fork_often if index < 4 else churn)(index), 6)
    runtime = existing()
    assert runtime is not None
    assert runtime.core.lib.sampler_is_running()
    before = ftjit.stats().samples
    wait_until(lambda: (count(5000), ftjit.stats().samples > before)[1], 5, "sampling goes on")


@fresh_process(seconds=60, environment={"PYTHONWARNINGS": "error"})
def test_switched_on_in_the_midst_of_a_fork() -> None:
    """An older hook of another module runs after our preparations: the sampler it starts is there after the fork, not
    before, or CPython would find two threads."""

    def in_the_midst() -> None:
        ftjit.disable()
        ftjit.enable()

    os.register_at_fork(before=in_the_midst)
    switch_on()
    runtime = existing()
    assert runtime is not None
    for _ in range(20):
        child = os.fork()
        if child == 0:
            os._exit(0 if runtime.core.lib.sampler_is_running() else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert runtime.core.lib.sampler_is_running()
    ftjit.disable()
    assert os.fork() or os._exit(0)  # the hook enables it again
    assert runtime.core.lib.sampler_is_running()


@fresh_process(seconds=30)
def test_drained_in_the_midst_of_a_fork() -> None:
    """Nothing is freed between our preparations and the fork: whoever waits for that there is told so."""
    drained: list[bool] = []
    os.register_at_fork(
        before=lambda: (ftjit.disable(), drained.append(ftjit.drain())),
        after_in_child=lambda: drained.append(ftjit.drain()),
    )
    switch_on()
    ftjit.compile(count, 100)
    child = os.fork()
    if child == 0:
        os._exit(0 if ftjit.drain(5) and drained == [False, False] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert drained == [False]
    assert ftjit.drain(5)


@fresh_process(seconds=30)
def test_first_used_in_the_midst_of_a_fork() -> None:
    """Our hooks are not among those that run before this fork, and are among those after it."""
    warnings.simplefilter("ignore")
    done: list[bool] = []

    def hook() -> None:
        if not done:
            done.append(True)
            ftjit.compile(count, 100)

    os.register_at_fork(before=hook)
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            grandchild = os.fork()
            if grandchild == 0:
                os._exit(0)
            assert os.waitpid(grandchild, 0)[1] == 0
            runtime = existing()
            assert runtime is not None
            assert runtime.core.lib.sampler_is_running()
            with entered():
                count(100)
            ftjit.disable()
            os._exit(0 if ftjit.drain(5) else 1)
        children.append(child)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0


@fresh_process(seconds=30, marks=["threads"])
def test_forks_that_wait_for_one_another() -> None:
    """An older hook waits for a lock whose holder forks: as without ftjit, nobody waits for ever."""
    warnings.simplefilter("ignore")
    lock, inside = threading.RLock(), threading.Event()
    os.register_at_fork(
        before=lambda: (inside.set(), lock.acquire()), after_in_parent=lock.release, after_in_child=lock.release
    )
    switch_on()

    def fork_once() -> None:
        child = os.fork()
        if child == 0:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0

    def with_the_lock() -> None:
        with lock:
            inside.wait()
            time.sleep(0.05)
            fork_once()

    thread = start_thread(with_the_lock)
    wait_until(lock.locked, 5, "the lock is taken")
    fork_once()
    join(thread)
    runtime = existing()
    assert runtime is not None
    assert runtime.core.lib.sampler_is_running()


@fresh_process(seconds=60)
def test_a_signal_handler_forks_in_the_midst_of_a_fork() -> None:
    """The handler may run after our preparations, in an older hook of another module: it waits for nothing its own
    thread holds, and the sampler runs again in the end. Our own hooks are C functions, in which no handler runs."""

    def in_the_midst() -> None:
        until = time.monotonic() + 0.0005
        while time.monotonic() < until:
            pass

    os.register_at_fork(before=in_the_midst, after_in_parent=in_the_midst)
    switch_on()
    ftjit.compile(count, 100)
    warnings.simplefilter("ignore")
    nested: list[int] = []

    def fork_once() -> None:
        child = os.fork()
        if child == 0:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0

    def handler(number: int, frame: FrameType | None) -> None:
        names = set()
        while frame is not None:
            names.add(frame.f_code.co_name)
            frame = frame.f_back
        if "in_the_midst" in names and "handler" not in names:
            nested.append(number)
            fork_once()

    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)
    until = time.monotonic() + 10
    while len(nested) < 60 and time.monotonic() < until:
        fork_once()
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert len(nested) >= 10, "the handler never ran in the midst of a fork"
    before = ftjit.stats().samples
    wait_until(lambda: (count(5000), ftjit.stats().samples > before)[1], 5, "sampling goes on")
    in_child(compile_and_run)


@fresh_process()
def test_fork_while_sampling_and_compiling() -> None:
    """Forks at any moment, workers and ticker busy; CPython finds no second thread to warn about."""
    switch_on()
    ftjit.compile(count, 100)
    code = "def f(n):\n    total = 0\n    for i in range(n):\n        total += i * {k}\n    return total\n"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(12):
            scope: dict[str, Any] = {}
            exec(code.format(k=number), scope)
            ftjit.jit(scope["f"])
            for _ in range(3):
                scope["f"](500)
            child = os.fork()
            if child == 0:
                os._exit(0 if count(1000) == sum(n & 7 for n in range(1000)) else 1)
            assert os.waitpid(child, 0)[1] == 0
    assert threading.active_count() == 1


@fresh_process()
def test_fork_beside_threads_inside() -> None:
    """Other threads are inside machine code at the fork: gone in the child, running on in the parent. The child's
    reclamation does not wait for them."""
    warnings.simplefilter("ignore", DeprecationWarning)  # the program's own threads: CPython warns, rightly
    switch_on()
    ftjit.compile(count, 100)
    ftjit.jit(spin)
    flag = Flag()
    threads = [start_thread(spin, flag) for _ in range(2)]
    wait_inside(spin, threads=2)
    for _ in range(3):
        in_child(compile_and_run)
    assert all(thread.is_alive() for thread in threads)
    wait_until(lambda: ftjit.stats().activations >= 2, 2, "still inside")
    flag.done = True
    join(*threads, seconds=2)


@fresh_process()
def test_fork_by_another_thread_than_main() -> None:
    warnings.simplefilter("ignore", DeprecationWarning)
    switch_on()
    ftjit.compile(count, 100)
    failures: list[BaseException] = []

    def fork() -> None:
        try:
            in_child(compile_and_run)
        except BaseException as error:
            failures.append(error)

    thread = start_thread(fork)
    join(thread, seconds=12)
    assert not failures, failures


@fresh_process()
def test_pending_calls_run_in_the_child() -> None:
    """M7: signal handlers and the sampler's questions still run in children forked at the sampler's pace."""
    warnings.simplefilter("ignore", DeprecationWarning)
    switch_on()
    ftjit.compile(count, 100)
    flag = Flag()
    ftjit.jit(spin)
    threads = [start_thread(spin, flag) for _ in range(2)]  # they answer the sampler, and are gone in the child
    wait_inside(spin, threads=2)

    def work() -> None:
        hits: list[int] = []
        signal.signal(signal.SIGALRM, lambda *_: hits.append(1))
        signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
        deadline = time.monotonic() + 3
        while len(hits) < 3 and time.monotonic() < deadline:
            count(20_000)
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert len(hits) >= 3, "signal handlers do not run in the child"
        before = ftjit.stats().samples
        fresh: dict[str, Any] = {}
        exec("def g(n):\n    t = 0\n    for i in range(n):\n        t += i\n    return t", fresh)
        deadline = time.monotonic() + 3
        while ftjit.stats().samples == before and time.monotonic() < deadline:
            fresh["g"](20_000)
        assert ftjit.stats().samples > before, "pending calls do not run in the child"

    for _ in range(10):
        in_child(work)
    flag.done = True
    join(*threads, seconds=2)


@fresh_process()
def test_fork_from_machine_code() -> None:
    """The forking thread itself is inside machine code, two levels deep; parent and child both go on in it."""

    def fork_often(rounds: int) -> int:
        total = 0
        for number in range(rounds):
            if number % 5000 == 4999:
                child = os.fork()
                if child == 0:
                    for other in range(20_000):
                        total += other & 3
                    os._exit(7 if total > 0 else 1)
                status = os.waitpid(child, 0)[1]
                assert os.waitstatus_to_exitcode(status) == 7
            total += number & 1
        return total

    switch_on()
    ftjit.jit(fork_often)
    assert fork_often(4000) == 2000
    wait_compiled(fork_often)
    with entered():
        assert fork_often(20_000) == 10_000


@fresh_process()
def test_hooks_of_others_run_in_the_child_before_ours() -> None:
    """They are older, so they come first: what they run there compiles nothing, as another thread may have had ftjit's
    locks when the process forked."""
    wanted, taken, over = (_thread.allocate_lock() for _ in range(3))
    for lock in (wanted, taken, over):
        lock.acquire()
    ran: list[int] = []

    def never_seen_before() -> None:
        ran.append(sum(number & 3 for number in range(100)))

    def take() -> None:
        wanted.release()
        taken.acquire()

    os.register_at_fork(before=take, after_in_parent=over.release, after_in_child=never_seen_before)
    ftjit.enable("eager")
    runtime = existing()
    assert runtime is not None

    def hold(lock: Any) -> None:
        wanted.acquire()
        with lock:
            taken.release()
            over.acquire()

    thread = start_thread(hold, runtime.lock)

    def has_run() -> None:
        assert ran == [150]
        with entered():
            never_seen_before()
            never_seen_before()

    in_child(has_run)
    join(thread)


@fresh_process()
def test_a_fork_waits_for_who_compiles_for_himself() -> None:
    """Eager mode: what a thread holds in the midst of a compilation, the child would wait for, for ever."""
    ftjit.enable("eager")
    runtime = existing()
    assert runtime is not None
    compile_ = runtime.compile
    entered_it, forking, left_it = (threading.Event() for _ in range(3))

    def slowly(snapshot: Any) -> None:
        if snapshot.code is count.__code__:
            entered_it.set()
            forking.wait(5)
            time.sleep(0.3)
        compile_(snapshot)
        if snapshot.code is count.__code__:
            left_it.set()

    runtime.compile = slowly  # type: ignore[method-assign]
    os.register_at_fork(before=forking.set)
    thread = start_thread(count, 100)
    assert entered_it.wait(5)

    def nobody_inside() -> None:
        assert left_it.is_set()
        count_again(100)

    in_child(nobody_inside)
    join(thread)


@fresh_process()
def test_a_dict_given_to_a_thread_that_is_not_in_the_child() -> None:
    """A mutex of the interpreter's goes from hand to hand; here the last hand is not there any more."""
    byte: list[Any] = []
    os.register_at_fork(
        before=lambda: setattr(byte[0], "value", 1), after_in_parent=lambda: setattr(byte[0], "value", 0)
    )
    ftjit.enable("eager")
    runtime = existing()
    assert runtime is not None
    mutex_at = 8 + 2  # PyObject: ob_tid, ob_flags, ob_mutex
    byte.append(ctypes.c_uint8.from_address(id(runtime.records) + mutex_at))

    def compiles() -> None:
        with entered():
            count(100)
            count(100)

    in_child(compiles)


@fresh_process()
def test_what_waits_to_be_compiled_is_compiled_after_a_fork() -> None:
    """A fork sends the compiler away from a queue that is not empty; nobody has to get hot anew for it to come back."""
    switch_on()
    runtime = existing()
    assert runtime is not None
    functions = []
    for number in range(6):
        scope: dict[str, Any] = {}
        exec(f"def f(n):\n t = 0\n for i in range(n):\n  t += i * {number}\n return t", scope)
        functions.append(scope["f"])
        ftjit.jit(scope["f"])
    warnings.simplefilter("ignore")
    for function in functions:
        function(300)  # the snapshots are taken: one after the other is compiled
    child = os.fork()
    if child == 0:
        until = time.monotonic() + 10
        while not all(map(ftjit.is_compiled, functions)) and time.monotonic() < until:
            time.sleep(0.01)
        os._exit(0 if all(map(ftjit.is_compiled, functions)) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    wait_until(lambda: all(map(ftjit.is_compiled, functions)), 10)
