"""What would be slower as machine code is left to the interpreter, and pays nothing for having been looked at."""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from fresh_process import fresh_process
from machine import entered, switch_on, wait_until

import ftjit
from ftjit.runtime.tier import TOOL

WORDS = [f"w{number}" for number in range(1000)]


def count_words(turns: int) -> int:
    counts: dict[str, int] = {}
    for number in range(turns):
        word = WORDS[number % 1000]
        counts[word] = counts.get(word, 0) + 1
    return len(counts)


def letters(text: str) -> int:
    found = 0
    for letter in text:
        if letter.isalpha() or letter == "_":
            found += 1
    return found


def grow(turns: int) -> str:
    text = ""
    for number in range(turns):
        text += chr(97 + number % 26)
    return text


def sums(turns: int) -> int:
    total = 0
    for number in range(turns):
        total += number * 3 - (number & 7)
    return total


def events(function: Callable[..., Any]) -> int:
    return sys.monitoring.get_local_events(TOOL, function.__code__)


CASES: dict[str, tuple[Callable[..., Any], Any]] = {
    "count_words": (count_words, 5000), "letters": (letters, "a_b " * 1000), "grow": (grow, 5000),
}  # fmt: skip


@fresh_process(cases=list(CASES))
def test_calls_of_c_functions_are_left_to_the_interpreter(case: str) -> None:
    function, argument = CASES[case]
    expected = function(argument)
    switch_on()
    wait_until(lambda: (function(argument), "cost more than the rest" in str(ftjit.explain(function)))[1], 20)
    wait_until(lambda: (function(argument), events(function) == 0)[1], 20, "its events are off, so nothing is slower")
    assert not ftjit.is_compiled(function)
    assert function(argument) == expected
    assert ftjit.stats().compile_errors == 0
    ftjit.compile(function, argument)  # asked for by name it is compiled all the same
    with entered():
        assert function(argument) == expected


@fresh_process()
def test_what_gains_is_compiled() -> None:
    switch_on()
    wait_until(lambda: (sums(5000), ftjit.is_compiled(sums))[1], 20, f"{ftjit.explain(sums)}")


@fresh_process()
def test_a_loop_that_is_refused_in_a_function_that_runs_once() -> None:
    """Its start may still be wanted one day: only the event of jumps is off."""
    stop = threading.Event()

    def once() -> None:
        while not stop.is_set():
            letters("abc")

    switch_on()
    ftjit.never(letters)
    thread = threading.Thread(target=once, daemon=True)
    thread.start()
    wait_until(lambda: "cost more than the rest" in str(ftjit.explain(once)), 20, "refused")
    wait_until(lambda: not events(once) & sys.monitoring.events.JUMP, 20, "its jumps make no events")
    stop.set()
    thread.join(10)


class Ring:
    def __init__(self) -> None:
        self.before = self.after = self
        self.count = 0

    def put_first(self, link: Ring) -> None:
        first = self.after
        link.before, link.after = self, first
        self.after = first.before = link
        self.count = self.count + 1


def put_all(ring: Ring, links: list[Ring]) -> None:
    for number in range(len(links)):
        ring.put_first(links[number])


@fresh_process()
def test_what_gains_less_than_an_event_is_called_from_machine_code_only() -> None:
    """A few stores: an event at each call would cost more than they gain."""
    ring, links = Ring(), [Ring() for _ in range(1000)]
    switch_on()
    ftjit.never(put_all)
    wait_until(
        lambda: (put_all(ring, links), "called from machine code only" in str(ftjit.explain(Ring.put_first)))[1], 20
    )
    assert ftjit.is_compiled(Ring.put_first)
    wait_until(lambda: events(Ring.put_first) == 0, 20, "its events go off just after it is compiled")
    before = ftjit.stats().entries
    put_all(ring, links)
    assert ftjit.stats().entries == before
    assert ring.after is links[-1]
    ftjit.jit(Ring.put_first)  # asked for by name it is entered all the same
    wait_until(lambda: events(Ring.put_first) != 0)
    with entered(1000):
        put_all(ring, links)


@fresh_process()
def test_what_a_container_holds_stays_its_owners() -> None:
    """The compiler lets go of a dict after its function has: what was in it must not be counted atomically for ever."""

    def owner(value: Any) -> int:
        return ctypes.c_size_t.from_address(id(value)).value  # ob_tid; 0: nobody's any more

    words = ["".join(["own", str(number)]) for number in range(1000)]
    mine = owner(words)
    assert all(owner(word) == mine for word in words)

    def gather(source: list[str]) -> int:
        found: dict[str, int] = {}
        seen: set[str] = set()
        kept: list[str] = []
        for word in source:
            found[word] = 1
            seen.add(word)
            kept.append(word)
        return len(found) + len(seen) + len(kept)

    switch_on()
    deadline = time.monotonic() + 20
    while ftjit.stats().snapshots < 2 and time.monotonic() < deadline:
        assert gather(words) == 3000
    for _ in range(200):
        gather(words)
        time.sleep(0.001)
    assert ftjit.stats().snapshots >= 2
    assert sum(owner(word) != mine for word in words) <= 8


def joined(turns: int) -> int:
    return len("".join(chr(97 + number % 26) for number in range(turns)))


@fresh_process()
def test_a_generators_loop_is_given_up() -> None:
    """Its iterator is another's too, so machine code leaves at once; it is not entered for ever."""
    (inner,) = (each for each in joined.__code__.co_consts if hasattr(each, "co_code"))
    switch_on()
    ftjit.jit(inner)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert joined(5000) == 5000
        before = ftjit.stats().entries
        joined(5000)
        given_up = "not compiled: it leaves for the interpreter" in str(ftjit.explain(inner))
        if given_up and ftjit.stats().entries - before < 100:
            return
    raise AssertionError(f"{ftjit.stats().entries - before} entries at the last call; {ftjit.explain(inner)}")
