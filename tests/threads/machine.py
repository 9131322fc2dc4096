"""That machine code really ran: every scenario here asserts it, or it would test the interpreter."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ftjit
from ftjit.runtime.tier import existing


def switch_on() -> None:
    """Enable ftjit; the helpers here stay interpreted, so that activations are the scenario's."""
    ftjit.enable()
    for helper in (wait_until, wait_inside, wait_compiled, wait_idle):
        ftjit.never(helper)


def wait_until(condition: Callable[[], bool], seconds: float = 10.0, what: str = "") -> float:
    """Poll until true; how long that took, in seconds. AssertionError after `seconds`."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, f"not within {seconds} s: {what or condition}"
        time.sleep(0.001)
    return time.monotonic() - start


def wait_compiled(function: Callable[..., Any]) -> None:
    """Until something of the function is installed."""
    wait_until(
        lambda: ftjit.is_compiled(function),
        what=f"{function.__qualname__} compiled; {ftjit.explain(function)}",
    )


def wait_inside(*functions: Callable[..., Any], threads: int = 1) -> None:
    """Until the functions are compiled and `threads` threads are inside machine code, to stay: call it only while
    nothing else runs that could be."""
    for function in functions:
        wait_compiled(function)
    wait_until(lambda: ftjit.stats().activations >= threads, what=f"{threads} threads inside; {ftjit.stats()}")


def wait_idle() -> None:
    """Until the compiler has nothing to do, and so holds nothing of the program's."""
    runtime = existing()
    assert runtime is not None
    wait_until(runtime.is_idle, what="the compiler has nothing to do")


def make_hot(function: Callable[..., Any], *arguments: Any) -> None:
    """Compile the function for these arguments; the first entries are behind us when this returns."""
    switch_on()
    ftjit.compile(function, *arguments)
    with entered():
        function(*arguments)


def inlines(function: Callable[..., Any], callee: Callable[..., Any]) -> bool:
    """Has something installed for `function` inlined `callee`?"""
    entries = ftjit.explain(function).to_dict()["entries"]
    return any(name.startswith(f"{callee.__qualname__} (") for entry in entries for name in entry["inlined"])


def heat(function: Callable[..., Any], *arguments: Any) -> None:
    """Call with these arguments until something of the function is compiled."""
    switch_on()
    ftjit.jit(function)
    wait_until(lambda: (function(*arguments), ftjit.is_compiled(function))[1], 10, f"{ftjit.explain(function)}")


@contextmanager
def entered(least: int = 1) -> Iterator[None]:
    """What runs inside must enter machine code at least so often."""
    before = ftjit.stats().entries
    yield
    count = ftjit.stats().entries - before
    assert count >= least, f"machine code was entered {count} times, expected {least}: {ftjit.stats()}"


def start_thread(function: Callable[..., Any], *arguments: Any) -> threading.Thread:
    """A daemon thread, so that a scenario that fails can end."""
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


def join(*threads: threading.Thread, seconds: float = 10.0) -> None:
    """Join them all; AssertionError when one does not end."""
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
        assert not thread.is_alive(), f"{thread.name} did not end within {seconds} s"


def in_threads(function: Callable[[int], Any], count: int, seconds: float = 60.0) -> list[Any]:
    """function(0..count-1) at once, in threads; what they return. The first exception is raised again."""
    results: list[Any] = [None] * count
    failures: list[BaseException] = []
    barrier = threading.Barrier(count)

    def run(index: int) -> None:
        try:
            barrier.wait()
            results[index] = function(index)
        except BaseException as error:
            failures.append(error)

    threads = [start_thread(run, index) for index in range(count)]
    join(*threads, seconds=seconds)
    if failures:
        raise failures[0]
    return results


type Calls = list[Callable[[], Any]]  # what `agree` compares


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        return type(error), str(error)


def agree(function: Callable[..., Any], warm: Callable[[], Any], calls: Calls, least: int = 1) -> None:
    """The calls' outcomes are what they are in the interpreter: at first, after guesses went wrong, and after all."""
    for _ in range(30):
        outcome(warm)
    expected = [outcome(call) for call in calls]
    switch_on()
    ftjit.never(agree)
    ftjit.never(outcome)
    ftjit.jit(function)
    wait_until(lambda: (outcome(warm), ftjit.is_compiled(function))[1], 10, f"{ftjit.explain(function)}")
    with entered(least):
        for turn in range(300):
            assert [outcome(call) for call in calls] == expected, (turn, f"{ftjit.explain(function)}")
            if turn % 60 == 0:
                wait_idle()
    assert ftjit.stats().compile_errors == 0
