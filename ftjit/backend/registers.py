"""Register assignment: linear scan (Poletto and Sarkar, TOPLAS 1999) over whole intervals, spilling the value that is
used least for its length. Hints make two-address ops and block edges free of moves where they can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ftjit.backend.liveness import Interval, intervals
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


def _hints(blocks: list[Block]) -> dict[Value, list[Value]]:
    """Values that should share a register: a result and its tied argument, a parameter and its arguments."""
    hints: dict[Value, list[Value]] = {}

    def pair(a: Value, b: object) -> None:
        if isinstance(b, Value) and a.kind == b.kind:
            hints.setdefault(a, []).append(b)
            hints.setdefault(b, []).append(a)

    for block in blocks:
        for op in block.ops:
            if op.result and OPS[op.name].tied:
                pair(op.result, op.arguments[0])
            if op.target:
                for parameter, argument in zip(op.target.block.parameters, op.target.arguments, strict=True):
                    pair(parameter, argument)
    return hints


def assign(blocks: list[Block], limit: int) -> Assignment:
    """A place for every value; at most `limit` spill slots, else TooManyValues."""
    hints = _hints(blocks)
    places: dict[Value, str | int] = {}
    active: list[Interval] = []
    spilled: list[Interval] = []
    for interval in intervals(blocks):
        active = [other for other in active if other.end > interval.start]
        kind = interval.value.kind
        same_kind = [other for other in active if other.value.kind == kind]
        taken = {places[other.value] for other in same_kind}
        free = [register for register in ASSIGNABLE[kind] if register not in taken]
        if free:
            wanted = [places[hint] for hint in hints.get(interval.value, ()) if hint in places]
            places[interval.value] = next((register for register in wanted if register in free), free[0])
            active.append(interval)
            continue
        victim = min([*same_kind, interval], key=lambda i: i.weight / (i.end - i.start + 1))
        spilled.append(victim)
        if victim is not interval:
            places[interval.value] = places.pop(victim.value)
            active.remove(victim)
            active.append(interval)
    slots = _assign_slots(spilled, places)
    if slots > limit:
        raise TooManyValues
    return Assignment(places, slots)


def _assign_slots(spilled: list[Interval], places: dict[Value, str | int]) -> int:
    """A slot for each spilled interval, shared by those that do not overlap. Returns how many there are."""
    ends: list[int] = []
    for interval in sorted(spilled, key=lambda i: i.start):
        slot = next((s for s, end in enumerate(ends) if end < interval.start), len(ends))
        ends[slot : slot + 1] = [interval.end]
        places[interval.value] = slot
    return len(ends)
