"""What the compiler has to know of the interpreter it runs in; one page a version where they differ (3.14t so far)."""

from __future__ import annotations

import dis
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType
from typing import Any


@dataclass(frozen=True, slots=True)
class ExceptionTable:
    """The ranges of bytecode that a handler covers, in bytes."""

    ranges: tuple[tuple[int, int], ...]

    def covers(self, offset: int) -> bool:
        return any(start <= offset < end for start, end in self.ranges)


@dataclass(frozen=True, slots=True)
class Peek:
    """What is held now: `attribute(object, type version, byte offset, otherwise)`, `item(sequence, index, otherwise)`,
    `value(dict, name, otherwise)`. `otherwise` where there is nothing, or something with a finaliser. The number that
    `attribute` gives may be one like it; `number`, with the same arguments, gives a number itself or `otherwise`."""

    attribute: Callable[[object, int, int, object], Any]
    number: Callable[[object, int, int, object], Any]
    item: Callable[[object, int, object], Any]
    value: Callable[[object, str, object], Any]


@dataclass(frozen=True)
class Layout:
    """Offsets, addresses and questions, answered by the runtime. `valid` is the address of the executor's validity
    word; `localsplus`, `tuple_items`, `range_iterator` are byte offsets, `held` is one in the activation, where there
    are `held_places`; `peek` looks into objects without running anything (cdefs/peek.c); `seen_bytecode` is the
    specialised bytecode that some thread had when another function's snapshot was taken."""

    localsplus: int
    tuple_items: int
    held: int
    held_places: int
    range_iterator: dict[str, int]
    extended_arg: int
    symbol: Callable[[str], int]
    builtin_method: Callable[[object], int]
    is_immortal: Callable[[object], bool]
    peek: Peek
    seen_bytecode: Callable[[CodeType], bytes | None]
    valid: int = 0

    def exception_table(self, code: CodeType) -> ExceptionTable:
        table = dis._parse_exception_table(code)  # type: ignore[attr-defined]
        return ExceptionTable(tuple((entry.start, entry.end) for entry in table))

    @staticmethod
    def method(cls: type, name: str) -> object:
        """What the class has under the name, found without running a descriptor."""
        for base in cls.__mro__:
            if name in base.__dict__:
                return base.__dict__[name]
        return None
