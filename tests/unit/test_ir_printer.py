"""The IR as text: one op a line, everything that matters on it."""

import re

from hypothesis import given
from support.examples import examples
from support.random_ir import functions

from ftjit.ir import OPS, Block, Const, Edge, Exit, Function, Move, Op
from ftjit.ir.printer import format_function, format_op


def test_the_parts_of_an_op():
    function = Function("f")
    a, b = function.value("i"), function.value("f")
    target = Block(3, 40, [a])
    exit = Exit(
        12,
        2,
        "type",
        [Move("int", 0, (a,)), Move("range_iterator", 4, (a, Const(9)), 1), Move("same", 5, (), 0)],
    )
    assert format_op(Op("int_move", [Const(-3)], a)) == "%i1 = int_move -3"
    assert format_op(Op("float_move", [Const(-0.0)], b)) == "%f2 = float_move -0.0"
    assert format_op(Op("guard_length", [a], None, (3,), exit)) == (
        "guard_length %i1 #3  ; exit type@12/2[0=int(%i1), 4=range_iterator(%i1, 9), 5=same(0)]"
    )
    assert (
        format_op(Op("int_branch_lt", [a, Const(2)], target=Edge(target, [Const(7)]))) == "int_branch_lt %i1 2 -> b3(7)"
    )


@examples(40)
@given(functions())
def test_nothing_is_left_out(function):
    text = format_function(function)
    lines = text.splitlines()
    assert lines[0] == f"function {function.name}"
    assert len(lines) == 1 + len(function.blocks) + sum(len(block.ops) for block in function.blocks)
    rest = iter(lines[1:])
    for block in function.blocks:
        head = next(rest)
        assert head.startswith(f"b{block.number}({', '.join(map(repr, block.parameters))})")
        assert f"bytecode {block.offset}, loop depth {block.loop_depth}" in head
        for op in block.ops:
            line = next(rest)
            assert re.search(rf"\b{op.name}\b", line)
            for operand in op.operands():
                assert repr(operand) in line
            assert ("->" in line) == (op.target is not None)
            assert ("; exit" in line) == (op.exit is not None)


def test_the_table_of_operations_is_consistent():
    for name, info in OPS.items():
        assert info.name == name
        assert set(info.arguments) <= set("if"), name
        assert info.result in ("", "i", "f"), name
        assert not info.tied or info.arguments[0] == info.result, name
        assert -1 <= info.immediate < len(info.arguments), name
        assert all(re.fullmatch(r"(OFF|OP)\d", hole) for hole in info.holes), name
        assert len(set(info.holes)) == len(info.holes), name
        assert not (info.pure and "effect" in info.flags), name
