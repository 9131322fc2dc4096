"""What holes accept, and how names are made."""

import pytest

from ftjit.stencils.model import FILLINGS, RELOCATIONS, Constant, Hole, Operand, StencilError, stencil_name


@pytest.mark.parametrize(
    ("hole", "value", "address", "expected"),
    [
        (Hole(2, "abs64", "_JIT_OP0", 0), -2, 0x1000, "feffffffffffffff"),
        (Hole(2, "abs64", "PyLong_Type", 8), 0x7FFF12345678, 0x1000, "80563412ff7f0000"),
        (Hole(3, "abs32", "_JIT_OFF0", 8), 0x50, 0x1000, "58000000"),
        # A jump of 5 bytes at 0x1003, its hole at 0x1004, to 0x1000: eight bytes back from its end.
        (Hole(4, "rel32", "_JIT_TARGET", -4), 0x1000, 0x1000, "f8ffffff"),
        # An immediate of one byte follows the displacement, so the processor counts from one byte further on.
        (Hole(4, "data", "8:00", -5), 0x2000, 0x1000, "f70f0000"),
    ],
)
def test_fill(hole: Hole, value: int, address: int, expected: str) -> None:
    assert hole.fill(value, address).hex() == expected
    assert len(hole.fill(value, address)) == hole.size


@pytest.mark.parametrize(
    ("kind", "value"),
    [("abs32", -1), ("abs32", 2**31), ("rel32", 2**31 + 4), ("data", -(2**40)), ("abs64", 2**64)],
)
def test_fill_refuses_what_does_not_fit(kind: str, value: int) -> None:
    with pytest.raises(StencilError, match=f"does not fit a hole of kind {kind}"):
        Hole(0, kind, "somewhere", 0).fill(value, 0)


def test_every_relocation_is_a_kind_that_can_be_filled() -> None:
    assert set(RELOCATIONS.values()) <= FILLINGS.keys()


def test_constant_is_its_symbol() -> None:
    mask = Constant(bytes(7) + b"\x80" + bytes(8), 16)
    assert mask.symbol == "16:00000000000000800000000000000000"
    assert Hole(3, "data", mask.symbol, -4).constant == mask


def test_names() -> None:
    assert stencil_name("poll") == "poll"
    assert stencil_name("poll", slow=True) == "poll__slow"
    assert stencil_name("int_add", ("i0", "imm")) == "int_add__i0_imm"
    assert stencil_name("int_add", ("i0", "imm"), slow=True) == "int_add__i0_imm__slow"


def test_operand_choices() -> None:
    assert Operand("B", ("f3", "imm")).choices == ("f3", "imm")
    assert Operand("B", ("i", "imm32")).choices == (*(f"i{n}" for n in range(8)), "imm32")
