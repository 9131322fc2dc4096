"""Machine code gives way: signals, garbage collection, and whoever looks at other threads' frames."""

from __future__ import annotations

import _thread
import gc
import os
import signal
import statistics
import sys
import threading
import time
from typing import Any

from fresh_process import fresh_process
from machine import join, start_thread, switch_on, wait_inside, wait_until

import ftjit
from ftjit.runtime import tier


class Late(Exception):
    """What a signal handler raises."""


class Flag:
    def __init__(self) -> None:
        self.done = False


def spin(flag: Any) -> int:
    turns = 0
    while not flag.done:
        turns += 1
    return turns


def count(limit: int) -> int:
    """A loop of private numbers: nothing shared, no call."""
    total = 0
    for number in range(limit):
        total += number & 7
    return total


def empty(limit: int) -> None:
    for _ in range(limit):
        pass


def nested(limit: int) -> float:
    total = 0.0
    for _ in range(limit):
        for number in range(1000):
            total = total * 0.5 + number
    return total


LOOPS = {"numbers": count, "empty": empty, "nested": nested}


def signal_soon(number: int, function: Any) -> list[float]:
    """Send this process a signal once the main thread is inside machine code; the list gets the time it was sent."""
    sent: list[float] = []

    def send() -> None:
        wait_inside(function)
        time.sleep(0.05)
        sent.append(time.monotonic())
        os.kill(os.getpid(), number)

    start_thread(send)
    return sent


@fresh_process(cases=list(LOOPS))
def test_ctrl_c(case: str) -> None:
    """SIGINT raises KeyboardInterrupt inside the hot loop, at once."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background inherits it ignored
    loop = LOOPS[case]
    switch_on()
    ftjit.jit(loop)
    sent = signal_soon(signal.SIGINT, loop)
    try:
        loop(1 << 50)
    except KeyboardInterrupt as error:
        took = time.monotonic() - sent[0]
        last = error.__traceback__
        assert last is not None
        while last.tb_next is not None:
            last = last.tb_next
        assert last.tb_frame.f_code is loop.__code__
        assert loop.__code__.co_firstlineno < last.tb_lineno <= loop.__code__.co_firstlineno + 6
    else:
        raise AssertionError("the loop ended")
    assert took < 0.5, took


@fresh_process(cases=list(LOOPS))
def test_signal_handler(case: str) -> None:
    """A Python signal handler runs while the loop is hot, sees its frame, and can end it."""
    loop = LOOPS[case]
    seen: list[tuple[float, Any]] = []

    class Enough(Exception):
        pass

    def handler(number: int, frame: Any) -> None:
        seen.append((time.monotonic(), frame.f_code))
        if len(seen) == 3:
            raise Enough

    signal.signal(signal.SIGUSR1, handler)
    switch_on()
    ftjit.jit(loop)
    sent: list[float] = []

    def send() -> None:
        wait_inside(loop)
        for _ in range(3):
            time.sleep(0.02)
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGUSR1)
            wait_until(lambda: len(seen) == len(sent), 2)

    sender = start_thread(send)
    try:
        loop(1 << 50)
    except Enough:
        pass
    else:
        raise AssertionError("the loop ended")
    join(sender)
    assert len(seen) == 3
    assert all(code is loop.__code__ for _, code in seen)
    assert max(at - then for then, (at, _) in zip(sent, seen, strict=True)) < 0.5


def collection_seconds(rounds: int) -> float:
    """The median time of a gc.collect() here, now."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        gc.collect()
        times.append(time.perf_counter() - start)
        time.sleep(0.002)
    return statistics.median(times)


@fresh_process(cases=["spin", "numbers", "nested"], marks=["threads"])
def test_collection_is_not_held_up(case: str) -> None:
    """gc.collect() beside two threads in machine code takes about what it takes beside two interpreted ones."""
    flag = Flag()
    stop: list[bool] = []

    def forever(function: Any) -> None:
        while not stop:
            function(2_000_000)

    loop = spin if case == "spin" else LOOPS[case]
    run = (
        (lambda: spin(flag))
        if case == "spin"
        else (lambda: forever(loop if case == "numbers" else lambda _: nested(2000)))
    )
    switch_on()
    ftjit.disable()

    def measure() -> float:
        threads = [start_thread(run) for _ in range(2)]
        if ftjit.stats().enabled:
            wait_inside(loop, threads=2)
        else:
            time.sleep(0.05)
        seconds = collection_seconds(15)
        flag.done = True
        stop.append(True)
        join(*threads)
        flag.done = False
        stop.clear()
        return seconds

    interpreted = measure()
    ftjit.enable()
    ftjit.jit(loop)
    compiled = measure()
    assert compiled < 10 * interpreted + 0.05, (compiled, interpreted)


@fresh_process()
def test_current_frames_of_threads_inside() -> None:
    """sys._current_frames() sees the loop's frame at a line of the loop, with readable locals, and the loop
    goes on."""
    switch_on()
    ftjit.jit(spin)
    flag = Flag()
    threads = [start_thread(spin, flag) for _ in range(2)]
    wait_inside(spin, threads=2)
    first = spin.__code__.co_firstlineno
    for _ in range(200):
        frames = sys._current_frames()
        for thread in threads:
            frame = frames[thread.ident or 0]
            assert frame.f_code is spin.__code__
            assert first < frame.f_lineno <= first + 3
            assert frame.f_locals["flag"] is flag
            del frame
        del frames
    assert all(thread.is_alive() for thread in threads)
    flag.done = True
    join(*threads, seconds=2)


@fresh_process()
def test_nothing_of_ours_is_listed() -> None:
    """While it samples and compiles, `threading` knows the program's own threads and nothing else."""
    names = {"MainThread"}
    switch_on()
    code = "def f(n):\n    total = 0\n    for i in range(n):\n        total += i * {k}\n    return total\n"
    deadline = time.monotonic() + 20  # compiling starts late on a busy machine
    number = 0
    while number < 30 or (not ftjit.stats().executors_installed and time.monotonic() < deadline):
        number += 1
        scope: dict[str, Any] = {}
        exec(code.format(k=number), scope)
        ftjit.jit(scope["f"])
        for _ in range(4):
            scope["f"](2000)
            assert {thread.name for thread in threading.enumerate()} == names
            assert threading.active_count() == 1
    assert ftjit.stats().executors_installed > 0


@fresh_process()
def test_a_stop_of_the_world_while_inside() -> None:
    """Things that stop the world (type changes, settrace in all threads, monitoring) get through beside hot loops."""
    switch_on()
    ftjit.jit(spin)
    flag = Flag()
    threads = [start_thread(spin, flag) for _ in range(2)]
    wait_inside(spin, threads=2)
    start = time.monotonic()
    for number in range(50):
        sys.monitoring.use_tool_id(3, "test")
        sys.monitoring.set_events(3, sys.monitoring.events.RAISE)
        sys.monitoring.set_events(3, 0)
        sys.monitoring.free_tool_id(3)
        Flag.__init_subclass__  # noqa: B018
        Flag.changed = number  # type: ignore[attr-defined]
    assert time.monotonic() - start < 5
    flag.done = True
    join(*threads, seconds=5)


@fresh_process(seconds=60)
def test_an_interruption_in_a_call_is_raised_at_the_call() -> None:
    """It arrives while a C function runs: the handler round that call gets it, not the loop's next turn."""
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def caught(turns: int) -> int:
        found = 0
        for _ in range(turns):
            try:
                _thread.interrupt_main()
            except KeyboardInterrupt:
                found += 1
        return found

    ftjit.enable("eager")
    before = ftjit.stats().entries
    assert caught(20) == 20
    ftjit.disable()
    assert ftjit.stats().entries > before


@fresh_process(cases=["door", "compiler"])
def test_a_handler_raises_where_the_program_compiles_for_itself(case: str) -> None:
    """Eager mode compiles in the program's thread. What a signal handler raises there is the program's, no failure of
    the compiler's, and the next call is compiled."""
    ftjit.enable("eager")
    runtime = tier.existing()
    assert runtime is not None
    plain = runtime._open_at_once if case == "door" else tier.install
    raised: list[str] = []

    def handler(number: int, frame: Any) -> None:
        raised.append(case)
        raise Late

    def interrupted(*arguments: Any) -> Any:
        code = arguments[0] if case == "door" else arguments[3].code
        if code is count.__code__ and not raised:
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0)
        return plain(*arguments)

    signal.signal(signal.SIGUSR1, handler)
    if case == "door":
        runtime.core.lib.door_set_opener(id(interrupted))
    else:
        tier.install = interrupted
    for late in (True, False):
        try:
            assert count(100) == sum(number & 7 for number in range(100))
            assert not late
        except Late:
            assert late
    assert ftjit.stats().compile_errors == 0
    count(100)
    assert ftjit.is_compiled(count)
