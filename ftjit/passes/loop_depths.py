"""What no way leads round is in no loop: bytecode of a loop that block versions peeled, or that machine code enters
by, runs once. Loops are the strongly connected components of the blocks (Tarjan, SIAM J. Comput. 1972); how deep the
rest is the bytecode says."""

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
    for component in _components(list(function.blocks)):
        members = set(component)
        if not any(edge.block in members for block in component for edge in block.edges()):
            component[0].loop_depth = 0
