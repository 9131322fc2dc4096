"""What the frontend knows of each local and stack entry while it walks the bytecode.

`sample` is the object that was really there in the snapshot, or one reached from it by loads without effect: it guides
guesses and is never trusted. `type` is a fact: the exact builtin type of the object, which nothing can change.
`key()` is what two states must agree on to share a block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, Final

from ftjit.ir import Const, Value
from ftjit.ir.nodes import Operand
from ftjit.profile.missing import MISSING

_EXACT: Final[dict[int, type]] = {
    id(kind): kind
    for kind in (
        int, float, bool, str, bytes, list, tuple, dict, set, range, slice, NoneType,
        type(iter([])), type(iter(range(0))),
    )
}  # fmt: skip


def exact_type(sample: object) -> type:
    """The sample's type if it is a builtin one that matters here, else `object`: what a metaclass says to == and hash
    is never asked."""
    return _EXACT.get(id(type(sample)), object)


def number_kind(sample: object) -> str | None:
    """The unboxed kind that fits the sample: an int only if it fits 64 bits."""
    if type(sample) is int:
        return "int" if -(2**63) <= sample < 2**63 else None
    kinds: dict[type, str] = {float: "float", bool: "bool"}
    return kinds.get(exact_type(sample))


class Entry:
    """A local or a stack entry."""

    __slots__ = ()

    def key(self) -> Any:
        return type(self).__name__

    def operands(self) -> Iterator[Operand]:
        return iter(())

    def rebuild(self, fresh: Callable[[Operand], Operand]) -> Entry:
        return self


@dataclass(frozen=True, slots=True)
class Number(Entry):
    """Unboxed. kind: "int", "float" or "bool" (0 or 1 in an int register)."""

    kind: str
    value: Operand

    def key(self) -> Any:
        return self.kind

    def operands(self) -> Iterator[Operand]:
        yield self.value

    def rebuild(self, fresh: Callable[[Operand], Operand]) -> Entry:
        return Number(self.kind, fresh(self.value))


@dataclass(frozen=True, slots=True)
class Boxed(Entry):
    """A local whose value is in its home. `bound` False: it may have none. `clean`: the home holds a number, None or
    nothing, so that an unboxed number may be kept in front of it (rule 11 of the memory model)."""

    type: type | None = None
    sample: Any = field(default=MISSING, compare=False)
    bound: bool = True
    clean: bool = False

    def key(self) -> Any:
        return ("boxed", self.type, self.bound, self.clean)


@dataclass(frozen=True, slots=True)
class Maybe(Entry):
    """A local that nobody reads before it is assigned, at a loop header: what it holds only shows when the frame is
    looked at. `tag` says at run time what: 0 the home, 1 the int `value`, 2 the float `number`, 3 the bool `value`."""

    value: Operand
    number: Operand
    tag: Operand
    clean: bool

    def key(self) -> Any:
        return ("maybe", self.clean)

    def operands(self) -> Iterator[Operand]:
        yield self.value
        yield self.number
        yield self.tag

    def rebuild(self, fresh: Callable[[Operand], Operand]) -> Entry:
        return Maybe(fresh(self.value), fresh(self.number), fresh(self.tag), self.clean)


@dataclass(frozen=True, slots=True)
class Local(Entry):
    """A stack entry borrowed from a boxed local of the frame."""

    slot: int
    type: type | None = None
    sample: Any = field(default=MISSING, compare=False)

    def key(self) -> Any:
        return ("local", self.slot, self.type)


@dataclass(frozen=True, slots=True)
class Pointer(Entry):
    """A borrowed pointer in a register, alive up to the next safepoint; if `held`, up to the next call out. `callee` is
    the object it is known to be."""

    value: Operand
    type: type | None = None
    sample: Any = field(default=MISSING, compare=False)
    callee: Any = None
    held: bool = False

    def key(self) -> Any:
        return ("pointer", self.type, id(self.callee), self.held)

    def operands(self) -> Iterator[Operand]:
        yield self.value

    def rebuild(self, fresh: Callable[[Operand], Operand]) -> Entry:
        return Pointer(fresh(self.value), self.type, self.sample, self.callee, self.held)


@dataclass(frozen=True, slots=True)
class Home(Entry):
    """A stack entry that is where the interpreter has it, with a count of its own. `own`: an iterator nobody else
    refers to. `bound` False: what a local held that may have held nothing, put aside by a comprehension."""

    type: type | None = None
    sample: Any = field(default=MISSING, compare=False)
    own: bool = False
    bound: bool = True

    def key(self) -> Any:
        return ("home", self.type, self.own, self.bound)


@dataclass(frozen=True, slots=True)
class Constant(Entry):
    """An object that the code object owns, or an immortal one."""

    object: Any

    def key(self) -> Any:
        return ("constant", id(self.object))


@dataclass(frozen=True, slots=True)
class Null(Entry):
    """The empty stack entry that calls have."""


@dataclass(frozen=True, slots=True)
class RangeIterator(Entry):
    """A range iterator that exists only as numbers: next value, stop, and a step known when compiling."""

    current: Operand
    stop: Operand
    step: int

    def key(self) -> Any:
        return ("range", self.step)

    def operands(self) -> Iterator[Operand]:
        yield self.current
        yield self.stop

    def rebuild(self, fresh: Callable[[Operand], Operand]) -> Entry:
        return RangeIterator(fresh(self.current), fresh(self.stop), self.step)


@dataclass(frozen=True, slots=True)
class Condition(Entry):
    """A comparison whose jump follows at once. kind: "int", "float", or "same" (a pointer; a pointer or address)."""

    kind: str
    operator: str
    left: Operand
    right: Operand


TAG_OF: Final[dict[str, int]] = {"int": 1, "float": 2, "bool": 3}


def maybe(entry: Entry | None, synced: bool) -> Maybe | None:
    """A dead local in the form that all of them have at a loop header."""
    match entry:
        case Maybe():
            return entry
        case Boxed():
            return Maybe(Const(0), Const(0.0), Const(0), entry.clean)
        case Number(kind, value):
            if synced:
                return Maybe(Const(0), Const(0.0), Const(0), True)
            if kind == "float":
                return Maybe(Const(0), value, Const(TAG_OF[kind]), True)
            return Maybe(value, Const(0.0), Const(TAG_OF[kind]), True)
    return None


INT_LIMIT: Final = 2**63


def number_constant(value: object) -> Number | None:
    """A constant as an unboxed number, if it is one."""
    if type(value) is bool:
        return Number("bool", Const(int(value)))
    if type(value) is int and -INT_LIMIT <= value < INT_LIMIT:
        return Number("int", Const(value))
    if type(value) is float:
        return Number("float", Const(value))
    return None


__all__ = [
    "MISSING", "Boxed", "Condition", "Constant", "Entry", "Home", "Local", "Maybe", "Null", "Number", "Pointer",
    "RangeIterator", "Value", "exact_type", "number_constant", "number_kind",
]  # fmt: skip
