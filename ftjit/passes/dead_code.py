"""Pure ops whose result nobody uses go, and blocks that nothing reaches."""

from __future__ import annotations

from ftjit.ir import OPS, Function, Value


def _reachable(function: Function) -> None:
    seen = {function.blocks[0]}
    work = [function.blocks[0]]
    while work:
        for edge in work.pop().edges():
            if edge.block not in seen:
                seen.add(edge.block)
                work.append(edge.block)
    function.blocks = [block for block in function.blocks if block in seen]


def run(function: Function) -> None:
    _reachable(function)
    changed = True
    while changed:
        changed = False
        used = {o for block in function.blocks for op in block.ops for o in op.operands() if isinstance(o, Value)}
        for block in function.blocks:
            kept = [op for op in block.ops if op.result is None or op.result in used or not OPS[op.name].pure]
            changed = changed or len(kept) < len(block.ops)
            block.ops = kept
