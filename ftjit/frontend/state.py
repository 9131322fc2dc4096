"""The state of the machine at one point of the bytecode: the frame, and inlined callees above it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ftjit.frontend.bytecode import Bytecode
from ftjit.frontend.values import Entry
from ftjit.ir import Value
from ftjit.ir.nodes import Operand


@dataclass
class Frame:
    """One Python frame. Only the outermost has homes; `synced` are its locals whose home holds the current value.
    An inlined frame's `caller` is the caller's state before the call, where every exit goes."""

    bytecode: Bytecode
    offset: int
    locals: list[Entry | None]
    stack: list[Entry]
    synced: set[int] = field(default_factory=set)
    caller: Frame | None = None
    effects: bool = False

    def copy(self) -> Frame:
        return Frame(
            self.bytecode, self.offset, list(self.locals), list(self.stack), set(self.synced), self.caller, self.effects
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
            self.effects,
        )

    def rebuild(self, fresh: Callable[[Operand], Operand]) -> Frame:
        copy = self.copy()
        copy.locals = [entry and entry.rebuild(fresh) for entry in self.locals]
        copy.stack = [entry.rebuild(fresh) for entry in self.stack]
        return copy


@dataclass
class State:
    """Frames, outermost first."""

    frames: list[Frame]

    @property
    def top(self) -> Frame:
        return self.frames[-1]

    @property
    def outer(self) -> Frame:
        return self.frames[0]

    def copy(self) -> State:
        return State([frame.copy() for frame in self.frames])

    def _all_operands(self) -> Iterator[Operand]:
        """Every operand, callers' states before their calls included, in a fixed order."""
        for frame in self.frames:
            for part in (frame, frame.caller):
                if part is not None:
                    for entry in part.entries():
                        yield from entry.operands()

    def key(self) -> Any:
        """What two states must agree on to share a block: also which entries are one and the same value, so that what
        is one object stays one."""
        seen: dict[Operand, int] = {}
        aliases = tuple(
            seen.setdefault(operand, len(seen)) if isinstance(operand, Value) else -1 for operand in self._all_operands()
        )
        return tuple((frame.key(), frame.caller and frame.caller.key()) for frame in self.frames), aliases

    def operands(self) -> list[Operand]:
        """What an edge passes: each value once, constants as often as they occur."""
        found: list[Operand] = []
        seen: set[Operand] = set()
        for operand in self._all_operands():
            if not isinstance(operand, Value):
                found.append(operand)
            elif operand not in seen:
                seen.add(operand)
                found.append(operand)
        return found

    def rebuild(self, fresh: Callable[[Operand], Operand]) -> State:
        """The same state with every operand made anew, one value staying one."""
        new: dict[Operand, Operand] = {}

        def once(operand: Operand) -> Operand:
            if not isinstance(operand, Value):
                return fresh(operand)
            if operand not in new:
                new[operand] = fresh(operand)
            return new[operand]

        frames = []
        for frame in self.frames:
            copy = frame.rebuild(once)
            if frame.caller is not None:
                copy.caller = frame.caller.rebuild(once)
            frames.append(copy)
        return State(frames)
