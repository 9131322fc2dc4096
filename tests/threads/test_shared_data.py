"""Threads run the same code objects at once, on data of their own and on shared data; results are the
interpreter's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from fresh_process import fresh_process
from machine import entered, heat, in_threads, switch_on, wait_until

import ftjit

THREADS = 4


class Point:
    def __init__(self, x: float, y: float) -> None:
        self.x = x
        self.y = y

    def shifted(self, by: float) -> float:
        return self.x + by


class Slotted:
    __slots__ = ("x", "y")

    def __init__(self, x: float, y: float) -> None:
        self.x = x
        self.y = y


def integers(n: int, seed: int) -> int:
    state = seed
    for number in range(n):
        state = (state * 1103515245 + 12345 + number) & 0x7FFFFFFF
        if state % 3 == 0:
            state ^= 0x5555
    return state


def floats(n: int, seed: int) -> float:
    x = seed + 0.5
    for number in range(n):
        x = x * 0.999 + number / 3.0 - (x - number) * 0.25
    return x


def big_integers(n: int, seed: int) -> int:
    product = seed + 1
    for number in range(1, n):
        product = product * (number % 50 + 1) % (1 << 200)
    return product


def mixed(n: int, seed: int) -> Any:
    value: Any = seed
    for number in range(n):
        value = value + (number if number % 5 else number * 0.5)
        if number % 50 == 49:
            value = int(value)
    return value


def float_lists(n: int, seed: int) -> list[float]:
    items = [float(seed + k) for k in range(16)]
    for number in range(n):
        k = number & 15
        items[k] = items[k] * 0.5 + items[(k + 1) & 15]
    return items


def integer_lists(n: int, seed: int) -> list[int]:
    items = list(range(seed, seed + 16))
    for number in range(n):
        k = number & 15
        items[k] = (items[k] + items[k - 1] * 3) & 0xFFFF
    return items


def attributes(n: int, seed: int) -> tuple[float, float]:
    point = Point(float(seed), 1.0)
    for number in range(n):
        point.x = point.x * 0.5 + point.y
        point.y = point.shifted(0.25) - number * 0.125
    return point.x, point.y


def slots(n: int, seed: int) -> tuple[float, float]:
    point = Slotted(float(seed), 1.0)
    for number in range(n):
        point.x = point.x * 0.5 + point.y
        point.y = point.x - number * 0.125
    return point.x, point.y


def nested(n: int, seed: int) -> float:
    total = 0.0
    for row in range(n // 20):
        for column in range(20):
            total += (row * column + seed) % 7 * 0.5
    return total


def strings(n: int, seed: int) -> str:
    text = ""
    for number in range(n):
        text += chr(97 + (number + seed) % 26)
        if len(text) > 30:
            text = text[::2]
    return text


def dictionaries(n: int, seed: int) -> list[tuple[int, int]]:
    table: dict[int, int] = {}
    for number in range(n):
        key = (number * seed) % 17
        table[key] = table.get(key, 0) + number
    return sorted(table.items())


def exceptions(n: int, seed: int) -> int:
    total = 0
    for number in range(n):
        try:
            total += 100 // ((number + seed) % 10)
        except ZeroDivisionError:
            total -= 1
    return total


def closures(n: int, seed: int) -> int:
    count = seed

    def bump(by: int) -> int:
        nonlocal count
        count += by
        return count

    total = 0
    for number in range(n):
        total += bump(number & 3)
    return total


PRIVATE = [
    integers, floats, big_integers, mixed, float_lists, integer_lists, attributes, slots, nested, strings,
    dictionaries,
    exceptions, closures,
]  # fmt: skip


def exactly(value: Any) -> Any:
    """With types, so that 1 and 1.0 and True differ; -0.0 and NaN by their text."""
    if isinstance(value, list | tuple):
        return [exactly(item) for item in value]
    return type(value), repr(value)


def private(function: Callable[[int, int], Any], rounds: int) -> None:
    expected = [exactly(function(300, seed)) for seed in range(THREADS)]
    cold = exactly(function(7, 1))
    switch_on()
    ftjit.jit(function)
    wait_until(lambda: (function(300, 0), ftjit.is_compiled(function))[1], 10, f"{ftjit.explain(function)}")

    def run(index: int) -> int:
        for turn in range(rounds):
            seed = (index + turn) % THREADS
            assert exactly(function(300, seed)) == expected[seed]
            assert exactly(function(7, 1)) == cold
        return rounds

    with entered(THREADS * rounds):
        assert in_threads(run, THREADS) == [rounds] * THREADS


@fresh_process(cases=[function.__name__ for function in PRIVATE], marks=["threads"])
def test_private_data(case: str) -> None:
    private({function.__name__: function for function in PRIVATE}[case], 100)


@fresh_process(cases=[function.__name__ for function in PRIVATE], marks=["threads", "full"], seconds=120)
def test_private_data_long(case: str) -> None:
    private({function.__name__: function for function in PRIVATE}[case], 10_000)


# ---- shared data: each invariant holds under any interleaving of the interpreter's -------------------------


def add_under_lock(box: Any, lock: Any, n: int) -> None:
    for _ in range(n):
        with lock:
            box.x = box.x + 1.0


def read_sum(items: list[float], n: int) -> float:
    total = 0.0
    for number in range(n):
        total += items[number % 8]
    return total


def own_cells(items: list[int], index: int, n: int) -> None:
    """Each thread counts in its own place of a shared list."""
    for _ in range(n):
        items[index] = items[index] + 1


def own_attribute(box: Any, n: int) -> None:
    for _ in range(n):
        box.x = box.x + 1.0


def swap_values(items: list[float], n: int) -> None:
    """Stores of known values only: whoever reads sees one of them."""
    for number in range(n):
        items[number & 7] = 1.5 if number & 8 else 2.5


def swap_fresh_values(items: list[float], n: int) -> None:
    """The same in boxes made for it, beside others that are in no list and hold other numbers."""
    for number in range(n):
        items[number & 7] = 1.5 + (number >> 3 & 1)
        items[number + 3 & 7] = (number * 0.25 + 7.0) * 0.0 + 2.5


def check_values(items: list[float], n: int) -> int:
    strange = 0
    for number in range(n):
        value = items[number & 7]
        if value != 1.5 and value != 2.5:
            strange += 1
    return strange


def grow_and_shrink(items: list[float], n: int) -> None:
    for number in range(n):
        items.append(1.5)
        if number % 16 == 15:
            del items[8:]


def objects_in_a_list(items: list[Any], n: int) -> None:
    for number in range(n):
        items[number & 7] = Point(number * 0.5, number * 0.5)


def check_objects(items: list[Any], n: int) -> int:
    torn = 0
    for number in range(n):
        point = items[number & 7]
        if point.x != point.y:
            torn += 1
    return torn


def heat_all(*calls: tuple[Callable[..., Any], tuple[Any, ...]]) -> None:
    for function, arguments in calls:
        heat(function, *arguments)


@fresh_process(marks=["threads"])
def test_a_lock_excludes() -> None:
    box, lock = Point(0.0, 0.0), threading.Lock()
    heat_all((add_under_lock, (Point(0.0, 0.0), lock, 200)))
    with entered(THREADS):
        in_threads(lambda _: add_under_lock(box, lock, 3000), THREADS)
    assert box.x == THREADS * 3000


@fresh_process(marks=["threads"])
def test_neighbours_in_a_list() -> None:
    items = [0] * THREADS
    heat_all((own_cells, ([0] * THREADS, 1, 200)))
    with entered(THREADS):
        in_threads(lambda index: own_cells(items, index, 50_000), THREADS)
    assert items == [50_000] * THREADS


@fresh_process(marks=["threads"])
def test_neighbours_in_one_object() -> None:
    """Each thread its own object, all of one class, all reachable from all threads."""
    boxes = [Point(0.0, 7.0) for _ in range(THREADS)]
    heat_all((own_attribute, (Point(0.0, 0.0), 200)))
    with entered(THREADS):
        in_threads(lambda index: own_attribute(boxes[index], 50_000), THREADS)
    assert [(box.x, box.y) for box in boxes] == [(50_000.0, 7.0)] * THREADS


@fresh_process(marks=["threads"])
def test_shared_readers() -> None:
    items = [float(k) for k in range(8)]
    expected = read_sum(items, 10_000)
    heat_all((read_sum, (items, 200)))
    with entered(THREADS * 20):
        results = in_threads(lambda _: [read_sum(items, 10_000) for _ in range(20)], THREADS)
    assert all(result == expected for row in results for result in row)


@fresh_process(cases=["swap_values", "swap_fresh_values"], marks=["threads"])
def test_readers_see_only_what_was_stored(case: str) -> None:
    """Two readers of one list beside two writers; who reads keeps the last number of another thread's counted."""
    swap = {"swap_values": swap_values, "swap_fresh_values": swap_fresh_values}[case]
    items = [1.5] * 8
    heat_all((swap, (items, 200)), (check_values, (items, 200)))
    with entered(THREADS):
        results = in_threads(lambda i: swap(items, 60_000) if i % 2 else check_values(items, 60_000), THREADS)
    assert [r for r in results if r] == []


@fresh_process(marks=["threads"])
def test_readers_of_a_list_that_grows_and_shrinks() -> None:
    items = [1.5] * 8
    heat_all((grow_and_shrink, ([1.5] * 8, 200)), (check_values, (items, 200)))
    with entered(THREADS):
        results = in_threads(
            lambda i: grow_and_shrink(items, 20_000) if i == 0 else check_values(items, 60_000), THREADS
        )
    assert [r for r in results if r] == []
    assert set(items) == {1.5}


def append_numbers(items: list[Any], n: int) -> None:
    for number in range(n):
        items.append(number)
        items.append(number * 0.5)
        items.append(items)
        items.append(None)


def swap_ends(items: list[int], n: int) -> None:
    """Swaps of small ints; what is in the list stays in range under any interleaving."""
    for number in range(n):
        low, high = number & 3, 7 - (number & 3)
        items[low], items[high] = items[high], items[low]


def sum_items(items: list[int], n: int) -> int:
    total = 0
    for _ in range(n):
        for item in items:
            total += item
    return total


@fresh_process(marks=["threads"])
def test_appends_of_all_threads_arrive() -> None:
    items: list[Any] = []
    heat_all((append_numbers, ([], 300)))
    with entered(THREADS):
        in_threads(lambda _: append_numbers(items, 4_000), THREADS)
    assert len(items) == THREADS * 16_000
    assert sum(1 for item in items if item is None) == sum(1 for item in items if item is items) == THREADS * 4_000
    numbers = [item for item in items if item is not None and item is not items]
    assert sorted(numbers) == sorted([*range(4_000), *(k * 0.5 for k in range(4_000))] * THREADS)


@fresh_process(marks=["threads"])
def test_swaps_of_small_ints() -> None:
    items = list(range(8))
    heat_all((swap_ends, (list(range(8)), 301)))
    with entered(THREADS):
        in_threads(lambda _: swap_ends(items, 60_000), THREADS)
    assert len(items) == 8
    assert set(items) <= set(range(8))
    own = [list(range(8)) for _ in range(THREADS)]
    in_threads(lambda i: swap_ends(own[i], 60_001), THREADS)
    swap_ends(expected := list(range(8)), 60_001)
    assert own == [expected] * THREADS


@fresh_process(marks=["threads"])
def test_iteration_over_a_list_that_others_made_and_shrink() -> None:
    """Foreign items are counted, the end of a list that shrinks is its end at that moment, and growth is seen."""
    items = [3] * 64
    heat_all((sum_items, ([3] * 64, 50)))

    def shrink(n: int) -> int:
        for _ in range(n):
            del items[32:]
            items.extend([3] * 32)
        return 0

    with entered(THREADS - 1):
        results = in_threads(lambda i: shrink(20_000) if i == 0 else sum_items(items, 2_000), THREADS)
    assert all(r % 3 == 0 and r <= 2_000 * 64 * 3 for r in results)
    assert all(r >= 2_000 * 32 * 3 for r in results[1:])


@fresh_process(marks=["threads"])
def test_objects_that_others_replace() -> None:
    """Readers borrow objects that a writer drops at the same time: none is read after it is freed, none is torn."""
    items: list[Any] = [Point(0.0, 0.0) for _ in range(8)]
    heat_all((objects_in_a_list, (list(items), 200)), (check_objects, (items, 200)))
    with entered(THREADS):
        results = in_threads(
            lambda i: objects_in_a_list(items, 30_000) if i < 2 else check_objects(items, 60_000), THREADS
        )
    assert [r for r in results if r] == []


@fresh_process(marks=["threads"])
def test_types_that_change_under_the_loop() -> None:
    """Another thread turns the ints of a shared list into floats and back while the loop adds them."""

    def add(items: list[Any], n: int) -> Any:
        total: Any = 0
        for number in range(n):
            total = total + items[number & 7] * 2
        return total

    def change(items: list[Any], n: int) -> None:
        for number in range(n):
            items[number & 7] = 1 if number % 3 else 1.0

    items: list[Any] = [1] * 8
    heat_all((add, (items, 200)), (change, ([1] * 8, 200)))
    with entered(THREADS):
        results = in_threads(lambda i: change(items, 60_000) if i == 0 else add(items, 60_000), THREADS)
    assert [float(r) for r in results[1:]] == [120_000.0] * (THREADS - 1)


@fresh_process(marks=["threads"])
def test_class_attributes_that_change_under_the_loop() -> None:
    """Methods and class attributes are replaced while others call them: every result is the old one's or the
    new one's."""

    class Thing:
        bonus = 1

        def method(self, x: int) -> int:
            return x + 1

    def call(thing: Any, n: int) -> int:
        strange = 0
        for number in range(n):
            result = thing.method(number) - number
            if (result != 1 and result != 2) or not 1 <= thing.bonus <= 2:
                strange += 1
        return strange

    thing = Thing()
    heat_all((call, (thing, 200)))

    def replace() -> None:
        for turn in range(300):
            by = turn % 2 + 1
            Thing.method = lambda self, x, by=by: x + by  # type: ignore[method-assign,misc]
            Thing.bonus = by

    with entered(THREADS - 1):
        results = in_threads(lambda i: replace() if i == 0 else call(thing, 30_000), THREADS)
    assert [r for r in results if r] == []
