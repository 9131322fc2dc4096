"""Programs that fail in every way a hot loop can, for test_tracebacks.py: PROGRAMS names them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal


class Failing:
    """Behaves until its limit, then raises."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def __getitem__(self, index: int) -> int:
        if index >= self.limit:
            raise LookupError(index)
        return index

    def __add__(self, other: Any) -> int:
        return self[other]

    def __repr__(self) -> str:
        return f"Failing({self.limit})"

    def __bool__(self) -> bool:
        raise TypeError("neither true nor false")


def subscript_out_of_range(items: list[float], limit: int) -> float:
    total = 0.0
    for index in range(limit):
        total += items[index]
    return total


def division(limit: int) -> float:
    total = 0.0
    for number in range(limit):
        total += 1.0 / (limit - 7 - number)
    return total


def integer_division(limit: int) -> int:
    total = 0
    for number in range(limit):
        total += 100 // (limit - 7 - number)
        total %= 1000
    return total


def call_out(sequence: Any, limit: int) -> int:
    total = 0
    for index in range(limit):
        total += sequence[index]
    return total


def calls_python(limit: int) -> int:
    def check(number: int) -> int:
        if number > 90:
            raise ValueError(
                number,
            )
        return number

    total = 0
    for number in range(limit):
        total += check(
            number,
        )
    return total


def attribute_missing(objects: list[Any]) -> int:
    total = 0
    for thing in objects:
        total += thing.limit
    return total


def unbound(limit: int) -> int:
    total = 0
    for number in range(limit):
        if number == 80:
            del total
        total += number
    return total


def name_missing(limit: int) -> int:
    total = 0
    for number in range(limit):
        if number == 80:
            total += no_such_name  # type: ignore[name-defined]  # noqa: F821
        total += number
    return total


def type_changes(items: list[Any]) -> Any:
    total = 0
    for item in items:
        total = total + item * 2
    return total


def unpacking(pairs: list[Any]) -> int:
    total = 0
    for first, second in pairs:
        total += first * second
    return total


def handler_outside(items: list[int], limit: int) -> Any:
    total = 0
    try:
        for index in range(limit):
            total += items[index]
    except IndexError as error:
        return ("caught", total, index, lines(error), str(error))
    return total


def handler_inside(items: list[int], limit: int) -> Any:
    total = caught = 0
    seen = []
    for index in range(limit):
        try:
            total += items[index * 3]
        except IndexError as error:
            caught += 1
            seen.append(lines(error))
    return total, caught, seen[:3]


def handler_in_the_outer_loop(table: list[Any], limit: int) -> Any:
    total = 0
    trouble = []
    for row in range(limit):
        try:
            for column in range(row, limit):
                total += table[row][column]
        except (IndexError, TypeError) as error:
            trouble.append((row, column, type(error).__name__, lines(error)))
    return total, trouble


def finally_runs(items: list[int], limit: int, log: list[Any]) -> int:
    total = 0
    try:
        for index in range(limit):
            try:
                total += items[index]
            finally:
                log.append((index, total))
                del log[:-3]
    finally:
        log.append(("end", total))
    return total


def reraise(items: list[int], limit: int) -> int:
    total = 0
    for index in range(limit):
        try:
            total += items[index]
        except IndexError as error:
            raise RuntimeError(f"at {index}") from error
    return total


def bare_raise(limit: int) -> int:
    total = 0
    for number in range(limit):
        if number == 77:
            raise KeyError(number, total)
        total += number
    return total


def nested_loops(table: list[list[float]], size: int) -> float:
    total = 0.0
    for row in range(size):
        for column in range(size):
            for _ in range(3):
                total += table[row][column]
    return total


def while_loop(items: list[int]) -> int:
    total = index = 0
    while True:
        total += items[index]
        index += 1


def context_manager(items: list[int], limit: int, log: list[Any]) -> int:
    class Watch:
        def __enter__(self) -> int:
            return 1

        def __exit__(self, kind: Any, error: Any, traceback: Any) -> Literal[False]:
            log.append((kind.__name__, lines(error)) if kind else "clean")
            del log[:-3]
            return False

    total = 0
    for index in range(limit):
        with Watch() as one:
            total += items[index] + one
    return total


def comparison(items: list[Any]) -> int:
    count = 0
    for item in items:
        if item < 5:
            count += 1
    return count


def truth(items: list[Any]) -> int:
    count = 0
    for item in items:
        if item:
            count += 1
    return count


def assertion(limit: int) -> int:
    total = 0
    for number in range(limit):
        assert number < 95, f"{number} of {limit}"
        total += number
    return total


def overflow_to_float(limit: int) -> float:
    number, total = 1, 0.0
    for _ in range(limit):
        number *= 1000
        total += float(number)
    return total


def deep(depth: int, limit: int) -> int:
    total = 0
    for number in range(limit):
        total += number // (depth - 1) if depth < 3 else number
    return deep(depth - 1, limit) + total


def recursion(limit: int) -> int:
    total = 0
    for number in range(3):
        total += number
    return recursion(limit - 1) + total if limit else total


def string_index(text: str, limit: int) -> int:
    total = 0
    for index in range(limit):
        total += ord(text[index])
    return total


def dictionary(table: dict[int, int], limit: int) -> int:
    total = 0
    for key in range(limit):
        total += table[key]
    return total


def store_out_of_range(items: list[float], limit: int) -> list[float]:
    for index in range(limit):
        items[index] = index * 0.5
    return items


def slotted_store(thing: Any, limit: int) -> int:
    for number in range(limit):
        thing.value = number
        if number == 90:
            thing.other = number
    return thing.value


class OneSlot:
    __slots__ = ("value",)


def lines(error: BaseException) -> list[tuple[str, int | None]]:
    """(function, line) of each traceback entry."""
    found: list[tuple[str, int | None]] = []
    entry = error.__traceback__
    while entry is not None:
        found.append((entry.tb_frame.f_code.co_name, entry.tb_lineno))
        entry = entry.tb_next
    return found


# What to call, with which arguments to heat it (they must not fail at once), and with which to compare.
type Arguments = Callable[[], tuple[Any, ...]]
PROGRAMS: dict[str, tuple[Callable[..., Any], Arguments, Arguments]] = {
    "subscript": (subscript_out_of_range, lambda: ([1.0] * 100, 100), lambda: ([1.0] * 100, 200)),
    "division": (division, lambda: (-300,), lambda: (300,)),
    "integer_division": (integer_division, lambda: (-300,), lambda: (300,)),
    "call_out": (call_out, lambda: (Failing(1000), 100), lambda: (Failing(60), 100)),
    "calls_python": (calls_python, lambda: (80,), lambda: (200,)),
    "attribute_missing": (
        attribute_missing,
        lambda: ([Failing(1)] * 99,),
        lambda: ([Failing(1)] * 99 + [7],),
    ),
    "unbound": (unbound, lambda: (70,), lambda: (200,)),
    "name_missing": (name_missing, lambda: (70,), lambda: (200,)),
    "type_changes": (type_changes, lambda: ([1] * 99,), lambda: ([1] * 60 + [1.5] * 60 + ["x"],)),
    "unpacking": (unpacking, lambda: ([(1, 2)] * 99,), lambda: ([(1, 2)] * 99 + [(1, 2, 3)],)),
    "unpacking_few": (unpacking, lambda: ([(1, 2)] * 99,), lambda: ([(1, 2)] * 99 + [(1,)],)),
    "unpacking_number": (unpacking, lambda: ([(1, 2)] * 99,), lambda: ([(1, 2)] * 99 + [5],)),
    "handler_outside": (handler_outside, lambda: ([1] * 100, 100), lambda: ([1] * 100, 200)),
    "handler_inside": (handler_inside, lambda: ([1] * 600, 200), lambda: ([1] * 300, 200)),
    "handler_in_the_outer_loop": (
        handler_in_the_outer_loop,
        lambda: ([[1] * 30] * 30, 30),
        lambda: ([[1] * 30] * 10 + [None] + [[1] * 20] * 10, 30),
    ),
    "finally_runs": (finally_runs, lambda: ([1] * 100, 100, []), lambda: ([1] * 100, 200, [])),
    "reraise": (reraise, lambda: ([1] * 100, 100), lambda: ([1] * 100, 200)),
    "bare_raise": (bare_raise, lambda: (70,), lambda: (200,)),
    "nested_loops": (nested_loops, lambda: ([[1.0] * 20] * 20, 20), lambda: ([[1.0] * 20] * 10, 20)),
    "while_loop": (while_loop, lambda: ([1] * 100,), lambda: ([1] * 333,)),
    "context_manager": (context_manager, lambda: ([1] * 100, 100, []), lambda: ([1] * 100, 200, [])),
    "comparison": (comparison, lambda: ([1] * 100,), lambda: ([1] * 100 + ["x"],)),
    "truth": (truth, lambda: ([1, 0] * 50,), lambda: ([1, 0] * 50 + [Failing(1)],)),
    "assertion": (assertion, lambda: (90,), lambda: (200,)),
    "overflow_to_float": (overflow_to_float, lambda: (50,), lambda: (200,)),
    "deep": (deep, lambda: (9, 60), lambda: (9, 90)),
    "recursion": (recursion, lambda: (50,), lambda: (100_000,)),
    "string_index": (string_index, lambda: ("x" * 99, 99), lambda: ("x" * 99, 200)),
    "dictionary": (
        dictionary,
        lambda: (dict.fromkeys(range(99), 1), 99),
        lambda: (dict.fromkeys(range(99), 1), 200),
    ),
    "store_out_of_range": (store_out_of_range, lambda: ([0.0] * 99, 99), lambda: ([0.0] * 99, 200)),
    "slotted_store": (slotted_store, lambda: (OneSlot(), 80), lambda: (OneSlot(), 200)),
}
