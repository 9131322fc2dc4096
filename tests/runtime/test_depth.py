"""Deep recursion through machine code: each level of the door takes C stack, and the interpreter keeps enough."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any

from fresh_process import fresh_process
from machine import entered, heat

import ftjit


def dive(depth: int) -> int:
    """A loop at each level, entered by its jump; and a call that is one more level."""
    total = 0
    for number in range(3):
        total += number
    return total + dive(depth - 1) if depth else total


def swing(depth: int, other: Callable[..., int]) -> int:
    """The call is inside the loop: the level below runs on top of machine code."""
    total = 0
    for number in range(2):
        total += other(depth - 1, other) if depth and number else 1
    return total


def in_a_thread(function: Callable[[], None], stack: int = 0) -> None:
    """Run it in a thread with that many bytes of C stack (0: the default); raises what it raises."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:
            failures.append(error)

    threading.stack_size(stack)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


@fresh_process(seconds=60, cases=["dive", "swing"])
def test_as_deep_as_the_interpreter(case: str) -> None:
    """Far more levels than the C stack has room for doors: the deeper ones are interpreted."""
    depth = 50_000
    sys.setrecursionlimit(depth + 1000)
    function, arguments = (dive, ()) if case == "dive" else (swing, (swing,))
    expected = function(depth, *arguments)
    heat(function, 100, *arguments)
    with entered(100):
        assert function(depth, *arguments) == expected


@fresh_process(seconds=60)
def test_a_thread_with_a_small_stack() -> None:
    """256 KiB of C stack: as deep as the interpreter goes, and the same error beyond."""
    heat(swing, 100, swing)

    def deep() -> None:
        with entered(10):
            assert swing(5_000, swing) == 5_002
        assert swing(20_000, swing) == 20_002

    sys.setrecursionlimit(25_000)
    in_a_thread(deep, 256 * 1024)


@fresh_process(seconds=60)
def test_c_recursion_below_machine_code_has_room() -> None:
    """What recurses in C at the bottom goes as deep as it does below the interpreter's frames."""
    nested = "[" * 2_000 + "]" * 2_000

    def bottom(depth: int, other: Callable[..., int]) -> int:
        total = 0
        for number in range(2):
            if depth and number:
                total += other(depth - 1, other)
            elif number:
                total += len(json.loads(nested))
        return total

    sys.setrecursionlimit(50_000)
    expected = bottom(40_000, bottom)
    heat(bottom, 50, bottom)
    with entered(100):
        assert bottom(40_000, bottom) == expected


@fresh_process(seconds=60)
def test_the_error_comes_at_the_same_depth() -> None:
    """The recursion limit counts frames, whoever runs them."""

    def deepest() -> int:
        low, high = 0, 5_000
        while low < high:
            middle = (low + high + 1) // 2
            try:
                swing(middle, swing)
                low = middle
            except RecursionError:
                high = middle - 1
        return low

    sys.setrecursionlimit(3_000)
    expected = deepest()
    assert 2_900 < expected < 3_000
    heat(swing, 100, swing)
    for _ in range(3):
        with entered(100):
            assert deepest() == expected
    ftjit.disable()


@fresh_process(seconds=60)
def test_frames_of_inlined_functions_fit_behind_a_direct_call() -> None:
    """The recursion fills chunk after chunk of the data stack; on its way up an exit in an inlined function makes that
    one's frame behind a frame that was called directly. Its size is such that it would not fit in any chunk's end."""

    def make(names: int) -> tuple[FunctionType, FunctionType]:
        scope: dict[str, Any] = {}
        exec(
            f"def g(x):\n    {' = '.join(f'a{i}' for i in range(names))} = 0\n    return x * x\n"
            "def f(n, x):\n    if n == 0:\n        return g(x)\n    return f(n - 1, x) + g(x)\n",
            scope,
        )
        return scope["f"], scope["g"]

    def words(function: FunctionType) -> int:
        return function.__code__.co_nlocals + function.__code__.co_stacksize + 10

    outer = words(make(1)[0])
    left = 2044 % outer + 1  # of a chunk of 2,044 words
    names = next(names for names in range(1, 100) if words(make(names)[1]) >= left + outer - 1)
    function, _ = make(names)
    for _ in range(100):
        function(5, 3)
    ftjit.compile(function, 5, 3)
    with entered():
        assert function(600, 2**40) == 601 * 2**80
