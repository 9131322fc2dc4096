"""A loop that only another thread can end does end: nothing shared is hoisted out of it, and it polls."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fresh_process import fresh_process
from machine import join, start_thread, switch_on, wait_inside

import ftjit

DONE = False


class Flag:
    done = False

    def __init__(self) -> None:
        self.done = False


class Slotted:
    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done = False


def spin_attribute(flag: Any) -> int:
    turns = 0
    while not flag.done:
        turns += 1
    return turns


def spin_global() -> int:
    turns = 0
    while not DONE:
        turns += 1
    return turns


def spin_list(cell: list[bool]) -> int:
    turns = 0
    while not cell[0]:
        turns += 1
    return turns


def spin_dict(cell: dict[str, bool]) -> int:
    turns = 0
    while not cell["done"]:
        turns += 1
    return turns


def spin_bare(flag: Any) -> None:
    while not flag.done:
        pass


def spin_nested(flag: Any) -> int:
    turns = 0
    while not flag.done:
        for _ in range(10):
            for _ in range(10):
                turns += 1
    return turns


def spin_forever_inner(flag: Any) -> int:
    turns = 0
    for _ in range(1 << 60):
        if flag.done:
            break
        turns += 1
    return turns


def closure() -> tuple[Callable[[], int], Callable[[], None]]:
    done = False

    def spin_closure() -> int:
        turns = 0
        while not done:
            turns += 1
        return turns

    def finish() -> None:
        nonlocal done
        done = True

    return spin_closure, finish


def scenario(case: str) -> tuple[Callable[..., Any], tuple[Any, ...], Callable[[], None]]:
    """(the loop, its arguments, what ends it)"""
    if case == "global":
        return spin_global, (), lambda: globals().__setitem__("DONE", True)
    if case == "closure":
        loop, finish = closure()
        return loop, (), finish
    if case == "list":
        cells = [False]
        return spin_list, (cells,), lambda: cells.__setitem__(0, True)
    if case == "dict":
        table = {"done": False}
        return spin_dict, (table,), lambda: table.__setitem__("done", True)
    flag: Any = Slotted() if case == "slot" else Flag()
    loops: dict[str, Callable[..., Any]] = {
        "bare": spin_bare,
        "nested": spin_nested,
        "range": spin_forever_inner,
    }
    return loops.get(case, spin_attribute), (flag,), lambda: setattr(flag, "done", True)


CASES = ["attribute", "slot", "bare", "nested", "range", "global", "closure", "list", "dict"]


@fresh_process(cases=CASES)
def test_another_thread_ends_it(case: str) -> None:
    """Two threads spin in machine code; a store by a third ends both at once."""
    loop, arguments, finish = scenario(case)
    switch_on()
    ftjit.jit(loop)
    threads = [start_thread(loop, *arguments) for _ in range(2)]
    wait_inside(loop, threads=2)
    time.sleep(0.02)
    assert all(thread.is_alive() for thread in threads)
    finish()
    join(*threads, seconds=2)


@fresh_process(cases=["global", "attribute", "closure"])
def test_disable_while_inside(case: str) -> None:
    """disable() clears *valid*; loops that touch nothing else see it at their back-edge, and go on interpreted."""
    loop, arguments, finish = scenario(case)
    switch_on()
    ftjit.jit(loop)
    threads = [start_thread(loop, *arguments) for _ in range(2)]
    wait_inside(loop, threads=2)
    ftjit.disable()
    deadline = time.monotonic() + 2
    while ftjit.stats().activations:
        assert time.monotonic() < deadline, ftjit.stats()
        time.sleep(0.001)
    assert all(thread.is_alive() for thread in threads)
    assert ftjit.drain(2)
    finish()
    join(*threads, seconds=5)


@fresh_process()
def test_hand_shakes() -> None:
    """Hand-shakes: each side spins in machine code until the other answers; every answer arrives."""

    class Box:
        def __init__(self) -> None:
            self.asked = 0
            self.answered = 0

    def answer(box: Box, rounds: int) -> int:
        for turn in range(1, rounds + 1):
            while box.asked != turn:
                pass
            box.answered = turn
        return box.answered

    def ask(box: Box, rounds: int) -> int:
        for turn in range(1, rounds + 1):
            box.asked = turn
            while box.answered != turn:
                pass
        return box.asked

    switch_on()
    ftjit.jit(answer)
    ftjit.jit(ask)
    seconds = 8.0
    rounds = 0
    start, before = time.monotonic(), ftjit.stats().entries
    # Until both sides ran a good while as machine code, and are not just being compiled anew: a hand-shake each.
    while (
        rounds < 1000
        or ftjit.stats().entries < before + 200
        or not (ftjit.is_compiled(ask) and ftjit.is_compiled(answer))
    ):
        assert time.monotonic() - start < seconds, ftjit.stats()
        box = Box()
        threads = [start_thread(answer, box, 500), start_thread(ask, box, 500)]
        join(*threads, seconds=seconds)
        assert (box.asked, box.answered) == (500, 500)
        rounds += 500
