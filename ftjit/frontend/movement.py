"""Bytecodes that only move values: locals, constants, the stack."""

from __future__ import annotations

import opcode
from collections.abc import Sequence

from ftjit.frontend.bytecode import Instruction
from ftjit.frontend.core import Core, LeaveHere
from ftjit.frontend.values import (
    MISSING,
    Boxed,
    Constant,
    Entry,
    Home,
    Local,
    Maybe,
    Null,
    Number,
    Pointer,
    RangeIterator,
    exact_type,
    number_constant,
)
from ftjit.ir import Const
from ftjit.plain import changed

_COMMON_CONSTANTS: tuple[object, ...] = tuple(opcode._common_constants)  # type: ignore[attr-defined]


class Movement(Core):
    """LOAD_FAST, STORE_FAST and their pairs; LOAD_CONST; POP_TOP, SWAP, COPY."""

    # ---- loads --------------------------------------------------------------------------------------------------

    def _load(self, slot: int) -> None:
        entry = self.frame.locals[slot]
        if isinstance(entry, Boxed):
            self.push(Local(slot, entry.type, entry.sample))
        elif entry is None or isinstance(entry, Maybe):
            raise LeaveHere("a local that may be unbound")
        else:
            self.push(entry)

    def op_LOAD_FAST(self, instruction: Instruction) -> None:
        self._load(instruction.argument)

    op_LOAD_FAST_BORROW = op_LOAD_FAST

    def op_LOAD_FAST_CHECK(self, instruction: Instruction) -> None:
        slot = instruction.argument
        entry = self.frame.locals[slot]
        if isinstance(entry, Boxed) and not entry.bound:
            self.emit("guard_home_bound", [], [self.home(slot)], reason="unbound")
            self.frame.locals[slot] = Boxed(entry.type, entry.sample)
        self._load(slot)

    def op_LOAD_FAST_LOAD_FAST(self, instruction: Instruction) -> None:
        self._load(instruction.argument >> 4)
        self._load(instruction.argument & 15)

    op_LOAD_FAST_BORROW_LOAD_FAST_BORROW = op_LOAD_FAST_LOAD_FAST

    def op_LOAD_FAST_AND_CLEAR(self, instruction: Instruction) -> None:
        """The local moves to the stack; its home is empty then."""
        if self.inlined:
            raise LeaveHere("a comprehension")
        slot = instruction.argument
        entry = self.frame.locals[slot]
        self._settle_borrows(slot, self.stack)
        position = len(self.stack)
        if isinstance(entry, Boxed):
            self.emit("move_home", [], [self.stack_home(position), self.home(slot)])
            self.emit("push_null", [], [self.home(slot)])
            self.push(Home(entry.type, entry.sample) if entry.bound else Home(bound=False))
        else:
            if not isinstance(entry, Number):
                raise LeaveHere("a local that may be unbound")
            self.emit("drop_home_late", [], [self.home(slot)])
            self.push(entry)
        self.frame.locals[slot] = Boxed(bound=False, clean=True)
        self.frame.synced.add(slot)

    def op_LOAD_CONST(self, instruction: Instruction) -> None:
        self.push_constant(self.frame.bytecode.code.co_consts[instruction.argument])

    def op_LOAD_SMALL_INT(self, instruction: Instruction) -> None:
        self.push_constant(instruction.argument)

    def op_PUSH_NULL(self, instruction: Instruction) -> None:
        self.push(Null())

    def op_NOP(self, instruction: Instruction) -> None:
        pass

    op_RESUME = op_NOP
    op_NOT_TAKEN = op_NOP

    # ---- stores -------------------------------------------------------------------------------------------------

    def op_STORE_FAST(self, instruction: Instruction) -> None:
        slot = instruction.argument
        if self._may_end_a_life(slot):
            self._store_out("store_fast", slot, [slot])
        else:
            self._store(slot)

    def op_STORE_FAST_LOAD_FAST(self, instruction: Instruction) -> None:
        first, second = instruction.argument >> 4, instruction.argument & 15
        if self._may_end_a_life(first):
            loaded = self.stack[-1] if second == first else self.frame.locals[second]
            pushes = [Home(getattr(loaded, "type", None), getattr(loaded, "sample", MISSING))]
            self._store_out("store_fast_load_fast", instruction.argument, [first], pushes)
            return
        if second != first and not isinstance(self.frame.locals[second], Boxed | Number):
            raise LeaveHere("a local that may be unbound")  # said before anything is done
        self._store(first)
        self._load(second)

    def op_STORE_FAST_STORE_FAST(self, instruction: Instruction) -> None:
        """The second store cannot leave, the first being done: both old values are looked at beforehand, and what the
        new ones are."""
        first, second = instruction.argument >> 4, instruction.argument & 15
        if self._may_end_a_life(first) or self._may_end_a_life(second) or (first == second and not self.inlined):
            self._store_out("store_fast_store_fast", instruction.argument, [first, second])
            return
        old = self.frame.locals[second]
        for entry in self.stack[-2:]:
            if not isinstance(entry, Number | Constant | Home | Local | Pointer):
                raise LeaveHere(f"storing {type(entry).__name__}")
        if self.level() == 0:
            self._unbox_at(len(self.stack) - 1)
            self._unbox_at(len(self.stack) - 2)
            self._type_at(len(self.stack) - 2)
        if not self.inlined and isinstance(old, Boxed | Maybe) and not old.clean:
            both = isinstance(self.frame.locals[first], Boxed | Maybe)
            self.guard_plain([self.home(slot) for slot in ([first, second] if both else [second])])
            self.settle_pointers(2)
        self._store(first)
        self._store(second, late=True)

    def _may_end_a_life(self, slot: int) -> bool:
        """The end of this local's old value has run code here before: let it, as a call out."""
        old = self.frame.locals[slot]
        return not self.inlined and self.level() >= 1 and isinstance(old, Boxed | Maybe) and not old.clean

    def _store_out(self, helper: str, argument: int, slots: list[int], pushes: Sequence[Entry] = ()) -> None:
        """A whole bytecode that stores into `slots`, the top of the stack into the first, by a C function."""
        entries = self.stack[: -len(slots) - 1 : -1]
        if any(isinstance(entry, RangeIterator) for entry in entries):
            raise LeaveHere("storing RangeIterator")
        self.call_out(helper, argument, len(slots), pushes)
        for slot, entry in zip(slots, entries, strict=True):
            bound = not isinstance(entry, Home) or entry.bound
            self.frame.locals[slot] = Boxed(getattr(entry, "type", None), getattr(entry, "sample", MISSING), bound)
            self.frame.synced.add(slot)

    def _store(self, slot: int, late: bool = False) -> None:
        if not late and self.level() == 0:
            self._unbox_at(len(self.stack) - 1)
        entry = self.stack[-1]
        if self.inlined:
            self.frame.locals[slot] = self.pop()
            return
        frame = self.frame
        old = frame.locals[slot]
        self._settle_borrows(slot, self.stack[:-1])
        self.settle_pointers(1)  # the old value may be what one of them points to
        suffix = "_late" if late else ""
        position = len(self.stack) - 1
        home = self.home(slot)
        match entry:
            case Number():
                if isinstance(old, Boxed | Maybe) and not old.clean:
                    self.emit(f"drop_home{suffix}", [], [home], reason="drop")
                frame.locals[slot] = entry
                frame.synced.discard(slot)
            case Constant(object) if self.layout.is_immortal(object):
                self.emit(f"store_constant{suffix}", [], [home, id(object)], reason="drop")
                frame.locals[slot] = Boxed(type(object), object, clean=object is None)
            case Constant(object):
                self.emit(f"store_object{suffix}", [Const(id(object))], [home], reason="drop")
                frame.locals[slot] = Boxed(type(object), object)
            case Home(type_, sample):
                type_ = type_ or self._settle_type(entry, position, late)
                self.emit(f"store_home{suffix}", [], [home, self.stack_home(position)], reason="drop")
                frame.locals[slot] = Boxed(type_, sample, entry.bound)
            case Local(_, type_, sample) | Pointer(_, type_, sample):
                pointer = self.pointer(entry)
                assert pointer is not None
                type_ = type_ or self._settle_type(entry, position, late)
                self.emit(f"store_object{suffix}", [pointer], [home], reason="drop")
                frame.locals[slot] = Boxed(type_, sample)
            case _:
                raise LeaveHere(f"storing {type(entry).__name__}")
        if not isinstance(entry, Number):
            frame.synced.add(slot)
        self.pop()

    def _type_at(self, position: int) -> None:
        """The same for what is stored second."""
        entry = self.stack[position]
        if isinstance(entry, Local | Pointer | Home) and entry.type is None:
            known = self._settle_type(entry, position, False)
            if known is not None:
                self.stack[position] = changed(entry, type=known)

    def _unbox_at(self, position: int) -> None:
        """What looks like a number becomes one before it is stored: from here on it is a value (rule 10)."""
        entry = self.stack[position]
        if not isinstance(entry, Pointer | Home) or entry.sample is MISSING:
            return
        kind = self.kind_of(entry)
        if kind is not None:
            value = self.unbox(entry, kind, position)
            self.drop(entry, position, below=len(self.stack))
            self.stack[position] = Number(kind, value)
            # The home is empty now: exits of this bytecode make a box again.
            before = self.before[-1]
            if position < len(before.stack) and before.stack[position] is entry:
                before.stack[position] = self.stack[position]

    def _settle_type(self, entry: Home | Local | Pointer, position: int, late: bool) -> type | None:
        """A container that looks like a list or a tuple is checked now, once, instead of at its first use in every
        version of the code that follows."""
        expected = exact_type(entry.sample)
        if late or expected not in (list, tuple) or self.level() >= 1:
            return None
        pointer = self.pointer(entry, position)
        assert pointer is not None
        self.emit("guard_type", [pointer], [id(expected)], reason="type")
        return expected

    def _settle_borrows(self, slot: int, entries: Sequence[Entry]) -> None:
        """Those of the stack's lowest entries that are borrowed from this local get counts of their own."""
        for position, entry in enumerate(entries):
            if isinstance(entry, Local) and entry.slot == slot:
                self.push_home(position)

    # ---- the stack ----------------------------------------------------------------------------------------------

    def op_POP_TOP(self, instruction: Instruction) -> None:
        entry = self.stack[-1]
        if isinstance(entry, Home) and self.level() >= 1:
            self.call_out("pop_top", 0, 1)
            return
        self.drop(entry, len(self.stack) - 1, late=False)
        self.pop()

    def op_POP_ITER(self, instruction: Instruction) -> None:
        self.op_POP_TOP(instruction)

    op_END_FOR = op_POP_TOP

    def op_SWAP(self, instruction: Instruction) -> None:
        top = len(self.stack) - 1
        other = len(self.stack) - instruction.argument
        a, b = self.stack[other], self.stack[top]
        if isinstance(a, RangeIterator) or isinstance(b, RangeIterator) or not self.inlined:
            homes = [isinstance(a, Home), isinstance(b, Home)]
            if all(homes):
                self.emit("swap_homes", [], [self.stack_home(other), self.stack_home(top)])
            elif homes[0]:
                self.emit("move_home", [], [self.stack_home(top), self.stack_home(other)])
            elif homes[1]:
                self.emit("move_home", [], [self.stack_home(other), self.stack_home(top)])
        self.stack[other], self.stack[top] = b, a

    def op_COPY(self, instruction: Instruction) -> None:
        position = len(self.stack) - instruction.argument
        if isinstance(self.stack[position], RangeIterator):
            raise LeaveHere("a second reference to an iterator")
        if self.level() == 0 and not self.inlined:
            self._unbox_at(position)  # once: both names are to have one number
        entry: Entry = self.stack[position]
        if isinstance(entry, Home):
            self.emit("push_local", [], [self.stack_home(len(self.stack)), self.stack_home(position)])
            entry = Home(entry.type, entry.sample)
        self.push(entry)

    def op_LOAD_COMMON_CONSTANT(self, instruction: Instruction) -> None:
        self.push(Constant(_COMMON_CONSTANTS[instruction.argument]))

    # ---- cells --------------------------------------------------------------------------------------------------

    def op_LOAD_DEREF(self, instruction: Instruction) -> None:
        self.call_out("load_deref", instruction.argument, 0, [Home()], quiet=True)

    def op_STORE_DEREF(self, instruction: Instruction) -> None:
        self.call_out("store_deref", instruction.argument, 1)


__all__ = ["Movement", "number_constant"]
