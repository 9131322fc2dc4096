"""A guess that is wrong costs time and never a result: each case was a wrong result or a crash once.

What a case expects is what the interpreter does before ftjit is switched on."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any, ClassVar

from fresh_process import fresh_process
from machine import entered, heat, start_thread, switch_on, wait_idle, wait_until

import ftjit
from ftjit.runtime import executors

Calls = list[Callable[[], Any]]


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


@fresh_process(cases=["tuple", "int", "exception"])
def test_methods_of_objects_whose_dict_is_made_late(case: str) -> None:
    """Their dict is not where other objects have theirs."""
    body = {"m": lambda self, x: x + 1}
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


# ---- ends of objects -------------------------------------------------------------------------------------------------


class Writing:
    """Its end writes a local of whoever let it go."""

    def __init__(self, name: str | None, value: Any) -> None:
        self.name, self.value = name, value

    def __del__(self) -> None:
        if self.name is not None:
            sys._getframe(1).f_locals[self.name] = self.value


def is_none(xs: Any, name: str | None, value: Any, k: int, n: int) -> Any:
    result = 0
    for i in range(n):
        if Writing(name if i == n - 3 else None, value) is None:
            result += 1000
        result += xs[0] + k
    return result


def pairs(xs: Any, name: str | None, value: Any, k: int, n: int) -> Any:
    result = 0
    a = b = None
    for i in range(n):
        a = b = Writing(name if i == n - 3 else None, value)
        result += xs[0]
        a, b = None, None  # noqa: F841
        result += xs[0] + k
    return result


@fresh_process(cases=["is_none", "pairs"])
def test_an_end_in_the_middle_of_a_bytecode(case: str) -> None:
    """What it writes is there for the next bytecode, whatever its type."""
    function = {"is_none": is_none, "pairs": pairs}[case]
    own = [1]
    writes: list[tuple[str | None, Any]] = [(None, 0), ("k", 7), ("xs", (5, 6)), ("xs", 1.5)]
    calls: Calls = [lambda w=w: function(own, *w, 1, 12) for w in writes]  # type: ignore[misc]
    agree(function, lambda: function(own, None, 0, 1, 200), calls)


def two_names(n: int, thing: Any) -> int:
    same = 0
    for _ in range(n):
        a = b = thing.value
        same += a is b
    return same


@fresh_process()
def test_two_names_of_one_number() -> None:
    """Rule 10: a number loaded once is one object."""
    thing = Container(12345)
    agree(two_names, lambda: two_names(20, thing), [lambda: two_names(20, thing)])


class Payload:
    """Its end notes what its neighbour's local is."""

    seen: ClassVar[list[Any]] = []

    def __del__(self) -> None:
        Payload.seen.append(sys._getframe(1).f_locals.get("k", "unbound"))


class Item:
    def __init__(self) -> None:
        self.payload = Payload()


class Holder:
    def __init__(self) -> None:
        self.item: Item | None = Item()


def detach(item: Item | None, holder: Holder) -> int:
    holder.item = None
    return 1


def detach_all(holders: list[Holder], n: int) -> int:
    k = 0
    for i in range(n):
        k = k + detach(holders[i].item, holders[i])
    return k


@fresh_process()
def test_the_end_of_an_inlined_calls_argument() -> None:
    """The callee has let go of all the rest: the caller's stack has the last count."""

    def ends() -> list[Any]:
        Payload.seen.clear()
        detach_all([Holder() for _ in range(20)], 20)
        return list(Payload.seen)

    expected = ends()
    assert expected == list(range(20))
    switch_on()
    for function in (ends, Payload.__del__, Item.__init__, Holder.__init__):
        ftjit.never(function)
    ftjit.jit(detach_all)
    wait_until(lambda: (ends(), ftjit.is_compiled(detach_all))[1], 10)
    for _ in range(60):
        assert ends() == expected
        wait_idle()


def iterator_and_list(xs: list[int], write: bool, k: int) -> Any:
    k = k + 1
    b: Any = [Writing("k" if write else None, 50)]
    a: Any = iter(b)
    a, b = None, None  # noqa: F841
    return [xs[0], k + 1]


@fresh_process()
def test_a_list_that_goes_with_its_iterator() -> None:
    calls: Calls = [lambda: iterator_and_list([1], False, 1), lambda: iterator_and_list([1], True, 1)]
    agree(iterator_and_list, lambda: iterator_and_list([1], False, 1), calls)


def iterator_put_aside(items: list[Any], n: int) -> Any:
    it = iter(range(5)) if n else None
    try:
        r = [it for it in items]  # noqa: C416
        return len(r), list(it)  # type: ignore[arg-type]
    except ValueError:
        return 3


def many_versions(flag: bool, items: list[int], k: int) -> Any:
    b: Any
    c: Any
    if flag:
        x: Any = "s"
    if k > 8:
        b = 1
    elif k > 5:
        b = 1.5
    else:
        b = "q"
    if k == 1:
        c = 1
    elif k == 2:
        c = 1.5
    else:
        c = "q"
    inner = [x for x in items]  # noqa: C416
    y = x
    return y, inner, b, c


@fresh_process(cases=["an iterator", "many versions"])
def test_what_a_comprehension_puts_aside(case: str) -> None:
    if case == "an iterator":
        items = [Writing(None, None) for _ in range(300)]
        call = lambda: iterator_put_aside(items, 1)  # noqa: E731
        agree(iterator_put_aside, call, [call])
    else:
        calls: Calls = [lambda f=f, k=k: many_versions(f, [1, 2], k) for f in (True, False) for k in range(10)]  # type: ignore[misc]
        agree(many_versions, lambda: many_versions(True, [1, 2], 0), calls)


constant: Any = abs


def calls_a_global(a: Any, b: Any) -> Any:
    return [a, b, constant(b)]


@fresh_process()
def test_a_number_where_a_function_was() -> None:
    """A global that is called, and is a number by now: nothing else is called instead."""
    global constant
    called: list[Any] = []

    def callback(*arguments: Any) -> int:
        called.append(arguments)
        return 7

    heat(calls_a_global, 1, -2)
    globals()["a new name"] = 1
    constant = 5
    for _ in range(6):
        for _ in range(60):
            kind, _text = outcome(lambda: calls_a_global(1, callback))
            assert kind is TypeError
        wait_idle()
    assert not called


class Rows:
    def __init__(self) -> None:
        self.rows = [1.5, 2.5, 3.5]


def row(rows: Rows, index: list[int], i: int) -> float:
    return rows.rows[index[i]]


@fresh_process()
def test_counts_are_given_back() -> None:
    """Of what is read in the same bytecode as a counted index."""
    rows, index = Rows(), [0, 1, 2]
    heat(row, rows, index, 0)
    for i in list(range(6)) * 100:
        outcome(lambda i=i: row(rows, index, i))  # type: ignore[misc]
    wait_idle()
    before = sys.getrefcount(rows.rows)
    with entered(3000):
        for i in range(3000):
            assert row(rows, index, i % 3) == 1.5 + i % 3
    assert sys.getrefcount(rows.rows) <= before + 1


# ---- what others see and do ------------------------------------------------------------------------------------------


def raising(text: str, n: int) -> int:
    result = 0
    for _ in range(n):
        try:
            result += int(text)
        except ValueError:
            result += 1
    return result


@fresh_process()
def test_events_of_exceptions() -> None:
    """RAISE and EXCEPTION_HANDLED are no code object's: a tool gets them of all code."""
    heat(raising, "x", 300)
    for _ in range(50):
        raising("x", 300)
    monitoring, events, log = sys.monitoring, sys.monitoring.events, []
    monitoring.use_tool_id(1, "test")
    for event in (events.RAISE, events.EXCEPTION_HANDLED):
        monitoring.register_callback(1, event, lambda code, *rest, event=event: log.append((event, code.co_name)))
    monitoring.set_events(1, events.RAISE | events.EXCEPTION_HANDLED)
    raising("x", 100)
    monitoring.set_events(1, 0)
    monitoring.free_tool_id(1)
    for event in (events.RAISE, events.EXCEPTION_HANDLED):
        assert log.count((event, "raising")) == 100
    with entered():
        raising("x", 300)


held: list[Any] = []


def holding(xs: Any, n: int) -> int:
    held.append(sys._getframe())
    result = 0
    for _ in range(n):
        result += xs[0]
    return result


@fresh_process(seconds=40)
def test_locals_written_by_another_thread() -> None:
    """Another thread holds the frame and writes a local of another type, again and again."""

    def hot() -> bool:
        holding([1], 3000)
        held.clear()
        return ftjit.is_compiled(holding)

    switch_on()
    ftjit.jit(holding)
    # What is entered first has no frame object yet.
    wait_until(hot, 10)
    mine, listed = (5, 6), [1]

    def write() -> None:
        while not held:
            pass
        locals_ = held[0].f_locals
        for turn in range(2000):
            locals_["xs"] = listed if turn & 1 else mine
        locals_["xs"] = listed

    thread = start_thread(write)
    assert 3_000_000 <= holding(listed, 3_000_000) <= 15_000_000
    thread.join(10)


@fresh_process(cases=["MemoryError", "KeyboardInterrupt"])
def test_an_exception_right_after_an_executor_is_installed(case: str) -> None:
    """It is threads' from then on: nobody discards it, and the entry is another's to compile again, or nobody's."""

    def drive(n: int) -> int:
        result = 0
        for i in range(n):
            result += i
        return result

    real, failed = executors.Installed, []

    def failing(number: int, *rest: Any) -> Any:
        if not failed:
            failed.append(number)
            raise getattr(builtins, case)
        return real(number, *rest)

    executors.Installed = failing  # type: ignore[misc,assignment]
    ftjit.enable("eager")
    seen: list[type[BaseException]] = []
    for _ in range(20):
        try:
            assert drive(1000) == 499500
        except KeyboardInterrupt as error:
            seen.append(type(error))
    assert failed
    assert len(seen) <= 1
    ftjit.disable()
    assert ftjit.drain(10)
    stats = ftjit.stats()
    assert stats.executors_retired == stats.executors_freed >= 1
