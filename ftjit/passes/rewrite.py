"""Replacing values throughout a function: what several passes need."""

from __future__ import annotations

from ftjit.ir import Function, Value
from ftjit.ir.nodes import Operand


def replace(function: Function, new: dict[Value, Operand]) -> None:
    """Every use of a key becomes its value (chains are followed)."""

    if not new:
        return

    def last(operand: Operand) -> Operand:
        while isinstance(operand, Value) and operand in new:
            operand = new[operand]
        return operand

    for block in function.blocks:
        for op in block.ops:
            op.arguments = [last(argument) for argument in op.arguments]
            if op.target is not None:
                op.target.arguments = [last(argument) for argument in op.target.arguments]
            if op.exit is not None:
                for move in op.exit.moves:
                    if move.operands:
                        move.operands = tuple([last(operand) for operand in move.operands])
                for frame in op.exit.inner:
                    frame.function = last(frame.function)
