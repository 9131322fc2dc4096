"""The library file, and the catalogue of it."""

import time
from pathlib import Path

import pytest

from ftjit.stencils import catalogue, library
from ftjit.stencils.model import Hole, Operand, Operation, Stencil, StencilError

MASK = "16:" + "00" * 16
STENCILS = [
    Stencil("add__i0_i1", b"\x01\x02\x03", ()),
    Stencil("add__i0_i1__slow", b"\xe9\0\0\0\0", (Hole(1, "rel32", "_JIT_TARGET", -4),)),
    Stencil("add__i0_imm", b"\x48\xb8" + bytes(8), (Hole(2, "abs64", "_JIT_IMM_B", -(2**40)),)),
    Stencil("add__i0_imm__slow", b"\xe8\0\0\0\0\xc3", (Hole(1, "rel32", "PyLong_FromLong", -4),)),
    Stencil("negate__f0", b"\x0f\x57\x05\0\0\0\0", (Hole(3, "data", MASK, -4),)),
    Stencil("enter", b"\xc3", ()),
]
OPERATIONS = [
    Operation("add", (Operand("A", ("i0",)), Operand("B", ("i1", "imm"))), True, False, "x.stencil.c:3"),
    Operation("negate", (Operand("A", ("f0",)),), False, False, "x.stencil.c:9"),
    Operation("enter", (), False, True, "x.stencil.c:12"),
]


@pytest.fixture
def built() -> library.StencilLibrary:
    return library.decode(library.encode(STENCILS, OPERATIONS, "d1ge57"))


def test_what_goes_in_comes_out(built: library.StencilLibrary) -> None:
    assert list(built.values()) == STENCILS
    assert list(built.operations.values()) == OPERATIONS
    assert (built.digest, built.target, len(built)) == ("d1ge57", "x86_64-linux", len(STENCILS))
    assert set(built.symbols) == {hole.symbol for stencil in STENCILS for hole in stencil.holes}


def test_by_operation_and_operands(built: library.StencilLibrary) -> None:
    assert built["add", "i0", "imm"] is built["add__i0_imm"]
    assert built["enter",] == built["enter"] == STENCILS[-1]
    assert ("add", "i0", "i1") in built
    assert ("add", "i1", "i0") not in built
    assert built.get(("add", "i1", "i0")) is None
    assert built.slow("add", "i0", "imm") == STENCILS[3]
    assert built.slow("negate", "f0") is None
    with pytest.raises(KeyError):
        built["subtract", "i0"]


def test_missing_file_names_the_mend(tmp_path: Path) -> None:
    with pytest.raises(StencilError, match=r"is missing: reinstall ftjit, or .*`python -m ftjit.stencils.build`"):
        library.load(tmp_path / "none.bin")


@pytest.mark.parametrize("damage", [slice(0, 0), slice(0, 40), slice(5, None), slice(0, -3)])
def test_damaged_file_names_the_mend(tmp_path: Path, damage: slice) -> None:
    path = tmp_path / "library.bin"
    path.write_bytes(library.encode(STENCILS, OPERATIONS, "d1ge57")[damage])
    with pytest.raises(StencilError, match=r"library.bin is damaged .* --force"):
        library.load(path)


def test_loading_decodes_nothing_and_is_quick(tmp_path: Path) -> None:
    many = [Stencil(f"op{n}__i{n % 8}", bytes(60), (Hole(2, "abs64", f"s{n % 90}", 0),) * 3) for n in range(5000)]
    path = tmp_path / "library.bin"
    path.write_bytes(library.encode(many, OPERATIONS, "d1ge57"))
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        loaded = library.load(path)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.060
    assert loaded["op4321__i1"] == many[4321]


def test_catalogue_counts_variants_bytes_and_holes(built: library.StencilLibrary) -> None:
    add, negate, enter = catalogue.catalogue(built)
    assert add == catalogue.Row("add", "A:i0 B:i1|imm", 2, 3, 6.5, 10, 1, 24, 5.5)
    assert negate == catalogue.Row("negate", "A:f0", 1, 7, 7, 7, 1, 7, None)
    assert enter.operands == ""


def test_catalogue_as_text(built: library.StencilLibrary) -> None:
    lines = catalogue.render(catalogue.catalogue(built)).splitlines()
    assert lines[0].split() == [
        "operation",
        "operands",
        "variants",
        "min",
        "median",
        "max",
        "holes",
        "total",
        "slow",
    ]
    assert [line.split()[0] for line in lines[2:5]] == ["add", "negate", "enter"]
    assert lines[-1] == "3 operations, 4 variants, 32 bytes"
    assert len({len(line) for line in lines[:2]}) == 1


def test_symbols_that_the_emitter_must_reach(built: library.StencilLibrary) -> None:
    assert catalogue.by_symbol(built) == {"PyLong_FromLong": 1, MASK: 1}
