"""Frame objects: who holds our frame sees true locals, and writes that count; a leftover locks nothing out (M11)."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from fresh_process import fresh_process
from machine import entered, join, make_hot, start_thread, switch_on, wait_idle, wait_inside, wait_until

import ftjit


class Flag:
    def __init__(self) -> None:
        self.done = False


def count(limit: int) -> int:
    total = 0
    for number in range(limit):
        total += number & 7
    return total


@fresh_process()
def test_a_caught_exception_does_not_lock_a_main_loop_out() -> None:
    """A handler leaves a frame object behind for the frame's life; the loop after it still runs as machine code."""

    def main(flag: Any) -> float:
        try:
            raise ValueError
        except ValueError:
            pass
        total = 0.0
        while not flag.done:
            total = total * 0.5 + 1.0
        return total

    switch_on()
    ftjit.jit(main)
    flag = Flag()
    thread = start_thread(main, flag)
    wait_inside(main)
    before = ftjit.stats().entries
    time.sleep(0.05)
    assert ftjit.stats().entries - before < 1000, "the loop is left at every turn"
    wait_until(lambda: ftjit.stats().activations == 1, 2, "inside, but for the moments of a sample")
    flag.done = True
    join(thread, seconds=2)


@fresh_process()
def test_current_frames_does_not_lock_a_main_loop_out() -> None:
    """Another thread looked once, and let go of the frame: the loop is back in machine code."""

    def main(flag: Any) -> int:
        turns = 0
        while not flag.done:
            turns += 1
        return turns

    switch_on()
    ftjit.jit(main)
    flag = Flag()
    thread = start_thread(main, flag)
    wait_inside(main)
    for _ in range(20):
        frame = sys._current_frames()[thread.ident or 0]
        assert frame.f_locals["flag"] is flag
        del frame
    wait_until(lambda: ftjit.stats().activations == 1, 2, "back inside")
    flag.done = True
    join(thread, seconds=2)


@fresh_process()
def test_a_loop_with_calls_after_a_caught_exception() -> None:
    """The same for a loop that calls out: after each call the frame object, being private, is no reason to leave."""

    def main(limit: int) -> int:
        try:  # noqa: SIM105  (a frame object that a handler leaves behind)
            [][1]
        except IndexError:
            pass
        total = 0
        for number in range(limit):
            total += len(str(number))
        return total

    expected = main(3000)
    switch_on()
    ftjit.jit(main)
    wait_until(lambda: (main(100), ftjit.is_compiled(main))[1], 10)
    before = ftjit.stats().entries
    assert main(3000) == expected
    entries = ftjit.stats().entries - before
    assert 1 <= entries < 300, f"{entries} entries for one loop"


@fresh_process(cases=["int", "float", "object", "unrelated"])
def test_a_callees_writes_to_our_locals_are_seen(case: str) -> None:
    """What a debugger does: write through f_locals of the calling frame; the very next use sees it."""
    values: dict[str, Any] = {"int": 10_000, "float": 0.5, "object": "text", "unrelated": 1}

    def debugger(number: int) -> None:
        if number == 250:
            frame = sys._getframe(1)
            frame.f_locals["unused" if case == "unrelated" else "step"] = values[case]

    def loop(limit: int) -> list[Any]:
        step: Any = 1
        unused = 7
        total = 0
        kept = []
        for number in range(limit):
            debugger(number)
            kept.append(step)
            if number % 100 == 0:
                total += unused
        return [*kept, total, step]

    expected = loop(300)
    assert case == "unrelated" or (expected[240], expected[-1]) == (1, values[case])
    switch_on()
    ftjit.jit(loop)
    wait_until(lambda: (loop(200), ftjit.is_compiled(loop))[1], 10)
    with entered(30):
        for _ in range(30):
            assert loop(300) == expected


WAYS = ["add", "compare", "item", "set item", "attribute", "set attribute", "next", "last next", "truth", "format"]
WAYS += ["call", "finaliser", "finaliser of one of two", "finaliser, then a load"]


@fresh_process(cases=[f"{way}{after}" for way in WAYS for after in ("", " after an exception")])
def test_writes_to_our_locals_in_whatever_runs_for_a_bytecode(case: str) -> None:
    """Not only calls run other code. The old value is immortal, and nobody holds our frame object afterwards: neither
    its reference count nor the values that it keeps say that it was written."""
    way, _, earlier = case.partition(" after ")

    class Debugger:
        number = 0

        def look(self) -> None:
            self.number += 1
            if self.number == 250:
                sys._getframe(2).f_locals["step"] = 10_000

        def __add__(self, other: int) -> int:
            self.look()
            return other

        def __lt__(self, other: int) -> bool:
            self.look()
            return True

        def __getitem__(self, index: int) -> int:
            self.look()
            return index

        def __setitem__(self, index: int, value: int) -> None:
            self.look()

        @property
        def attribute(self) -> int:
            self.look()
            return 1

        @attribute.setter
        def attribute(self, value: int) -> None:
            self.look()

        def __iter__(self) -> Debugger:
            return self

        def __next__(self) -> int:
            self.look()
            return 1

        def __bool__(self) -> bool:
            self.look()
            return True

        def __format__(self, spec: str) -> str:
            self.look()
            return "x"

        def __call__(self, number: int) -> int:
            self.look()
            return number

    class Ends:
        def __init__(self, debugger: Debugger) -> None:
            self.debugger = debugger

        def __iter__(self) -> Ends:
            return self

        def __next__(self) -> int:
            self.debugger.look()
            raise StopIteration

    class Fleeting:
        def __init__(self, debugger: Debugger) -> None:
            self.debugger = debugger

        def __del__(self) -> None:
            self.debugger.look()

    bodies = {
        "add": "debugger + number",
        "compare": "debugger < number",
        "item": "debugger[number]",
        "set item": "debugger[number] = 1",
        "attribute": "debugger.attribute",
        "set attribute": "debugger.attribute = number",
        "next": "pass",
        "last next": "for other in Ends(debugger): pass",
        "truth": "not debugger",
        "format": "f'{debugger}'",
        "finaliser": "made = Fleeting(debugger)",
        "finaliser of one of two": "made, other = Fleeting(debugger), number",
        "finaliser, then a load": "made = Fleeting(debugger); other + 1",
        "call": "debugger(number)",
    }
    source = f"""
def loop(debugger, limit):
    try: [0][{1 if earlier else 0}]
    except IndexError: pass
    step, kept, number, made, other = 1, 0, 0, None, 0
    for number in {"debugger" if way == "next" else "range(limit)"}:
        {bodies[way]}
        kept += step
        if kept > 2_000_000:
            break
    return kept
"""
    scope: dict[str, Any] = {"Fleeting": Fleeting, "Ends": Ends}
    exec(source, scope)
    loop = scope["loop"]
    expected = loop(Debugger(), 400)
    assert expected > 1_000_000
    switch_on()
    ftjit.jit(loop)
    wait_until(lambda: (loop(Debugger(), 400), ftjit.is_compiled(loop))[1], 10)
    with entered(30):
        for _ in range(3):
            for _ in range(40):
                assert loop(Debugger(), 400) == expected
            wait_idle()  # what was learnt is compiled


@fresh_process()
def test_a_callee_reads_true_locals() -> None:
    """sys._getframe(1).f_locals from a callee: unboxed locals have been written back, and the line is right."""
    wrong: list[Any] = []

    def look(number: int) -> None:
        frame = sys._getframe(1)
        seen = frame.f_locals
        if (
            seen["number"] != number
            or seen["total"] != number * (number - 1) // 2
            or seen["half"] != number * 0.5
            or frame.f_lineno != loop.__code__.co_firstlineno + 4
        ):
            wrong.append((number, dict(seen), frame.f_lineno))

    def loop(limit: int) -> int:
        total, half = 0, 0.0
        for number in range(limit):
            half = number * 0.5
            look(number)
            total += number
        return total if half else 0

    switch_on()
    ftjit.jit(loop)
    wait_until(lambda: (loop(200), ftjit.is_compiled(loop))[1], 10)
    with entered(10):
        for _ in range(10):
            loop(300)
    assert not wrong, wrong[0]


@fresh_process()
def test_a_frame_that_outlives_its_call() -> None:
    """A held frame object outlives the call: f_locals then shows the values at the end."""

    def hold() -> Any:
        return sys._getframe(1)

    def loop(limit: int) -> Any:
        total = 0
        frame = None
        for number in range(limit):
            if number == limit // 2:
                frame = hold()
            total += number
        return frame

    switch_on()
    ftjit.jit(loop)
    wait_until(lambda: (loop(200), ftjit.is_compiled(loop))[1], 10)
    with entered(10):
        for limit in range(200, 230):
            seen = dict(loop(limit).f_locals)
            assert seen["total"] == limit * (limit - 1) // 2
            assert (seen["limit"], seen["number"]) == (limit, limit - 1)


@fresh_process()
def test_locals_and_eval_inside_a_hot_loop() -> None:
    def loop(limit: int) -> list[Any]:
        total = 0
        seen = []
        for number in range(limit):
            total += number
            if number % 50 == 0:
                seen.append((dict(locals())["total"], eval("total + number")))
        return seen

    expected = loop(300)
    make_hot(loop, 300)
    with entered(5):
        for _ in range(5):
            assert loop(300) == expected


class Meeting:
    """A thread that comes by waits while another one looks. (At a frame that runs nobody may look: CPython 3.14.7 reads
    its locals without holding them.)"""

    def __init__(self) -> None:
        self.done = False
        self.wanted, self.here, self.go_on = threading.Event(), threading.Event(), threading.Event()

    def come_by(self) -> None:
        if self.wanted.is_set():
            self.wanted.clear()
            self.here.set()
            self.go_on.wait()
            self.go_on.clear()


@fresh_process()
def test_another_thread_reads_true_locals() -> None:
    def main(meeting: Meeting) -> int:
        low = high = 0
        while not meeting.done:
            low += 1
            high += 1
            if low % 1000 == 0:
                meeting.come_by()
        return high - low

    switch_on()
    ftjit.jit(main)
    flag = Meeting()
    results: list[int] = []
    thread = start_thread(lambda: results.append(main(flag)))
    wait_inside(main)
    last = 0
    for _ in range(50):
        flag.wanted.set()
        assert flag.here.wait(5)
        flag.here.clear()
        frame = sys._current_frames()[thread.ident or 0]
        while frame.f_code is not main.__code__:
            assert frame.f_back
            frame = frame.f_back
        low, high = frame.f_locals["low"], frame.f_locals["high"]
        assert low == high > last
        assert low % 1000 == 0
        last = low
        del frame
        before = ftjit.stats().entries
        flag.go_on.set()
        wait_until(lambda before=before: ftjit.stats().entries > before, 5, "it is in machine code again")
    flag.done = True
    join(thread, seconds=2)
    assert results == [0]
