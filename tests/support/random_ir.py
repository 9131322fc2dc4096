"""Random IR that is well formed: any control flow, values of both kinds, ops from the real table."""

from __future__ import annotations

from hypothesis import strategies as st

from ftjit.ir import OPS, Block, Const, Edge, Exit, Function, Move, Op, Value
from ftjit.ir.nodes import FLOAT, INT

INT_OPS = [
    "int_add",
    "int_sub",
    "int_mul",
    "int_and",
    "int_xor",
    "int_compare_lt",
    "int_neg",
    "int_invert",
    "int_move",
]
FLOAT_OPS = ["float_add", "float_mul", "float_div", "float_move", "float_from_int"]


@st.composite
def functions(draw: st.DrawFn, blocks: int = 5, ops: int = 8) -> Function:
    """A function whose every use is defined on all paths: blocks use their own values and those of the entry
    block, which comes before all."""
    function = Function("random")
    count = draw(st.integers(1, blocks))
    for number in range(count):
        parameters = [function.value(kind) for kind in draw(st.lists(st.sampled_from([INT, FLOAT]), max_size=4))]
        depth = draw(st.integers(0, 2))
        function.blocks.append(Block(number, number * 10, parameters if number else [], [], depth))
    shared: list[Value] = []
    for block in function.blocks:
        known = [*shared, *block.parameters]
        for _ in range(draw(st.integers(0, ops))):
            known.append(_op(draw, function, block, known))
        _end(draw, function, block, known)
        if block.number == 0:
            shared = [value for value in known if isinstance(value, Value)]
    return function


def _operand(draw: st.DrawFn, known: list[Value], kind: str) -> Value | Const:
    fitting = [value for value in known if value.kind == kind]
    if fitting and draw(st.integers(0, 4)):
        return draw(st.sampled_from(fitting))
    return Const(draw(st.integers(-100, 100))) if kind == INT else Const(draw(st.sampled_from([0.0, -0.0, 1.5, -2.0])))


def exit_for(draw: st.DrawFn, known: list[Value], reason: str = "overflow") -> Exit:
    """An exit that puts a few of the known values into locals."""
    moves = []
    for slot, value in enumerate(draw(st.lists(st.sampled_from(known), max_size=4)) if known else []):
        moves.append(Move("int" if value.kind == INT else "float", slot, (value,)))
    return Exit(draw(st.integers(0, 50)) * 2, draw(st.integers(0, 3)), reason, moves)


def _op(draw: st.DrawFn, function: Function, block: Block, known: list[Value]) -> Value:
    name = draw(st.sampled_from(INT_OPS + FLOAT_OPS))
    info = OPS[name]
    result = function.value(info.result)
    reason = "overflow" if info.result == INT else "arithmetic"  # float_div: a division by zero, an exception
    exit = exit_for(draw, known, reason) if "exit" in info.flags else None
    block.ops.append(Op(name, [_operand(draw, known, kind) for kind in info.arguments], result, exit=exit))
    return result


def _end(draw: st.DrawFn, function: Function, block: Block, known: list[Value]) -> None:
    """A branch or two, then a jump or a leave."""

    def edge() -> Edge:
        target = draw(st.sampled_from(function.blocks[1:]))
        return Edge(target, [_operand(draw, known, parameter.kind) for parameter in target.parameters])

    others = len(function.blocks) > 1
    for _ in range(draw(st.integers(0, 1)) if others else 0):
        block.ops.append(Op("int_branch_lt", [_operand(draw, known, INT), _operand(draw, known, INT)], target=edge()))
    if others and draw(st.booleans()):
        block.ops.append(Op("jump", [], target=edge()))
    else:
        block.ops.append(Op("leave", [], exit=exit_for(draw, known, "return")))
