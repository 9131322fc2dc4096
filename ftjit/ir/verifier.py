"""Is this IR well formed? Run after each pass in tests and under FTJIT_VERIFY."""

from __future__ import annotations

from ftjit.ir.nodes import Block, Function, Op, Value
from ftjit.ir.ops import OPS


class IRError(Exception):
    """The IR breaks a rule of its own; the message says where and which."""


def _check_op(function: Function, block: Block, op: Op) -> None:
    info = OPS.get(op.name)
    where = f"{function.name}, {block}, {op.name}"
    if info is None:
        raise IRError(f"{where}: no such operation")
    if "".join(argument.kind for argument in op.arguments) != info.arguments:
        raise IRError(f"{where}: arguments {op.arguments} do not fit {info.arguments!r}")
    if (op.result.kind if op.result else "") != info.result:
        raise IRError(f"{where}: result {op.result} does not fit {info.result!r}")
    if len(op.immediates) != len(info.holes):
        raise IRError(f"{where}: {len(op.immediates)} immediates for holes {info.holes}")
    if ("branch" in info.flags) != (op.target is not None):
        raise IRError(f"{where}: target where none belongs, or none where one does")
    if "exit" in info.flags and op.exit is None:
        raise IRError(f"{where}: needs an exit")


def _check_edges(function: Function, block: Block) -> None:
    for edge in block.edges():
        if edge.block not in function.blocks:
            raise IRError(f"{function.name}, {block}: edge to {edge.block}, which is not in the function")
        kinds = [argument.kind for argument in edge.arguments]
        if kinds != [parameter.kind for parameter in edge.block.parameters]:
            raise IRError(
                f"{function.name}, {block}: arguments {edge.arguments} for {edge.block}{edge.block.parameters}"
            )


def _available(function: Function) -> dict[Block, set[Value]]:
    """The values every path to a block has defined (a fixpoint over the blocks, from all to fewer). A branch in the
    middle of a block passes on only what was defined before it."""
    everything: set[Value] = set()
    for block in function.blocks:
        everything.update(block.parameters, (op.result for op in block.ops if op.result))
    available = {block: set(everything) for block in function.blocks}
    available[function.blocks[0]] = set()
    changed = True
    while changed:
        changed = False
        for block in function.blocks:
            known = available[block] | set(block.parameters)
            for op in block.ops:
                if op.target is not None:
                    smaller = available[op.target.block] & known
                    if len(smaller) < len(available[op.target.block]):
                        available[op.target.block] = smaller
                        changed = True
                if op.result:
                    known.add(op.result)
    return available


def verify(function: Function) -> None:
    """IRError unless every op fits its row, every edge its block, and every use is defined on all paths to it."""
    seen: set[Value] = set()
    for block in function.blocks:
        for value in [*block.parameters, *(op.result for op in block.ops if op.result)]:
            if value in seen:
                raise IRError(f"{function.name}, {block}: {value} is defined twice")
            seen.add(value)
        if not block.ops or block.ops[-1].name not in ("jump", "leave"):
            raise IRError(f"{function.name}, {block}: does not end in a jump or a leave")
        for op in block.ops:
            _check_op(function, block, op)
        _check_edges(function, block)
    available = _available(function)
    for block in function.blocks:
        known = available[block] | set(block.parameters)
        for op in block.ops:
            for operand in op.operands():
                if isinstance(operand, Value) and operand not in known:
                    raise IRError(
                        f"{function.name}, {block}, {op.name}: {operand} is not defined on every path to here"
                    )
            if op.result:
                known.add(op.result)
