"""Exits as the C core reads them: records and moves, packed as `cdefs/core.h` lays them out."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from ftjit.backend.registers import Assignment
from ftjit.ir import Const, Exit, Move, Value
from ftjit.ir.nodes import FLOAT, Operand

MOVES: Final = ("int", "float", "bool", "new_reference", "local", "constant", "null", "same", "range_iterator", "maybe")
_INT_REGISTER, _FLOAT_REGISTER, _SPILL, _IMMEDIATE = range(4)
# Reasons the core itself acts on; anything else counts as a deopt.
REASONS: Final = ("return", "poll", "status")
FIRST_DEOPT: Final = len(REASONS)

_RECORD: Final = struct.Struct("<ihhiiiiQ")
_MOVE: Final = struct.Struct("<B3Bhhqqq")
_INNER: Final = struct.Struct("<qqihBB")


def _bits(operand: Const) -> int:
    if operand.kind == FLOAT:
        return int(struct.unpack("<q", struct.pack("<d", operand.value))[0])
    return int(operand.value)


@dataclass
class ExitTable:
    """The exits of one executor, by number."""

    assignment: Assignment
    exits: list[Exit] = field(default_factory=list)
    records: bytearray = field(default_factory=bytearray)
    moves: bytearray = field(default_factory=bytearray)
    move_count: int = 0
    inner_frames: bytearray = field(default_factory=bytearray)
    inner_count: int = 0

    def add(self, exit: Exit, moved: dict[str, int] | None = None) -> int:
        """The exit's number. `moved`: registers whose value is in a spill slot at this exit."""
        reason = REASONS.index(exit.reason) if exit.reason in REASONS else FIRST_DEOPT
        self.records += _RECORD.pack(
            exit.offset, reason, exit.depth, self.move_count, len(exit.moves), self.inner_count, len(exit.inner), 0
        )
        for move in exit.moves:
            self.moves += self._pack(move, moved or {})
            self.move_count += 1
        for frame in exit.inner:
            place, value = self._place(frame.function, moved or {})
            self.inner_frames += _INNER.pack(value, frame.code, frame.offset, frame.depth, place, frame.kept)
            self.inner_count += 1
        self.exits.append(exit)
        return len(self.exits) - 1

    def _place(self, operand: Operand, moved: dict[str, int]) -> tuple[int, int]:
        if isinstance(operand, Const):
            return _IMMEDIATE, _bits(operand)
        assert isinstance(operand, Value)
        place = self.assignment.places[operand]
        if isinstance(place, str):
            place = moved.get(place, place)
        if isinstance(place, int):
            return _SPILL, place
        return (_INT_REGISTER if place[0] == "i" else _FLOAT_REGISTER), int(place[1:])

    def _pack(self, move: Move, moved: dict[str, int]) -> bytes:
        places, values = [_IMMEDIATE] * 3, [move.constant, 0, 0]
        for index, operand in enumerate(move.operands):
            places[index], values[index] = self._place(operand, moved)
        if move.kind == "range_iterator":
            values[2] = move.constant
        return _MOVE.pack(MOVES.index(move.kind), *places, move.slot, move.frame, *values)
