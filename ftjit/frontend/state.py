"""The state of the machine at one point of the bytecode: the frame, and inlined callees above it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ftjit.frontend.bytecode import Bytecode
from ftjit.frontend.values import Entry, Number
from ftjit.ir import Const, Value
from ftjit.ir.nodes import Operand


@dataclass
class Frame:
    """One Python frame. Only the outermost has homes; `synced` are its locals whose home holds the current value.
    An inlined frame exists only where an exit makes it, for the function object that `function` points to; the frame
    below it is at its CALL, the callable and the arguments taken off its stack; or, if some of them are counted there
    for as long as the call lasts, not yet: then `kept` entries are to go when it returns."""

    bytecode: Bytecode
    offset: int
    locals: list[Entry | None]
    stack: list[Entry]
    synced: set[int] = field(default_factory=set)
    function: Operand | None = None
    kept: int = 0

    def copy(self) -> Frame:
        return Frame(
            self.bytecode,
            self.offset,
            list(self.locals),
            list(self.stack),
            set(self.synced),
            self.function,
            self.kept,
        )

    def entries(self) -> Iterator[Entry]:
        for entry in self.locals:
            if entry is not None:
                yield entry
        yield from self.stack

    def key(self) -> Any:
        return (
            id(self.bytecode),
            self.offset,
            tuple(entry and (entry.key(), slot in self.synced) for slot, entry in enumerate(self.locals)),
            tuple(entry.key() for entry in self.stack),
            self.function if isinstance(self.function, Const) else None,
            self.kept,
        )

    def rebuild(self, anew: Callable[[Entry], Entry]) -> Frame:
        copy = self.copy()
        copy.locals = [entry and anew(entry) for entry in self.locals]
        copy.stack = [anew(entry) for entry in self.stack]
        return copy


@dataclass
class State:
    """Frames, outermost first. `unfenced`: a store under a kept lock may still wait in the store buffer; the next
    shared load has to come after it (rules 1 and 2 of the memory model). 1, or 2 + the local that named the list."""

    frames: list[Frame]
    unfenced: int = 0

    @property
    def top(self) -> Frame:
        return self.frames[-1]

    @property
    def outer(self) -> Frame:
        return self.frames[0]

    def copy(self) -> State:
        return State([frame.copy() for frame in self.frames], self.unfenced)

    def _all_operands(self) -> Iterator[tuple[Operand, bool]]:
        """Every operand, in a fixed order; and whether it is a number that a name or the stack holds, which has an
        identity."""
        for frame in self.frames:
            for entry in frame.entries():
                is_number = isinstance(entry, Number)
                for operand in entry.operands():
                    yield operand, is_number and isinstance(operand, Value)
            if isinstance(frame.function, Value):
                yield frame.function, False

    def key(self) -> Any:
        """What two states must agree on to share a block: also which names hold one and the same number, so that what
        is one object stays one, and each operand that an edge passes (-1: one without a name) has its parameter."""
        seen: dict[Operand, int] = {}
        aliases = tuple(seen.setdefault(operand, len(seen)) if named else -1 for operand, named in self._all_operands())
        return (
            tuple(frame.key() for frame in self.frames),
            aliases,
            self.unfenced,
        )

    def operands(self) -> list[Operand]:
        """What an edge passes: a number with several names once, anything else as often as it occurs."""
        found: list[Operand] = []
        seen: set[Operand] = set()
        for operand, named in self._all_operands():
            if not named or operand not in seen:
                found.append(operand)
            if named:
                seen.add(operand)
        return found

    def rebuild(self, fresh: Callable[[Operand], Operand]) -> State:
        """The same state with every operand made anew, one number staying one."""
        new: dict[Operand, Operand] = {}

        def of_entry(entry: Entry) -> Entry:
            if not isinstance(entry, Number) or not isinstance(entry.value, Value):
                return entry.rebuild(fresh)
            if entry.value not in new:
                new[entry.value] = fresh(entry.value)
            return Number(entry.kind, new[entry.value])

        frames = []
        for frame in self.frames:
            copy = frame.rebuild(of_entry)
            if isinstance(frame.function, Value):
                copy.function = fresh(frame.function)
            frames.append(copy)
        return State(frames, self.unfenced)
