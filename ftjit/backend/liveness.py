"""Which values are alive where: one range of positions a value, over blocks in their order in memory.

Positions: op number n of the function stands at 2n; a value used there, but needed until the op is over, lives to
2n + 1. A range is one interval without holes: values alive round a loop live through all of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ftjit.ir import OPS, Block, Op, Value


@dataclass(slots=True)
class Interval:
    """`start` is the defining position, `end` the last one that needs the value; `weight` sums its uses, each by how
    often its block is likely to run."""

    value: Value
    start: int
    end: int
    weight: float = 0.0


# An exit is taken rarely: a value that only exits need may well be in memory.
_EXIT_WEIGHT = 0.02


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
            out = set().union(*(live[edge.block] for edge in block.edges()))
            new = live[block] | (out - defined[block])
            if len(new) > len(live[block]):
                live[block] = new
                changed = True
    return live


def intervals(blocks: list[Block]) -> list[Interval]:
    """The interval of every value, by start."""
    live = _live_in(blocks)
    found: dict[Value, Interval] = {}
    position = 0

    def extend(value: Value, at: int, weight: float = 0.0) -> None:
        interval = found.get(value)
        if interval is None:
            found[value] = Interval(value, at, at, weight)
        else:
            interval.start = min(interval.start, at)
            interval.end = max(interval.end, at)
            interval.weight += weight

    for block in blocks:
        weight = 10.0 ** min(block.loop_depth, 6)
        first = position
        position += 2
        for value in live[block]:
            extend(value, first)
        for parameter in block.parameters:
            # All parameters of a block are assigned at once: each needs a place of its own, used or not.
            extend(parameter, first)
            extend(parameter, first + 1, weight)
        for op in block.ops:
            needed = {a for a in op.arguments if isinstance(a, Value)}
            for value, late in _uses(op):
                extend(value, position + late, weight if value in needed or op.target else weight * _EXIT_WEIGHT)
            if op.result:
                extend(op.result, position, weight)
            position += 2
        for edge in block.edges():
            for value in live[edge.block] - set(edge.block.parameters):
                extend(value, position)
        position += 2
    return sorted(found.values(), key=lambda interval: (interval.start, interval.end))
