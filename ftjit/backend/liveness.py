"""Which values are alive where, over blocks in their order in memory.

Positions: op number n of the function stands at 2n; a value used there lives up to 2n, or up to 2n + 1 if it is needed
until the op is over. A value's range is a set of positions, the bits of one int: from where it is made up to, but not
with, the last position that needs it, in each block. Two values may share a place if no bit is set in both.
"""

from __future__ import annotations

from dataclasses import dataclass

from ftjit.ir import OPS, Block, Op, Value


@dataclass(slots=True)
class Range:
    """`positions` where the value is alive, as bits; `weight` sums its uses by ops, each by how often its block is
    likely to run. What edges pass does not count: it costs nothing where both sides share a place."""

    value: Value
    positions: int = 0
    weight: float = 0.0


# An exit is taken rarely: a value that only exits need may well be in memory.
_EXIT_WEIGHT = 0.02


def block_weight(block: Block) -> float:
    return float(10 ** min(block.loop_depth, 6))


def _uses(op: Op) -> list[tuple[Value, bool]]:
    """(value, must outlive the op's own start). The first argument of a two-address op may give its register away."""
    tied = OPS[op.name].tied
    found = [(a, not (tied and i == 0)) for i, a in enumerate(op.arguments) if isinstance(a, Value)]
    found += [(o, tied) for o in (op.exit.operands() if op.exit else ()) if isinstance(o, Value)]
    if tied and op.arguments and isinstance(op.arguments[0], Value):
        first = op.arguments[0]
        # On the way out an op leaves its inputs as they were: the first one may be in the exit and still be given away.
        found = [(v, late and v is not first) for v, late in found]
    found += [(a, True) for a in (op.target.arguments if op.target else ()) if isinstance(a, Value)]
    return found


def _live_in(blocks: list[Block]) -> dict[Block, set[Value]]:
    upward: dict[Block, set[Value]] = {}
    defined: dict[Block, set[Value]] = {}
    for block in blocks:
        known, needed = set(block.parameters), set[Value]()
        for op in block.ops:
            needed.update(v for v, _ in _uses(op) if v not in known)
            if op.result:
                known.add(op.result)
        upward[block], defined[block] = needed, known
    live = {block: set(upward[block]) for block in blocks}
    changed = True
    while changed:
        changed = False
        for block in reversed(blocks):
            out = set().union(*(live[edge.block] for edge in block.edges())) - defined[block]
            if not out <= live[block]:
                live[block] |= out
                changed = True
    return live


def ranges(blocks: list[Block]) -> list[Range]:
    """The range of every value, in the order in which they are made."""
    live = _live_in(blocks)
    found: dict[Value, Range] = {}
    position = 0
    for block in blocks:
        weight = block_weight(block)
        start = dict.fromkeys([*live[block], *block.parameters], position)
        # All parameters of a block are assigned at once: each needs a place of its own, used or not.
        end = dict.fromkeys([*live[block], *block.parameters], position + 1)
        for value in start:
            found.setdefault(value, Range(value))
        position += 2
        for op in block.ops:
            arguments = {a for a in op.arguments if isinstance(a, Value)}
            for value, late in _uses(op):
                end[value] = max(end[value], position + late)
                found[value].weight += weight if value in arguments else 0.0
            if op.exit is not None:
                for operand in op.exit.operands():
                    if isinstance(operand, Value):
                        found[operand].weight += weight * _EXIT_WEIGHT
            if op.target is not None:
                for value in live[op.target.block].difference(op.target.block.parameters):
                    end[value] = position + 1
            if op.result:
                start[op.result], end[op.result] = position, position + 1
                found.setdefault(op.result, Range(op.result)).weight += weight
            position += 2
        for value, first in start.items():
            found[value].positions |= ((1 << (end[value] - first)) - 1) << first
    return list(found.values())
