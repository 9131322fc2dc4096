"""The order of blocks in memory: a jump's target follows it where it can, loops stay together, rare ends go last."""

from __future__ import annotations

from ftjit.ir import Block, Function

_INVERSE = {
    "int_branch_lt": "int_branch_ge", "int_branch_le": "int_branch_gt", "int_branch_eq": "int_branch_ne",
    "branch_true": "branch_false", "float_branch_lt": "float_branch_not_lt", "float_branch_le": "float_branch_not_le",
    "float_branch_eq": "float_branch_ne",
}  # fmt: skip
INVERSE = _INVERSE | {other: name for name, other in _INVERSE.items()}


def _is_rare(block: Block) -> bool:
    return block.ops[-1].name == "leave"


def order(function: Function) -> list[Block]:
    """Every block once, the entry first."""
    placed: dict[Block, None] = {}
    pending = [function.blocks[0]]
    while pending:
        best = max(range(len(pending)), key=lambda i: (not _is_rare(pending[i]), pending[i].loop_depth, i))
        block: Block | None = pending.pop(best)
        while block is not None and block not in placed:
            placed[block] = None
            following = [edge.block for edge in block.edges() if edge.block not in placed]
            block = None
            if following:
                # The last edge is the jump's; prefer it, unless the branch stays in a deeper loop.
                block = max(reversed(following), key=lambda b: (not _is_rare(b), b.loop_depth))
                pending.extend(b for b in following if b is not block)
    return list(placed)


def straighten(blocks: list[Block]) -> None:
    """Where the block that a branch goes to comes next, branch the other way."""
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        if len(block.ops) < 2:
            continue
        branch, jump = block.ops[-2:]
        if jump.name == "jump" and branch.name in INVERSE and branch.target and branch.target.block is following:
            branch.name = INVERSE[branch.name]
            branch.target, jump.target = jump.target, branch.target
