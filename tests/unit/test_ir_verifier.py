"""The verifier lets well formed IR pass and names what is wrong with the rest."""

import pytest
from hypothesis import given
from support.examples import examples
from support.random_ir import functions

from ftjit.ir import Block, Const, Edge, Exit, Function, Move, Op, Value
from ftjit.ir.verifier import IRError, verify


def leave(*values):
    return Op("leave", [], exit=Exit(8, 0, "return", [Move("int", slot, (v,)) for slot, v in enumerate(values)]))


def well_formed():
    """b0: a = 1; if a < 2 goto b1(a); goto b1(5)    b1(p): s = p + 1; leave with s"""
    function = Function("f")
    first, second = Block(0, 0), Block(1, 10)
    a, p, s = function.value("i"), function.value("i"), function.value("i")
    first.ops = [
        Op("int_move", [Const(1)], a),
        Op("int_branch_lt", [a, Const(2)], target=Edge(second, [a])),
        Op("jump", [], target=Edge(second, [Const(5)])),
    ]
    second.parameters = [p]
    second.ops = [
        Op("int_add", [p, Const(1)], s, exit=Exit(10, 0, "overflow", [Move("int", 0, (p,))])),
        leave(s),
    ]
    function.blocks = [first, second]
    return function


def test_well_formed():
    verify(well_formed())


@examples(40)
@given(functions())
def test_random_well_formed(function):
    verify(function)


def no_such_op(function):
    function.blocks[0].ops[0].name = "int_wish"


def wrong_argument_kind(function):
    function.blocks[1].ops[0].arguments[1] = Const(1.0)


def too_few_arguments(function):
    function.blocks[1].ops[0].arguments.pop()


def wrong_result_kind(function):
    function.blocks[1].ops[0].result = function.value("f")


def result_missing(function):
    function.blocks[0].ops[0].result = None


def immediate_missing(function):
    function.blocks[1].ops.insert(0, Op("poll", [], exit=Exit(0, 0, "poll", [])))


def exit_missing(function):
    function.blocks[1].ops[0].exit = None


def target_missing(function):
    function.blocks[0].ops[1].target = None


def target_where_none_belongs(function):
    function.blocks[0].ops[0].target = Edge(function.blocks[1], [Const(1)])


def unfinished_block(function):
    function.blocks[1].ops.pop()


def empty_block(function):
    function.blocks[1].ops.clear()


def edge_out_of_the_function(function):
    stranger = Block(7, 0, ops=[leave()])
    function.blocks[0].ops[2].target = Edge(stranger, [])


def too_many_edge_arguments(function):
    function.blocks[0].ops[2].target.arguments.append(Const(1))


def edge_argument_of_the_wrong_kind(function):
    function.blocks[0].ops[2].target.arguments[0] = Const(1.5)


def defined_twice(function):
    function.blocks[1].ops[0].result = function.blocks[0].ops[0].result


def parameter_defined_twice(function):
    function.blocks[1].parameters[0] = function.blocks[0].ops[0].result


def used_before_it_is_defined(function):
    function.blocks[0].ops[1], function.blocks[0].ops[0] = (
        function.blocks[0].ops[0],
        function.blocks[0].ops[1],
    )


def used_in_an_exit_but_never_defined(function):
    function.blocks[1].ops[0].exit.moves.append(Move("int", 3, (Value("i", 99),)))


def edge_argument_never_defined(function):
    function.blocks[0].ops[2].target.arguments[0] = Value("i", 99)


def defined_on_one_path_only(function):
    """b1 uses a value of b2, which only one way to b1 passes through."""
    between = Block(2, 20)
    value = function.value("i")
    between.ops = [Op("int_move", [Const(3)], value), function.blocks[0].ops[2]]
    function.blocks[0].ops[2] = Op("jump", [], target=Edge(between, []))
    function.blocks.append(between)
    function.blocks[1].ops[1] = leave(value)


def defined_after_the_branch_that_leads_there(function):
    """The branch in the middle of b0 is taken before the op behind it has run."""
    value = function.value("i")
    first = function.blocks[0]
    between = Block(2, 20)
    between.ops = [leave(value)]
    first.ops.insert(0, Op("int_branch_lt", [Const(1), Const(2)], target=Edge(between, [])))
    first.ops.insert(1, Op("int_move", [Const(3)], value))
    function.blocks.append(between)


BREAKAGES = [
    no_such_op,
    wrong_argument_kind,
    too_few_arguments,
    wrong_result_kind,
    result_missing,
    immediate_missing,
    exit_missing,
    target_missing,
    target_where_none_belongs,
    unfinished_block,
    empty_block,
    edge_out_of_the_function,
    too_many_edge_arguments,
    edge_argument_of_the_wrong_kind,
    defined_twice,
    parameter_defined_twice,
    used_before_it_is_defined,
    used_in_an_exit_but_never_defined,
    edge_argument_never_defined,
    defined_on_one_path_only,
    defined_after_the_branch_that_leads_there,
]


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage.__name__)
def test_finds(breakage):
    function = well_formed()
    breakage(function)
    with pytest.raises(IRError, match=r"^f, b\d"):
        verify(function)
