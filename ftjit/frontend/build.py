"""From a snapshot to IR: walk the bytecode with abstract values, one block version per state it is reached in.

The method is basic block versioning (Chevalier-Boisvert and Feeley, ECOOP 2015): a bytecode block is compiled once for
each distinct knowledge of types on entry, up to a limit, then once for no knowledge. It peels what differs in a loop's
first iteration, and in the steady state no type is checked twice. The pages beside this one do the work by area:
arithmetic, access, calls, locals.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ftjit.frontend.access import Access
from ftjit.frontend.arithmetic import Arithmetic
from ftjit.frontend.bytecode import Bytecode, assigned_locals
from ftjit.frontend.calls import Calls
from ftjit.frontend.core import (
    MAX_BLOCKS,
    MAX_OPS,
    HoldsInVain,
    LeaveHere,
    NotInlinable,
    TooLarge,
    Uncompilable,
    is_loud,
)
from ftjit.frontend.loops import Loops
from ftjit.frontend.movement import Movement
from ftjit.frontend.state import Frame, State
from ftjit.frontend.values import (
    MISSING,
    Boxed,
    Entry,
    Home,
    Maybe,
    Number,
    RangeIterator,
    exact_type,
    maybe,
    number_kind,
)
from ftjit.ir import OPS, Block, Const, Edge, Function, Op
from ftjit.ir.nodes import FLOAT, INT, Operand
from ftjit.plain import changed
from ftjit.profile.feedback import Feedback
from ftjit.profile.snapshot import Snapshot
from ftjit.versions import Layout

# Versions of one place in the bytecode, at most: as tried one after the other until the code is small enough.
VERSION_LIMITS = (6, 2, 1)


@dataclass
class Built:
    """The IR, the lines of bytecode that could not be compiled, how many calls of Python functions are left, and which
    calls out are of bytecodes that the interpreter has not specialised either."""

    function: Function
    uncompiled: dict[int, str] = field(default_factory=dict)
    python_calls: int = 0
    general: set[int] = field(default_factory=set)


class Builder(Movement, Arithmetic, Access, Calls, Loops):
    """Builds one executor's IR. Use `build`."""

    def __init__(self, snapshot: Snapshot, feedback: Feedback, layout: Layout, limit: int) -> None:
        super().__init__(snapshot, feedback, layout)
        self.limit = limit
        self.versions: dict[Any, dict[Any, Block]] = {}
        self.work: list[tuple[Block, State]] = []
        self.leaders: dict[int, set[int]] = {}

    # ---- blocks -------------------------------------------------------------------------------------------------

    def _leaders(self, bytecode: Bytecode) -> set[int]:
        known = self.leaders.get(id(bytecode))
        if known is None:
            known = {i.target for i in bytecode.instructions.values() if i.target is not None}
            self.leaders[id(bytecode)] = known
        return known

    def _canonical(self, state: State) -> State:
        """What differs without need is made equal: whether a local is bound is asked again where it matters; at a
        loop header nothing that a loop round it assigns counts as up to date in its home, and what is assigned before
        it is read is in the one form that fits every path."""
        state = state.copy()
        frame = state.outer
        if len(state.frames) > 1:
            return state
        for slot, entry in enumerate(frame.locals):
            if isinstance(entry, Boxed) and entry.bound:
                frame.locals[slot] = changed(entry, bound=False)
        if frame.offset in frame.bytecode.loops:
            live = frame.bytecode.live[frame.offset]
            for slot in frame.bytecode.stored_around[frame.offset]:
                if slot not in live:
                    frame.locals[slot] = maybe(frame.locals[slot], slot in frame.synced) or frame.locals[slot]
                frame.synced.discard(slot)
        return state

    def edge_to(self, state: State) -> Edge:
        """An edge to the block for this state, which is made if there is none yet."""
        state = self._canonical(state)
        place = tuple((id(frame.bytecode), frame.offset) for frame in state.frames)
        versions = self.versions.setdefault(place, {})
        key = state.key()
        block = versions.get(key)
        if block is None and len(versions) >= self.limit:
            if len(state.frames) == 1:
                return self._general_edge(state)
            if len(versions) >= VERSION_LIMITS[0]:
                raise self.not_inlinable("the types in its loops vary")
        if block is None:
            block = self._new_block(state)
            versions[key] = block
        return Edge(block, state.operands())

    def _new_block(self, state: State) -> Block:
        if len(self.function.blocks) >= MAX_BLOCKS:
            raise TooLarge("too many blocks", self.offset)
        outer = state.outer
        depth = sum(frame.bytecode.loop_depth(frame.offset) for frame in state.frames)
        block = Block(len(self.function.blocks), outer.offset, loop_depth=depth)
        self.function.blocks.append(block)

        def parameter(operand: Operand) -> Operand:
            value = self.function.value(operand.kind)
            block.parameters.append(value)
            return value

        self.work.append((block, state.rebuild(parameter)))
        return block

    def block_of_its_own(self, state: State) -> Block:
        """A block for this state that only one edge leads to. It is the current one from now on."""
        block = self._new_block(state)
        made, inner = self.work.pop()
        assert made is block
        self.enter_block(block, inner)
        return block

    def _general_edge(self, state: State) -> Edge:
        """Too many versions: through a block that puts every local into its home, to the one that knows no types."""
        place = ("general", id(state.outer.bytecode), state.outer.offset)
        versions = self.versions.setdefault(place, {})
        saved = self.block, self.state, self.offset, self.before
        through = self.block_of_its_own(state)
        frame = self.state.outer
        self.settle_pointers(0)
        for slot, entry in enumerate(frame.locals):
            self.write_back(slot)
            if isinstance(entry, Number | Maybe):
                frame.locals[slot] = Boxed(bound=False, clean=isinstance(entry, Number) or entry.clean)
            elif isinstance(entry, Boxed):
                frame.locals[slot] = Boxed(None, entry.sample, False, entry.clean)
        frame.synced = set(range(len(frame.locals)))
        frame.stack = [self._general(entry, position) for position, entry in enumerate(frame.stack)]
        general = self._canonical(self.state)
        key = general.key()
        if key not in versions:
            versions[key] = self._new_block(general)
        self.block.ops.append(Op("jump", [], target=Edge(versions[key], general.operands()), offset=self.offset))
        self.block, self.state, self.offset, self.before = saved
        return Edge(through, state.operands())

    def _general(self, entry: Entry, position: int) -> Entry:
        if isinstance(entry, Number | RangeIterator):
            return entry
        self.push_home(position)
        return Home(None, own=isinstance(entry, Home) and entry.own, bound=not isinstance(entry, Home) or entry.bound)

    def enter_block(self, block: Block, state: State) -> None:
        self.block = block
        self.state = state.copy()
        self.offset = state.top.offset
        self.before = self.state.copy().frames

    # ---- the walk -----------------------------------------------------------------------------------------------

    def build(self) -> Built:
        self._entry()
        while self.work:
            block, state = self.work.pop()
            saved = self.block
            self.enter_block(block, state)
            self._walk()
            self.block = saved
            if sum(len(b.ops) for b in self.function.blocks) > MAX_OPS:
                raise TooLarge("the function is too large", self.offset)
        self._hold_what_is_worth_it()
        return Built(self.function, self.uncompiled, len(self.python_calls), self.general)

    def _hold_what_is_worth_it(self) -> None:
        """HoldsInVain where a loop that reads a held global also calls what may run code, and so lets go of it."""
        out = max((b.loop_depth for b in self.function.blocks if any(map(is_loud, b.ops))), default=0)
        in_vain = {place for place, depth in self.held.items() if depth <= out}
        if in_vain:
            raise HoldsInVain(in_vain)

    def _walk(self) -> None:
        """Compile instructions into the current block until control leaves it."""
        while True:
            frame = self.state.top
            instruction = frame.bytecode.instructions[frame.offset]
            self.offset = instruction.offset
            self.before = self.state.copy().frames
            if self.inlined and frame.bytecode.raises_from(frame.offset):
                self.leave("raise")
                return
            handler = getattr(self, f"op_{instruction.name}", None)
            if handler is None:
                if self.inlined:
                    raise self.not_inlinable(f"it has {instruction.name}")
                self.leave("uncompiled", f"{instruction.name} is not compiled")
                return
            self.pending_offset = instruction.next_offset
            self.called_out = None
            block, first = self.block, len(self.block.ops)
            if instruction.never_ran and (self.inlined or self.bytecode.is_warm):
                # There is nothing to go by. The interpreter specialises it, and is back in machine code at the next
                # loop or call; if that happens often, this is compiled anew.
                self.leave("never ran")
                return
            try:
                done = handler(instruction) is False
            except LeaveHere as why:
                self._check_nothing_done(instruction.name, block.ops[first:])
                if self.inlined:
                    raise self.not_inlinable(str(why)) from None
                self.leave("uncompiled", f"{instruction.name}: {why}")
                return
            if done:
                return
            self._check_call_out(instruction.name)
            self.state.top.offset = self.pending_offset
            top = self.state.top
            if top.offset in self._leaders(top.bytecode):
                self.offset = top.offset
                self.before = self.state.copy().frames
                self.block.ops.append(Op("jump", [], target=self.edge_to(self.state), offset=self.offset))
                return

    def _check_nothing_done(self, name: str, ops: list[Op]) -> None:
        """A bytecode is left to the interpreter with nothing done, but that stack entries have gone home."""
        done = [op.name for op in ops if OPS[op.name].flags & {"effect", "out"} and not op.name.startswith("push_")]
        assert not done, f"{name} is left before it, and has done {done}"

    def _check_call_out(self, name: str) -> None:
        """The exit of a call out is where the interpreter goes on after the bytecode: so it must be over by then."""
        if self.called_out is not None and self.called_out.exit is not None:
            assert self.called_out.exit.depth == len(self.stack), f"{name} goes on after its call out"

    # ---- the way in ---------------------------------------------------------------------------------------------

    def _entry(self) -> None:
        """The first block: unbox what the code reads, check what the snapshot promised; anything else declines."""
        snapshot, bytecode = self.snapshot, self.bytecode
        locals_: list[Entry | None] = [Boxed(None, sample, sample is not MISSING) for sample in snapshot.locals]
        frame = Frame(bytecode, snapshot.offset, locals_, [], set(range(len(locals_))))
        frame.stack = [Home(None, sample) for sample in snapshot.stack]
        block = Block(0, snapshot.offset, loop_depth=bytecode.loop_depth(snapshot.offset))
        self.function.blocks.append(block)
        self.enter_block(block, State([frame]))
        frame = self.state.outer
        # `bound` is what the snapshot saw, not a fact: check where it is used.
        frame.locals = [
            Boxed(None, entry.sample, False) if isinstance(entry, Boxed) else entry for entry in frame.locals
        ]
        self._clean_homes(frame)
        if any(instruction.name == "LOAD_GLOBAL" for instruction in bytecode.instructions.values()):
            if type(snapshot.globals) is not dict or type(snapshot.builtins) is not dict:
                raise Uncompilable("its globals or builtins are no plain dict", snapshot.offset)
            self.emit("guard_plain_globals", [], reason="entry")
        for slot in sorted(bytecode.live[snapshot.offset]):
            kind = number_kind(snapshot.locals[slot])
            if kind is not None and not self.feedback.is_mixed(slot):
                self.emit("guard_home_bound", [], [self.home(slot)], reason="entry")
                value = self.emit(f"load_{kind}", [], [self.home(slot)], reason="entry")
                frame.locals[slot] = Number(kind, value)
            elif exact_type(snapshot.locals[slot]) in (list, tuple) and not self.feedback.is_mixed(slot):
                self.emit("guard_home_bound", [], [self.home(slot)], reason="entry")
                pointer = self.emit("load_object", [], [self.home(slot)])
                self.emit("guard_type", [pointer], [id(type(snapshot.locals[slot]))], reason="entry")
                frame.locals[slot] = Boxed(type(snapshot.locals[slot]), snapshot.locals[slot], False)
        self.enter_iterators()
        if snapshot.is_start:
            frame.offset = bytecode.instructions[snapshot.offset].next_offset
        self.before = [frame.copy()]
        self.block.ops.append(Op("jump", [], target=self.edge_to(self.state), offset=self.offset))

    def _clean_homes(self, frame: Frame) -> None:
        """Locals that the code assigns: those that held numbers, None or nothing are made sure to. A function that
        starts has nothing in those that are no arguments."""
        code = self.snapshot.code
        arguments = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
        assigned = {slot for i in self.bytecode.instructions.values() for slot in assigned_locals(i)}
        for slot in sorted(assigned):
            sample = self.snapshot.locals[slot]
            if sample is not MISSING and sample is not None and number_kind(sample) is None:
                continue
            if not (self.snapshot.is_start and slot >= arguments):
                if self.feedback.is_mixed(slot):
                    continue
                self.emit("guard_home_stale", [], [self.home(slot)], reason="entry")
            frame.locals[slot] = Boxed(None, sample, False, True)


def build(snapshot: Snapshot, feedback: Feedback, layout: Layout) -> Built:
    """The IR of an executor for the snapshot's entry: with fewer block versions where there would be too much of it.
    Uncompilable when nothing helps."""
    limits = iter(VERSION_LIMITS)
    limit = next(limits)
    while True:
        try:
            return Builder(snapshot, feedback, layout, limit).build()
        except NotInlinable as call:
            feedback.not_inlined[call.offset] = call.reason
        except HoldsInVain as globals_:
            feedback.not_held |= globals_.places
        except TooLarge:
            smaller = next(limits, None)
            if smaller is None:
                raise
            limit = smaller


__all__ = ["FLOAT", "INT", "Built", "Const", "build"]
