"""From ordered IR to stencils: operands into registers, edges into moves and jumps, exits into stubs."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ftjit.backend.assembler import Assembler, Code, Label
from ftjit.backend.exits import ExitTable
from ftjit.backend.layout import order, straighten
from ftjit.backend.moves import Place, Transfer, sequence
from ftjit.backend.registers import ASSIGNABLE, SCRATCH, Assignment, assign
from ftjit.ir import OPS, Block, Const, Edge, Function, Move, Op, Value
from ftjit.ir.nodes import FLOAT, INT, Operand
from ftjit.plain import changed
from ftjit.stencils.library import StencilLibrary
from ftjit.versions import Layout

# A spill slot the emitter keeps for itself: a register set aside during one op.
_RESERVED = 1
# Results that a return passes alone.
_LIGHT = ("int", "float", "bool", "new_reference", "constant", "local")


@dataclass(frozen=True, slots=True)
class Emitted:
    """One executor's code before it has an address, and its exits."""

    assembler: Assembler
    exits: ExitTable

    def size_at(self, base: int) -> int:
        return self.assembler.size_at(base)

    def code_at(self, base: int) -> Code:
        return self.assembler.finish(base)


def _imm32(value: int) -> bool:
    return 0 <= value < 2**31


def _light(kind: str, offset: int) -> int:
    """What machine code returns from a light return at this byte offset (`cdefs/activation.h`)."""
    return 1 << 30 | {"int": 1 << 28, "float": 1 << 29}.get(kind, 0) | offset // 2


class Emitter:
    """Emits one function. Use `emit`."""

    def __init__(
        self, function: Function, library: StencilLibrary, layout: Layout, spill: int, spill_slots: int
    ) -> None:
        self.blocks = order(function)
        straighten(self.blocks)
        self.layout = layout
        self.local_slots = function.local_slots
        self.holds = bool(function.held)
        self.spill = spill
        self.reserved = spill_slots - _RESERVED
        self.assignment: Assignment = assign(self.blocks, self.reserved)
        self.exits = ExitTable(self.assignment)
        self.assembler = Assembler(library, layout.symbol)
        self.labels = {block: Label(repr(block)) for block in self.blocks}
        self.leave = Label("leave")
        self.keeps_locks = any("unfenced" in OPS[op.name].flags for block in self.blocks for op in block.ops)
        self.has_floats = any(v.kind == FLOAT and isinstance(p, str) for v, p in self.assignment.places.items())
        self.offset = -1

    def run(self) -> Emitted:
        if self.holds:
            self._stencil("hold_nothing", OFF0=self.layout.held)
        for block, following in zip(self.blocks, [*self.blocks[1:], None], strict=True):
            self.assembler.label(self.labels[block])
            for op in block.ops:
                self.offset = op.offset
                self._op(op, following)
        self.assembler.rarely = True
        self.assembler.label(self.leave)
        self._stencil("leave")
        return Emitted(self.assembler, self.exits)

    # ---- places -------------------------------------------------------------------------------------------------

    def _stencil(self, operation: str, *operands: str, target: Label | None = None, **values: int) -> None:
        self.assembler.emit(operation, operands, values, target, self.offset)

    def _slot(self, place: int) -> int:
        return self.spill + 8 * place

    def _transfer(self, transfer: Transfer) -> None:
        """One move between registers, slots and constants."""
        kind, target, source = transfer.kind, transfer.target, transfer.source
        name = "int" if kind == INT else "float"
        if isinstance(target, int):
            register = source if isinstance(source, str) else SCRATCH[kind][1]
            if register is not source:
                self._transfer(Transfer(kind, register, source))
            self._stencil(f"spill_{name}", register, OFF0=self._slot(target))
        elif isinstance(source, int):
            self._stencil(f"reload_{name}", target, OFF0=self._slot(source))
        elif isinstance(source, str):
            self._stencil(f"{name}_move", target, source)
        elif kind == INT:
            form = "imm32" if _imm32(int(source.value)) else "imm"
            self.assembler.emit("int_move", (target, form), {f"{form.upper()}_B": int(source.value)}, None, self.offset)
        else:
            bits = struct.unpack("<q", struct.pack("<d", source.value))[0]
            if bits == 0:
                self._stencil("float_zero", target)
            else:
                self._stencil("float_const", target, OP0=bits)

    def _place(self, operand: Operand) -> Place | Const:
        return operand if isinstance(operand, Const) else self.assignment.places[operand]

    # ---- edges --------------------------------------------------------------------------------------------------

    def _moves(self, edge: Edge) -> list[Transfer]:
        pairs = zip(edge.block.parameters, edge.arguments, strict=True)
        transfers = [Transfer(p.kind, self.assignment.places[p], self._place(a)) for p, a in pairs]
        return list(sequence(transfers, {INT: SCRATCH[INT][0], FLOAT: SCRATCH[FLOAT][0]}))

    def _jump(self, edge: Edge, following: Block | None) -> None:
        for transfer in self._moves(edge):
            self._transfer(transfer)
        if edge.block is not following:
            self._stencil("jump", target=self.labels[edge.block])

    def _branch_label(self, op: Op) -> Label:
        """Where a branch goes: to the block, or to a stub with the edge's moves and checks."""
        assert op.target is not None
        moves = self._moves(op.target)
        if not moves and op.name != "call_out_or":
            return self.labels[op.target.block]
        stub = Label("edge")
        leaving = self._exit_label(op) if op.name == "call_out_or" else None
        was, self.assembler.rarely = self.assembler.rarely, True
        self.assembler.label(stub)
        if leaving is not None:
            self._stencil("check_status", target=leaving)
        for transfer in moves:
            self._transfer(transfer)
        self._stencil("jump", target=self.labels[op.target.block])
        self.assembler.rarely = was
        return stub

    def _exit_label(self, op: Op, moved: dict[str, int] | None = None) -> Label:
        """A stub that names the exit and goes the common way out."""
        assert op.exit is not None
        number = self.exits.add(op.exit, moved)
        stub = Label(f"exit{number}")
        was, self.assembler.rarely = self.assembler.rarely, True
        self.assembler.label(stub)
        self._stencil("exit_here", target=self.leave, OFF0=number)
        self.assembler.rarely = was
        return stub

    # ---- ops ----------------------------------------------------------------------------------------------------

    def _op(self, op: Op, following: Block | None) -> None:
        if op.name == "jump":
            assert op.target is not None
            self._jump(op.target, following)
            return
        if op.name == "leave":
            self._leave(op)
            return
        info = OPS[op.name]
        registers, values, aside = self._operands(op)
        result = self._result_register(op, registers)
        if op.result is not None and info.tied:
            if registers[0] != result:
                self._transfer(Transfer(op.result.kind, result, registers[0]))
            registers[0] = result
        elif op.result is not None:
            registers.insert(0, result)
        values |= dict(zip(info.holes, op.immediates, strict=True))
        moved = dict.fromkeys(aside, self.reserved)
        target = None
        if op.target is not None:
            target = self._branch_label(op)
        elif op.exit is not None:
            target = self._exit_label(op, moved)
        operation = "call_out" if op.name == "call_out_or" else op.name
        if "out" in info.flags and not self.has_floats:
            operation += "_without_floats"
        if op.name == "poll" and self.keeps_locks:
            self._stencil("poll_keeping")
        self.assembler.emit(operation, tuple(registers), values, target, op.offset)
        for register in aside:
            self._stencil("reload_int", register, OFF0=self._slot(self.reserved))
        if op.result is not None and isinstance(place := self.assignment.places[op.result], int):
            self._transfer(Transfer(op.result.kind, place, result))

    def _leave(self, op: Op) -> None:
        """The end of a block. A return passes only its result, unless somebody holds the frame, or the end of a held
        global may look at it: then its locals go home."""
        exit = op.exit
        assert exit is not None
        # A local that is returned: the number alone, the local goes with its frame.
        results = [
            changed(exit.moves[move.constant], slot=move.slot) if move.kind == "same" else move
            for move in exit.moves
            if move.slot >= self.local_slots
        ]
        if self.holds or exit.reason != "return" or exit.depth != 1 or any(move.kind not in _LIGHT for move in results):
            self._stencil("jump", target=self._exit_label(op))
            return
        full = self._exit_label(op)
        last = results[0] if results else Move("home", self.local_slots)
        values = {"OFF0": _light(last.kind, exit.offset), "OFF1": self.layout.localsplus + 8 * self.local_slots}
        if last.kind == "constant":
            values["OP0"] = last.constant
        elif last.kind == "local":
            values["OFF2"] = self.layout.localsplus + 8 * last.constant
        registers = []
        for operand in last.operands:
            place = self._place(operand)
            register = place if isinstance(place, str) else SCRATCH[operand.kind][0]
            if register is not place:
                self._transfer(Transfer(operand.kind, register, place))
            registers.append(register)
        name = "object" if last.kind == "new_reference" else last.kind
        self._stencil(f"return_{name}", *registers, target=full, **values)

    def _result_register(self, op: Op, registers: list[str]) -> str:
        if op.result is None:
            return ""
        place = self.assignment.places[op.result]
        if isinstance(place, str):
            return place
        kind = op.result.kind
        if OPS[op.name].tied and registers[0] in SCRATCH[kind]:
            return registers[0]
        return next(r for r in SCRATCH[kind] if r not in registers)

    def _operands(self, op: Op) -> tuple[list[str], dict[str, int], list[str]]:
        """The operands as the stencil's variant names them, the values of immediate ones, and a register that had to
        be set aside when three operands are in memory."""
        info = OPS[op.name]
        scratch = {kind: list(names) for kind, names in SCRATCH.items()}
        registers: list[str] = []
        values: dict[str, int] = {}
        aside: list[str] = []
        for index, operand in enumerate(op.arguments):
            place = self._place(operand)
            if isinstance(place, Const) and index == info.immediate:
                immediate = self._immediate(op, place, values)
                if immediate:
                    registers.append(immediate)
                    continue
            if isinstance(place, str):
                registers.append(place)
                continue
            kind = operand.kind
            if not scratch[kind]:
                used = {self._place(a) for a in op.arguments} | set(registers)
                register = next(r for r in ASSIGNABLE[kind] if r not in used)
                self._stencil("spill_int", register, OFF0=self._slot(self.reserved))
                aside.append(register)
                scratch[kind].append(register)
            register = scratch[kind].pop(0)
            self._transfer(Transfer(kind, register, place))
            registers.append(register)
        return registers, values, aside

    def _immediate(self, op: Op, constant: Const, values: dict[str, int]) -> str | None:
        """`imm32` or `imm` where the stencil has such a variant for the value."""
        info = OPS[op.name]
        number = int(constant.value)
        result = [f"{info.result}0"] if info.result and not info.tied else []
        place = len(result) + info.immediate
        for form, fits in (("imm32", _imm32(number)), ("imm", True)):
            others = [*result, *(f"{kind}{n}" for n, kind in enumerate(info.arguments, len(result)))]
            others[place] = form
            if fits and self.assembler.has(op.name, tuple(others)):
                values[f"{form.upper()}_{'ABCD'[place]}"] = number
                return form
        return None


def emit(function: Function, library: StencilLibrary, layout: Layout, spill: int, spill_slots: int) -> Emitted:
    """The function's code and exits. `spill`: byte offset of the spill area in the activation; TooManyValues when
    `spill_slots` do not do."""
    return Emitter(function, library, layout, spill, spill_slots).run()


__all__ = ["Emitted", "Value", "emit"]
