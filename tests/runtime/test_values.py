"""Values, identities and lifetimes: what compiled code may do with boxes that others may hold (F3, F4, F5)."""

from __future__ import annotations

import dis
import gc
import importlib
import operator
import sys
import tempfile
import weakref
from pathlib import Path
from typing import Any

from fresh_process import fresh_process
from machine import entered, heat, make_hot, switch_on, wait_idle, wait_until

import ftjit


@fresh_process()
def test_the_callers_variable_stays() -> None:
    """F3: a callee that overwrites its float argument many times does not write into the caller's object."""

    def callee(x: float, n: int) -> float:
        for number in range(n):
            x = x * 1.0 + number
        return x

    def caller(s: float) -> tuple[float, float, Any, Any]:
        before = s
        result = callee(s, 50)
        kept = [s]
        again = callee(kept[0], 50)
        return s, before, result == again, kept

    make_hot(callee, 1.5, 50)
    make_hot(caller, 1.5)
    with entered(2000):
        for number in range(2000):
            s = number + 0.25
            result, before, same, kept = caller(s)
            assert result == before == kept[0] == s == number + 0.25
            assert result is s
            assert same


@fresh_process()
def test_an_accumulator_that_escapes() -> None:
    """Each value put into a list, an attribute, a closure stays what it was when the accumulator goes on."""

    class Keeper:
        value = 0.0

    def accumulate(n: int, keeper: Any) -> tuple[list[float], float]:
        kept = []
        total = 0.5
        for number in range(n):
            total += number
            if number % 7 == 0:
                kept.append(total)
                keeper.value = total
                other = total
                total += 1.0
                kept.append(other)
        return kept, total

    keeper = Keeper()
    expected = accumulate(500, keeper), keeper.value
    heat(accumulate, 500, keeper)
    with entered(20):
        for _ in range(20):
            assert (accumulate(500, keeper), keeper.value) == expected


@fresh_process()
def test_identity_of_a_number_kept_twice() -> None:
    """A value is boxed at most once: two names of one number are the same object after any exit."""

    def twins(n: int, log: list[bool]) -> bool:
        total = 0.5
        same = True
        for number in range(n):
            total = total * 1.0000001 + number
            other = total
            if number % 10 == 0:
                log.append(other is total)
                del log[:-5]
                same = same and log[-1]
        return same and other is total

    log: list[bool] = []
    assert twins(100, log)
    heat(twins, 200, log)
    with entered(50):
        for _ in range(50):
            assert twins(200, log)
            assert all(log)


@fresh_process(cases=["list", "tuple"])
def test_identity_of_a_number_that_is_put_in_twice(case: str) -> None:
    """A list or tuple of one number, by one name or by two, has one object in it."""

    def make_lists(n: int) -> Any:
        total = 0.5
        made: Any = None
        for number in range(n):
            total = total * 1.0000001 + number
            other = total
            made = [total, other, total]
        return made

    def make_tuples(n: int) -> Any:
        total = 0.5
        made: Any = None
        for number in range(n):
            total = total * 1.0000001 + number
            other = total
            made = (total, other, total)
        return made

    make = make_lists if case == "list" else make_tuples
    heat(make, 200)
    with entered(20):
        for _ in range(100):
            first, second, third = make(200)
            assert first is second
            assert first is third


@fresh_process()
def test_in_place_list_and_attribute_numbers() -> None:
    """A number read from a list or an object before it is overwritten there keeps its value."""

    class Holder:
        def __init__(self) -> None:
            self.x = 0.5

    def overwrite(items: list[float], holder: Any, n: int) -> int:
        wrong = 0
        for number in range(n):
            old_item = items[3]
            old_x = holder.x
            items[3] = old_item + 1.0
            holder.x = old_x + 1.0
            if items[3] != old_item + 1.0 or holder.x != old_x + 1.0:
                wrong += 1
            if old_item != number + 0.5 or old_x != number + 0.5:
                wrong += 1
        return wrong

    def run() -> tuple[int, float, float]:
        items, holder = [0.5] * 5, Holder()
        kept = items[3], holder.x
        wrong = overwrite(items, holder, 300)
        assert kept == (0.5, 0.5)
        return wrong, items[3], holder.x

    assert run() == (0, 300.5, 300.5)
    switch_on()
    ftjit.jit(overwrite)
    wait_until(lambda: (run(), ftjit.is_compiled(overwrite))[1], 10, f"{ftjit.explain(overwrite)}")
    with entered(20):
        for _ in range(20):
            assert run() == (0, 300.5, 300.5)


FINALISERS = [
    "overwritten by a float",
    "overwritten by an int",
    "in a loop",
    "overwritten by another",
    "deleted",
    "in a list",
]


@fresh_process(cases=FINALISERS)
def test_finalisers_run_at_their_bytecode(case: str) -> None:
    """F4: `__del__` runs when the last reference goes, not when machine code is left."""
    log: list[Any] = []

    class Watched:
        def __del__(self) -> None:
            log.append("gone")

    def by_float(n: int) -> list[Any]:
        x: Any = Watched()
        marks = []
        for number in range(n):
            x = 1.0 * number
            if number < 3:
                marks.append(len(log))
        return [*marks, x]

    def by_int(n: int) -> list[Any]:
        x: Any = Watched()
        marks = []
        for number in range(n):
            if number == 50:
                marks.append(len(log))
                x = number
                marks.append(len(log))
        return [*marks, x]

    def in_a_loop(n: int) -> list[Any]:
        marks: list[Any] = []
        for number in range(n):
            x: Any = Watched()
            x = number * 2
            if len(log) != number + 1:
                marks.append(number)
        return [*marks, x]

    def by_another(n: int) -> list[Any]:
        x = Watched()
        wrong = []
        for number in range(n):
            x = Watched()
            if len(log) != number + 1:
                wrong.append((number, len(log)))
        return [*wrong, type(x).__name__]

    def deleted(n: int) -> list[Any]:
        wrong = []
        for number in range(n):
            x = Watched()
            if len(log) != number:
                wrong.append((number, len(log)))
            del x
            if len(log) != number + 1:
                wrong.append((number, len(log)))
        return wrong

    def in_a_list(n: int) -> list[Any]:
        items: list[Any] = [Watched()] * 1
        wrong = []
        for number in range(n):
            items[0] = 0.5 * number
            if len(log) != number + 1:
                wrong.append((number, len(log)))
            items[0] = Watched()
        return wrong

    functions = dict(zip(FINALISERS, [by_float, by_int, in_a_loop, by_another, deleted, in_a_list], strict=True))
    function = functions[case]

    def run() -> list[Any]:
        log.clear()
        return function(100)

    expected = run()
    switch_on()
    ftjit.jit(function)
    wait_until(lambda: (run(), ftjit.is_compiled(function))[1], 10, f"{ftjit.explain(function)}")
    # A snapshot may hold on to what it saw until it is compiled: judge only what ran with none under way.
    before, judged, quiet = ftjit.stats().entries, 0, 0
    for turn in range(2000):
        snapshots = ftjit.stats().snapshots
        found = run()
        quiet = quiet + 1 if ftjit.stats().snapshots == snapshots else 0
        if quiet > 5:
            assert found == expected, (turn, found, expected)
            judged += 1
        elif quiet == 0:
            wait_idle()
        if judged > 300:
            break
    assert judged > 300
    assert ftjit.stats().entries > before, ftjit.explain(function)


@fresh_process()
def test_compiled_code_keeps_nothing_alive() -> None:
    """Arguments, results and what snapshots saw: gone when the program drops them."""

    class Item:
        def __init__(self, x: float) -> None:
            self.x = x

    def total(items: list[Any]) -> float:
        s = 0.0
        for item in items:
            s += item.x
        return s

    items = [Item(float(n)) for n in range(200)]
    heat(total, items)
    assert total(items) == sum(range(200))
    references = [weakref.ref(item) for item in items]
    ftjit.drain(2)
    wait_until(lambda: ftjit.stats().activations == 0, 2)
    items.clear()
    gc.collect()
    wait_until(lambda: not any(reference() for reference in references), 2, "instances kept alive")


@fresh_process(cases=["two stores", "a store and a load"], environment={"FTJIT_RELEARN": "5"})
def test_code_goes_out_of_use_in_the_finaliser_of_a_local(case: str) -> None:
    """Machine code is left behind the whole bytecode that ended the old value's life, be it two in one."""
    ends: list[Any] = []

    class Watched:
        def __del__(self) -> None:
            if ends:
                ends.pop()()

    def make(number: int) -> tuple[Any, int]:
        return Watched(), number

    def two_stores(n: int) -> list[Any]:
        wrong = []
        for number in range(n):
            thing, count = make(number)
            if type(thing) is not Watched or count != number:
                wrong.append((number, type(thing), count))
        return wrong

    def a_store_and_a_load(n: int) -> list[Any]:
        wrong = []
        count = 0
        for number in range(n):
            thing = Watched(); count = number  # fmt: skip  # noqa: E702  (one line, one bytecode)
            if count != number or type(thing) is not Watched:
                wrong.append((number, type(thing), count))
        return wrong

    function = two_stores if case == "two stores" else a_store_and_a_load
    bytecodes = {instruction.opname for instruction in dis.get_instructions(function)}
    assert ("STORE_FAST_STORE_FAST" if case == "two stores" else "STORE_FAST_LOAD_FAST") in bytecodes, bytecodes
    for _ in range(30):
        heat(function, 300)
        for _ in range(5):  # what is met often is compiled anew
            assert function(300) == []
            wait_idle()
        with entered():
            function(300)
        ends.append(ftjit.disable)
        assert function(300) == []
        assert not ends
    assert ftjit.stats().executors_retired > 20, ftjit.stats()


@fresh_process()
def test_a_constant_is_borrowed_as_an_argument() -> None:
    """A slice of an imported module is not immortal: a count on it would be a word all threads write to."""

    class Sequence:
        def __getitem__(self, key: slice) -> int:
            seen.append(sys.getrefcount(key))
            return 0

    with tempfile.TemporaryDirectory() as folder:
        module = Path(folder, "reads_a_slice.py")
        module.write_text("def read(sequence, turns):\n    for _ in range(turns):\n        sequence[1:4]\n")
        sys.path.insert(0, folder)
        read = importlib.import_module(module.stem).read
    (constant,) = (each for each in read.__code__.co_consts if type(each) is slice)
    assert not sys._is_immortal(constant)
    seen: list[int] = []
    make_hot(read, Sequence(), 100)
    seen.clear()
    with entered():
        read(Sequence(), 100)
    operator.getitem(Sequence(), constant)  # borrowed from a variable
    assert len(seen) == 101
    assert set(seen) == {seen[100]}


@fresh_process()
def test_what_owns_something_is_not_kept_for_the_compiler() -> None:
    """A file that its function lets go of is flushed, a view gives its buffer back, though the function has just been
    looked at."""
    buffer = bytearray(1000)

    def view(turns: int) -> int:
        total = 0
        seen = memoryview(buffer)
        for number in range(turns):
            total += seen[number] + number * 3 - (number & 7)
        return total

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "lines")

        def lines(turns: int) -> int:
            write = open(path, "w").write  # noqa: SIM115
            total = 0
            for number in range(turns):
                total += number * 3 - (number & 7)
            write(f"{total}\n")
            return total

        switch_on()
        ftjit.jit(view)
        ftjit.jit(lines)
        for _ in range(300):
            view(1000)
            buffer.append(0)  # BufferError while a view is alive
            expected = lines(1000)
            assert path.read_text() == f"{expected}\n"
        assert ftjit.stats().snapshots >= 2


@fresh_process()
def test_the_clock_may_be_replaced() -> None:
    import time

    calls = []
    time.perf_counter = lambda: calls.append(1) or 0.0  # type: ignore[func-returns-value, assignment]
    heat(lambda n: sum([number * 2 for number in range(n)]), 1000)
    assert not calls
