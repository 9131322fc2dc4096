"""Bytecode as the snapshot copied it, decoded once: opcodes, arguments, caches, jumps, loops."""

from __future__ import annotations

import dis
import opcode
from dataclasses import dataclass
from functools import cached_property
from types import CodeType

_CACHES: dict[str, int] = opcode._inline_cache_entries  # type: ignore[attr-defined]
_BASE: dict[str, str] = dis.deoptmap  # type: ignore[attr-defined]
_NAMES: list[str] = dis._all_opname  # type: ignore[attr-defined]

# The adaptive counter, value << 4 | backoff, before it first falls to zero (ADAPTIVE_WARMUP_* of pycore_code.h).
_WARMING_UP = (0x11, 0x01)

_ENDS = frozenset(
    ("RETURN_VALUE", "RAISE_VARARGS", "RERAISE", "JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT")
)

# What is done by the same C functions here and there, where it is not specialised.
_COSTLY = frozenset(("LOAD_ATTR", "BINARY_OP", "STORE_ATTR", "STORE_SUBSCR"))
_SPECIALISED = frozenset(("LOAD_GLOBAL", "LOAD_ATTR", "CALL", "FOR_ITER", "BINARY_OP", "STORE_ATTR", "STORE_SUBSCR"))


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction. `offset` is where it starts (at its first EXTENDED_ARG), `next_offset` where the next does,
    both in bytes. `special` is the opcode as specialised in the snapshot, `name` its base form, `caches` the 16-bit
    words after it, `target` where it jumps."""

    offset: int
    next_offset: int
    name: str
    special: str
    argument: int
    caches: tuple[int, ...]
    target: int | None

    def cache32(self, word: int) -> int:
        return self.caches[word] | self.caches[word + 1] << 16

    @property
    def never_ran(self) -> bool:
        """It has run once at most, so it is not specialised yet."""
        return self.special == self.name and self.name in _SPECIALISED and self.caches[0] in _WARMING_UP

    @property
    def is_general(self) -> bool:
        """It has run often, and could not be specialised."""
        return self.special == self.name and self.name in _COSTLY and self.caches[0] not in _WARMING_UP


def _base_name(name: str) -> str:
    return _BASE.get(name, name)


def _instrumented(name: str) -> str:
    return name.removeprefix("INSTRUMENTED_")


class Bytecode:
    """A code object's instructions by offset, and its loops."""

    def __init__(self, code: CodeType, raw: bytes | None = None) -> None:
        self.code = code
        self.raw = code.co_code if raw is None else raw
        self.instructions: dict[int, Instruction] = {}
        self._decode()

    def _decode(self) -> None:
        raw, position, start, extended = self.raw, 0, 0, 0
        while position < len(raw):
            special = _instrumented(_NAMES[raw[position]])
            name = _base_name(special)
            argument = raw[position + 1] | extended << 8
            position += 2
            if name == "EXTENDED_ARG":
                extended = argument
                continue
            count = _CACHES.get(name, 0)
            words = tuple(raw[position + 2 * i] | raw[position + 2 * i + 1] << 8 for i in range(count))
            position += 2 * count
            target = None
            if "JUMP" in name or name in ("FOR_ITER", "SEND"):
                target = position - 2 * argument if "BACKWARD" in name else position + 2 * argument
            self.instructions[start] = Instruction(start, position, name, special, argument, words, target)
            start, extended = position, 0

    @cached_property
    def is_warm(self) -> bool:
        """Some instruction is specialised: what is as it was made has not run, then, or hardly."""
        return any(i.special != i.name and i.name in _SPECIALISED for i in self.instructions.values())

    @cached_property
    def resume_offset(self) -> int:
        """Where a call enters: the first RESUME."""
        return next(i.offset for i in self.instructions.values() if i.name == "RESUME")

    @cached_property
    def loops(self) -> dict[int, int]:
        """Loop header -> offset of the last backward jump to it."""
        loops: dict[int, int] = {}
        for instruction in self.instructions.values():
            if instruction.name in ("JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"):
                assert instruction.target is not None
                loops[instruction.target] = max(loops.get(instruction.target, 0), instruction.offset)
        return loops

    @cached_property
    def live(self) -> dict[int, frozenset[int]]:
        """Offset -> the locals that some path from there reads before it assigns them."""
        order = sorted(self.instructions, reverse=True)
        live: dict[int, frozenset[int]] = {offset: frozenset() for offset in order}
        nothing: frozenset[int] = frozenset()
        changed = True
        while changed:
            changed = False
            for offset in order:
                instruction = self.instructions[offset]
                after = nothing if instruction.name in _ENDS else live.get(instruction.next_offset, nothing)
                if instruction.target is not None:
                    after |= live.get(instruction.target, nothing)
                read = frozenset(read_locals(instruction))
                written = frozenset(assigned_locals(instruction))
                if instruction.name == "STORE_FAST_LOAD_FAST":
                    read -= written
                new = read | (after - written)
                if new != live[offset]:
                    live[offset] = new
                    changed = True
        return live

    def raises_from(self, offset: int) -> bool:
        """Whether all that happens from here on is that an exception is made and raised."""
        while (instruction := self.instructions[offset]).name != "RAISE_VARARGS":
            if instruction.target is not None or instruction.name in _ENDS:
                return False
            offset = instruction.next_offset
        return True

    def loop_depth(self, offset: int) -> int:
        return sum(header <= offset <= last for header, last in self.loops.items())

    @cached_property
    def stored_around(self) -> dict[int, frozenset[int]]:
        """Loop header -> the locals that something assigns in any loop that contains it."""
        stored: dict[int, set[int]] = {header: set() for header in self.loops}
        for instruction in self.instructions.values():
            for header, last in self.loops.items():
                if header <= instruction.offset <= last:
                    stored[header].update(assigned_locals(instruction))
        return {
            inner: frozenset().union(*(stored[h] for h, last in self.loops.items() if h <= inner <= last))
            for inner in self.loops
        }


def assigned_locals(instruction: Instruction) -> tuple[int, ...]:
    name, argument = instruction.name, instruction.argument
    if name in ("STORE_FAST", "DELETE_FAST", "LOAD_FAST_AND_CLEAR"):
        return (argument,)
    if name == "STORE_FAST_STORE_FAST":
        return (argument >> 4, argument & 15)
    if name == "STORE_FAST_LOAD_FAST":
        return (argument >> 4,)
    return ()


def read_locals(instruction: Instruction) -> tuple[int, ...]:
    name, argument = instruction.name, instruction.argument
    if name in ("LOAD_FAST", "LOAD_FAST_BORROW", "LOAD_FAST_CHECK", "LOAD_FAST_AND_CLEAR", "DELETE_FAST"):
        return (argument,)
    if name in ("LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW"):
        return (argument >> 4, argument & 15)
    if name == "STORE_FAST_LOAD_FAST":
        return (argument & 15,)
    return ()
