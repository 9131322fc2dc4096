"""Loops: iterators, FOR_ITER, backward jumps with their polls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ftjit.frontend.bytecode import Instruction
from ftjit.frontend.core import Core, LeaveHere
from ftjit.frontend.values import (
    INT_LIMIT,
    MISSING,
    Entry,
    Home,
    Number,
    Pointer,
    RangeIterator,
    exact_type,
    number_kind,
)
from ftjit.ir import Const, Edge, Op
from ftjit.ir.nodes import INT

LIST_ITERATOR: Final[type] = type(iter([]))
RANGE_ITERATOR: Final[type] = type(iter(range(0)))


class Loops(Core):
    """GET_ITER, FOR_ITER, JUMP_BACKWARD, and iterators that were there before machine code was entered."""

    def enter_iterators(self) -> None:
        """Iterators on the stack at the entry: a range's becomes numbers, a list's must be nobody else's."""
        frame = self.state.outer
        for position, entry in enumerate(frame.stack):
            assert isinstance(entry, Home)
            home = self.stack_home(position)
            kind = exact_type(entry.sample)
            if kind not in (LIST_ITERATOR, RANGE_ITERATOR):
                frame.stack[position] = Home(bound=False)  # a comprehension may have put a local aside, or nothing
                continue
            self.emit("guard_own_iterator", [], [home, id(kind)], reason="entry")
            if kind is LIST_ITERATOR:
                frame.stack[position] = Home(LIST_ITERATOR, entry.sample, own=True)
                continue
            step = entry.sample.__reduce__()[1][0].step
            if step != 1:
                frame.stack[position] = Home(RANGE_ITERATOR, entry.sample, own=True)
                continue
            fields = self.layout.range_iterator
            current = self.emit("range_iter_field", [], [home, fields["start"]])
            length = self.emit("range_iter_field", [], [home, fields["length"]])
            real_step = self.emit("range_iter_field", [], [home, fields["step"]])
            self.emit("guard_one", [real_step], reason="entry")
            stop_value = self.emit("int_add", [length, current], reason="entry")
            frame.stack[position] = RangeIterator(current, stop_value, 1)
        for position, entry in enumerate(frame.stack):
            if isinstance(entry, RangeIterator):  # past the last guard: now the objects may go
                self.emit("drop_home_late", [], [self.stack_home(position)])

    def op_GET_ITER(self, instruction: Instruction) -> None:
        entry = self.stack[-1]
        kind = getattr(entry, "type", None)
        sample = getattr(entry, "sample", MISSING)
        known = kind is list
        if type(sample) is list and not known and not isinstance(entry, Home):
            self.typed_pointer(entry, list)  # type: ignore[attr-defined]
            known = True
        result = Home(LIST_ITERATOR, sample, own=True) if known else Home()
        self.call_out("get_iter", 0, 1, [result], quiet=known)

    def op_FOR_ITER(self, instruction: Instruction) -> bool:
        iterator = self.stack[-1]
        assert instruction.target is not None
        # Exhausted: past END_FOR, to POP_ITER.
        done = self.frame.bytecode.instructions[instruction.target].next_offset
        if (
            isinstance(iterator, Home)
            and iterator.type is None
            and self.level() == 0
            and instruction.special == "FOR_ITER_LIST"
        ):
            home = self.stack_home(len(self.stack) - 1)
            self.emit("guard_own_iterator", [], [home, id(LIST_ITERATOR)], reason="type")
            iterator = self.stack[-1] = Home(LIST_ITERATOR, iterator.sample, own=True)
        if isinstance(iterator, RangeIterator):
            self._for_range(iterator, instruction.next_offset, done)
        elif isinstance(iterator, Home) and iterator.type is LIST_ITERATOR and iterator.own:
            self._for_list(iterator, instruction.next_offset, done)
        else:
            self._for_any(instruction, done)
        return False

    def _edge_at(self, offset: int) -> Edge:
        self.state.top.offset = offset
        return self.edge_to(self.state)  # type: ignore[attr-defined,no-any-return]

    def _for_range(self, iterator: RangeIterator, body: int, done: int) -> None:
        if isinstance(iterator.current, Const) and not -INT_LIMIT <= iterator.current.value + iterator.step < INT_LIMIT:
            raise LeaveHere("a range at the end of 64 bits")
        block = self.block
        compare = "int_branch_ge" if iterator.step > 0 else "int_branch_le"
        arguments = [iterator.current, iterator.stop]
        if isinstance(iterator.current, Const):
            if isinstance(iterator.stop, Const):
                arguments[0] = self.emit("int_move", [iterator.current])
            else:
                compare = "int_branch_le" if iterator.step > 0 else "int_branch_ge"
                arguments.reverse()
        branch = Op(compare, list(arguments), offset=self.offset)
        branch.target = self._edge_at(done)
        block.ops.append(branch)
        self.block = block
        self.stack[-1] = iterator
        following = (
            self.emit("int_add", [iterator.current, Const(iterator.step)], reason="overflow")
            if not isinstance(iterator.current, Const)
            else self._next_constant(iterator.current, iterator.step)
        )
        self.stack[-1] = RangeIterator(following, iterator.stop, iterator.step)
        self.push(Number("int", iterator.current))
        block.ops.append(Op("jump", [], target=self._edge_at(body), offset=self.offset))

    @staticmethod
    def _next_constant(current: Const, step: int) -> Const:
        return Const(int(current.value) + step)

    def _for_list(self, iterator: Home, body: int, done: int) -> None:
        self.settle_pointers(0)  # it may have to wait for the list's lock
        self.fence()
        block, position = self.block, len(self.stack) - 1
        items = iterator.sample if type(iterator.sample) is list else _sequence_of(iterator.sample)
        sample = self.layout.peek.item(items, 0, MISSING)
        kind = number_kind(sample) if self.level() == 0 else None
        if kind is not None and self.frame.bytecode.instructions[body].name.startswith("STORE_FAST"):
            self._for_numbers(kind, body, done)
            return
        value = self.function.value(INT)
        homes = (self.stack_home(position), self.stack_home(position + 1))
        op = Op("list_iter_next", [], value, homes, offset=self.offset)
        op.target = self._edge_at(done)
        block.ops.append(op)
        self.push(Home(None, sample))
        block.ops.append(Op("jump", [], target=self._edge_at(body), offset=self.offset))
        self.block = block

    def _for_numbers(self, kind: str, body: int, done: int) -> None:
        """Items that a local gets at once, as numbers (rule 10); another type leaves, the iterator as it was."""
        block, home = self.block, self.stack_home(len(self.stack) - 1)
        index = self.function.value(INT)
        op = Op("list_iter_index", [], index, (home,), offset=self.offset)
        op.target = self._edge_at(done)
        block.ops.append(op)
        self.block = block
        pointer = self.emit("list_iter_list", [], [home])
        number = self.emit(f"list_item_{kind}", [pointer, index], reason="item")
        self.emit("list_iter_step", [], [home])
        self.push(Number(kind, number))
        block.ops.append(Op("jump", [], target=self._edge_at(body), offset=self.offset))

    def _for_any(self, instruction: Instruction, done: int) -> None:
        self.call_out_or("for_iter", 0, 0, [Home()], instruction.next_offset, done)

    def call_out_or(
        self, helper: str, argument: int, pops: int, pushes: Sequence[Entry], following: int, otherwise: int
    ) -> None:
        """End the block with a helper that answers: on to `following`, or, when it says no, to `otherwise` without what
        it pushes."""
        op = self.call_out(helper, argument, pops, pushes, name="call_out_or")
        block, after = self.block, self.state
        self.state = after.copy()
        del self.state.top.stack[len(self.state.top.stack) - len(pushes) :]
        op.target = self._edge_after_a_no(otherwise)
        self.state = after
        block.ops.append(Op("jump", [], target=self._edge_at(following), offset=self.offset))
        self.block = block

    def _edge_after_a_no(self, otherwise: int) -> Edge:
        """To `otherwise`, unless the call that said no also says to leave: then the interpreter goes on there."""
        state, saved = self.state, (self.offset, self.before)
        state.top.offset = otherwise
        through = self.block_of_its_own(state)  # type: ignore[attr-defined]
        self.emit("leave_if_told", [], reason="status")
        through.ops.append(Op("jump", [], target=self._edge_at(otherwise), offset=otherwise))
        self.offset, self.before = saved
        return Edge(through, state.operands())

    def op_JUMP_BACKWARD(self, instruction: Instruction) -> bool:
        assert instruction.target is not None
        self.emit("poll", [], [self.layout.valid], reason="poll")
        self.state.top.offset = instruction.target
        self.block.ops.append(Op("jump", [], target=self.edge_to(self.state), offset=self.offset))  # type: ignore[attr-defined]
        return False

    def op_JUMP_BACKWARD_NO_INTERRUPT(self, instruction: Instruction) -> bool:
        return self.op_JUMP_BACKWARD(instruction)


def _sequence_of(iterator: object) -> list[object]:
    """The list under a sample list iterator (its own state is not touched)."""
    reduced = iterator.__reduce__() if type(iterator) is LIST_ITERATOR else ((), ())
    return reduced[1][0] if len(reduced) > 1 and reduced[1] and type(reduced[1][0]) is list else []


__all__ = ["LIST_ITERATOR", "RANGE_ITERATOR", "Loops", "Pointer"]
