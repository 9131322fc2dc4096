"""Tracers, profilers and monitoring tools see what they would see without ftjit (M1, M2, M3)."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fresh_process import fresh_process
from machine import entered, inlines, join, make_hot, start_thread, switch_on, wait_inside, wait_until

import ftjit
from ftjit.runtime import tier

events = sys.monitoring.events
TOOL = 3


class Flag:
    def __init__(self) -> None:
        self.done = False


def count(limit: int) -> int:
    total = 0
    for number in range(limit):
        total += number & 7
    return total


def spin(flag: Any) -> int:
    turns = 0
    while not flag.done:
        turns += 1
    return turns


def helper(number: int) -> int:
    return number & 7


def drive(limit: int) -> int:
    total = 0
    for number in range(limit):
        total += helper(number)
    return total


def spin_calling(flag: Any) -> int:
    turns = 0
    while not flag.done:
        turns += helper(turns)
    return turns


@contextmanager
def tool(number: int = TOOL) -> Iterator[int]:
    sys.monitoring.use_tool_id(number, "test")
    try:
        yield number
    finally:
        sys.monitoring.free_tool_id(number)


def best(function: Callable[[], Any], rounds: int = 7) -> float:
    """The fastest of some runs, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def set_events() -> None:
    with tool():
        sys.monitoring.set_events(TOOL, events.RAISE)
        sys.monitoring.set_events(TOOL, 0)


def set_trace() -> None:
    sys.settrace(lambda *_: None)
    sys.settrace(None)


def set_trace_everywhere() -> None:
    threading.settrace_all_threads(lambda *_: None)
    threading.settrace_all_threads(None)


def set_profile() -> None:
    sys.setprofile(lambda *_: None)
    sys.setprofile(None)


def restart() -> None:
    sys.monitoring.restart_events()


def set_trace_elsewhere() -> None:
    thread = threading.Thread(target=set_trace)
    thread.start()
    thread.join()


CHANGES = [set_events, set_trace, set_trace_everywhere, set_profile, restart, set_trace_elsewhere]


@fresh_process(cases=[change.__name__ for change in CHANGES], marks=["threads"])
def test_entries_go_on_after_a_version_change(case: str) -> None:
    """M1: the instrumentation version changes for ever; polls do not fire more, machine code is entered as before."""
    change = {change.__name__: change for change in CHANGES}[case]
    for _ in range(300):  # specialised first: a start compiled earlier may be a slow one
        count(50)
    make_hot(count, 1000)
    fast = best(lambda: count(200_000))
    for _ in range(5):
        change()
    with entered(5):
        for _ in range(5):
            assert count(1000) == sum(n & 7 for n in range(1000))
    before = ftjit.stats()
    slow = best(lambda: count(200_000))
    after = ftjit.stats()
    assert after.entries - before.entries < 200, "machine code is left again and again"
    assert slow < 3 * fast + 0.005, (slow, fast)


@fresh_process(cases=["set_events", "set_trace_elsewhere"])
def test_a_running_loop_goes_on_after_a_version_change(case: str) -> None:
    """The same while a thread is inside: it stays inside, or comes back, and does not slow down for ever."""
    change = {change.__name__: change for change in CHANGES}[case]
    switch_on()
    ftjit.jit(spin)
    flag = Flag()
    thread = start_thread(spin, flag)
    wait_inside(spin)
    for _ in range(10):
        change()
    wait_until(lambda: ftjit.stats().activations == 1, 2, "back inside")
    time.sleep(0.02)
    before = ftjit.stats().entries
    time.sleep(0.1)
    assert ftjit.stats().entries - before < 2000, "the loop leaves at every poll"
    flag.done = True
    join(thread, seconds=2)


@fresh_process(cases=["own", "callee", "inlined"])
def test_a_breakpoint_while_hot(case: str) -> None:
    """M2: another tool's LINE events on the running code, or on what it inlined, arrive soon; then it goes on."""
    function = spin if case == "own" else spin_calling
    code = (spin if case == "own" else helper).__code__
    switch_on()
    ftjit.jit(function)
    flag = Flag()
    threads = [start_thread(function, flag) for _ in range(2)]
    wait_inside(function, threads=2)
    if case == "inlined":
        wait_until(lambda: inlines(function, helper), 10, f"the helper inlined: {ftjit.explain(function)}")
        wait_inside(function, threads=2)
    hits: list[tuple[int, int]] = []
    hit: set[int] = set()  # the threads that hit it: cheaper to ask than all hits

    def on_line(where: Any, line: int) -> Any:
        hits.append((threading.get_ident(), line))
        hit.add(threading.get_ident())

    with tool():
        sys.monitoring.register_callback(TOOL, events.LINE, on_line)
        sys.monitoring.set_local_events(TOOL, code, events.LINE)
        wait_until(lambda: len(hit) == 2, 1.0, "a breakpoint hit in both threads")
        first = len(hits)
        time.sleep(0.2)
        assert len(hits) > first + 1000, "hit now and then only: machine code is entered although it is watched"
        sys.monitoring.set_local_events(TOOL, code, 0)
        sys.monitoring.register_callback(TOOL, events.LINE, None)
    count_now = len(hits)
    time.sleep(0.02)
    assert len(hits) <= count_now + 2
    # Only now: two threads append faster than a third goes through the list.
    lines = {line for _, line in hits}
    assert lines <= set(range(code.co_firstlineno, code.co_firstlineno + 4)), lines
    assert all(thread.is_alive() for thread in threads)
    flag.done = True
    join(*threads, seconds=5)


@fresh_process(cases=["own", "callee"])
def test_a_breakpoint_set_by_a_callee(case: str) -> None:
    """M2: the tool is set by a function that the loop itself calls; the very next line is already seen."""
    target: list[Any] = []
    hits: list[int] = []

    def poke(number: int) -> None:
        if number == 700 and target:
            sys.monitoring.use_tool_id(TOOL, "breakpoints")
            sys.monitoring.register_callback(TOOL, events.LINE, lambda code, line: hits.append(line))
            sys.monitoring.set_local_events(TOOL, target[0], events.LINE)

    def loop(limit: int) -> int:
        total = 0
        for number in range(limit):
            poke(number)
            total += helper(number)
        return total

    switch_on()
    ftjit.jit(loop)
    wait_until(lambda: (loop(1000), ftjit.is_compiled(loop))[1], 10)
    code = loop.__code__ if case == "own" else helper.__code__
    expected = sum(n & 7 for n in range(1000))
    with_it_inlined = 0
    for _ in range(20):  # compiled anew meanwhile, the callee inlined or called
        with_it_inlined += inlines(loop, helper)
        with entered():
            target.append(code)
            assert loop(1000) == expected
            sys.monitoring.set_local_events(TOOL, target.pop(), 0)
        sys.monitoring.register_callback(TOOL, events.LINE, None)
        sys.monitoring.free_tool_id(TOOL)
        # 300 turns; the lines of the turn it was set in may be partly over.
        assert len(hits) >= (300 if case == "callee" else 2 * 300), len(hits)
        hits.clear()
        with entered():
            assert loop(1000) == expected
            assert loop(1000) == expected
        assert not hits
        time.sleep(0.003)
    assert with_it_inlined


@fresh_process(cases=["settrace", "setprofile", "monitoring"])
def test_a_tracer_sees_everything(case: str) -> None:
    """Every line, call or return that the interpreter reports is reported when the functions are hot."""
    log: list[Any] = []

    def tracer(frame: Any, event: str, argument: Any) -> Any:
        if frame.f_code in (drive.__code__, helper.__code__, count.__code__):
            log.append((event, frame.f_lineno - frame.f_code.co_firstlineno))
        return tracer

    def on_event(code: Any, line: int) -> None:
        log.append((code.co_name, line))

    def record() -> list[Any]:
        log.clear()
        if case == "settrace":
            sys.settrace(tracer)
            drive(50)
            count(50)
            sys.settrace(None)
        elif case == "setprofile":
            sys.setprofile(tracer)
            drive(50)
            count(50)
            sys.setprofile(None)
        else:
            with tool():
                sys.monitoring.register_callback(TOOL, events.LINE, on_event)
                for code in (drive.__code__, helper.__code__):
                    sys.monitoring.set_local_events(TOOL, code, events.LINE)
                drive(50)
                for code in (drive.__code__, helper.__code__):
                    sys.monitoring.set_local_events(TOOL, code, 0)
        return list(log)

    expected = record()
    assert len(expected) > 50
    make_hot(drive, 500)
    make_hot(count, 500)
    for _ in range(3):
        with entered():
            drive(500)
            count(500)
        assert record() == expected


@fresh_process()
def test_the_line_number_of_our_frame_cannot_be_set() -> None:
    """M3: only a trace function may set f_lineno; a function called from compiled code may not."""
    refused: list[str] = []

    def meddle(number: int) -> int:
        if number == 900:
            frame = sys._getframe(1)
            try:
                frame.f_lineno = frame.f_code.co_firstlineno + 4
            except ValueError as error:
                refused.append(str(error))
        return number

    def loop(limit: int) -> int:
        total = 0
        for number in range(limit):
            total += meddle(number)
        return total

    expected = loop(1000)
    assert len(refused) == 1
    wanted = refused.pop()
    switch_on()
    ftjit.jit(loop)
    wait_until(lambda: (loop(800), ftjit.is_compiled(loop))[1], 10)
    with entered(20):
        for _ in range(20):
            assert loop(1000) == expected
    assert refused == [wanted] * 20


@fresh_process()
def test_nested_code_is_monitored() -> None:
    """M3: functions called from machine code raise their own events (`tracing` is 0 meanwhile)."""
    starts: list[str] = []

    def called(number: int) -> str:
        return str(number)

    def loop(limit: int) -> int:
        total = 0
        for number in range(limit):
            total += len(called(number))
        return total

    switch_on()
    ftjit.jit(loop)
    wait_until(lambda: (loop(500), ftjit.is_compiled(loop))[1], 10)
    with tool(), entered():
        sys.monitoring.register_callback(TOOL, events.PY_START, lambda code, offset: starts.append(code.co_name))
        sys.monitoring.set_local_events(TOOL, called.__code__, events.PY_START)
        loop(500)
        sys.monitoring.set_local_events(TOOL, called.__code__, 0)
    assert starts.count("called") == 500


@fresh_process()
def test_tool_taken_away_at_run_time() -> None:
    """Somebody frees tool 5 and takes it: programs go on, interpreted; nothing crashes."""
    make_hot(count, 1000)
    sys.monitoring.free_tool_id(sys.monitoring.OPTIMIZER_ID)
    expected = sum(n & 7 for n in range(1000))
    assert count(1000) == expected
    sys.monitoring.use_tool_id(sys.monitoring.OPTIMIZER_ID, "somebody else")
    sys.monitoring.register_callback(sys.monitoring.OPTIMIZER_ID, events.PY_START, lambda *_: None)
    sys.monitoring.set_local_events(sys.monitoring.OPTIMIZER_ID, count.__code__, events.PY_START)
    assert count(1000) == expected
    sys.monitoring.free_tool_id(sys.monitoring.OPTIMIZER_ID)
    assert count(1000) == expected


@fresh_process()
def test_callbacks_may_be_cleared_while_inside() -> None:
    """The callback object outlives its registration: register_callback(5, ..., None) during a run is survived."""
    switch_on()
    ftjit.jit(spin)
    flag = Flag()
    threads = [start_thread(spin, flag) for _ in range(2)]
    wait_inside(spin, threads=2)
    for event in (events.PY_START, events.JUMP):
        sys.monitoring.register_callback(sys.monitoring.OPTIMIZER_ID, event, None)
    time.sleep(0.02)
    assert all(thread.is_alive() for thread in threads)
    flag.done = True
    join(*threads, seconds=2)


@fresh_process()
def test_a_breakpoint_set_while_a_thread_compiles_for_itself() -> None:
    """Eager mode: what was so before the compilation may not be so after it."""
    hits: list[int] = []

    def loop(limit: int) -> int:
        total = number = 0
        while number < limit:  # nothing is called: that would notice
            total += number & 7
            number += 1
        return total

    ftjit.enable("eager")
    plain = tier.install

    def install(*arguments: Any) -> Any:
        installed = plain(*arguments)
        if arguments[3].code is loop.__code__ and sys.monitoring.get_tool(TOOL) is None:
            sys.monitoring.use_tool_id(TOOL, "breakpoints")
            sys.monitoring.register_callback(TOOL, events.LINE, lambda code, line: hits.append(line))
            sys.monitoring.set_local_events(TOOL, loop.__code__, events.LINE)
        return installed

    tier.install = install
    assert loop(1000) == sum(number & 7 for number in range(1000))
    assert len(hits) > 1000, f"{len(hits)} lines seen: the loop ran in machine code"


def raise_at(number: int, at: int, switch: Any) -> int:
    if number == at:
        switch()
        raise LookupError(number)
    return number


def between(number: int, at: int, switch: Any) -> int:
    more = number + 1
    found = raise_at(number, at, switch)
    other = raise_at(more, -1, switch)
    return more + found - other + number - number + more - more  # long enough to be entered


def handled(at: int, switch: Any) -> int:
    total = 0
    for number in range(60):
        try:
            total += between(number, at, switch)
        except LookupError:
            total -= 1
    return total


def passed_on(at: int, switch: Any) -> int:
    total = 0
    for number in range(60):
        total += between(number, at, switch)
    return total


@fresh_process(cases=["handled", "passed_on"])
def test_exceptions_above_the_call_that_switched_a_tool_on(case: str) -> None:
    """The frames above are in machine code, and their events come all the same. (That frame which was entered from the
    interpreter, and does not handle it, has the line of the jump.)"""
    wanted = ("RAISE", "EXCEPTION_HANDLED", "PY_UNWIND")
    function = handled if case == "handled" else passed_on
    heard: list[tuple[str, str, int]] = []

    def listen(name: str) -> Any:
        def callback(code: Any, offset: int, exception: BaseException) -> None:
            line = next(line for start, end, line in code.co_lines() if start <= offset < end)
            heard.append((code.co_name, name, line))
            assert type(exception) is LookupError

        return callback

    def switch() -> None:
        sys.monitoring.use_tool_id(TOOL, "late")
        for name in wanted:
            sys.monitoring.register_callback(TOOL, getattr(events, name), listen(name))
        sys.monitoring.set_events(TOOL, sum(getattr(events, name) for name in wanted))

    def run() -> list[tuple[str, str, int]]:
        heard.clear()
        try:
            function(50, switch)
        except LookupError:
            heard.append(("caught", "", 0))
        sys.monitoring.set_events(TOOL, 0)
        sys.monitoring.free_tool_id(TOOL)
        entered_by_the_door = function.__name__ if function is passed_on else ""
        return [
            (name, event, 0 if name == entered_by_the_door else line) for name, event, line in heard if name != "run"
        ]

    expected = run()
    assert len({name for name, _, _ in expected} & {"raise_at", "between", function.__name__}) == 3
    assert sum(name == "between" for name, _, _ in expected) == 2
    switch_on()
    for each in (function, between):
        ftjit.jit(each)
    wait_until(lambda: (function(-1, switch), ftjit.is_compiled(function) and ftjit.is_compiled(between))[1], 10)
    for _ in range(20):
        with entered():
            assert run() == expected


@fresh_process()
def test_a_tool_that_raises_where_an_exception_is_handled() -> None:
    """Its exception takes the place of the handled one, and goes to the handler round that handler, or out."""

    def loop(at: int, switch: Any) -> str:
        found = ""
        for number in range(60):
            try:
                raise_at(number, at, switch)
            except LookupError:
                found += "handled"
        return found

    def object_to(code: Any, offset: int, exception: BaseException) -> None:
        if isinstance(exception, LookupError):
            raise KeyboardInterrupt

    def switch() -> None:
        sys.monitoring.use_tool_id(TOOL, "late")
        sys.monitoring.register_callback(TOOL, events.EXCEPTION_HANDLED, object_to)
        sys.monitoring.set_events(TOOL, events.EXCEPTION_HANDLED)

    def run() -> str:
        try:
            return loop(50, switch)
        except KeyboardInterrupt:
            return "interrupted"
        finally:
            sys.monitoring.set_events(TOOL, 0)
            sys.monitoring.free_tool_id(TOOL)

    assert run() == "interrupted"
    switch_on()
    ftjit.jit(loop)
    wait_until(lambda: (loop(-1, switch), ftjit.is_compiled(loop))[1], 10)
    for _ in range(20):
        with entered():
            assert run() == "interrupted"


@fresh_process()
def test_tools_do_not_hear_of_the_compiler() -> None:
    """Its threads find what is hot and open its doors, unheard."""
    threads: set[int] = set()

    def hot(limit: int) -> int:
        total = 0
        for number in range(limit):
            total += number & 7
        return total

    switch_on()
    with tool():
        sys.monitoring.register_callback(TOOL, events.PY_START, lambda code, offset: threads.add(threading.get_ident()))
        sys.monitoring.set_events(TOOL, events.PY_START)
        wait_until(lambda: (hot(200_000), sys.monitoring.get_local_events(tier.TOOL, hot.__code__) != 0)[1], 10)
        time.sleep(0.05)
        sys.monitoring.set_events(TOOL, 0)
    assert threads == {threading.get_ident()}
