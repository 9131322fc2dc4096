"""The built library: one file of stencils, and `StencilLibrary`, which decodes each when it is asked for.

The file is a magic line, the length of a header, the header, the records. Header: JSON, zlib-compressed, with

    target      "x86_64-linux"
    digest      of everything the library was built from
    operations  name -> [[[operand name, [kinds]], ...], has slow path, is shim, source]
    symbols     the names that holes refer to, by number
    stencils    name -> offset of its record

The records are one zlib stream. A record is code size and hole count, the code, and for each hole its offset,
kind, symbol number and addend.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ftjit.stencils.model import Hole, Operand, Operation, Stencil, StencilError, stencil_name

TARGET_NAME: Final = "x86_64-linux"
DEFAULT_PATH: Final = Path(__file__).with_name(f"library.{TARGET_NAME}.bin")

_MAGIC: Final = b"ftjit stencils 1\n"
_LENGTH: Final = struct.Struct("<I")
_RECORD: Final = struct.Struct("<IH")
_HOLE: Final = struct.Struct("<IBHq")
_KINDS: Final = ("abs64", "abs32", "rel32", "data")


class StencilLibrary(Mapping[str | tuple[str, ...], Stencil]):
    """Stencils by name (`"int_add__i0_i3"`) or by operation and operands (`"int_add", "i0", "i3"`).

    operations: operation name -> its operands and their kinds. symbols: every name that a hole refers to.
    digest: of everything the library was built from.
    """

    def __init__(self, header: Mapping[str, Any], records: bytes) -> None:
        self.digest: str = header["digest"]
        self.target: str = header["target"]
        self.symbols: tuple[str, ...] = tuple(header["symbols"])
        self.operations: dict[str, Operation] = {
            name: Operation(
                name, tuple(Operand(operand, tuple(kinds)) for operand, kinds in operands), slow, shim, source
            )
            for name, (operands, slow, shim, source) in header["operations"].items()
        }
        self._offsets: dict[str, int] = header["stencils"]
        self._records = records
        self._decoded: dict[str, Stencil] = {}

    def __getitem__(self, key: str | tuple[str, ...]) -> Stencil:
        name = key if isinstance(key, str) else stencil_name(key[0], key[1:])
        stencil = self._decoded.get(name)
        if stencil is None:
            # Two threads may both decode the same stencil; the values are equal, so either may stay.
            stencil = self._decoded[name] = self._decode(name)
        return stencil

    def __contains__(self, key: object) -> bool:
        name = stencil_name(key[0], key[1:]) if isinstance(key, tuple) else key
        return name in self._offsets

    def __iter__(self) -> Iterator[str]:
        return iter(self._offsets)

    def __len__(self) -> int:
        return len(self._offsets)

    def slow(self, operation: str, *operands: str) -> Stencil | None:
        """The out-of-line twin of a variant, or None if the operation has none."""
        return self.get(stencil_name(operation, operands, slow=True))

    def _decode(self, name: str) -> Stencil:
        position = self._offsets[name]
        size, count = _RECORD.unpack_from(self._records, position)
        position += _RECORD.size
        code = self._records[position : position + size]
        holes = tuple(
            Hole(offset, _KINDS[kind], self.symbols[symbol], addend)
            for offset, kind, symbol, addend in _HOLE.iter_unpack(
                self._records[position + size : position + size + count * _HOLE.size]
            )
        )
        return Stencil(name, code, holes)


def encode(stencils: Iterable[Stencil], operations: Iterable[Operation], digest: str) -> bytes:
    """A library file's content."""
    symbols: dict[str, int] = {}
    offsets: dict[str, int] = {}
    records = bytearray()
    for stencil in stencils:
        offsets[stencil.name] = len(records)
        records += _RECORD.pack(len(stencil.code), len(stencil.holes)) + stencil.code
        for hole in stencil.holes:
            number = symbols.setdefault(hole.symbol, len(symbols))
            records += _HOLE.pack(hole.offset, _KINDS.index(hole.kind), number, hole.addend)
    header = {
        "target": TARGET_NAME,
        "digest": digest,
        "operations": {o.name: [o.operands, o.has_slow_path, o.is_shim, o.source] for o in operations},
        "symbols": list(symbols),
        "stencils": offsets,
    }
    packed = zlib.compress(json.dumps(header, separators=(",", ":")).encode())
    return _MAGIC + _LENGTH.pack(len(packed)) + packed + zlib.compress(bytes(records))


def decode(content: bytes, name: str = "stencil library") -> StencilLibrary:
    """A library from its file's content. StencilError if it is not one."""
    start = len(_MAGIC) + _LENGTH.size
    try:
        if content[: len(_MAGIC)] != _MAGIC:
            raise ValueError("no magic line")
        (length,) = _LENGTH.unpack_from(content, len(_MAGIC))
        header = json.loads(zlib.decompress(content[start : start + length]))
        return StencilLibrary(header, zlib.decompress(content[start + length :]))
    except (ValueError, KeyError, TypeError, struct.error, zlib.error) as error:
        raise StencilError(
            f"{name} is damaged or of another version ({error}): "
            "reinstall ftjit, or in a source checkout run `python -m ftjit.stencils.build --force`"
        ) from error


def load(path: Path = DEFAULT_PATH) -> StencilLibrary:
    """The library that was built with the package. StencilError if there is none, or it cannot be read."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise StencilError(
            f"{path} is missing: reinstall ftjit, or in a source checkout run `python -m ftjit.stencils.build`"
        ) from None
    return decode(content, str(path))
