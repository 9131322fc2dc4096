"""FTJIT_CODE_LIMIT: what was not used lately makes room, what is in use stays, programs stay right."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from fresh_process import fresh_process
from machine import entered, heat, in_threads, join, start_thread, switch_on, wait_inside, wait_until

import ftjit
from ftjit.runtime.tier import existing

SOURCE = """
def f(n):
    total = 0
    for i in range(n):
        total += (i * {k}) & 1023
    return total
"""
LIMIT = 12_000


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


def installed_bytes() -> int:
    seen = ftjit.stats()
    return seen.code_bytes - seen.limbo_bytes


TINY = {"FTJIT_CODE_LIMIT": str(LIMIT), "FTJIT_DEBUG": "1"}


def one_after_the_other() -> None:
    """Each function gets its turn at being hot; all the code together is several times the limit."""
    switch_on()
    functions = [make(k) for k in range(24)]
    for k, function in enumerate(functions):
        heat(function, 300)
        with entered():
            assert function(200) == truth(k, 200)
        assert installed_bytes() <= LIMIT
    seen = ftjit.stats()
    assert seen.executors_evicted >= 10, seen
    # Before they are called again: a call may make one hot, and then it says what came of that.
    texts = [str(ftjit.explain(function)) for function in functions]
    assert any("taken out to make room" in text and "FTJIT_CODE_LIMIT" in text for text in texts), texts
    assert [f(100) for f in functions] == [truth(k, 100) for k in range(24)]
    heat(functions[0], 300)  # hot again, compiled again
    ftjit.disable()
    wait_until(lambda: ftjit.drain(1) and ftjit.stats().code_bytes == 0, 3, f"all freed: {ftjit.stats()}")


@fresh_process(seconds=60, environment=TINY)
def test_turns() -> None:
    one_after_the_other()


@fresh_process(seconds=60, environment={**TINY, "FTJIT_SEALED_PAGES": "1"})
def test_turns_in_sealed_pages() -> None:
    one_after_the_other()


@fresh_process(seconds=60, environment={**TINY, "FTJIT_COMPILE_THREADS": "3"}, marks=["threads"])
def test_threads_that_want_more_than_there_is() -> None:
    """Four threads call functions whose code is several times the limit, all the time: right results, bounded."""
    switch_on()
    functions = [make(k) for k in range(20)]
    expected = [truth(k, 150) for k in range(20)]
    for function in functions:
        ftjit.jit(function)
    most = [0]
    began = time.monotonic()

    def work(index: int) -> None:
        """Three of them at a time, for longer than what nobody uses stays safe."""
        while ftjit.stats().executors_evicted < 12:
            seconds = time.monotonic() - began
            assert seconds < 40, f"{ftjit.stats()}"
            start = (index * 5 + int(seconds / 0.4) * 3) % 20
            for _ in range(40):
                for k in range(start, start + 3):
                    assert functions[k % 20](150) == expected[k % 20]
            most[0] = max(most[0], installed_bytes())

    in_threads(work, 4)
    # Compilations that are under way together may pass the limit by one executor each.
    assert most[0] <= LIMIT + 3 * 3000, most
    assert ftjit.stats().entries > 100


@fresh_process(seconds=60, environment=TINY)
def test_code_that_a_thread_is_inside_stays() -> None:
    """Entered once, long ago, and still going: the coldest by entries, and the hottest there is."""

    def spin(flag: Any) -> int:
        turns = 0
        while not flag.done:
            turns += 1
        return turns

    switch_on()
    ftjit.jit(spin)
    flag = Flag()
    thread: threading.Thread = start_thread(spin, flag)
    wait_inside(spin)
    for k in range(20):
        function = make(k)
        heat(function, 300)
        assert ftjit.is_compiled(spin), ftjit.explain(spin)
        assert function(50) == truth(k, 50)
        del function
    flags = [make(k) for k in range(30, 50)]  # kept alive: evicted, not dropped
    for function in flags:
        heat(function, 300)
    assert ftjit.stats().executors_evicted > 0
    assert ftjit.is_compiled(spin), ftjit.explain(spin)
    assert ftjit.stats().activations == 1
    flag.done = True
    join(thread)


@fresh_process(seconds=60, environment={"FTJIT_CODE_LIMIT": "5000"})
def test_what_finds_no_room_is_tried_again() -> None:
    """Full of code in use: the newcomer waits, explain says for what; it is compiled when the others are idle."""
    switch_on()
    first = [make(k) for k in range(2)]
    for function in first:
        heat(function, 300)
    late = [make(k) for k in range(10, 14)]
    for function in late:
        ftjit.jit(function)

    def refused() -> bool:
        for function in [*first, *late]:
            for _ in range(5):
                function(300)
        return any("full of code in use" in str(ftjit.explain(function)) for function in late)

    wait_until(refused, 10, f"one is refused: {[str(ftjit.explain(f)) for f in late]}")
    waits = next(function for function in late if "full of code in use" in str(ftjit.explain(function)))
    heat(waits, 300)  # the others are not called any more
    assert waits(100) == truth(10 + late.index(waits), 100)


@fresh_process(environment={"FTJIT_CODE_LIMIT": "300"})
def test_larger_than_the_limit() -> None:
    switch_on()
    function = make(3)
    said = "nothing: it was compiled"
    try:
        ftjit.compile(function, 100)
    except ftjit.CompileError as error:
        said = str(error)
    assert "FTJIT_CODE_LIMIT" in said, said
    assert function(100) == truth(3, 100)
    assert existing().room.waiting == []  # type: ignore[union-attr]
