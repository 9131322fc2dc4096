"""ftjit in somebody's process: its threads are not seen and not in the way, and nothing lives longer because of it."""

from __future__ import annotations

import _thread
import gc
import importlib.util
import os
import resource
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fresh_process import IN_CHILD, fresh_process
from machine import entered, heat, in_threads, switch_on, wait_idle, wait_until

import ftjit
from ftjit.runtime.tier import existing

SOURCE = "def f(n):\n    total = 0\n    for i in range(n):\n        total += i * {k}\n    return total\n"


class Thing:
    """Something to refer to weakly."""

    def __init__(self, value: int) -> None:
        self.value = value

    def add(self, n: int) -> int:
        total = 0
        for i in range(n):
            total += i + self.value
        return total


def make(k: int) -> Callable[[int], int]:
    scope: dict[str, Any] = {}
    exec(SOURCE.format(k=k), scope)
    function: Callable[[int], int] = scope["f"]
    return function


def adder(thing: Thing) -> Callable[[int], int]:
    def add(n: int) -> int:
        total = 0
        for i in range(n):
            total += i + thing.value
        return total

    return add


def reads(thing: Thing, n: int) -> int:
    total = 0
    for _ in range(n):
        total += thing.value
    return total


@fresh_process(seconds=60)
def test_no_thread_of_ours_is_listed() -> None:
    """While compiling and after: threading knows only the program's own threads."""
    switch_on()
    for k in range(10):
        function = make(k)
        ftjit.jit(function)
        for _ in range(30):
            function(100)
            assert threading.enumerate() == [threading.main_thread()]
            assert threading.active_count() == 1
    wait_until(lambda: ftjit.stats().executors_installed >= 10, 10, "compiled")
    assert threading.enumerate() == [threading.main_thread()]


@fresh_process(seconds=60, environment={"PYTHONWARNINGS": "error"})
def test_many_forks_while_compiling_without_a_warning() -> None:
    """CPython counts the threads of the process right after fork, and warns when it finds more than one."""
    assert sys.warnoptions == ["error"]
    switch_on()
    for number in range(80):
        function = make(number)
        ftjit.jit(function)
        for _ in range(20):
            function(50)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            child = os.fork()
        if child == 0:
            os._exit(0 if function(10) == 45 * number else 1)
        assert os.waitpid(child, 0)[1] == 0, number
    assert ftjit.stats().executors_installed > 0


def assert_dies(reference: weakref.ref[Any], what: str, at_once: bool) -> None:
    """`at_once`: as in the interpreter, without a collection."""
    if at_once:
        assert reference() is None, f"{what} is alive: {[type(r) for r in gc.get_referrers(reference())]}"
        return
    gc.collect()
    wait_until(lambda: (gc.collect(), reference() is None)[1], 3, f"{what} is gone")


@fresh_process(seconds=60)
def test_instances_die_at_once() -> None:
    """What machine code has worked on, and what it was compiled for, dies with its last reference."""
    switch_on()
    gc.disable()
    first = Thing(3)
    heat(reads, first, 200)
    heat(Thing.add, first, 200)
    wait_idle()  # a snapshot holds what it saw until it is compiled
    reference = weakref.ref(first)
    with entered():
        assert reads(first, 100) == 300
    wait_idle()  # that call may have been the one at which the function's start was compiled too
    del first
    assert_dies(reference, "the instance that it was compiled for", at_once=True)
    for k in range(20):
        thing = Thing(k)
        reference = weakref.ref(thing)
        with entered(2):
            assert reads(thing, 50) == 50 * k
            assert thing.add(50) == 1225 + 50 * k
        wait_idle()  # it may have been compiled anew, for this one
        del thing
        assert_dies(reference, "an instance", at_once=True)


@fresh_process(seconds=60)
def test_a_thread_that_waits_keeps_nothing_of_its_snapshots() -> None:
    """The compiler lets go of what a thread handed to it, whether that thread runs or waits for a lock."""
    switch_on()
    lock, references, waiting = threading.Lock(), list[weakref.ref[Thing]](), threading.Event()
    lock.acquire()

    def observe() -> None:
        for k in range(8):
            scope: dict[str, Any] = {}
            exec(SOURCE.format(k=f"x.value + {k}").replace("f(n)", "f(x, n)"), scope)
            function = scope["f"]
            ftjit.jit(function)
            thing = Thing(k)
            references.append(weakref.ref(thing))
            before = ftjit.stats().snapshots
            while ftjit.stats().snapshots == before:
                function(thing, 40)
            del thing, function
            scope.clear()
        waiting.set()
        with lock:
            pass

    ftjit.never(observe)
    thread = threading.Thread(target=observe, daemon=True)
    thread.start()
    assert waiting.wait(20)
    wait_idle()
    wait_until(lambda: all(reference() is None for reference in references), 5, "what it handed over is gone")
    lock.release()
    thread.join()


class Mortal(Thing):
    """Its end is something that the program does, in the thread that drops it."""

    def __del__(self) -> None:
        pass


KEPT_IN = {
    "item": ("thing[0].value", lambda thing: [thing]),
    "attribute": ("thing.value.value", Thing),
    "value": ("thing + kept.value", lambda thing: 1),
}


@fresh_process(seconds=60, cases=list(KEPT_IN))
def test_what_has_a_finaliser_is_not_given_to_the_compiler(case: str) -> None:
    """It looks one load further than the snapshot: at what lists, instances and modules hold."""
    expression, keep = KEPT_IN[case]
    source = (
        f"def f(thing, n):\n    total = 0\n    for i in range(n):\n        total += {expression}\n    return total\n"
    )
    switch_on()
    runtime, seen = existing(), []
    assert runtime is not None
    peek = runtime.core.layout.peek

    def look(*arguments: Any) -> Any:
        seen.append(getattr(peek, case)(*arguments))
        return seen[-1]

    runtime.core.layout = replace(runtime.core.layout, peek=replace(peek, **{case: look}))
    for kind in (Mortal, Thing):
        scope: dict[str, Any] = {"kept": kind(7)}
        exec(source, scope)
        heat(scope["f"], keep(kind(7)), 100)
        assert (kind in [type(answer) for answer in seen]) == (kind is Thing), seen
        assert seen


@fresh_process(seconds=60)
def test_closures_and_what_they_hold() -> None:
    switch_on()
    thing = Thing(2)
    first = adder(thing)
    heat(first, 200)
    wait_idle()
    references = [weakref.ref(thing), weakref.ref(first)]
    with entered():
        assert first(100) == 4950 + 200
    del first, thing
    for reference in references:
        assert_dies(reference, "the closure that was compiled", at_once=False)
    for k in range(10):
        thing = Thing(k)
        closure = adder(thing)
        assert closure(100) == 4950 + 100 * k
        references = [weakref.ref(thing), weakref.ref(closure)]
        del closure, thing
        for reference in references:
            assert_dies(reference, "another closure of that code", at_once=False)


@fresh_process(seconds=60)
def test_functions_code_and_globals() -> None:
    """Dropped while ftjit is on, and after it was switched off: the module's own objects go too."""
    switch_on()
    for off in (False, True):
        for k in range(4):
            scope: dict[str, Any] = {"thing": Thing(k), "Thing": Thing}
            exec(
                "def g(n):\n    total = 0\n    for i in range(n):\n        total += thing.value\n    return total",
                scope,
            )
            heat(scope["g"], 200)
            wait_idle()
            references = [weakref.ref(scope["g"]), weakref.ref(scope["g"].__code__), weakref.ref(scope["thing"])]
            assert scope["g"](10) == 10 * k
            if off:
                ftjit.disable()
            scope.clear()
            for reference, what in zip(references, ("function", "code", "global"), strict=True):
                assert_dies(reference, f"the {what}", at_once=False)
            if off:
                ftjit.enable()


@fresh_process(seconds=60)
def test_functions_that_would_inline_each_other() -> None:
    """Each in the other's machine code, they would keep each other alive: one of the calls stays a call."""
    for _ in range(3):
        scope: dict[str, Any] = {}
        exec(
            "def a(x, y):\n    if y is None: return b(x, 1)\n    return x + y\n"
            "def b(x, y):\n    if y is None: return a(x, 2)\n    return x * y\n",
            scope,
        )
        for name in "ab":
            heat(scope[name], 3, None)
            with entered():
                assert (scope["a"](3, None), scope["b"](3, None)) == (3, 5)
        wait_idle()
        explained = str(ftjit.explain(scope["a"])) + str(ftjit.explain(scope["b"]))
        assert explained.count("would inline each other") == 1, explained
        references = [weakref.ref(scope[name].__code__) for name in "ab"]
        scope.clear()
        for reference in references:
            assert_dies(reference, "the code", at_once=False)


def short_threads(count: int) -> None:
    """Records are used again, memory stays flat."""

    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize() >> 10

    switch_on()
    function = make(3)
    heat(function, 200)
    expected = function(30)
    wrong: list[int] = []

    def short() -> None:
        if function(30) != expected:
            wrong.append(1)

    def batch(count: int) -> None:
        for _ in range(count // 10):
            for handle in [_thread.start_joinable_thread(short) for _ in range(10)]:
                handle.join()

    batch(count // 10)
    before = resident()
    with entered(count * 9 // 10):
        batch(count * 9 // 10)
    assert not wrong
    assert resident() - before < 8 << 10, f"{resident() - before} KiB more after {count} threads"


@fresh_process(seconds=60, marks=["threads"])
def test_a_thousand_short_threads() -> None:
    short_threads(1000)


@fresh_process(seconds=300, marks=["threads", "full"])
def test_ten_thousand_short_threads() -> None:
    short_threads(10_000)


@fresh_process(seconds=60)
def test_beside_a_subinterpreter() -> None:
    """Another interpreter runs hot code of its own, in threads, while ours is compiled: no harm to either."""
    from concurrent import interpreters

    switch_on()
    function = make(5)
    heat(function, 200)
    expected = function(300)
    other = interpreters.create()
    source = SOURCE.format(k=2) + (
        "import time\nend = time.monotonic() + 1\nwhile time.monotonic() < end:\n    assert f(300) == 89700\n"
    )
    failures: list[BaseException] = []

    def run() -> None:
        try:
            other.exec(source)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    count = 0
    with entered(50):
        while thread.is_alive():
            assert function(300) == expected
            count += 1
    thread.join()
    other.close()
    assert not failures, failures
    ftjit.disable()
    assert ftjit.drain(3)


@fresh_process(seconds=60)
def test_greenlets_leave_out_of_order() -> None:
    """Several stays in machine code on one thread's changing C stack, left in the order in which they were entered."""
    import greenlet

    assert not sys._is_gil_enabled(), "this greenlet switches the GIL on"
    sizes = (200, 300, 400, 500, 100)

    def count(n: int, out: list[int], pause: Callable[[int], Any]) -> int:
        total = 0
        for i in range(n):
            out[i & 7] = i
            total += i & 7
            if i % 50 == 49:
                pause(i)
        return total

    def run() -> None:
        here = greenlet.getcurrent()
        alive = [
            (n, greenlet.greenlet(lambda n=n: count(n, [0] * 8, here.switch)))  # type: ignore[misc]
            for n in sizes
        ]
        while alive:
            for pair in list(alive):
                n, one = pair
                result = one.switch()
                if one.dead:
                    assert result == sum(i & 7 for i in range(n)), (n, result)
                    alive.remove(pair)

    switch_on()
    ftjit.jit(count)
    wait_until(lambda: (run(), ftjit.is_compiled(count))[1], 10, "compiled")
    deadline = time.monotonic() + 1
    with entered(20):
        while time.monotonic() < deadline:
            in_threads(lambda _: run(), 2)
    assert ftjit.stats().activations == 0
    ftjit.disable()
    assert ftjit.drain(3), ftjit.stats()


if not IN_CHILD:
    import pytest

    missing = importlib.util.find_spec("greenlet") is None
    test_greenlets_leave_out_of_order = pytest.mark.skipif(missing, reason="greenlet is not installed")(
        test_greenlets_leave_out_of_order
    )
