"""Arithmetic on constants that only block versions brought together; identities that cost an instruction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ftjit.ir import Const, Function, Value
from ftjit.ir.nodes import Op, Operand
from ftjit.passes.rewrite import replace

_INT: Final[dict[str, Callable[[int, int], int]]] = {
    "int_add": int.__add__, "int_sub": int.__sub__, "int_mul": int.__mul__,
    "int_and": int.__and__, "int_or": int.__or__, "int_xor": int.__xor__,
}  # fmt: skip
_FLOAT: Final[dict[str, Callable[[float, float], float]]] = {
    "float_add": float.__add__, "float_sub": float.__sub__, "float_mul": float.__mul__,
}  # fmt: skip
_NEUTRAL: Final = {
    ("int_add", 0),
    ("int_sub", 0),
    ("int_mul", 1),
    ("int_or", 0),
    ("int_xor", 0),
    ("int_shr", 0),
    ("int_shl", 0),
}


def _folded(op: Op) -> Operand | None:
    constants = [a.value for a in op.arguments if isinstance(a, Const)]
    if op.name == "float_from_int" and constants:
        return Const(float(constants[0]))
    if op.name == "int_move" and constants:
        return op.arguments[0]
    if len(op.arguments) != 2:
        return None
    if len(constants) == 2 and op.name in _INT:
        result = _INT[op.name](int(constants[0]), int(constants[1]))
        return Const(result) if -(2**63) <= result < 2**63 else None
    if len(constants) == 2 and op.name in _FLOAT:
        return Const(_FLOAT[op.name](float(constants[0]), float(constants[1])))
    right = op.arguments[1]
    if isinstance(right, Const) and (op.name, right.value) in _NEUTRAL:
        return op.arguments[0]
    return None


def run(function: Function) -> None:
    new: dict[Value, Operand] = {}
    for block in function.blocks:
        kept = []
        for op in block.ops:
            op.arguments = [new.get(a, a) if isinstance(a, Value) else a for a in op.arguments]
            result = _folded(op) if op.result is not None else None
            if result is None:
                kept.append(op)
            else:
                assert op.result is not None
                new[op.result] = result
        block.ops = kept
    replace(function, new)
