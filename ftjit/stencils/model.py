"""What a stencil is: bytes with holes.

`Hole` is one place to fill, `Stencil` one function's bytes with its holes, `Operation` one template with all
its variants, and `RELOCATIONS` the few ways a compiler may leave an address open that the emitter can fill.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

# Symbols of the holes that mean something to the emitter; any other symbol is a C function or variable to
# look up.
CONTINUE: Final = "_JIT_CONTINUE"
TARGET: Final = "_JIT_TARGET"
SLOW: Final = "_JIT_SLOW"
OPERAND_PREFIX: Final = "_JIT_OP"
OFFSET_PREFIX: Final = "_JIT_OFF"
IMMEDIATE_PREFIX: Final = "_JIT_IMM_"
IMMEDIATE32_PREFIX: Final = "_JIT_IMM32_"

INTEGER_REGISTERS: Final = tuple(f"i{number}" for number in range(8))
FLOAT_REGISTERS: Final = tuple(f"f{number}" for number in range(8))
# Operand kind in a template -> the operands it stands for, one variant each.
KINDS: Final[dict[str, tuple[str, ...]]] = {
    "i": INTEGER_REGISTERS,
    "f": FLOAT_REGISTERS,
    "imm": ("imm",),
    "imm32": ("imm32",),
    **{register: (register,) for register in INTEGER_REGISTERS + FLOAT_REGISTERS},
}


class StencilError(Exception):
    """A template, an object file or a stencil library that cannot be used; the message names the mend."""


class Filling(NamedTuple):
    """How one kind of hole is filled: `size` bytes, little-endian, with a value from `lowest` to `highest`;
    if `relative`, with its distance from the hole instead of the value itself."""

    size: int
    relative: bool
    lowest: int
    highest: int


FILLINGS: Final[dict[str, Filling]] = {
    # 64 bits, as a pattern: signed and unsigned values are both at home.
    "abs64": Filling(8, relative=False, lowest=-(2**63), highest=2**64 - 1),
    # Some instructions extend these 32 bits with zeros and some with the sign: only such values are the same
    # for both.
    "abs32": Filling(4, relative=False, lowest=0, highest=2**31 - 1),
    "rel32": Filling(4, relative=True, lowest=-(2**31), highest=2**31 - 1),
    # As rel32, to a constant that the emitter keeps near the code.
    "data": Filling(4, relative=True, lowest=-(2**31), highest=2**31 - 1),
}

# ELF x86-64 relocation number -> kind of hole. S is the symbol's value, A the addend, P the hole's address.
RELOCATIONS: Final[dict[int, str]] = {
    # R_X86_64_64: S + A in 8 bytes. An operand (`movabs`), or the address of a C variable. Never overflows.
    1: "abs64",
    # R_X86_64_PC32: S + A - P in 4 bytes. Data named relative to the instruction (a constant in .rodata); A
    # is -4 because the processor counts from the end of the hole, or less when an immediate follows the
    # displacement.
    2: "rel32",
    # R_X86_64_PLT32: as PC32, for jumps and calls. The callee must lie within 2 GiB, or be reached through a
    # stub.
    4: "rel32",
    # R_X86_64_32: S + A in 4 bytes, which the instruction extends with zeros (`mov edi, imm32`).
    10: "abs32",
    # R_X86_64_32S: S + A in 4 bytes, which the instruction extends with the sign (a displacement, `add rdi,
    # imm32`).
    11: "abs32",
}


class Hole(NamedTuple):
    """One place in a stencil that gets its value when code is emitted.

    offset: bytes from the stencil's start. symbol: what goes there (`_JIT_...`, or the name of a C function
    or variable). addend: added to the symbol's value. kind is one of `FILLINGS`:

    abs64   8 bytes: symbol + addend. abs32   4 bytes: symbol + addend; 0 <= value < 2**31. rel32   4 bytes: symbol +
    addend - address of the hole. Jumps and calls. data    as rel32, to a constant that the emitter places near the
    code: see `Hole.constant`.
    """

    offset: int
    kind: str
    symbol: str
    addend: int

    @property
    def size(self) -> int:
        """Bytes that the hole covers."""
        return FILLINGS[self.kind].size

    def fill(self, value: int, address: int) -> bytes:
        """The hole's bytes, for a symbol of this value and a stencil at this address. StencilError if out of
        range."""
        filling = FILLINGS[self.kind]
        content = value + self.addend - (address + self.offset if filling.relative else 0)
        if not filling.lowest <= content <= filling.highest:
            raise StencilError(
                f"{content:#x} for {self.symbol} does not fit a hole of kind {self.kind}: "
                + ("reach it through a stub near the code" if filling.relative else "use `imm` or OPn")
            )
        return (content & (1 << 8 * filling.size) - 1).to_bytes(filling.size, "little")

    @property
    def constant(self) -> Constant:
        """The constant a `data` hole points at."""
        return Constant.from_symbol(self.symbol)


class Constant(NamedTuple):
    """Read-only bytes that code refers to, e.g. a sign mask for doubles, at an address that is a multiple of
    `alignment`. Equal constants have equal symbols, so a pool keyed by symbol holds each once."""

    content: bytes
    alignment: int

    @property
    def symbol(self) -> str:
        """The constant as a hole's symbol: `alignment:bytes in hex`."""
        return f"{self.alignment}:{self.content.hex()}"

    @classmethod
    def from_symbol(cls, symbol: str) -> Constant:
        """Inverse of `symbol`. ValueError for any other string."""
        alignment, _, digits = symbol.partition(":")
        return cls(bytes.fromhex(digits), int(alignment))


@dataclass(frozen=True, slots=True)
class Stencil:
    """One variant of one operation: machine code with holes, in order of offset.

    Execution falls off the end of `code` into the next stencil, which must stand there. A slow-path twin
    stands out of line: it never falls off its end, and its `_JIT_CONTINUE` is what follows the main stencil.
    """

    name: str
    code: bytes
    holes: tuple[Hole, ...]

    @property
    def symbols(self) -> frozenset[str]:
        """Every symbol the stencil's holes name."""
        return frozenset(hole.symbol for hole in self.holes)


class Operand(NamedTuple):
    """One operand of an operation: its name in the template and the kinds it may take (keys of `KINDS`)."""

    name: str
    kinds: tuple[str, ...]

    @property
    def choices(self) -> tuple[str, ...]:
        """Every register or immediate the operand may be, in order: ("i0", ..., "i7", "imm")."""
        return tuple(choice for kind in self.kinds for choice in KINDS[kind])


class Operation(NamedTuple):
    """One template: what it is called, what it takes, whether it has an out-of-line twin, where it is written.

    source: "file name:line". A shim is a plain C function, the way from C into compiled code, and has no operands.
    """

    name: str
    operands: tuple[Operand, ...]
    has_slow_path: bool
    is_shim: bool
    source: str


def stencil_name(operation: str, operands: Iterable[str] = (), *, slow: bool = False) -> str:
    """The name of a variant: `int_add__i0_imm`, without operands `poll`; of its twin:
    `int_add__i0_imm__slow`."""
    joined = "_".join(operands)
    return operation + (f"__{joined}" if joined else "") + ("__slow" if slow else "")
