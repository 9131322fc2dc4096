"""What the compiler has to know of the interpreter it runs in; one page a version where they differ (3.14t so far)."""

from __future__ import annotations

import dis
from collections.abc import Callable, Mapping
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
    type_version: Callable[[type], int]
    is_immortal: Callable[[object], bool]
    peek: Peek
    seen_bytecode: Callable[[CodeType], bytes | None]
    valid: int = 0

    def exception_table(self, code: CodeType) -> ExceptionTable:
        table = dis._parse_exception_table(code)  # type: ignore[attr-defined]
        return ExceptionTable(tuple((entry.start, entry.end) for entry in table))

    def method(self, cls: type, version: int, name: str) -> object:
        """What the class has under the name, found without running anything of its own; None unless its version is, and
        stays, this one."""
        found = None
        if self.type_version(cls) == version:
            found = next((members[name] for members in map(_members, _bases(cls)) if name in members), None)
        return found if self.type_version(cls) == version else None


# A metaclass may have its own idea of `cls.__mro__` and `cls.__dict__`.
_bases: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_members: Callable[[type], Mapping[str, Any]] = type.__dict__["__dict__"].__get__
