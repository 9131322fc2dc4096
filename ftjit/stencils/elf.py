"""Reads stencils out of a relocatable ELF64 x86-64 object: functions, their bytes, their relocations.

An object file is a header, a table of sections (named runs of bytes), and among them one symbol table (what
is defined where) and a relocation table for each section whose bytes depend on addresses not known yet. That
is all there is to read here; layouts are those of the ELF specification, little-endian.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from ftjit.stencils.model import RELOCATIONS, Constant, Hole, Stencil, StencilError

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELA = struct.Struct("<QQq")

_ET_REL, _EM_X86_64 = 1, 62
_SHT_SYMTAB, _SHT_RELA = 2, 4
_SHF_WRITE, _SHF_MERGE, _SHF_STRINGS = 1, 0x10, 0x20
_STT_FUNC = 2


class _Section(NamedTuple):
    name: str
    type: int
    flags: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry_size: int


class _Symbol(NamedTuple):
    name: str
    type: int
    section: int
    value: int
    size: int


def _text(table: bytes, offset: int) -> str:
    """The NUL-terminated string at `offset` of a string table."""
    return table[offset : table.index(b"\0", offset)].decode()


class _Object:
    """The tables of one object file."""

    def __init__(self, content: bytes) -> None:
        if len(content) < _HEADER.size or content[:6] != b"\x7fELF\x02\x01":
            raise StencilError("not a little-endian ELF64 object: compile with -target x86_64-linux-gnu -c")
        header = _HEADER.unpack_from(content)
        if header[1:3] != (_ET_REL, _EM_X86_64):
            raise StencilError(f"ELF type {header[1]}, machine {header[2]}: expected a relocatable x86-64 object (-c)")
        self.content = content
        table, count, names_index = header[6], header[12], header[13]
        raw = [_SECTION.unpack_from(content, table + _SECTION.size * number) for number in range(count)]
        names = content[raw[names_index][4] :]
        self.sections = [_Section(_text(names, r[0]), r[1], r[2], r[4], r[5], r[6], r[7], r[8], r[9]) for r in raw]
        self.symbols: list[_Symbol] = []
        for section in self.sections:
            if section.type == _SHT_SYMTAB:
                strings = self.bytes_of(self.sections[section.link])
                self.symbols = [
                    _Symbol(_text(strings, s[0]), s[1] & 15, s[3], s[4], s[5])
                    for s in _SYMBOL.iter_unpack(self.bytes_of(section))
                ]

    def bytes_of(self, section: _Section) -> bytes:
        """The section's bytes in the file."""
        return self.content[section.offset : section.offset + section.size]

    def relocations(self) -> dict[int, list[tuple[int, int, _Symbol, int]]]:
        """Section number -> its relocations in order: (offset, type, symbol, addend)."""
        return {
            section.info: sorted(
                (offset, info & 0xFFFFFFFF, self.symbols[info >> 32], addend)
                for offset, info, addend in _RELA.iter_unpack(self.bytes_of(section))
            )
            for section in self.sections
            if section.type == _SHT_RELA
        }

    def constant(self, function: str, symbol: _Symbol) -> Constant:
        """The read-only constant that `symbol` names: an entry of a section of equal-sized mergeable entries."""
        section = self.sections[symbol.section]
        if not symbol.name or section.flags & (_SHF_MERGE | _SHF_STRINGS | _SHF_WRITE) != _SHF_MERGE:
            raise StencilError(
                f"{function} refers to data in {section.name}: a stencil may only use numeric constants. "
                "Move strings, tables and variables into the C core and name them with `extern`."
            )
        content = self.bytes_of(section)[symbol.value : symbol.value + section.entry_size]
        return Constant(content, section.alignment)


def read_stencils(content: bytes) -> list[Stencil]:
    """Every function of an object file compiled with -ffunction-sections, in the file's order.

    StencilError for a file of another kind, a relocation that cannot be filled, or data that cannot be carried.
    """
    file = _Object(content)
    relocations = file.relocations()
    stencils = []
    for symbol in file.symbols:
        if symbol.type != _STT_FUNC or symbol.section == 0:
            continue
        start, end = symbol.value, symbol.value + symbol.size
        code = file.bytes_of(file.sections[symbol.section])[start:end]
        holes = [
            _hole(file, symbol.name, offset - start, number, target, addend)
            for offset, number, target, addend in relocations.get(symbol.section, ())
            if start <= offset < end
        ]
        stencils.append(Stencil(symbol.name, code, tuple(holes)))
    return stencils


def _hole(file: _Object, function: str, offset: int, number: int, target: _Symbol, addend: int) -> Hole:
    """One relocation of `function` as a hole."""
    kind = RELOCATIONS.get(number)
    if kind is None:
        raise StencilError(
            f"{function}+{offset:#x}: no hole is of relocation type {number} (here against {target.name!r}). "
            "Types 9, 41 and 42 come from position-independent code, 19-23 from thread-local variables: pass "
            "the address as an operand, or call a C function. Any other: add it to RELOCATIONS in model.py."
        )
    if target.section == 0:
        return Hole(offset, kind, target.name, addend)
    if target.type == _STT_FUNC or file.sections[target.section].name.startswith(".text"):
        raise StencilError(
            f"{function}+{offset:#x} refers to {file.sections[target.section].name}, whose code is not "
            "copied with it: mark the helper `static inline __attribute__((always_inline))`."
        )
    if kind != "rel32":
        raise StencilError(
            f"{function}+{offset:#x} takes the absolute address of the constant {target.name!r}: "
            "index no tables in a stencil; name the table in the C core with `extern`."
        )
    return Hole(offset, "data", file.constant(function, target).symbol, addend)
