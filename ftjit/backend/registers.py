"""Register assignment: values that edges pass to each other share a place where they can (aggressive coalescing); then
the classes choose, the most used first, a register that is free wherever they are alive (priority-based colouring,
Chow and Hennessy, TOPLAS 1990, over exact live ranges), or else a spill slot. Hints make two-address ops free of moves
where they can be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ftjit.backend.liveness import block_weight, ranges
from ftjit.ir import OPS, Block, Value
from ftjit.ir.nodes import FLOAT, INT

# The last two of each kind hold spilled values and constants for the length of one op.
ASSIGNABLE: Final = {INT: tuple(f"i{n}" for n in range(6)), FLOAT: tuple(f"f{n}" for n in range(6))}
SCRATCH: Final = {INT: ("i6", "i7"), FLOAT: ("f6", "f7")}


class TooManyValues(Exception):
    """More values are alive at once than there are spill slots."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where each value lives: a register's name, or a spill slot's number."""

    places: dict[Value, str | int]
    spill_slots: int

    def register(self, value: Value) -> str | None:
        place = self.places[value]
        return place if isinstance(place, str) else None


@dataclass(slots=True, eq=False)
class _Class:
    """Values that share a place. `positions` where one is alive, as bits; `weight` is what memory would cost."""

    kind: str
    members: list[Value]
    positions: int
    weight: float
    hints: list[Value] = field(default_factory=list)


def _passed(blocks: list[Block]) -> Iterator[tuple[float, Value, Value]]:
    """(weight, parameter, argument) of every edge, the most travelled first."""
    pairs = [
        (block_weight(block), parameter, argument)
        for block in blocks
        for edge in block.edges()
        for parameter, argument in zip(edge.block.parameters, edge.arguments, strict=True)
        if isinstance(argument, Value)
    ]
    return iter(sorted(pairs, key=lambda pair: -pair[0]))


def _classes(blocks: list[Block]) -> list[_Class]:
    of = {r.value: _Class(r.value.kind, [r.value], r.positions, r.weight) for r in ranges(blocks)}
    for weight, parameter, argument in _passed(blocks):
        kept, merged = of[parameter], of[argument]
        if kept is merged:
            continue
        if kept.positions & merged.positions:
            kept.weight += weight
            merged.weight += weight
            kept.hints.append(argument)
            merged.hints.append(parameter)
            continue
        kept.positions |= merged.positions
        kept.weight += merged.weight
        kept.members += merged.members
        kept.hints += merged.hints
        of.update(dict.fromkeys(merged.members, kept))
    for block in blocks:
        for op in block.ops:
            if op.result and OPS[op.name].tied and isinstance(op.arguments[0], Value):
                of[op.result].hints.append(op.arguments[0])
                of[op.arguments[0]].hints.append(op.result)
    return list(dict.fromkeys(of.values()))


def assign(blocks: list[Block], limit: int) -> Assignment:
    """A place for every value; at most `limit` spill slots, else TooManyValues."""
    places: dict[Value, str | int] = {}
    used = {register: 0 for registers in ASSIGNABLE.values() for register in registers}
    slots: list[int] = []
    for one in sorted(_classes(blocks), key=lambda c: (-c.weight, c.positions.bit_count())):
        hinted = [place for hint in one.hints if isinstance(place := places.get(hint), str)]
        candidates = [*hinted, *ASSIGNABLE[one.kind]]
        register = next((r for r in candidates if not used[r] & one.positions), None)
        if register is not None:
            used[register] |= one.positions
            places.update(dict.fromkeys(one.members, register))
            continue
        slot = next((s for s, positions in enumerate(slots) if not positions & one.positions), len(slots))
        slots[slot : slot + 1] = [one.positions | (slots[slot] if slot < len(slots) else 0)]
        places.update(dict.fromkeys(one.members, slot))
    if len(slots) > limit:
        raise TooManyValues
    return Assignment(places, len(slots))
