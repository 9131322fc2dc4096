"""Parallel moves: the sequence leaves every register and slot as if all moves had happened at once."""

from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples

from ftjit.backend.moves import Transfer, sequence
from ftjit.ir import Const
from ftjit.ir.nodes import FLOAT, INT

SCRATCH = {INT: "i6", FLOAT: "f6"}
REGISTERS = {INT: [f"i{n}" for n in range(6)], FLOAT: [f"f{n}" for n in range(6)]}
# A spill slot belongs to one kind: the assignment gives each value its own.
SLOTS = {INT: [0, 2, 4, 6], FLOAT: [1, 3, 5, 7]}
CONSTANTS = {INT: [Const(0), Const(-7), Const(2**63 - 1)], FLOAT: [Const(0.0), Const(2.5)]}


@st.composite
def parallel_moves(draw):
    """Distinct targets; any sources, also ones that are targets of others."""
    found = []
    for kind in (INT, FLOAT):
        places = REGISTERS[kind] + SLOTS[kind]
        for target in draw(st.lists(st.sampled_from(places), unique=True)):
            source = draw(st.sampled_from(places + CONSTANTS[kind]))
            found.append(Transfer(kind, target, source))
    return draw(st.permutations(found))


def start():
    """What each place holds at first: itself."""
    places = [*REGISTERS[INT], *REGISTERS[FLOAT], *SLOTS[INT], *SLOTS[FLOAT], *SCRATCH.values()]
    return {place: ("was in", place) for place in places}


def at_once(moves):
    before, after = start(), start()
    for move in moves:
        after[move.target] = move.source.value if isinstance(move.source, Const) else before[move.source]
    return after


def one_by_one(moves):
    state = start()
    for move in sequence(list(moves), SCRATCH):
        state[move.target] = move.source.value if isinstance(move.source, Const) else state[move.source]
    return state


def without_scratch(state):
    return {place: value for place, value in state.items() if place not in SCRATCH.values()}


@examples(100)
@given(parallel_moves())
def test_as_if_all_at_once(moves):
    assert without_scratch(one_by_one(moves)) == without_scratch(at_once(moves))


@examples(100)
@given(parallel_moves())
def test_moves_keep_to_their_kind(moves):
    for move in sequence(list(moves), SCRATCH):
        for place in (move.target, move.source):
            if isinstance(place, str):
                assert place.startswith(move.kind)


@examples(100)
@given(parallel_moves())
def test_no_needless_moves(moves):
    """One move for each that changes anything, and one more for each cycle at most."""
    needed = [move for move in moves if move.source != move.target]
    made = list(sequence(list(moves), SCRATCH))
    assert len(needed) <= len(made) <= len(needed) + len(needed) // 2


def test_a_swap_goes_through_the_scratch_register():
    moves = [Transfer(INT, "i0", "i1"), Transfer(INT, "i1", "i0")]
    made = list(sequence(moves, SCRATCH))
    assert len(made) == 3
    assert one_by_one(moves)["i0"] == ("was in", "i1")
    assert one_by_one(moves)["i1"] == ("was in", "i0")


def test_two_cycles_and_a_chain():
    ring = ["i0", "i1", "i2"]
    moves = [Transfer(INT, a, b) for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)]
    moves += [
        Transfer(INT, "i3", "i4"),
        Transfer(INT, "i4", "i3"),
        Transfer(INT, 0, "i3"),
        Transfer(INT, 2, 0),
    ]
    assert without_scratch(one_by_one(moves)) == without_scratch(at_once(moves))


def test_constants_come_last():
    """A constant's target may be a source of others."""
    moves = [Transfer(INT, "i0", Const(5)), Transfer(INT, "i1", "i0")]
    assert list(sequence(moves, SCRATCH))[-1] == moves[0]
