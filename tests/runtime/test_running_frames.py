"""A frame or generator that is inside machine code is running: nobody may clear, close or resume it meanwhile."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from fresh_process import fresh_process
from machine import entered, heat, join, make_hot, start_thread, switch_on, wait_inside

import ftjit


class Flag:
    def __init__(self) -> None:
        self.done = False


def refused(action: Callable[[], Any], error: type[Exception]) -> None:
    """The action must raise that."""
    try:
        action()
    except error:
        return
    raise AssertionError(f"no {error.__name__}")


@fresh_process()
def test_another_thread_cannot_clear_it() -> None:
    def main(flag: Any) -> int:
        turns = 0
        while not flag.done:
            turns += 1
        return turns

    switch_on()
    ftjit.jit(main)
    flag = Flag()
    turns: list[int] = []
    thread = start_thread(lambda: turns.append(main(flag)))
    wait_inside(main)
    for _ in range(50):
        frame = sys._current_frames()[thread.ident or 0]
        refused(frame.clear, RuntimeError)
        del frame
    flag.done = True
    join(thread, seconds=2)
    assert turns[0] > 0


@fresh_process()
def test_a_callee_cannot_clear_it() -> None:
    def attack() -> None:
        refused(sys._getframe(1).clear, RuntimeError)

    def loop(limit: int) -> int:
        total = 0
        for number in range(limit):
            attack()
            total += number
        return total

    make_hot(loop, 300)
    with entered(5):
        for _ in range(5):
            assert loop(300) == 299 * 150


@fresh_process()
def test_another_thread_cannot_close_or_resume_a_generator() -> None:
    def generate(flag: Any) -> Iterator[int]:
        turns = 0
        while not flag.done:
            turns += 1
        yield turns

    switch_on()
    ftjit.jit(generate)
    flag = Flag()
    generator: Any = generate(flag)
    turns: list[int] = []
    thread = start_thread(lambda: turns.append(next(generator)))
    wait_inside(generate)
    for _ in range(50):
        refused(generator.close, ValueError)
        refused(lambda: next(generator), ValueError)
        refused(lambda: generator.throw(KeyError), ValueError)
        assert generator.gi_running
    flag.done = True
    join(thread, seconds=2)
    assert turns[0] > 0
    assert next(generator, "the end") == "the end"


@fresh_process(cases=["KeyError", "StopIteration"])
def test_an_exception_from_a_loop_in_a_generator(case: str) -> None:
    """It goes to whoever consumes the generator, which is then at its end; StopIteration as RuntimeError."""
    error = {"KeyError": KeyError, "StopIteration": StopIteration}[case]

    def raise_at(number: int, limit: int) -> int:
        if number == limit:
            raise error(number)
        return number

    def generate(count: int, limit: int) -> Iterator[int]:
        total = 0
        for number in range(count):
            total += raise_at(number, limit)
        yield total

    def consume() -> None:
        assert list(generate(300, 1000)) == [299 * 150]

    switch_on()
    ftjit.jit(generate)
    heat(consume)
    for _ in range(50):
        consume()
    assert ftjit.is_compiled(generate)
    with entered(5):
        for _ in range(5):
            generator = generate(300, 250)
            refused(lambda: next(generator), RuntimeError if error is StopIteration else KeyError)  # noqa: B023
            assert list(generator) == []


@fresh_process()
def test_a_loop_whose_jump_has_a_prefix() -> None:
    """A body of more than 255 code units: its backward jump has an EXTENDED_ARG before it. It is a door, and the
    interpreter goes on there when the code goes out of use."""
    lines = "\n".join(f"        total = total * 3 + x{number % 4} & 0xFFFF" for number in range(120))
    scope: dict[str, Any] = {}
    exec(
        "def loop(limit, stop):\n    total = turns = 0\n    x0 = x1 = x2 = x3 = 1\n"
        f"    while turns < limit:\n{lines}\n        if stop.done: break\n        x1 = turns = turns + 1\n"
        "    return total, turns\n",
        scope,
    )
    loop = scope["loop"]

    class After:
        """Done when it was asked more than so often."""

        def __init__(self, turns: int) -> None:
            self.turns = turns

        @property
        def done(self) -> bool:
            self.turns -= 1
            return self.turns < 0

    make_hot(loop, 1000, Flag())
    for _ in range(3):
        ftjit.enable()
        stop = Flag()
        results: list[tuple[int, int]] = []
        thread = start_thread(lambda: results.append(loop(10**9, stop)))  # noqa: B023
        wait_inside(loop)
        ftjit.disable()
        time.sleep(0.005)
        stop.done = True
        join(thread, seconds=2)
        assert results[0][1] > 0
        assert results[0] == loop(10**9, After(results[0][1]))
