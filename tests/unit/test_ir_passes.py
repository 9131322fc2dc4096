"""Optimisations change nothing that can be seen: random IR runs the same before and after, on a model."""

import copy
import math

import pytest
from hypothesis import given
from support.examples import examples
from support.random_ir import functions

from ftjit.ir import Block, Const, Edge, Exit, Function, Move, Op
from ftjit.ir.nodes import FLOAT, INT
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


def test_an_item_that_is_only_unboxed_is_read_as_a_number():
    """The exit between the two ops makes a box; an item that is used as an object stays one."""
    function = Function("item")
    block = Block(0, 0)
    names = ("list", "item", "number", "kept", "kept number")
    a_list, item, number, kept, kept_number = (function.value(FLOAT if "number" in name else INT) for name in names)
    between = Exit(4, 1, "item", [Move("new_reference", 3, (item,)), Move("new_reference", 4, (kept,))])
    block.ops = [
        Op("load_object", [], a_list, (80,)),
        Op("list_item", [a_list, Const(1)], item, exit=Exit(0, 0, "item", [])),
        Op("list_item", [a_list, Const(2)], kept, exit=Exit(2, 0, "item", [])),
        Op("unbox_float", [kept], kept_number, exit=between),
        Op("unbox_float", [item], number, exit=Exit(6, 0, "type", [Move("new_reference", 3, (item,))])),
        Op("push_object", [kept], None, (96,)),
        Op("leave", [], exit=Exit(8, 0, "return", [Move("float", 3, (number,)), Move("float", 4, (kept_number,))])),
    ]
    function.blocks = [block]
    PASSES["numbers_of_items"](function)
    verify(function)
    assert [op.name for op in block.ops] == [
        "load_object", "list_item_float", "list_item", "unbox_float", "push_object", "leave",
    ]  # fmt: skip
    assert [(move.kind, move.slot) for move in between.moves] == [("float", 3), ("new_reference", 4)]
    assert between.moves[0].operands == (block.ops[1].result,) == block.ops[-1].exit.moves[0].operands


def test_what_no_way_leads_round_is_in_no_loop():
    function = Function("peeled")
    peeled, loop, after = (Block(n, n, loop_depth=1) for n in range(3))
    peeled.ops = [Op("jump", [], target=Edge(loop, []))]
    loop.ops = [
        Op("int_branch_lt", [Const(1), Const(2)], target=Edge(loop, [])),
        Op("jump", [], target=Edge(after, [])),
    ]
    after.ops = [Op("leave", [], exit=Exit(0, 0, "return", []))]
    function.blocks = [peeled, loop, after]
    PASSES["loop_depths"](function)
    assert [block.loop_depth for block in function.blocks] == [0, 1, 0]
