"""A list's item that is only wanted for its number is never held as an object: load and unboxing become one op, which
needs no count for what another thread made. An exit between the two makes a box of its own (rule 10: numbers are
values)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ftjit.ir import Block, Function, Value
from ftjit.ir.nodes import Move, Op, Operand
from ftjit.passes.rewrite import replace

_KIND: Final = {"unbox_float": "float", "unbox_int": "int", "unbox_bool": "bool"}
_REGISTER: Final = {"float": "f", "int": "i", "bool": "i"}


@dataclass
class _Uses:
    """What is done with one item: unboxed, put back into a home at exits, or anything else."""

    load: Op
    block: Block
    unboxed: list[Op] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    other: bool = False


def _all_uses(function: Function) -> dict[Value, _Uses]:
    found = {
        op.result: _Uses(op, block)
        for block in function.blocks
        for op in block.ops
        if op.name == "list_item" and op.result is not None
    }

    def other(operands: list[Operand]) -> None:
        for operand in operands:
            if isinstance(operand, Value) and operand in found:
                found[operand].other = True

    for block in function.blocks:
        for op in block.ops:
            source = op.arguments[0] if op.arguments else None
            if op.name in _KIND and isinstance(source, Value) and source in found and found[source].block is block:
                found[source].unboxed.append(op)
            else:
                other(op.arguments)
            if op.target is not None:
                other(op.target.arguments)
            for move in op.exit.moves if op.exit else ():
                if move.kind == "new_reference" and isinstance(move.operands[0], Value):
                    if move.operands[0] in found:
                        found[move.operands[0]].moves.append(move)
                else:
                    other(list(move.operands))
    return found


def run(function: Function) -> None:
    new: dict[Value, Operand] = {}
    for item, uses in _all_uses(function).items():
        kinds = {_KIND[op.name] for op in uses.unboxed}
        if uses.other or len(kinds) != 1:
            continue
        (kind,) = kinds
        number = function.value(_REGISTER[kind])
        uses.load.name = f"list_item_{kind}"
        uses.load.result = number
        for move in uses.moves:
            move.kind, move.operands = kind, (number,)
        for op in uses.unboxed:
            assert op.result is not None
            new[op.result] = number
            uses.block.ops.remove(op)
        assert item not in new
    replace(function, new)
