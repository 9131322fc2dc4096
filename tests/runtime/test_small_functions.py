"""Functions too small to repay an event: machine code enters them, the interpreter does not, unless asked to."""

from __future__ import annotations

import sys
from collections.abc import Callable

from fresh_process import fresh_process
from machine import switch_on, wait_until

import ftjit
from ftjit.runtime.tier import TOOL, tier


def small(number: int) -> int:
    """Not inlined: it calls itself."""
    return 0 if number < 1 else 1 + small(number - 1)


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
