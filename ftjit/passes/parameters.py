"""Block parameters that always get the same value are that value (Braun et al., CC 2013: trivial phis), and unused
ones go."""

from __future__ import annotations

from ftjit.ir import Block, Edge, Function, Value
from ftjit.ir.nodes import Operand
from ftjit.passes.rewrite import replace


def _incoming(function: Function) -> dict[Block, list[Edge]]:
    incoming: dict[Block, list[Edge]] = {block: [] for block in function.blocks}
    for block in function.blocks:
        for edge in block.edges():
            incoming[edge.block].append(edge)
    return incoming


def _drop(block: Block, edges: list[Edge], index: int) -> None:
    del block.parameters[index]
    for edge in edges:
        del edge.arguments[index]


def _remove_trivial(function: Function) -> None:
    new: dict[Value, Operand] = {}

    def last(operand: Operand) -> Operand:
        while isinstance(operand, Value) and operand in new:
            operand = new[operand]
        return operand

    incoming = _incoming(function)
    changed = True
    while changed:
        changed = False
        for block, edges in incoming.items():
            for index in range(len(block.parameters) - 1, -1, -1):
                parameter = block.parameters[index]
                sources = {last(edge.arguments[index]) for edge in edges} - {parameter}
                if len(sources) == 1:
                    new[parameter] = sources.pop()
                    _drop(block, edges, index)
                    changed = True
    replace(function, new)


def _remove_unused(function: Function) -> None:
    """A parameter is used if an op or exit uses it, or it is passed for a used parameter."""
    used: set[Value] = set()
    for block in function.blocks:
        for op in block.ops:
            used.update(a for a in op.arguments if isinstance(a, Value))
            if op.exit is not None:
                used.update(a for a in op.exit.operands() if isinstance(a, Value))
    incoming = _incoming(function)
    changed = True
    while changed:
        changed = False
        for block, edges in incoming.items():
            for index, parameter in enumerate(block.parameters):
                if parameter in used:
                    for edge in edges:
                        argument = edge.arguments[index]
                        if isinstance(argument, Value) and argument not in used:
                            used.add(argument)
                            changed = True
    for block, edges in incoming.items():
        for index in range(len(block.parameters) - 1, -1, -1):
            if block.parameters[index] not in used:
                _drop(block, edges, index)


def run(function: Function) -> None:
    _remove_trivial(function)
    _remove_unused(function)
