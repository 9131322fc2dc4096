"""Register assignment: two values that are alive at the same time never share a place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples
from support.random_ir import functions

from ftjit.backend.layout import order, straighten
from ftjit.backend.liveness import ranges
from ftjit.backend.registers import ASSIGNABLE, TooManyValues, assign
from ftjit.ir import OPS, Block, Const, Edge, Exit, Function, Move, Op, Value
from ftjit.ir.nodes import FLOAT, INT


def live_after(blocks):
    """For each op of each block, the values that some path from behind it uses: plain iteration over single
    ops, written apart from the compiler's own liveness."""
    live_in = {block: set() for block in blocks}
    after = {}
    changed = True
    while changed:
        changed = False
        for block in reversed(blocks):
            live = set()
            for index in range(len(block.ops) - 1, -1, -1):
                op = block.ops[index]
                if op.target is not None:
                    live = live | (live_in[op.target.block] - set(op.target.block.parameters))
                after[block, index] = set(live)
                live.discard(op.result)
                live |= {operand for operand in op.operands() if isinstance(operand, Value)}
            if live != live_in[block]:
                live_in[block] = live
                changed = True
    return live_in, after


def check(blocks, assignment):
    places = assignment.places
    live_in, after = live_after(blocks)

    def distinct(values, where):
        values = list(values)
        used = [(places[v] if isinstance(places[v], str) else f"slot {places[v]}") for v in values]
        assert len(set(used)) == len(used), f"{where}: {dict(zip(values, used, strict=True))}"

    for block in blocks:
        distinct(live_in[block], block)
        # Parameters are all written on the way in, used or not; only unused ones may share with each other.
        for unused in set(block.parameters) - live_in[block]:
            distinct(live_in[block] | {unused}, (block, "an unused parameter"))
        for index, op in enumerate(block.ops):
            if op.result is not None:
                # The result is written while everything that is needed later sits where it is.
                distinct(after[block, index] | {op.result}, (block, op.name))
                if OPS[op.name].tied:
                    # The first argument gives its register away before the others are read.
                    others = {a for a in op.arguments[1:] if isinstance(a, Value)} - {op.arguments[0]}
                    distinct(others | {op.result}, (block, op.name, "arguments"))


@examples(40)
@given(functions())
def test_no_two_live_values_share_a_place(function):
    blocks = order(function)
    straighten(blocks)
    check(blocks, assign(blocks, 1000))


@examples(20)
@given(functions(blocks=3, ops=30))
def test_nor_under_pressure(function):
    blocks = order(function)
    check(blocks, assign(blocks, 1000))


@examples(40)
@given(functions())
def test_values_alive_together_have_places_of_their_own(function):
    blocks = order(function)
    places = assign(blocks, 1000).places
    found = ranges(blocks)
    for i, one in enumerate(found):
        for other in found[i + 1 :]:
            if places[one.value] == places[other.value]:
                assert not one.positions & other.positions, (one, other)


@examples(20)
@given(functions(blocks=3, ops=30))
def test_registers_are_of_the_value_s_kind(function):
    assignment = assign(order(function), 1000)
    for value, place in assignment.places.items():
        if isinstance(place, str):
            assert place in ASSIGNABLE[value.kind]
        else:
            assert 0 <= place < assignment.spill_slots


def crowd(count, kind):
    """One block in which `count` values are alive at once."""
    function = Function("crowd")
    block = Block(0, 0)
    values = []
    for number in range(count):
        value = function.value(kind)
        source = Const(number) if kind == INT else Const(float(number))
        block.ops.append(Op("int_move" if kind == INT else "float_move", [source], value))
        values.append(value)
    moves = [Move("int" if kind == INT else "float", slot, (value,)) for slot, value in enumerate(values)]
    block.ops.append(Op("leave", [], exit=Exit(0, 0, "return", moves)))
    function.blocks.append(block)
    return function


@pytest.mark.parametrize("kind", [INT, FLOAT])
def test_spills_only_what_does_not_fit(kind):
    room = len(ASSIGNABLE[kind])
    assert assign(crowd(room, kind).blocks, 0).spill_slots == 0
    assert assign(crowd(room + 3, kind).blocks, 3).spill_slots == 3
    with pytest.raises(TooManyValues):
        assign(crowd(room + 4, kind).blocks, 3)


def test_what_a_loop_uses_keeps_its_register():
    """Values used in the loop win over those that only wait for its end."""
    function = Function("loop")
    before, loop, after = Block(0, 0), Block(1, 10, loop_depth=1), Block(2, 20)
    waiting = [function.value(INT) for _ in range(len(ASSIGNABLE[INT]))]
    counter, stepped = function.value(INT), function.value(INT)
    before.ops = [Op("int_move", [Const(n)], value) for n, value in enumerate(waiting)]
    before.ops.append(Op("jump", [], target=Edge(loop, [Const(0)])))
    loop.parameters = [counter]
    overflow = Exit(10, 0, "overflow", [])
    loop.ops = [
        Op("int_add", [counter, Const(1)], stepped, exit=overflow),
        Op("int_branch_ge", [stepped, Const(100)], target=Edge(after, [])),
        Op("jump", [], target=Edge(loop, [stepped])),
    ]
    moves = [Move("int", slot, (value,)) for slot, value in enumerate(waiting)]
    after.ops = [Op("leave", [], exit=Exit(20, 0, "return", moves))]
    function.blocks = [before, loop, after]
    places = assign(function.blocks, 10).places
    assert isinstance(places[counter], str)
    assert places[counter] == places[stepped]


@examples(40)
@given(st.permutations(range(6)))
def test_every_block_is_placed_once_entry_first(numbers):
    function = Function("ring")
    function.blocks = [Block(n, n) for n in range(6)]
    for block, number in zip(function.blocks, numbers, strict=True):
        block.ops.append(Op("int_branch_eq", [Const(1), Const(2)], target=Edge(function.blocks[number], [])))
        block.ops.append(Op("jump", [], target=Edge(function.blocks[(block.number + 1) % 6], [])))
    placed = order(function)
    assert placed[0] is function.blocks[0]
    assert sorted(block.number for block in placed) == list(range(6))


def test_what_edges_pass_stays_where_it_is():
    """A value that a loop only hands on costs nothing, in a register or in memory."""
    function = Function("handed on")
    before, loop, after = Block(0, 0), Block(1, 10, loop_depth=1), Block(2, 20)
    width = len(ASSIGNABLE[INT]) + 4
    first, carried, last = ([function.value(INT) for _ in range(width)] for _ in range(3))
    before.ops = [Op("int_move", [Const(n)], value) for n, value in enumerate(first)]
    before.ops.append(Op("jump", [], target=Edge(loop, list(first))))
    loop.parameters = carried
    loop.ops = [
        Op("int_branch_ge", [carried[0], Const(100)], target=Edge(after, list(carried))),
        Op("jump", [], target=Edge(loop, list(carried))),
    ]
    after.parameters = last
    moves = [Move("int", slot, (value,)) for slot, value in enumerate(last)]
    after.ops = [Op("leave", [], exit=Exit(20, 0, "return", moves))]
    function.blocks = [before, loop, after]
    assignment = assign(function.blocks, width)
    assert assignment.spill_slots == width - len(ASSIGNABLE[INT])
    for values in zip(first, carried, last, strict=True):
        assert len({assignment.places[value] for value in values}) == 1
