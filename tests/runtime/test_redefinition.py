"""Functions of one code object are told apart (F5), and whatever is redefined is seen at its next use."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from typing import Any

from fresh_process import fresh_process
from machine import entered, heat, switch_on, wait_until

import ftjit
from ftjit.runtime import executors


@fresh_process(cases=["defaults", "cells", "globals", "bound"])
def test_functions_of_one_code_object(case: str) -> None:
    """F5: closures of one code share func_version; their defaults, cells and globals are each function's own."""

    def with_default(k: int) -> Callable[[int], int]:
        def inner(x: int, add: int = k) -> int:
            return x + add

        return inner

    def with_cell(k: int) -> Callable[[int], int]:
        def inner(x: int) -> int:
            return x + k

        return inner

    source = "def inner(x):\n    return x + K\n"
    code = compile(source, "inner.py", "exec")

    def with_globals(k: int) -> Callable[[int], int]:
        scope: dict[str, Any] = {"K": k}
        exec(code, scope)
        return scope["inner"]

    class Bound:
        def __init__(self, k: int) -> None:
            self.k = k

        def inner(self, x: int) -> int:
            return x + self.k

    makers: dict[str, Callable[[int], Callable[[int], int]]] = {
        "defaults": with_default,
        "cells": with_cell,
        "globals": with_globals,
        "bound": lambda k: Bound(k).inner,
    }
    make = makers[case]

    def drive(function: Callable[[int], int], n: int) -> int:
        total = 0
        for number in range(n):
            total += function(number)
        return total

    functions = [make(k) for k in (1, 1000, 1_000_000)]
    base = sum(range(300))
    expected = [base + 300 * k for k in (1, 1000, 1_000_000)]
    assert [drive(f, 300) for f in functions] == expected
    heat(drive, functions[0], 300)
    with entered(300):
        for _ in range(200):
            assert [drive(f, 300) for f in functions] == expected
    # And the loops of closures of one code object, each compiled code shared by all of them.
    loops = [looping(k) for k in (1, 1000, 1_000_000)]
    heat(loops[0], 300)
    with entered(150):
        for _ in range(50):
            assert [loop(300) for loop in loops] == [300 * k for k in (1, 1000, 1_000_000)]


def looping(k: int) -> Callable[[int], int]:
    def loop(n: int) -> int:
        total = 0
        for _ in range(n):
            total += k
        return total

    return loop


SOURCE = """
K = 3
def helper(x, add=10): return x + add
class Thing:
    bonus = 5
    def method(self, x): return x + 1
thing = Thing()
def drive(n):
    total = 0
    for i in range(n):
        total += helper(i) + K + len((1, 2)) + thing.method(i) + thing.bonus
    return total
"""
CHANGES = ["function", "defaults", "code", "global value", "builtin", "method", "class attribute"]


def change_in(scope: dict[str, Any], case: str) -> tuple[Callable[[], None], int]:
    """What makes the change, and by how much it changes `drive(300)`."""

    def other(x: int, add: int = 20) -> int:
        return x + add

    changes: dict[str, tuple[Callable[[], None], int]] = {
        "function": (lambda: scope.update(helper=other), 10 * 300),
        "defaults": (lambda: setattr(scope["helper"], "__defaults__", (30,)), 20 * 300),
        "code": (
            lambda: setattr(scope["helper"], "__code__", (lambda x, add=0: x - add).__code__),
            -20 * 300,
        ),
        "global value": (lambda: scope.update(K=4), 300),
        "builtin": (lambda: scope.update(len=lambda _: 9), 7 * 300),
        "method": (lambda: setattr(scope["Thing"], "method", lambda self, x: x + 2), 300),
        "class attribute": (lambda: setattr(scope["Thing"], "bonus", 6), 300),
    }
    return changes[case]


@fresh_process(cases=CHANGES)
def test_redefinition_is_seen(case: str) -> None:
    """Whatever compiled code took for constant is changed; the next use sees it."""
    scope: dict[str, Any] = {}
    exec(SOURCE, scope)
    drive = scope["drive"]
    expected = drive(300)
    heat(drive, 300)
    with entered():
        assert drive(300) == expected
    change, difference = change_in(scope, case)
    change()
    for _ in range(300):
        assert drive(300) == expected + difference


@fresh_process(cases=CHANGES)
def test_redefinition_before_it_is_installed(case: str) -> None:
    """M8: the change comes after the compiler has looked and before its code is installed. Nothing tells it: what
    is looked at again at each use needs no telling."""
    scope: dict[str, Any] = {}
    exec(SOURCE, scope)
    drive = scope["drive"]
    expected = drive(300)
    change, difference = change_in(scope, case)
    swap_in, late = executors._swap_in, []

    def change_and_swap_in(core: Any, room: Any, snapshot: Any, *rest: Any) -> Any:
        if snapshot.code is drive.__code__ and not late:
            change()
            late.append(True)
        return swap_in(core, room, snapshot, *rest)

    executors._swap_in = change_and_swap_in
    switch_on()
    ftjit.jit(drive)
    wait_until(lambda: (drive(300), ftjit.is_compiled(drive))[1], 10)
    assert late
    with entered():
        for _ in range(300):
            assert drive(300) == expected + difference


@fresh_process(cases=["code", "defaults"])
def test_changed_functions_are_told_apart(case: str) -> None:
    """CPython gives all functions that were changed the same func_version: it does not say which one it is."""
    scope: dict[str, Any] = {}
    source = """
def step(x): return x + 1
def other(x): return x + 1000
def drive(n):
    total = 0
    for i in range(n):
        total += step(i)
    return total
"""
    exec(source, scope)
    for name in ("step", "other"):
        function = scope[name]
        if case == "code":
            function.__code__ = function.__code__.replace(co_name="changed")
        else:
            function.__defaults__ = (1,)
    step, drive, base = scope["step"], scope["drive"], sum(range(300))
    heat(drive, 300)
    for _ in range(100):
        with entered():
            assert drive(300) == base + 300
        scope["step"] = scope["other"]
        assert drive(300) == base + 300_000
        scope["step"] = step


@fresh_process()
def test_equal_code_is_not_the_same_code() -> None:
    """A function made anew from the same source has a code object of its own, which may end while the first lives."""
    scope: dict[str, Any] = {}
    step = "def step(x): return x + {}\n"
    drive = (
        "def drive(n):\n    total = 0\n    for i in range(n):\n        total += again(i) + step(i)\n    return total\n"
    )
    exec(step.format(1), scope)
    scope["again"] = scope.pop("step")
    exec(step.format(1) + drive, scope)
    base = 2 * sum(range(300))
    heat(scope["drive"], 300)
    with entered():
        assert scope["drive"](300) == base + 600
    addresses = {id(scope["step"].__code__)}
    for number in range(2, 60):  # its place would soon be another's; too few calls for it to be compiled anew
        exec(step.format(number), scope)
        gc.collect()  # code objects go with a collection only
        addresses.add(id(scope["step"].__code__))
        assert scope["drive"](3) == 6 + 3 + 3 * number
    assert len(addresses) < 59, "no place was used again"


@fresh_process()
def test_redefinition_in_the_middle_of_a_loop() -> None:
    """The change is made by something the loop itself calls."""
    scope: dict[str, Any] = {}
    source = """
def step(x): return x + 1
def poke(i):
    global step
    if i == 250:
        def step(x): return x + 1000
def drive(n):
    total = 0
    for i in range(n):
        poke(i)
        total = step(total)
    return total
"""
    exec(source, scope)
    original, drive = scope["step"], scope["drive"]
    expected = drive(500)
    assert expected == 250 + 250 * 1000

    def again() -> int:
        scope["step"] = original
        return drive(500)

    switch_on()
    ftjit.jit(drive)
    wait_until(lambda: (again(), ftjit.is_compiled(drive))[1], 10)
    with entered():
        for _ in range(200):
            assert again() == expected


@fresh_process()
def test_a_function_whose_way_to_be_called_was_replaced() -> None:
    """PyFunction_SetVectorcall, while a compiled loop calls it: from then on it is called so."""

    def callee(*rest: Any) -> int:
        return 1

    def drive(n: int) -> int:
        total = 0
        for number in range(n):
            total += callee(number)
        return total

    form = ctypes.CFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
    other = form(lambda function, arguments, count, names: 2)
    switch_on()
    ftjit.compile(drive, 500)
    with entered():
        assert drive(500) == 500
    ctypes.pythonapi.PyFunction_SetVectorcall(ctypes.py_object(callee), other)
    with entered():
        assert drive(500) == 1000
