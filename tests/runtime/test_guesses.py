"""A guess that is wrong costs time and never a result: each case was a wrong result or a crash once.

What a case expects is what the interpreter does before ftjit is switched on."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any, ClassVar

from fresh_process import fresh_process
from machine import Calls, agree, entered, heat, switch_on, wait_idle, wait_until

import ftjit

# ---- whose method it is -----------------------------------------------------------------------------------------


class One:
    def area(self, k: int) -> int:
        return k + 1


class Thousand:
    def area(self, k: int) -> int:
        return k + 1000


def total(shapes: list[Any]) -> int:
    result = 0
    for shape in shapes:
        result += shape.area(1)
    return result


def two_calls(shape: Any, start: int) -> int:
    start = shape.area(start)
    return shape.area(start)


@fresh_process(cases=["mixed", "first", "other"])
def test_methods_of_several_classes(case: str) -> None:
    """The bytecode remembers one class, the snapshot shows an instance of another."""
    one, other = One(), Thousand()
    shapes = {"mixed": [one, one, other, one], "first": [other, one, one], "other": [one] * 5 + [other]}[case]
    sets = [shapes, [one] * 9, [other] * 9, [one, other] * 5]
    agree(total, lambda: total(shapes), [lambda s=s: total(s) for s in sets])  # type: ignore[misc]


@fresh_process()
def test_a_method_of_another_class_in_the_snapshot() -> None:
    for _ in range(50):
        two_calls(One(), 0)
    switch_on()
    ftjit.jit(two_calls)
    for _ in range(11):
        two_calls(One(), 0)
    two_calls(Thousand(), 0)
    wait_until(lambda: (two_calls(Thousand(), 0), ftjit.is_compiled(two_calls))[1], 10)
    for _ in range(50):
        assert (two_calls(One(), 0), two_calls(Thousand(), 0)) == (2, 2000)


def one_more(self: Any, x: int) -> int:
    """At the top of the module, or it would not be inlined."""
    return x + 1


@fresh_process(cases=["tuple", "int", "exception"])
def test_methods_of_objects_whose_dict_is_made_late(case: str) -> None:
    """Their dict is not where other objects have theirs."""
    body = {"m": one_more}
    late_tuple, late_int = type("T", (tuple,), body), type("I", (int,), body)
    slotted = type("E", (Exception,), {**body, "__slots__": ("p",)})
    kinds: dict[str, Callable[[], Any]] = {
        "tuple": lambda: late_tuple((1, 2)),  # type: ignore[call-arg]
        "int": lambda: late_int(123456789),  # type: ignore[call-arg]
        "exception": slotted,
    }
    make = kinds[case]

    def drive(thing: Any, n: int) -> int:
        result = 0
        for i in range(n):
            result += thing.m(i)
        return result

    plain = make()
    agree(drive, lambda: drive(plain, 20), [lambda: drive(plain, 20)])
    if case != "exception":
        shadowed = make()
        shadowed.m = lambda x: 1000
        with entered():
            assert [drive(shadowed, 20) for _ in range(30)] == [20000] * 30


# ---- ranges ------------------------------------------------------------------------------------------------------


def range_of_one_local(n: int) -> int:
    result = 0
    for i in range(n):
        low = high = i
        for _ in range(low, high):
            result += 1
        result += i
    return result


def range_with_its_step(n: int) -> int:
    result, step = 0, 2
    for j in range(step, n, step):
        result += j
    return result


def long_down(low: int, high: int) -> tuple[int, int]:
    turns = square = 0
    for i in range(low, high, -1):
        turns += 1
        square = i * i
        if turns > 10:
            break
    return turns, square


def long_up(low: int, high: int) -> tuple[int, int]:
    turns = square = 0
    for i in range(low, high):
        turns += 1
        square = i * i
        if turns > 10:
            break
    return turns, square


def to_the_end(high: int) -> int:
    turns = 0
    for _ in range(2**63 - 8, high, 100):
        turns += 1
    return turns


@fresh_process(cases=["one local", "its step", "down", "up", "to the end"])
def test_ranges(case: str) -> None:
    """One local for two bounds; more items than 63 bits count, when an exit makes the iterator; the last number."""
    match case:
        case "one local":
            agree(range_of_one_local, lambda: range_of_one_local(20), [lambda: range_of_one_local(20)])
        case "its step":
            agree(range_with_its_step, lambda: range_with_its_step(20), [lambda: range_with_its_step(20)])
        case "down":
            ends = [(2, 0), (2**62, -(2**62) - 10), (2**63 - 1, -(2**63)), (-(2**62), -(2**63))]
            agree(long_down, lambda: long_down(2, 0), [lambda e=e: long_down(*e) for e in ends])  # type: ignore[misc]
        case "up":
            ends = [(0, 2), (-(2**62), 2**62 + 10), (-(2**63), 2**63 - 1), (2**62, 2**63 - 1)]
            agree(long_up, lambda: long_up(0, 2), [lambda e=e: long_up(*e) for e in ends])  # type: ignore[misc]
        case _:
            agree(to_the_end, lambda: to_the_end(2**63 - 1), [lambda: to_the_end(2**63 - 1), lambda: to_the_end(5)])


def through_a_generator(ys: list[int]) -> list[list[int]]:
    out = []
    try:
        for _ in range(40):
            out.append(list(x for x in ([k for k in ys] and range(5))))  # noqa: C400, C416
    except ValueError:
        pass
    return out


@fresh_process()
def test_a_range_that_a_generator_expression_gets() -> None:
    """Its iterator is an argument, not a loop's."""
    agree(through_a_generator, lambda: through_a_generator([1] * 40), [lambda: through_a_generator([1] * 40)])


# ---- one number under several names --------------------------------------------------------------------------------


def span(points: list[int]) -> list[int]:
    out = []
    for p in points:
        if p > 5:
            a, b, c = p, p, 0
        else:
            a, b, c = p, 0, p
        out.append(a * 100 + b * 10 + c)
    return out


def before_a_loop(c: bool, n: int) -> int:
    if c:
        x = n
        y = n
        z = 7
    else:
        x = n
        y = 7
        z = n
    total = 0
    for i in range(n):
        total = x * 10000 + y * 100 + z + i
    return total


def two(p: int, big: bool) -> int:
    if big:
        a, b, c = p, p, 0
    else:
        a, b, c = p, 0, p
    return a * 100 + b * 10 + c


def through_two(n: int) -> int:
    total = 0
    for p in range(n):
        total += two(p, p > 5)
    return total


@fresh_process(cases=["in a loop", "before a loop", "inlined"])
def test_which_names_are_one_number(case: str) -> None:
    """Two ways lead to one place, with the same kinds of values and as many of them, under other names."""
    if case == "in a loop":
        agree(span, lambda: span([1, 7, 2, 9]), [lambda: span([1, 7, 2, 9]), lambda: span([9, 8, 1, 2])])
    elif case == "before a loop":
        calls: Calls = [lambda c=c: before_a_loop(c, 9) for c in (True, False)]  # type: ignore[misc]
        agree(before_a_loop, lambda: [before_a_loop(c, 9) for c in (True, False)], calls)
    else:
        agree(through_two, lambda: through_two(12), [lambda: through_two(12)])


# ---- comprehensions --------------------------------------------------------------------------------------------------


def shadowing(x: str) -> str:
    return x + str([x for x in range(2)])  # noqa: C416


def unbound_after(flag: bool, items: list[int]) -> Any:
    if flag:
        x = "s"
    inner = [x for x in items]  # noqa: C416
    y = x
    return y, inner


def unbound_before(flag: bool, n: int) -> int:
    if flag:
        x = 5  # noqa: F841
    result = 0
    for _ in range(n):
        inner = [x for x in [1, 2]]  # noqa: C416
        result += len(inner)
    return result


@fresh_process(cases=["shadowing", "unbound after", "unbound before"])
def test_comprehensions(case: str) -> None:
    """What a comprehension puts aside of a local: borrowed by the stack just then, or nothing at all."""
    items = [1, 2, 3]
    if case == "shadowing":
        agree(shadowing, lambda: shadowing("abc"), [lambda: shadowing("abc")])
    elif case == "unbound after":
        calls: Calls = [lambda: unbound_after(True, items), lambda: unbound_after(False, items)]
        agree(unbound_after, lambda: unbound_after(True, items), calls)
    else:
        calls = [lambda: unbound_before(True, 3), lambda: unbound_before(False, 3)]
        agree(unbound_before, lambda: unbound_before(True, 20), calls)


# ---- dicts and classes with ideas of their own ---------------------------------------------------------------------


class Answering(dict[str, Any]):
    def __getitem__(self, key: str) -> Any:
        return 7 if key == "z" else dict.__getitem__(self, key)


LOOP = "def f(n):\n    t = 0\n    for i in range(n):\n        t += z\n    return t\n"


@fresh_process()
def test_globals_that_are_no_plain_dict() -> None:
    """A subclass of dict is asked, as the interpreter asks it; also when a plain dict had the same keys."""
    plain: dict[str, Any] = {"__builtins__": builtins, "z": 1}
    exec(LOOP, plain)
    function = plain["f"]
    asked = Answering(plain)
    other = FunctionType(function.__code__, asked)
    agree(function, lambda: function(300), [lambda: function(300), lambda: other(300)])
    asked = Answering({"__builtins__": builtins, "z": 1})
    exec(LOOP, asked)
    alone = dict.__getitem__(asked, "f")
    ftjit.jit(alone)
    wait_until(lambda: (alone(10), "no plain dict" in str(ftjit.explain(alone)))[1], 10)
    assert alone(10) == 70


class Watching:
    """A key of a dict that is asked whether it is `zz`, and looks at who asks."""

    seen: ClassVar[list[Any]] = []

    def __hash__(self) -> int:
        return hash("zz")

    def __eq__(self, other: object) -> bool:
        locals_ = sys._getframe(1).f_locals
        Watching.seen.append((locals_.get("i"), locals_.get("s")))
        return False


@fresh_process()
def test_globals_with_keys_that_look() -> None:
    """A plain dict may have keys that are no strings, and they compare by code of their own."""
    space: dict[Any, Any] = {"__builtins__": builtins}
    exec("def f(n):\n s = 0\n for i in range(n):\n  s += i; s += zz\n return s", space)
    space[Watching()] = 1
    space["zz"] = 5
    function = space["f"]

    def call() -> Any:
        Watching.seen.clear()
        return function(6), list(Watching.seen)

    agree(function, call, [call])


@fresh_process()
def test_the_compiler_does_not_ask_such_keys() -> None:
    """They would see somebody look who is not the program."""
    space: dict[Any, Any] = {"__builtins__": builtins}
    exec("def f(n):\n s = 0\n for i in range(n):\n  s += i; s += zz\n return s", space)
    space[Watching()] = 1
    space["zz"] = 5
    function = space["f"]
    Watching.seen.clear()
    heat(function, 6)
    wait_until(lambda: (function(6), ftjit.stats().snapshots >= 2)[1], 10)
    wait_idle()
    assert (None, None) not in Watching.seen


class Agreeing(type):
    def __eq__(cls, other: object) -> bool:
        return True

    def __hash__(cls) -> int:
        return 5


class Container(metaclass=Agreeing):
    def __init__(self, value: int) -> None:
        self.value = value

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> int:
        return index + self.value


class Unhashable(type):
    def __eq__(cls, other: object) -> bool:
        return cls is other


class Plain(metaclass=Unhashable):
    pass


@fresh_process(cases=["equal", "unhashable"])
def test_classes_that_compare_by_their_own_rules(case: str) -> None:
    """What a class is, is not asked of its metaclass."""

    def items(container: Any, n: int) -> int:
        result = 0
        for i in range(n):
            result += container[i & 1]
        return result

    def truth(thing: Any, n: int) -> int:
        result = 0
        for i in range(n):
            if thing:
                result += i
        return result

    if case == "equal":
        container = Container(10)
        agree(items, lambda: items(container, 10), [lambda: items(container, 10), lambda: items([1, 2], 10)])
    else:
        agree(truth, lambda: truth(Plain(), 10), [lambda: truth(Plain(), 10), lambda: truth([], 10)])


class Watched(type):
    asked: ClassVar[list[tuple[str, bool]]] = []

    def __getattribute__(cls, name: str) -> Any:
        import threading

        Watched.asked.append((name, threading.current_thread() is threading.main_thread()))
        return type.__getattribute__(cls, name)


class Quiet(metaclass=Watched):
    def m(self, x: int) -> int:
        return x


@fresh_process()
def test_the_compiler_runs_nothing_of_the_programs() -> None:
    def drive(thing: Any, n: int) -> int:
        result = 0
        for i in range(n):
            result += thing.m(i)
        return result

    thing = Quiet()
    drive(thing, 100)
    heat(drive, thing, 100)
    wait_idle()
    assert not [name for name, by_main in Watched.asked if not by_main], Watched.asked
