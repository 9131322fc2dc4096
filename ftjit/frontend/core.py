"""What every page of the builder uses: emitting ops, exits, homes, and putting values where a call out sees them."""

from __future__ import annotations

from collections.abc import Sequence
from types import CodeType

from ftjit.frontend.bytecode import Bytecode
from ftjit.frontend.state import Frame, State
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
    number_constant,
    number_kind,
)
from ftjit.ir import OPS, Block, Const, Exit, Function, Inner, Move, Op, Value
from ftjit.ir.nodes import FLOAT, INT, Operand
from ftjit.profile.feedback import Feedback
from ftjit.profile.snapshot import Snapshot
from ftjit.versions import Layout

MAX_BLOCKS = 250
MAX_OPS = 5_000
REGISTER_KIND = {"int": INT, "bool": INT, "float": FLOAT}


# Helpers that leave no stack reference to what they use up: they take counts of their own where they keep something.
_KEEPS_NOTHING = frozenset(
    {
        "call", "call_kw", "call_class", "binary_op", "compare_op", "contains_op", "store_attr", "store_subscr",
        "binary_slice", "build_list", "build_tuple", "list_append", "call_list_append", "get_iter", "unpack_sequence",
    }
)  # fmt: skip


_QUIET = 48  # the bit of a call out's last immediate that says that nobody's code runs (cdefs/callouts.c)


def is_loud(op: Op) -> bool:
    """A call out that may run anybody's code."""
    return "out" in OPS[op.name].flags and not op.immediates[-1] >> _QUIET


class Uncompilable(Exception):
    """This code object, or this entry of it, stays in the interpreter. (reason, bytecode offset)"""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason, offset)
        self.reason = reason
        self.offset = offset


class TooLarge(Uncompilable):
    """There would be more code than it is worth."""


class LeaveHere(Exception):
    """This bytecode is the interpreter's. Raised before the bytecode has done anything."""


class NotInlinable(Exception):
    """The call at this offset of the outer function cannot be inlined after all."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(offset, reason)
        self.offset = offset
        self.reason = reason


class HoldsInVain(Exception):
    """These globals are let go of at every turn of their loops."""

    def __init__(self, places: set[tuple[int, ...]]) -> None:
        super().__init__(places)
        self.places = places


class Core:
    """The builder's state and its smallest steps."""

    block: Block
    state: State

    def __init__(self, snapshot: Snapshot, feedback: Feedback, layout: Layout) -> None:
        self.snapshot = snapshot
        self.feedback = feedback
        self.layout = layout
        self.bytecode = Bytecode(snapshot.code, snapshot.bytecode)
        self.function = Function(f"{snapshot.code.co_qualname}@{snapshot.offset}", local_slots=len(snapshot.locals))
        self.uncompiled: dict[int, str] = {}
        self.callees: dict[int, tuple[CodeType, Bytecode | None]] = {}  # by id: equal code is not the same code
        self.general: set[int] = set()  # offsets of what is called out and general in the interpreter, too
        self.python_calls: set[int] = set()  # offsets of calls of Python functions that are not inlined
        self.offset = snapshot.offset
        self.before: list[Frame] = [Frame(self.bytecode, 0, [], [])]  # the frames as the current bytecode found them
        self.pending_offset = 0
        self.called_out: Op | None = None  # by the current bytecode
        self.held: dict[tuple[int, ...], int] = {}  # places of globals that are held -> how deep in loops

    # ---- small things -------------------------------------------------------------------------------------------

    @property
    def frame(self) -> Frame:
        return self.state.top

    @property
    def stack(self) -> list[Entry]:
        return self.state.top.stack

    @property
    def inlined(self) -> bool:
        return len(self.state.frames) > 1

    def level(self) -> int:
        """How often this bytecode has disappointed: 0 speculate, 1 differently, 2 do the general thing."""
        return self.feedback.level(self.place())

    def place(self) -> tuple[int, ...]:
        """The current bytecode, as feedback names it."""
        return (*(frame.offset for frame in self.state.frames[:-1]), self.offset)

    def home(self, slot: int) -> int:
        """Byte offset in the frame of a slot of localsplus."""
        return self.layout.localsplus + 8 * slot

    def stack_slot(self, position: int) -> int:
        return len(self.snapshot.locals) + position

    def stack_home(self, position: int) -> int:
        return self.home(self.stack_slot(position))

    def line(self) -> int | None:
        """The source line of the current bytecode, in the innermost frame."""
        lines = self.frame.bytecode.code.co_lines()
        return next((line for start, end, line in lines if start <= self.offset < end), None)

    def not_inlinable(self, reason: str) -> NotInlinable:
        return NotInlinable(self.state.outer.offset, reason)

    # ---- emitting -----------------------------------------------------------------------------------------------

    def emit(
        self,
        name: str,
        arguments: Sequence[Operand],
        immediates: Sequence[int] = (),
        reason: str = "",
        detail: str = "",
    ) -> Value:
        """Append an op; its exit, if it has one, goes before the current bytecode. Returns its result (or a value that
        nothing defines, for ops without one: do not use it)."""
        info = OPS[name]
        if "shared" in info.flags:
            self.fence()
        if "unfenced" in info.flags:
            self.state.unfenced = 1
        result = self.function.value(info.result) if info.result else None
        exit = (
            self.exit(reason or name, detail or (name if reason in ("entry", "type") else ""))
            if "exit" in info.flags
            else None
        )
        self.block.ops.append(Op(name, list(arguments), result, tuple(immediates), exit, None, self.before[0].offset))
        return result or Value(INT, 0)

    def fence(self) -> None:
        """Before a shared load: what was stored under a kept lock is seen by all first, as the interpreter's unlocking
        would have made it."""
        if self.state.unfenced:
            self.state.unfenced = 0
            self.block.ops.append(Op("fence", [], offset=self.before[0].offset))

    def leave(self, reason: str, detail: str = "") -> None:
        """End the block: the interpreter does the current bytecode."""
        if reason == "uncompiled":
            self.uncompiled[self.before[0].offset] = detail
        self.block.ops.append(Op("leave", [], exit=self.exit(reason, detail), offset=self.before[0].offset))

    def exit(self, reason: str, detail: str = "") -> Exit:
        """The frame states before the current bytecode."""
        outer = self.before[0]
        moves = self._local_moves(outer)
        inner: list[Inner] = []
        for number, frame in enumerate(self.before):
            first = len(frame.locals)
            entries = enumerate(frame.stack, first)
            for slot, entry in entries if number == 0 else [*enumerate(frame.locals), *entries]:
                needed = entry and self._stack_move(entry, slot)
                if needed:
                    needed.frame = number
                    moves.append(needed)
            if frame.function is not None:
                code = frame.bytecode.code
                inner.append(Inner(frame.function, id(code), frame.offset, len(frame.stack), frame.kept))
        return Exit(outer.offset, len(outer.stack), reason, self._one_box_each(outer, moves), detail, inner)

    def _one_box_each(self, outer: Frame, moves: Sequence[Move]) -> list[Move]:
        """One number, one box: that of a home that holds it, or the one already made here."""
        sharing: list[Move] = []
        made: dict[tuple[str, Operand], int] = {}
        for move in moves:
            if len(move.operands) == 1 and move.kind in ("int", "float"):
                twin = self.twin(outer, move.kind, move.operands[0])
                same = made.setdefault((move.kind, move.operands[0]), len(sharing))
                if twin is not None:
                    move = Move("local", move.slot, (), twin, move.frame)
                elif same != len(sharing):
                    move = Move("same", move.slot, (), same, move.frame)
            sharing.append(move)
        return sharing

    @staticmethod
    def twin(frame: Frame, kind: str, value: Operand) -> int | None:
        """The local whose home holds this very number, if any."""
        for slot in frame.synced:
            entry = frame.locals[slot]
            if isinstance(entry, Number) and entry.value == value and entry.kind == kind:
                return slot
        return None

    @staticmethod
    def _local_moves(frame: Frame) -> list[Move]:
        """How the locals get home that are not."""
        moves = []
        for slot, entry in enumerate(frame.locals):
            if isinstance(entry, Number) and slot not in frame.synced:
                moves.append(Move(entry.kind, slot, (entry.value,)))
            elif isinstance(entry, Maybe) and entry.tag != Const(0):
                moves.append(Move("maybe", slot, (entry.value, entry.number, entry.tag)))
        return moves

    def _stack_move(self, entry: Entry, slot: int) -> Move | None:
        match entry:
            case Home():
                return None
            case Number(kind, value):
                return Move(kind, slot, (value,))
            case Local(source):
                return Move("local", slot, (), source)
            case Pointer(value):
                return Move("new_reference", slot, (value,))
            case Constant(object):
                return Move("constant", slot, (), id(object))
            case Null():
                return Move("null", slot)
            case RangeIterator(current, stop, step):
                return Move("range_iterator", slot, (current, stop), step)
        raise Uncompilable(f"no way to put {entry} back into the frame", self.offset)

    # ---- the stack ----------------------------------------------------------------------------------------------

    def push(self, entry: Entry) -> None:
        self.stack.append(entry)

    def push_number(self, kind: str, value: Operand) -> None:
        self.stack.append(Number(kind, value))

    def push_constant(self, value: object) -> None:
        self.stack.append(number_constant(value) or Constant(value))

    def pop(self) -> Entry:
        return self.stack.pop()

    # ---- numbers ------------------------------------------------------------------------------------------------

    def kind_of(self, entry: Entry, hint: str | None = None) -> str | None:
        """The unboxed kind to expect: a fact for numbers, else the type, the sample, the hint."""
        match entry:
            case Number(kind):
                return kind
            case Local(_, type_, sample) | Pointer(_, type_, sample) | Home(type_, sample):
                if type_ is not None:
                    return {int: "int", float: "float", bool: "bool"}.get(type_)
                if sample is not MISSING:
                    return number_kind(sample)
                return hint
        return None

    def unbox(self, entry: Entry, kind: str, position: int | None = None) -> Operand:
        """The number in an entry, guarded; `position` is where on the stack it is (its home, for a Home)."""
        match entry:
            case Number(own, value):
                return self.convert(value, own, kind)
            case Local(slot):
                value = self.emit(f"load_{kind}", [], [self.home(slot)], reason="type")
                outer = self.state.outer
                if slot < len(outer.locals) and isinstance(outer.locals[slot], Boxed):
                    outer.locals[slot] = Number(kind, value)
                    outer.synced.add(slot)
                return value
            case Pointer(value):
                return self.emit(f"unbox_{kind}", [value], reason="type")
            case Home() if position is not None:
                return self.emit(f"load_{kind}", [], [self.stack_home(position)], reason="type")
        raise LeaveHere(f"{type(entry).__name__} is no number")

    def convert(self, value: Operand, own: str, kind: str) -> Operand:
        if own == kind or (own == "bool" and kind == "int"):
            return value
        if kind == "float":
            if isinstance(value, Const):
                return Const(float(value.value))
            return self.emit("float_from_int", [value])
        raise LeaveHere(f"{own} where {kind} is needed")

    # ---- objects ------------------------------------------------------------------------------------------------

    def pointer(self, entry: Entry, position: int | None = None) -> Operand | None:
        """A borrowed pointer to the entry's object, or None for a number."""
        match entry:
            case Local(slot):
                return self.emit("load_object", [], [self.home(slot)])
            case Pointer(value):
                return value
            case Home() if position is not None:
                return self.emit("load_object", [], [self.stack_home(position)])
            case Constant(object):
                return Const(id(object))
        return None

    def drop(self, entry: Entry, position: int, late: bool = True, below: int | None = None) -> None:
        """The stack entry is used up: give back its count, if it has one. `below`: the lowest entry that the bytecode
        uses up, if that is another; pointers below it are counted first: what they point to may be what goes."""
        if isinstance(entry, Home):
            self.settle_pointers(len(self.stack) - (position if below is None else below))
            self.emit("drop_home_late" if late else "drop_home", [], [self.stack_home(position)], reason="drop")

    def guard_plain(self, homes: Sequence[int]) -> None:
        """The homes' old values may all go, late, and run no code: each alone, and none is what another keeps."""
        for number, home in enumerate(homes):
            self.emit("guard_home_plain", [], [home], reason="drop")
            for other in homes[:number]:
                self.emit("guard_homes_differ", [], [other, home], reason="drop")

    def push_home(self, position: int, seen: bool = False, borrowed: bool = False) -> None:
        """Put the outer frame's stack entry at `position` into its home, counted. `seen`: a call out comes next, so the
        collector sees the home. `borrowed`: that call out uses the entry up and leaves no reference to it."""
        frame = self.state.outer
        entry = frame.stack[position]
        home = self.stack_home(position)
        match entry:
            case Home() | RangeIterator():
                return
            case Number(kind, value):
                twin = self.settled_twin(kind, value)
                if twin is None:
                    self.emit(f"push_{kind}", [value], [home])
                else:
                    self.emit("push_local_borrowed" if borrowed else "push_local", [], [home, self.home(twin)])
                counted = Home({"int": int, "float": float, "bool": bool}[kind])
            case Local(slot, type_, sample):
                self.emit("push_local_borrowed" if borrowed else "push_local", [], [home, self.home(slot)])
                counted = Home(type_, sample)
            case Pointer(value, type_, sample):
                self.emit("push_object_seen" if seen else "push_object", [value], [home])
                counted = Home(type_, sample)
            case Constant(object):
                if borrowed and any(object is each for each in frame.bytecode.code.co_consts):
                    name = "push_constant_borrowed"
                else:
                    name = "push_constant_seen" if seen else "push_constant"
                self.emit(name, [], [home, id(object)])
                counted = Home(type(object), object)
            case Null():
                self.emit("push_null", [], [home])
                counted = Home()
            case _:
                raise LeaveHere("a condition outlives its jump")
        frame.stack[position] = counted
        # Nothing the program can see has changed: exits of this bytecode find it so too.
        before = self.before[0]
        if position < len(before.stack) and before.stack[position] is entry:
            before.stack[position] = counted

    def settle_pointers(self, keep: int) -> None:
        """Before an op that may end an object's life: each borrowed pointer below the top `keep` entries is counted."""
        outer, *inner = self.state.frames
        kept = outer.stack if inner else outer.stack[: len(outer.stack) - keep]
        for position, entry in enumerate(kept):
            if isinstance(entry, Pointer) and not entry.held:
                self.push_home(position)
        for frame in inner:
            stack = frame.stack[: len(frame.stack) - keep] if frame is inner[-1] else frame.stack
            if any(isinstance(entry, Pointer) and not entry.held for entry in (*frame.locals, *stack)):
                raise self.not_inlinable("it holds borrowed pointers across a store")

    def settled_twin(self, kind: str, value: Operand) -> int | None:
        """A local whose home holds this number: if a local is the number, it goes home first. One number, one box."""
        frame = self.state.outer
        if kind == "bool":
            return None
        for slot, entry in enumerate(frame.locals):
            if isinstance(entry, Number) and entry.value == value and entry.kind == kind:
                self.write_back(slot)
                return slot
        return None

    def write_back(self, slot: int) -> None:
        """The local's number into its home."""
        frame = self.state.outer
        entry = frame.locals[slot]
        if isinstance(entry, Number) and slot not in frame.synced:
            twin = self.twin(frame, entry.kind, entry.value) if entry.kind != "bool" else None
            if twin is None:
                self.emit(f"store_{entry.kind}", [entry.value], [self.home(slot)])
            else:
                box = self.emit("load_object", [], [self.home(twin)])
                self.emit("store_object", [box], [self.home(slot)], reason="drop")
            frame.synced.add(slot)
            if self.before[0].locals[slot] is entry:
                self.before[0].synced.add(slot)
        elif isinstance(entry, Maybe):
            if entry.tag != Const(0):
                self.emit("store_maybe", [entry.value, entry.number, entry.tag], [self.home(slot)])
            frame.locals[slot] = Boxed(bound=False, clean=entry.clean)
            frame.synced.add(slot)
            if self.before[0].locals[slot] is entry:
                self.before[0].locals[slot] = frame.locals[slot]

    # ---- calls out ----------------------------------------------------------------------------------------------

    def call_out(
        self,
        helper: str,
        argument: int,
        pops: int,
        pushes: Sequence[Entry] = (),
        name: str = "call_out",
        quiet: bool = False,
    ) -> Op:
        """Run a C helper on the frame: everything goes home first; it takes `pops` entries and leaves `pushes`.
        `quiet`: it runs nobody's code, so that locals need to be home only if it fails.

        When it is done machine code may have to be left, after the bytecode: so it is the last thing that the bytecode
        does, and all of it that changes the stack."""
        if self.inlined:
            raise self.not_inlinable(
                f"it calls out ({helper}, line {self.line()} of {self.frame.bytecode.code.co_name})"
            )
        if self.bytecode_raises_elsewhere():
            raise LeaveHere("a call outside the try block that this entry is in")
        frame = self.frame
        if any(isinstance(entry, RangeIterator) for entry in frame.stack[len(frame.stack) - pops :]):
            raise LeaveHere("a range iterator as an operand")
        used_up = len(frame.stack) - pops if helper in _KEEPS_NOTHING else len(frame.stack)
        for position, entry in enumerate(frame.stack):  # pointers first: what a home lets go may be what they point to
            if isinstance(entry, Pointer):
                self.push_home(position, seen=True, borrowed=position >= used_up)
        if not quiet:
            for slot in range(len(frame.locals)):
                self.write_back(slot)
        for position, entry in enumerate(frame.stack):
            self.push_home(position, seen=True, borrowed=position >= used_up)
            if isinstance(entry, RangeIterator):
                self.emit("push_null", [], [self.stack_home(position)])
        depth = len(frame.stack)
        del frame.stack[depth - pops :]
        frame.stack.extend(pushes)
        moves = self._local_moves(frame)
        for position, entry in enumerate(frame.stack):
            move = self._stack_move(entry, self.stack_slot(position))
            if move is not None:
                moves.append(move)
        place = quiet << _QUIET | self.stack_slot(depth) << 32 | self.offset_unit()
        what = (self.layout.symbol(f"callout_{helper}"), argument)
        op = Op(
            name,
            [],
            immediates=(argument, place) if name == "call_function" else (*what, place),
            exit=Exit(self.pending_offset, len(frame.stack), "status", self._one_box_each(frame, moves)),
            offset=self.offset,
        )
        self.block.ops.append(op)
        if self.frame.bytecode.instructions[self.offset].is_general:
            self.general.add(self.offset)
        self.called_out = op
        self.state.unfenced = 0  # giving the lock back is a fence
        return op

    def offset_unit(self) -> int:
        """The code unit of the instruction itself, past its EXTENDED_ARG prefixes: what tracebacks look up."""
        raw = self.bytecode.raw
        position = self.offset
        while raw[position] == self.layout.extended_arg:
            position += 2
        return position // 2

    def bytecode_raises_elsewhere(self) -> bool:
        """An exception here has no handler, but the interpreter would look one up at the place we came in by."""
        table = self.layout.exception_table(self.snapshot.code)
        return not table.covers(self.offset) and table.covers(self.snapshot.offset)
