"""Exits are packed as the C core lays them out: unpacked again, every field is what it was."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples

from ftjit.backend.exits import FIRST_DEOPT, MOVES, REASONS, ExitTable
from ftjit.backend.registers import Assignment
from ftjit.ir import Const, Exit, Inner, Move, Value

# struct exit_record, struct move and struct inner_frame of cdefs/core.h, with C's alignment.
RECORD = struct.Struct("@ihhiiiiQ")
MOVE = struct.Struct("@BBBBhhqqq")
INNER = struct.Struct("@qqihBB")
INT_REGISTER, FLOAT_REGISTER, SPILL, IMMEDIATE = range(4)

A, B, X, SPILLED = Value("i", 1), Value("i", 2), Value("f", 3), Value("i", 4)
PLACES = Assignment({A: "i0", B: "i5", X: "f3", SPILLED: 7}, 8)


def records(table):
    return list(RECORD.iter_unpack(bytes(table.records)))


def moves(table):
    return list(MOVE.iter_unpack(bytes(table.moves)))


def test_places():
    table = ExitTable(PLACES)
    table.add(
        Exit(
            2,
            0,
            "type",
            [
                Move("int", 0, (A,)),
                Move("float", 1, (X,)),
                Move("int", 2, (SPILLED,)),
                Move("int", 3, (Const(-5),)),
            ],
        )
    )
    found = [(place, value) for _, place, _, _, _, _, value, _, _ in moves(table)]
    assert found == [(INT_REGISTER, 0), (FLOAT_REGISTER, 3), (SPILL, 7), (IMMEDIATE, -5)]


def test_several_operands():
    table = ExitTable(PLACES)
    table.add(Exit(2, 0, "poll", [Move("range_iterator", 4, (B, SPILLED), -3)]))
    assert moves(table) == [(MOVES.index("range_iterator"), INT_REGISTER, SPILL, IMMEDIATE, 4, 0, 5, 7, -3)]


@pytest.mark.parametrize("number", [0.0, -0.0, 1.5, float("inf"), 5e-324])
def test_float_constants_by_their_bits(number):
    table = ExitTable(PLACES)
    table.add(Exit(2, 0, "type", [Move("float", 0, (Const(number),))]))
    assert struct.pack("<q", moves(table)[0][6]) == struct.pack("<d", number)


def test_moved_registers_are_read_from_their_slot():
    table = ExitTable(PLACES)
    table.add(Exit(2, 0, "type", [Move("int", 0, (A,)), Move("int", 1, (B,))]), moved={"i5": 31})
    assert [(m[1], m[6]) for m in moves(table)] == [(INT_REGISTER, 0), (SPILL, 31)]


@pytest.mark.parametrize("reason", [*REASONS, "type", "overflow"])
def test_reasons(reason):
    table = ExitTable(PLACES)
    table.add(Exit(2, 0, reason, []))
    assert records(table)[0][1] == (REASONS.index(reason) if reason in REASONS else FIRST_DEOPT)


def test_frames_of_inlined_functions():
    table = ExitTable(PLACES)
    table.add(Exit(2, 0, "type", []))
    inner = [Inner(Const(77), 1234, 8, 1), Inner(B, 5678, 10, 2, kept=3)]
    table.add(Exit(6, 1, "poll", [Move("int", 0, (A,)), Move("int", 4, (A,), frame=2)], inner=inner))
    assert records(table)[1][5:7] == (0, 2)
    assert [(row[4], row[5]) for row in moves(table)] == [(0, 0), (4, 2)]
    assert list(INNER.iter_unpack(bytes(table.inner_frames))) == [
        (77, 1234, 8, 1, IMMEDIATE, 0),
        (5, 5678, 10, 2, INT_REGISTER, 3),
    ]
    table.add(Exit(2, 0, "type", [], inner=inner[:1]))
    assert records(table)[2][5:7] == (2, 1)


operands = st.one_of(st.sampled_from([A, B, SPILLED]), st.integers(-(2**63), 2**63 - 1).map(Const))
any_move = st.builds(
    Move,
    st.sampled_from(["int", "bool", "new_reference"]),
    st.integers(0, 2**15 - 1),
    st.tuples(operands),
)
constant_move = st.builds(
    Move,
    st.sampled_from(["local", "constant", "null", "same"]),
    st.integers(0, 2**15 - 1),
    st.just(()),
    st.integers(0, 2**63 - 1),
)
exits = st.builds(
    Exit, st.integers(0, 2**31 - 1), st.integers(0, 2**15 - 1), st.sampled_from([*REASONS, "type"]),
    st.lists(st.one_of(any_move, constant_move), max_size=6),
)  # fmt: skip


@examples(60)
@given(st.lists(exits, max_size=6))
def test_everything_comes_back(given_exits):
    table = ExitTable(PLACES)
    assert [table.add(exit) for exit in given_exits] == list(range(len(given_exits)))
    packed = moves(table)
    assert len(packed) == table.move_count
    for exit, (offset, _, depth, first, count, _, inner, taken) in zip(given_exits, records(table), strict=True):
        assert (offset, depth, count, inner, taken) == (exit.offset, exit.depth, len(exit.moves), 0, 0)
        for move, row in zip(exit.moves, packed[first : first + count], strict=True):
            assert (MOVES[row[0]], row[4]) == (move.kind, move.slot)
            if not move.operands:
                assert (row[1], row[6]) == (IMMEDIATE, move.constant)
            elif isinstance(move.operands[0], Const):
                assert (row[1], row[6]) == (IMMEDIATE, move.operands[0].value)
