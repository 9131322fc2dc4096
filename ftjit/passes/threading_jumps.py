"""A jump to the only way into a block is no jump: the two become one. A block that only jumps on is jumped over."""

from __future__ import annotations

from ftjit.ir import Block, Function, Value
from ftjit.ir.nodes import Operand
from ftjit.passes.rewrite import replace
from ftjit.plain import Counts


def _merge(function: Function) -> None:
    entries = Counts[Block]()
    for edge in (edge for block in function.blocks for edge in block.edges()):
        entries[edge.block] += 1
    new: dict[Value, Operand] = {}
    gone: set[Block] = set()
    for block in function.blocks:
        if block in gone:
            continue
        while True:
            last = block.ops[-1]
            follower = last.target.block if last.name == "jump" and last.target is not None else block
            if follower is block or entries[follower] != 1 or follower is function.blocks[0]:
                break
            assert last.target is not None
            new.update(zip(follower.parameters, last.target.arguments, strict=True))
            block.ops[-1:] = follower.ops
            gone.add(follower)
    function.blocks = [block for block in function.blocks if block not in gone]
    replace(function, new)


def _skip(function: Function) -> None:
    """An edge to a block that has no parameters and only jumps goes where that jump goes."""
    empty: dict[Block, Block] = {}
    for block in function.blocks:
        last = block.ops[-1]
        if (
            len(block.ops) == 1
            and last.name == "jump"
            and last.target
            and not block.parameters
            and not last.target.arguments
        ):
            empty[block] = last.target.block
    for block in function.blocks:
        for edge in block.edges():
            seen = {edge.block}
            while edge.block in empty and empty[edge.block] not in seen:
                edge.block = empty[edge.block]
                seen.add(edge.block)
    reached = {function.blocks[0]} | {edge.block for block in function.blocks for edge in block.edges()}
    function.blocks = [block for block in function.blocks if block in reached]


def run(function: Function) -> None:
    _skip(function)
    _merge(function)
