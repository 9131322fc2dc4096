"""How many loops each block is in, from the edges as they are: bytecode that block versions peeled out of a loop, or
that no way leads round any more, runs no more often than what is before it. Loops are strongly connected components
(Tarjan, SIAM J. Comput. 1972), and what is left of one without its header is searched again. The header is where the
bytecode's is, at the smallest offset: machine code may be entered in an inner loop first."""

from __future__ import annotations

from ftjit.ir import Block, Function


def _components(blocks: list[Block]) -> list[list[Block]]:
    """Strongly connected components of the edges among these blocks."""
    inside = set(blocks)
    index: dict[Block, int] = {}
    low: dict[Block, int] = {}
    stack: list[Block] = []
    waiting: set[Block] = set()
    found: list[list[Block]] = []
    for root in blocks:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        waiting.add(root)
        work = [(root, iter([edge.block for edge in root.edges() if edge.block in inside]))]
        while work:
            block, following = work[-1]
            successor = next(following, None)
            if successor is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[block])
                if low[block] == index[block]:
                    position = stack.index(block)
                    found.append(stack[position:])
                    waiting.difference_update(stack[position:])
                    del stack[position:]
            elif successor not in index:
                index[successor] = low[successor] = len(index)
                stack.append(successor)
                waiting.add(successor)
                work.append((successor, iter([edge.block for edge in successor.edges() if edge.block in inside])))
            elif successor in waiting:
                low[block] = min(low[block], index[successor])
    return found


def run(function: Function) -> None:
    for block in function.blocks:
        block.loop_depth = 0
    pending = [list(function.blocks)]
    while pending:
        for component in _components(pending.pop()):
            members = set(component)
            if len(component) == 1 and all(edge.block not in members for edge in component[0].edges()):
                continue
            for block in component:
                block.loop_depth += 1
            header = min(block.offset for block in component)
            pending.append([block for block in component if block.offset != header])
