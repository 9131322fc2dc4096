"""Optimisations change nothing that can be seen: random IR runs the same before and after, on a model."""

import copy
import math

import pytest
from hypothesis import given
from support.examples import examples
from support.random_ir import functions

from ftjit.ir import Const
from ftjit.ir.verifier import verify
from ftjit.passes import PASSES

LOW, HIGH = -(2**63), 2**63
STEPS = 300


def leaves(name, a):
    """Does the op leave instead of giving a result? Overflows, and a division by zero."""
    match name:
        case "int_add":
            return not LOW <= a[0] + a[1] < HIGH
        case "int_sub":
            return not LOW <= a[0] - a[1] < HIGH
        case "int_mul":
            return not LOW <= a[0] * a[1] < HIGH
        case "int_neg":
            return a[0] == LOW
        case "float_div":
            return a[1] == 0.0
    return False


RESULTS = {
    "int_add": lambda a, b: a + b, "int_sub": lambda a, b: a - b, "int_mul": lambda a, b: a * b,
    "int_and": lambda a, b: a & b, "int_xor": lambda a, b: a ^ b, "int_compare_lt": lambda a, b: int(a < b),
    "int_neg": lambda a: -a, "int_invert": lambda a: ~a, "int_move": lambda a: a,
    "float_add": lambda a, b: a + b, "float_mul": lambda a, b: a * b, "float_div": lambda a, b: a / b,
    "float_move": lambda a: a, "float_from_int": float,
}  # fmt: skip


def run(function):
    """The way out of the function and what it puts where, or "still running" after some steps."""
    known = {}

    def value(operand):
        return operand.value if isinstance(operand, Const) else known[operand]

    def way_out(exit):
        moved = [
            (
                move.slot,
                move.kind,
                *(float.hex(v) if isinstance(v, float) else v for v in map(value, move.operands)),
            )
            for move in exit.moves
        ]
        return exit.offset, exit.depth, exit.reason, moved

    block, steps = function.blocks[0], 0
    while True:
        for op in block.ops:
            steps += 1
            arguments = [value(a) for a in op.arguments]
            if op.name == "leave" or leaves(op.name, arguments):
                return way_out(op.exit)
            if op.name == "jump" or (op.name == "int_branch_lt" and arguments[0] < arguments[1]):
                given_ = [value(a) for a in op.target.arguments]
                block = op.target.block
                known.update(zip(block.parameters, given_, strict=True))
                break
            if op.result is not None:
                known[op.result] = RESULTS[op.name](*arguments)
        if steps > STEPS:
            return "still running"


def same(before, after):
    """An overflow may go with an op whose result nobody uses: the program would not have noticed."""
    return before == after or before == "still running" or after == "still running" or before[2] == "overflow"


@pytest.mark.parametrize("name", PASSES)
def test_each_pass(name):
    @examples(40)
    @given(functions())
    def check(function):
        after = copy.deepcopy(function)
        PASSES[name](after)
        verify(after)
        assert same(run(function), run(after))

    check()


@examples(40)
@given(functions())
def test_all_passes(function):
    after = copy.deepcopy(function)
    for run_pass in PASSES.values():
        run_pass(after)
        verify(after)
    assert same(run(function), run(after))


@examples(40)
@given(functions())
def test_passes_do_not_grow_the_function(function):
    after = copy.deepcopy(function)
    for run_pass in PASSES.values():
        run_pass(after)
    assert sum(len(block.ops) for block in after.blocks) <= sum(len(block.ops) for block in function.blocks)


def test_the_model_tells_functions_apart():
    """The comparison can fail: zeros differ by sign, ways out by offset."""
    assert not math.isnan(RESULTS["float_mul"](-1.0, 0.0))
    assert not same((0, 0, "return", [(0, "float", (-0.0).hex())]), (0, 0, "return", [(0, "float", (0.0).hex())]))
    assert not same((0, 0, "return", []), (2, 0, "return", []))
