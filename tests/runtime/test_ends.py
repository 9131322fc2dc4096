"""The ends of objects in machine code, and what other threads and tools see and do there: each case was a wrong result
or a crash once. What a case expects is what the interpreter does before ftjit is switched on."""

from __future__ import annotations

import builtins
import sys
from typing import Any, ClassVar

from fresh_process import fresh_process
from machine import Calls, agree, entered, heat, outcome, start_thread, switch_on, wait_idle, wait_until

import ftjit
from ftjit.runtime import executors

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


class Valued:
    def __init__(self, value: int) -> None:
        self.value = value


def two_names(n: int, thing: Any) -> int:
    same = 0
    for _ in range(n):
        a = b = thing.value
        same += a is b
    return same


@fresh_process()
def test_two_names_of_one_number() -> None:
    """Rule 10: a number loaded once is one object."""
    thing = Valued(12345)
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
