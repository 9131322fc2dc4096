"""enable() after disable(): what was hot is compiled again, in either mode."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from fresh_process import fresh_process
from machine import entered, heat, in_threads, wait_until

import ftjit
from ftjit.runtime.tier import TOOL, existing


def total_below(limit: int) -> int:
    total = 0
    for number in range(limit):
        total += number
    return total


@fresh_process(cases=["auto auto", "auto eager", "eager auto", "eager eager", "auto off auto"], seconds=60)
def test_on_again(case: str) -> None:
    for mode in case.split():
        ftjit.enable(mode)
        if mode != "off":

            def runs_as_machine_code() -> bool:
                before = ftjit.stats().entries
                for _ in range(1000):  # mostly this, or the sampler hardly ever comes by when it runs
                    total_below(300)
                time.sleep(0.001)
                return ftjit.is_compiled(total_below) and ftjit.stats().entries > before

            ftjit.never(wait_until)
            wait_until(runs_as_machine_code, 20, f"compiled in mode {mode}: {ftjit.explain(total_below)}")
        ftjit.disable()
        assert ftjit.drain(10)
        assert not ftjit.is_compiled(total_below)
        before = ftjit.stats().entries
        total_below(300)
        assert ftjit.stats().entries == before


def enters(function: Callable[[int], int]) -> bool:
    before = ftjit.stats().entries
    for _ in range(50):
        function(300)
    return ftjit.stats().entries > before


@fresh_process(cases=["eager auto", "auto eager", "eager auto eager auto"])
def test_from_mode_to_mode(case: str) -> None:
    """Without switching off in between: what was compiled is still entered, and what is new gets hot."""
    fresh: list[Callable[[int], int]] = []
    ftjit.never(enters)
    ftjit.never(wait_until)
    for mode in case.split():
        ftjit.enable(mode)
        scope: dict[str, Any] = {}
        exec(
            "def f(limit):\n    total = 0\n    for number in range(limit):\n        total += number\n    return total",
            scope,
        )
        fresh.append(scope["f"])
        for function in [total_below, *fresh]:
            wait_until(lambda function=function: enters(function), 20, f"{mode}: {ftjit.explain(function)}")
    events = sys.monitoring.get_events(5)
    assert (events != 0) == (mode == "eager")


@fresh_process(cases=["freed", "taken"])
def test_the_tool_is_lost(case: str) -> None:
    """Somebody frees our tool, and may take it: switching off works, leaves theirs alone, and ours comes back."""
    ftjit.compile(total_below, 300)
    sys.monitoring.free_tool_id(5)
    if case == "taken":
        sys.monitoring.use_tool_id(5, "somebody")
        sys.monitoring.set_local_events(5, total_below.__code__, sys.monitoring.events.LINE)
    ftjit.never(enters)
    ftjit.jit(enters)
    ftjit.disable()
    if case == "taken":
        assert sys.monitoring.get_local_events(5, total_below.__code__) == sys.monitoring.events.LINE
        for mode in ("auto", "eager"):
            with pytest.raises(ftjit.UnsupportedPython, match="somebody"):
                ftjit.enable(mode)
            assert not ftjit.stats().enabled
        assert sys.monitoring.get_local_events(5, total_below.__code__) == sys.monitoring.events.LINE
        sys.monitoring.free_tool_id(5)
    for mode in ("auto", "eager"):
        ftjit.enable(mode)
        wait_until(lambda: enters(total_below), 20, f"{mode}: {ftjit.explain(total_below)}")


@fresh_process()
def test_a_late_worker_opens_nothing() -> None:
    """What got hot just before ftjit was switched off has no events until it is on again."""
    ftjit.enable()
    runtime = existing()
    assert runtime is not None
    ftjit.disable()
    runtime.work([total_below.__code__])
    assert sys.monitoring.get_local_events(5, total_below.__code__) == 0
    ftjit.enable()
    ftjit.never(enters)
    wait_until(lambda: enters(total_below), 20, f"{ftjit.explain(total_below)}")


@fresh_process()
def test_a_closure_that_is_never_compiled() -> None:
    scope = 3

    def closure(limit: int) -> int:
        return total_below(limit) + scope

    ftjit.never(closure)
    began = time.monotonic()
    with pytest.raises(ftjit.CompileError, match=r"ftjit\.never"):
        ftjit.compile(closure, 3)
    assert time.monotonic() - began < 5


@fresh_process()
def test_ftjit_itself_stays_in_the_interpreter() -> None:
    """In eager mode too, and after it was off: a compiler that compiles itself first would be slow, or worse."""

    def work(n: int) -> int:
        return sum(number & 3 for number in range(n))

    ftjit.enable("eager")
    for _ in range(3):
        with entered():
            assert work(100) == work(100) == 150
        ftjit.disable()
        ftjit.enable("eager")
    runtime = existing()
    assert runtime is not None
    folder = os.path.dirname(ftjit.__file__)
    own = [
        code.co_qualname
        for reference, record in list(runtime.records.values())
        if (code := reference()) is not None and code.co_filename.startswith(folder) and record.installed
    ]
    assert own == []


@fresh_process(seconds=60)
def test_on_and_off_by_several_threads() -> None:
    """Whatever order they come in: in the end it is as the last one said."""
    heat(total_below, 300)

    def switch(number: int) -> None:
        for turn in range(60):
            if (turn + number) % 3:
                ftjit.enable()
            else:
                ftjit.disable()
            assert total_below(300) == 44850

    in_threads(switch, 4)
    ftjit.enable()
    wait_until(lambda: (total_below(300), ftjit.is_compiled(total_below))[1], 20)
    with entered(10):
        for _ in range(10):
            assert total_below(300) == 44850
    ftjit.disable()
    assert ftjit.drain(10)
    assert ftjit.stats().activations == 0


@fresh_process()
def test_a_tool_that_somebody_freed_is_taken_again() -> None:
    heat(total_below, 300)
    sys.monitoring.free_tool_id(TOOL)
    ftjit.enable()
    assert sys.monitoring.get_tool(TOOL) == "ftjit"
    with entered(10):
        for _ in range(10):
            assert total_below(300) == 44850


LATE = "hot_samples: ftjit has started with 2 (under python -m ftjit, with FTJIT=1, or by an earlier call or decorator)"


@fresh_process(environment={"FTJIT_HOT_SAMPLES": "50"}, stderr=LATE)
def test_settings_as_arguments() -> None:
    """They come before the variables, and hold from the first call on."""
    with pytest.raises(ftjit.SettingError, match="there is no 'onyl'"):
        ftjit.enable(onyl="total_below")
    ftjit.enable(only="total_below", hot_samples=2)
    found = existing()
    assert found is not None
    assert (found.config.hot_samples, found.config.only) == (2, {"total_below"})
    heat(total_below, 300)

    def another(limit: int) -> int:
        return sum(number for number in range(limit) if number % 3)

    with pytest.raises(ftjit.CompileError, match="FTJIT_ONLY"):
        ftjit.compile(another, 100)
    ftjit.enable(hot_samples=2)
    ftjit.enable(hot_samples=3)  # a program that says so must run under `python -m ftjit`, too
    assert found.config.hot_samples == 2
