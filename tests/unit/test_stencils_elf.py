"""The object reader, on objects made by hand."""

import struct

import pytest

from ftjit.stencils.elf import read_stencils
from ftjit.stencils.model import Hole, Stencil, StencilError

PROGBITS, SYMTAB, STRTAB, RELA = 1, 2, 3, 4
MERGE, STRINGS, CODE, WRITE = 0x10, 0x20, 0x6, 0x3
FUNCTION = 2


def make_object(
    sections: list[tuple[str, int, int, bytes]],
    symbols: list[tuple[str, int, int, int, int]],
    relocations: dict[int, list[tuple[int, int, int, int]]],
) -> bytes:
    """A relocatable object.

    sections, from number 1: (name, flags, entry size, content). symbols, from number 1: (name, type, section,
    value, size). relocations: section -> (offset, symbol, type, addend).
    """
    names = b"\0"
    symbol_names, table = b"\0", bytes(24)
    for name, kind, section, value, size in symbols:
        table += struct.pack("<IBBHQQ", len(symbol_names) if name else 0, kind, 0, section, value, size)
        symbol_names += name.encode() + b"\0" if name else b""
    count = len(sections)
    bodies = [(name, PROGBITS, flags, content, 0, 0, entry) for name, flags, entry, content in sections]
    bodies.append((".symtab", SYMTAB, 0, table, count + 2, 0, 24))
    bodies.append((".strtab", STRTAB, 0, symbol_names, 0, 0, 0))
    for section, entries in relocations.items():
        content = b"".join(struct.pack("<QQq", at, symbol << 32 | kind, add) for at, symbol, kind, add in entries)
        bodies.append((".rela", RELA, 0, content, count + 1, section, 24))
    bodies.append((".shstrtab", STRTAB, 0, b"", 0, 0, 0))
    headers, data = bytes(64), b""
    for name, kind, flags, content, link, info, entry in bodies:
        offset = len(names)
        names += name.encode() + b"\0"
        content = names if name == ".shstrtab" else content
        at = 64 + len(data)
        headers += struct.pack("<IIQQQQIIQQ", offset, kind, flags, 0, at, len(content), link, info, entry or 1, entry)
        data += content
    identity = b"\x7fELF\x02\x01\x01" + bytes(9)
    total = len(bodies) + 1
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", identity, 1, 62, 1, 0, 0, 64 + len(data), 0, 64, 0, 0, 64, total, total - 1
    )
    return header + data + headers


MASK = bytes(7) + b"\x80" + bytes(8)
TWO_FUNCTIONS = [
    (".text.one", CODE, 0, bytes.fromhex("48b80000000000000000e900000000")),
    (".text.two", CODE, 0, bytes.fromhex("0f570500000000c3") + b"\x90" * 8),
    (".rodata.cst16", MERGE, 16, bytes(16) + MASK),
]
SYMBOLS = [
    ("one", FUNCTION, 1, 0, 15),
    ("two", FUNCTION, 2, 0, 8),
    (".LCPI1_0", 0, 3, 16, 0),
    ("_JIT_OP0", 0, 0, 0, 0),
    ("_JIT_TARGET", 0, 0, 0, 0),
    ("", 3, 3, 0, 0),
]


def test_functions_bytes_and_relocations() -> None:
    content = make_object(TWO_FUNCTIONS, SYMBOLS, {1: [(11, 5, 4, -4), (2, 4, 1, 0)], 2: [(3, 3, 2, -4)]})
    assert read_stencils(content) == [
        Stencil(
            "one",
            bytes.fromhex("48b80000000000000000e900000000"),
            (Hole(2, "abs64", "_JIT_OP0", 0), Hole(11, "rel32", "_JIT_TARGET", -4)),
        ),
        # The padding behind its 8 bytes is not the function's; the constant goes with it, by value.
        Stencil("two", bytes.fromhex("0f570500000000c3"), (Hole(3, "data", f"16:{MASK.hex()}", -4),)),
    ]


def test_two_functions_in_one_section_share_its_relocations() -> None:
    sections = [(".text", CODE, 0, bytes.fromhex("e900000000") * 2)]
    symbols = [("one", FUNCTION, 1, 0, 5), ("two", FUNCTION, 1, 5, 5), ("_JIT_SLOW", 0, 0, 0, 0)]
    one, two = read_stencils(make_object(sections, symbols, {1: [(1, 3, 4, -4), (6, 3, 4, -4)]}))
    assert one.code == two.code
    assert one.holes == two.holes == (Hole(1, "rel32", "_JIT_SLOW", -4),)


@pytest.mark.parametrize(("kind", "expected"), [(1, "abs64"), (2, "rel32"), (4, "rel32"), (10, "abs32"), (11, "abs32")])
def test_relocation_kinds(kind: int, expected: str) -> None:
    (one, _) = read_stencils(make_object(TWO_FUNCTIONS, SYMBOLS, {1: [(2, 4, kind, 7)]}))
    assert one.holes == (Hole(2, expected, "_JIT_OP0", 7),)


@pytest.mark.parametrize(
    ("sections", "relocation", "message"),
    [
        (
            TWO_FUNCTIONS,
            (2, 4, 42, -4),
            r"one\+0x2: no hole is of relocation type 42 \(here against '_JIT_OP0'\)",
        ),
        (TWO_FUNCTIONS, (2, 3, 1, 0), "takes the absolute address of the constant"),
        (TWO_FUNCTIONS, (2, 2, 4, -4), r"refers to \.text\.two, whose code is not copied"),
        (TWO_FUNCTIONS, (2, 6, 2, 12), r"refers to data in \.rodata\.cst16"),
        (
            [*TWO_FUNCTIONS[:2], (".rodata.str1.1", MERGE | STRINGS, 1, bytes(32))],
            (2, 3, 2, -4),
            "refers to data in",
        ),
        ([*TWO_FUNCTIONS[:2], (".data", WRITE, 0, bytes(32))], (2, 3, 2, -4), r"refers to data in \.data"),
    ],
)
def test_refusals_name_function_and_mend(sections, relocation, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(StencilError, match=message):
        read_stencils(make_object(sections, SYMBOLS, {1: [relocation]}))


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"!<arch>\n" * 20])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(StencilError, match="not a little-endian ELF64 object"):
        read_stencils(content)


def test_other_machines_are_refused() -> None:
    content = bytearray(make_object(TWO_FUNCTIONS, SYMBOLS, {}))
    struct.pack_into("<H", content, 18, 183)
    with pytest.raises(StencilError, match="machine 183"):
        read_stencils(bytes(content))
