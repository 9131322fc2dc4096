"""Functions too small to repay an event: machine code enters them, the interpreter does not, unless asked to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from fresh_process import fresh_process
from machine import join, start_thread, switch_on, wait_until

import ftjit
from ftjit.runtime import worth
from ftjit.runtime.tier import TOOL, tier


def small(number: int) -> int:
    """Not inlined: it makes a list."""
    return len([number]) + number - 1


def from_machine_code(calls: int) -> int:
    total = 0
    for _ in range(calls):
        total += small(3)
    return total


def from_the_interpreter(calls: int) -> int:
    return sum(map(small, [0] * calls))


def events(function: Callable[..., object]) -> int:
    return sys.monitoring.get_local_events(TOOL, function.__code__)


@fresh_process(seconds=60)
def test_only_machine_code_enters() -> None:
    worth.GAIN = 1000.0  # else both are left alone
    switch_on()
    ftjit.never(from_the_interpreter)

    def compiled() -> bool:
        assert from_machine_code(2000) == 6000
        return ftjit.is_compiled(small) and ftjit.is_compiled(from_machine_code)

    wait_until(compiled, 40.0)
    assert events(small) == 0
    assert events(from_machine_code) != 0
    before = ftjit.stats().entries
    assert from_machine_code(2000) == 6000
    assert ftjit.stats().entries - before >= 2000
    before = ftjit.stats().entries
    assert from_the_interpreter(2000) == 0
    assert ftjit.stats().entries - before < 100


def fibonacci(number: int) -> int:
    if number < 2:
        return number
    return fibonacci(number - 1) + fibonacci(number - 2)


def sum_to(number: int) -> int:
    """Enough of its own to do that its one call does not matter."""
    more = number * 3 + (number >> 1) - (number & 7) * 5 + (number ^ 3) % 11 + number // 3 - number * number % 13
    more -= number * 3 + (number >> 1) - (number & 7) * 5 + (number ^ 3) % 11 + number // 3 - number * number % 13
    return 0 if number < 1 else more + number + sum_to(number - 1)


@fresh_process(seconds=60)
def test_what_mostly_calls_is_left_to_the_interpreter() -> None:
    switch_on()
    for function in (fibonacci, sum_to):
        tier().open_door(function.__code__)
    wait_until(lambda: (fibonacci(15), "cost more than the rest" in str(ftjit.explain(fibonacci)))[1], 10)
    assert not ftjit.is_compiled(fibonacci)
    wait_until(lambda: events(fibonacci) == 0, 10, "its events off, a moment after it was refused")
    wait_until(lambda: (sum_to(20), ftjit.is_compiled(sum_to))[1], 10, f"{ftjit.explain(sum_to)}")
    assert sum_to(50) == 50 * 51 // 2
    ftjit.compile(fibonacci, 15)
    assert ftjit.is_compiled(fibonacci)
    assert fibonacci(15) == 610


def generator() -> Iterator[int]:
    yield 1


@fresh_process(seconds=60)
def test_compile_says_why_again() -> None:
    """Each time somebody asks, it is tried anew."""
    switch_on()
    done: list[bool] = []
    reasons = []
    thread = start_thread(lambda: [list(generator()) for _ in iter(lambda: bool(done), True)])
    for _ in range(2):
        try:
            ftjit.compile(generator, timeout=10.0)
        except ftjit.CompileError as error:
            reasons.append(error.reason)
    done.append(True)
    join(thread)
    assert reasons == ["a generator's or coroutine's start"] * 2


@fresh_process(seconds=60)
def test_compile_insists() -> None:
    switch_on()
    ftjit.never(from_the_interpreter)
    tier().open_door(small.__code__)
    assert "too small" in str(ftjit.explain(small))
    assert events(small) == 0
    ftjit.compile(small, 3)
    assert events(small) != 0
    before = ftjit.stats().entries
    assert from_the_interpreter(2000) == 0
    assert ftjit.stats().entries - before >= 2000
    ftjit.disable()
    assert events(small) == 0
