"""Copy and patch: stencils one after the other, their holes filled once every label has an address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ftjit.stencils.library import StencilLibrary
from ftjit.stencils.model import Hole, Stencil, stencil_name

_TARGET, _SLOW, _CONTINUE = "_JIT_TARGET", "_JIT_SLOW", "_JIT_CONTINUE"
_STUB = bytes.fromhex("ff2500000000")  # jmp [rip + 0], the address follows


@dataclass(slots=True, eq=False)
class Label:
    """A place in the code; `address` is set when it is laid out."""

    name: str
    address: int = -1


@dataclass(slots=True)
class _Piece:
    stencil: Stencil
    values: dict[str, int]
    target: Label | None
    slow: Label | None
    after: Label | None
    offset: int
    address: int = 0


@dataclass
class Code:
    """Finished machine code. `map`: (address, bytecode offset, stencil name) of each piece, in address order."""

    bytes: bytes
    map: list[tuple[int, int, str]]


@dataclass
class Assembler:
    """Collects pieces; `finish` makes bytes for a base address. Slow twins and what `rarely` collects go last."""

    library: StencilLibrary
    symbol: Callable[[str], int]
    hot: list[_Piece | Label] = field(default_factory=list)
    cold: list[_Piece | Label] = field(default_factory=list)
    rarely: bool = False

    def label(self, label: Label) -> None:
        (self.cold if self.rarely else self.hot).append(label)

    def has(self, operation: str, operands: tuple[str, ...]) -> bool:
        return stencil_name(operation, operands) in self.library

    def emit(
        self,
        operation: str,
        operands: tuple[str, ...],
        values: dict[str, int],
        target: Label | None = None,
        offset: int = -1,
    ) -> None:
        """Append the variant for these operands. `values`: hole symbol -> value, without the `_JIT_` prefix."""
        stencil = self.library[(operation, *operands)]
        filled = {f"_JIT_{name}": value for name, value in values.items()}
        slow = after = None
        twin = self.library.slow(operation, *operands)
        if twin is not None:
            slow, after = Label("slow"), Label("after")
            self.cold.append(slow)
            self.cold.append(_Piece(twin, filled, target, None, after, offset))
        (self.cold if self.rarely else self.hot).append(_Piece(stencil, filled, target, slow, after, offset))
        if after is not None:
            self.label(after)

    def size_at(self, base: int) -> int:
        """How many bytes `finish(base)` gives."""
        _, _, _, end = self._lay_out(base)
        return end - base

    def finish(self, base: int) -> Code:
        """The bytes, for running at `base`."""
        pieces, stubs, data, end = self._lay_out(base)
        out = bytearray()
        for item in pieces:
            if isinstance(item, _Piece):
                out += self._patched(item, stubs, data)
        out += b"\xcc" * (end - base - len(out))
        for name, at in stubs.items():
            out[at - base : at - base + 14] = _STUB + self.symbol(name).to_bytes(8, "little")
        for at, content in data.values():
            out[at - base : at - base + len(content)] = content
        rows = [(p.address - base, p.offset, p.stencil.name) for p in pieces if isinstance(p, _Piece)]
        return Code(bytes(out), rows)

    def _lay_out(self, base: int) -> tuple[list[_Piece | Label], dict[str, int], dict[str, tuple[int, bytes]], int]:
        """Every piece's address; the pieces, stubs, constants, and where it all ends."""
        pieces = [*self.hot, *self.cold]
        address = base
        for item in pieces:
            item.address = address
            if isinstance(item, _Piece):
                address += len(item.stencil.code)
        stubs, data = self._pools(pieces, address)
        end = max([address, *(at + 14 for at in stubs.values()), *(at + len(c) for at, c in data.values())])
        return pieces, stubs, data, end

    def _pools(self, pieces: list[_Piece | Label], end: int) -> tuple[dict[str, int], dict[str, tuple[int, bytes]]]:
        """Stubs for calls that a rel32 may not reach, and the constants that stencils keep in memory."""
        stubs: dict[str, int] = {}
        data: dict[str, tuple[int, bytes]] = {}
        for item in pieces:
            if not isinstance(item, _Piece):
                continue
            for hole in item.stencil.holes:
                if hole.kind == "data" and hole.symbol not in data:
                    constant = hole.constant
                    end = -(-end // constant.alignment) * constant.alignment
                    data[hole.symbol] = (end, constant.content)
                    end += len(constant.content)
                elif hole.kind == "rel32" and not hole.symbol.startswith("_JIT_") and hole.symbol not in stubs:
                    distance = self.symbol(hole.symbol) - item.address
                    if not -(2**31) + 2**20 < distance < 2**31 - 2**20:
                        stubs[hole.symbol] = end
                        end += 14
        return stubs, data

    def _patched(self, piece: _Piece, stubs: dict[str, int], data: dict[str, tuple[int, bytes]]) -> bytes:
        code = bytearray(piece.stencil.code)
        for hole in piece.stencil.holes:
            value = self._value(piece, hole, stubs, data)
            filled = hole.fill(value, piece.address)
            code[hole.offset : hole.offset + len(filled)] = filled
        return bytes(code)

    def _value(self, piece: _Piece, hole: Hole, stubs: dict[str, int], data: dict[str, tuple[int, bytes]]) -> int:
        if hole.kind == "data":
            return data[hole.symbol][0]
        labels = {_TARGET: piece.target, _SLOW: piece.slow, _CONTINUE: piece.after}
        if hole.symbol in labels:
            label = labels[hole.symbol]
            assert label is not None, f"{piece.stencil.name}: {hole.symbol} leads nowhere"
            return label.address
        if hole.symbol in piece.values:
            return piece.values[hole.symbol]
        assert not hole.symbol.startswith("_JIT_"), f"{piece.stencil.name}: {hole.symbol} has no value"
        return stubs.get(hole.symbol) or self.symbol(hole.symbol)
