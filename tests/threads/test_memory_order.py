"""Litmus tests: shared accesses keep program order among themselves. Outcomes the interpreter never shows: none.

Each reader makes sure that it, and the writer, ran as machine code; the counts are of both tiers in the same process.
"""

from __future__ import annotations

import time
from typing import Any

from fresh_process import fresh_process
from machine import join, start_thread, switch_on, wait_compiled

import ftjit

ROUNDS = 200_000


class Message:
    def __init__(self) -> None:
        self.data = 0
        self.ready = 0
        self.stop = False


class SlottedMessage:
    __slots__ = ("data", "ready", "stop")

    def __init__(self) -> None:
        self.data = 0
        self.ready = 0
        self.stop = False


def write_message(box: Any) -> int:
    number = 0
    while not box.stop:
        number += 1
        box.data = number
        box.ready = number
    return number


def read_message(box: Any, rounds: int) -> int:
    """d, r, d again: the second d must not be older than r."""
    forbidden = 0
    for _ in range(rounds):
        first = box.data
        ready = box.ready
        second = box.data
        if second < ready or second < first:
            forbidden += 1
    return forbidden


def write_list(cells: list[int], box: Any) -> int:
    number = 0
    while not box.stop:
        number += 1
        cells[0] = number
        cells[1] = number
    return number


def read_list(cells: list[int], rounds: int) -> int:
    forbidden = 0
    for _ in range(rounds):
        first = cells[0]
        ready = cells[1]
        second = cells[0]
        if second < ready or second < first:
            forbidden += 1
    return forbidden


DATA = READY = 0


def write_globals(box: Any) -> int:
    global DATA, READY
    number = 0
    while not box.stop:
        number += 1
        DATA = number
        READY = number
    return number


def read_globals(rounds: int) -> int:
    forbidden = 0
    for _ in range(rounds):
        first = DATA
        ready = READY
        second = DATA
        if second < ready or second < first:
            forbidden += 1
    return forbidden


def write_floats(box: Any) -> float:
    number = 0.0
    while not box.stop:
        number = number + 1.0
        box.data = number
        box.ready = number
    return number


def run_pair(writer: Any, writer_arguments: Any, reader: Any, reader_arguments: Any, box: Any, rounds: int) -> int:
    """Forbidden outcomes in `rounds` reads beside a writing thread. Machine code ran if ftjit is on."""
    box.stop = False
    thread = start_thread(writer, *writer_arguments)
    try:
        time.sleep(0.01)
        if ftjit.stats().enabled:
            deadline = time.monotonic() + 8
            stores_globals = writer is write_globals  # may be the interpreter's
            while not (ftjit.is_compiled(reader) and (stores_globals or ftjit.is_compiled(writer))):
                assert time.monotonic() < deadline, f"{ftjit.explain(reader)}\n{ftjit.explain(writer)}"
                reader(*reader_arguments, 1000)
        entries = ftjit.stats().entries
        forbidden = sum(int(reader(*reader_arguments, rounds // 10)) for _ in range(10))
        if ftjit.stats().enabled:
            assert ftjit.stats().entries >= entries + 10
    finally:
        box.stop = True
    join(thread)
    return forbidden


def litmus(case: str, rounds: int) -> None:
    box: Any = SlottedMessage() if case == "slots" else Message()
    cells = [0, 0]
    pairs: dict[str, tuple[Any, Any, Any, Any]] = {
        "list": (write_list, (cells, box), read_list, (cells,)),
        "globals": (write_globals, (box,), read_globals, ()),
        "floats": (write_floats, (box,), read_message, (box,)),
    }
    writer, writer_arguments, reader, reader_arguments = pairs.get(case, (write_message, (box,), read_message, (box,)))
    interpreted = run_pair(writer, writer_arguments, reader, reader_arguments, box, rounds // 10)
    switch_on()
    ftjit.jit(reader)
    ftjit.jit(writer)
    compiled = run_pair(writer, writer_arguments, reader, reader_arguments, box, rounds)
    assert interpreted == 0
    assert compiled == 0, f"{compiled} of {rounds} rounds showed what the interpreter never shows"


CASES = ["attributes", "slots", "list", "globals", "floats"]


@fresh_process(cases=CASES, marks=["threads"])
def test_message_passing(case: str) -> None:
    litmus(case, ROUNDS)


@fresh_process(cases=CASES, marks=["threads", "full"], seconds=120)
def test_message_passing_long(case: str) -> None:
    litmus(case, 50 * ROUNDS)


@fresh_process(marks=["threads"])
def test_coherence_of_one_cell() -> None:
    """One writer counts up a cell: no reader ever sees it go back, by any of the ways to read it."""

    def watch(box: Any, rounds: int) -> int:
        last = back = 0
        for _ in range(rounds):
            now = box.data
            if now < last:
                back += 1
            last = now
            again = box.data
            if again < last:
                back += 1
            last = again
        return back

    box = Message()
    switch_on()
    ftjit.jit(watch)
    ftjit.jit(write_message)
    assert run_pair(write_message, (box,), watch, (box,), box, ROUNDS) == 0


@fresh_process(marks=["threads"])
def test_published_objects_are_whole() -> None:
    """An object published by a store is seen with everything stored before; retired ones are never read."""

    class Node:
        def __init__(self, number: int) -> None:
            self.first = number
            self.second = number

    class Shelf:
        def __init__(self) -> None:
            self.node = Node(0)
            self.stop = False

    def publish(shelf: Any, make: Any) -> int:
        number = 0
        while not shelf.stop:
            number += 1
            shelf.node = make(number)
        return number

    def look(shelf: Any, rounds: int) -> int:
        torn = 0
        for _ in range(rounds):
            node = shelf.node
            if node.first != node.second:
                torn += 1
        return torn

    shelf = Shelf()
    switch_on()
    ftjit.jit(publish)
    ftjit.jit(look)
    assert run_pair(publish, (shelf, Node), look, (shelf,), shelf, ROUNDS) == 0
    wait_compiled(look)


CELLS = 1000


def store_then_load(mine: list[int], other: list[int], seen: list[int], ours: Message, theirs: Message) -> None:
    """Dekker's first half, cell after cell, in step with the other thread."""
    for cell in range(CELLS):
        ours.ready = cell
        while theirs.ready < cell:
            pass
        mine[cell] = 1
        seen[cell] = other[cell]


@fresh_process(marks=["threads"], seconds=60)
def test_store_then_load() -> None:
    """Each of two threads stores to its own list and then reads the other's: not both may miss the other's store.
    (Under a kept lock only a fence sees to it.)"""
    switch_on()
    ftjit.jit(store_then_load)
    both_missed = 0
    deadline = time.monotonic() + 6
    compiled_rounds = 0
    while compiled_rounds < 60 and (time.monotonic() < deadline or compiled_rounds < 4):  # rounds are slow under load
        lists = [[0] * CELLS, [0] * CELLS]
        seen = [[9] * CELLS, [9] * CELLS]
        steps = [Message(), Message()]
        is_compiled, entries = ftjit.is_compiled(store_then_load), ftjit.stats().entries
        threads = [
            start_thread(store_then_load, lists[me], lists[1 - me], seen[me], steps[me], steps[1 - me]) for me in (0, 1)
        ]
        for thread in threads:
            join(thread)
        compiled_rounds += is_compiled and ftjit.stats().entries >= entries + 2
        both_missed += sum(a == b == 0 for a, b in zip(*seen, strict=True))
    assert compiled_rounds > 3
    assert both_missed == 0, f"{both_missed} cells: both threads missed the other's store"
