"""Stencils run: what the tidying and the holes mean is settled here.

They are built from templates of this file, put one behind the other, patched, entered through the shim, and
compared with Python for random registers.
"""

import ctypes
import importlib.util
import math
import platform
import struct
from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.own_stencils import Registers, bits, build_library, changed, doubles, executable, fits, int64, registers

from ftjit.stencils import library
from ftjit.stencils.model import Stencil

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ziglang") is None or platform.machine() != "x86_64",
    reason="needs ziglang on x86-64",
)

TEMPLATES = r"""
STENCIL(add, A:i0|i3|i7, B:i0|i3|imm|imm32)
{
    if (UNLIKELY(__builtin_add_overflow(A, B, &A))) { SLOW; }
    NEXT;
}
SLOWPATH
{
    A = SAME(A, B) ? (A >> 1) ^ INT64_MIN : A - B;
    EXIT;
}
STENCIL(saturate, A:i1, B:i5)
{
    if (UNLIKELY(__builtin_add_overflow(A, B, &A))) { SLOW; }
    NEXT;
}
SLOWPATH
{
    A = A < 0 ? INT64_MAX : INT64_MIN;
    NEXT;
}
STENCIL(less, A:i2, B:i6|imm) { if (A < B) { NEXT; } EXIT; }
STENCIL(equal, A:f0, B:f7) { if (A == B) { NEXT; } EXIT; }
STENCIL(unequal, A:f0, B:f7) { if (A == B) { EXIT; } NEXT; }
STENCIL(negate, A:f3) { A = -A; NEXT; }
STENCIL(magnitude, A:f3) { A = __builtin_fabs(A) * 3.25; NEXT; }
STENCIL(load_float, A:f5, B:imm) { A = double_from_bits(B); NEXT; }
STENCIL(classify, A:i4, B:i0)
{
    if (A < 0) { B = -1; if (A < -100) { EXIT; } NEXT; }
    if (UNLIKELY(A == 7)) { B = 70; EXIT; }
    while (B > 0 && A > B) { A -= B; }
    NEXT;
}
extern int64_t callee(int64_t);
STENCIL(absolute, A:i6) { A = callee(A); if (A == 5) { EXIT; } NEXT; }
STENCIL(load_local, A:i2) { A = *(int64_t *)((char *)act + OFF0); NEXT; }
"""
Step = tuple[Stencil, Mapping[str, int | str]]


@pytest.fixture(scope="module")
def stencils(tmp_path_factory: pytest.TempPathFactory) -> library.StencilLibrary:
    return build_library(tmp_path_factory.mktemp("cdefs"), TEMPLATES)


def assemble(labelled: Mapping[str, list[Step]], address: int) -> tuple[bytes, dict[str, int]]:
    """Places runs of steps one behind the other at `address`, each run at a label, constants behind them all.

    Fills every hole: with a number, or with the address of the label of that name.
    """
    places: dict[str, int] = {}
    constants: dict[str, bytes] = {}
    placed: list[tuple[int, Stencil, Mapping[str, int | str]]] = []
    position = address
    for label, steps in labelled.items():
        places[label] = position
        for stencil, values in steps:
            placed.append((position, stencil, values))
            position += len(stencil.code)
            constants |= {h.symbol: h.constant.content for h in stencil.holes if h.kind == "data"}
    code = bytearray(b"".join(stencil.code for _, stencil, _ in placed))
    for symbol, content in constants.items():
        code += bytes(-len(code) % 16)
        places[symbol] = address + len(code)
        code += content
    for start, stencil, values in placed:
        for hole in stencil.holes:
            value = values.get(hole.symbol, hole.symbol)
            number = value if isinstance(value, int) else places[value]
            at = start - address + hole.offset
            code[at : at + hole.size] = hole.fill(number, start)
    return bytes(code), places


class Machine:
    """Executable memory, with the shim at its start."""

    def __init__(self, stencils: library.StencilLibrary) -> None:
        self.stencils = stencils
        self.memory, self.base, self.shim = executable(stencils)
        # A stub, because libc is more than 2 GiB away: jmp [rip + 0], the address.
        llabs = ctypes.cast(ctypes.CDLL(None).llabs, ctypes.c_void_p).value
        self.memory[512:526] = b"\xff\x25\0\0\0\0" + struct.pack("<Q", llabs)
        self.stub = self.base + 512

    def run(self, before: Registers, name: str, **operands: int) -> tuple[str, Registers]:
        """Runs one stencil on these registers: "next" or "exit", and the registers after it."""
        values = {f"_JIT_{key}": value for key, value in operands.items()}
        save, leave = self.stencils["test_save"], self.stencils["test_leave"]
        ways = {"_JIT_TARGET": "exit", "_JIT_SLOW": "slow", "_JIT_CONTINUE": "next", "callee": self.stub}
        twin = self.stencils.get(f"{name}__slow")
        code, places = assemble(
            {
                "start": [(self.stencils["test_load"], {}), (self.stencils[name], values | ways)],
                "next": [(save, {}), (leave, {"_JIT_OP0": 1})],
                "exit": [(save, {}), (leave, {"_JIT_OP0": 2})],
                "slow": [(twin, values | ways)] if twin else [],
            },
            self.base + 4096,
        )
        self.memory[4096 : 4096 + len(code)] = code
        activation = ctypes.create_string_buffer(struct.pack("<8q8d", *before[0], *before[1]), 8192)
        left_by = self.shim(places["start"], None, None, ctypes.addressof(activation))
        unpacked = struct.unpack_from("<8q8d", activation)
        return {1: "next", 2: "exit"}[left_by], (list(unpacked[:8]), list(unpacked[8:]))


@pytest.fixture(scope="module")
def machine(stencils: library.StencilLibrary) -> Machine:
    return Machine(stencils)


@given(
    before=registers,
    a=st.sampled_from(["i0", "i3", "i7"]),
    b=st.sampled_from(["i0", "i3", "imm", "imm32"]),
    data=st.data(),
)
def test_add_in_place_and_back(machine: Machine, before: Registers, a: str, b: str, data: st.DataObject) -> None:
    x = before[0][int(a[1])]
    holes = {}
    if b == "imm":
        holes["IMM_B"] = y = data.draw(int64)
    elif b == "imm32":
        holes["IMM32_B"] = y = data.draw(st.integers(0, 2**31 - 1))
    else:
        y = before[0][int(b[1])]
    way, after = machine.run(before, f"add__{a}_{b}", **holes)
    expected = ("next", changed(before, **{a: x + y})) if fits(x + y) else ("exit", before)
    assert (way, bits(after)) == (expected[0], bits(expected[1]))


@given(before=registers)
@example(before=([0, 2**63 - 1, 0, 0, 0, 1, 0, 0], [0.0] * 8))
@example(before=([0, -(2**63), 0, 0, 0, -1, 0, 0], [0.0] * 8))
def test_slow_path_goes_on_where_the_main_one_would(machine: Machine, before: Registers) -> None:
    total = max(-(2**63), min(2**63 - 1, before[0][1] + before[0][5]))
    way, after = machine.run(before, "saturate__i1_i5")
    assert (way, bits(after)) == ("next", bits(changed(before, i1=total)))


@given(before=registers, limit=int64)
def test_branches_on_integers(machine: Machine, before: Registers, limit: int) -> None:
    i = before[0]
    assert machine.run(before, "less__i2_i6")[0] == ("next" if i[2] < i[6] else "exit")
    way, after = machine.run(before, "less__i2_imm", IMM_B=limit)
    assert (way, bits(after)) == ("next" if i[2] < limit else "exit", bits(before))


@given(before=registers, same=st.booleans())
@example(before=([0] * 8, [math.nan] * 8), same=True)
@example(before=([0] * 8, [0.0] * 7 + [-0.0]), same=False)
def test_branches_on_floats_with_nan(machine: Machine, before: Registers, same: bool) -> None:
    before = changed(before, f7=before[1][0]) if same else before
    equal = before[1][0] == before[1][7]
    way, after = machine.run(before, "equal__f0_f7")
    assert (way, bits(after)) == ("next" if equal else "exit", bits(before))
    assert machine.run(before, "unequal__f0_f7")[0] == ("exit" if equal else "next")


@given(before=registers.filter(lambda pair: not math.isnan(pair[1][3])))
def test_constants_travel_with_the_code(machine: Machine, before: Registers) -> None:
    f3 = before[1][3]
    assert bits(machine.run(before, "negate__f3")[1]) == bits(changed(before, f3=-f3))
    assert bits(machine.run(before, "magnitude__f3")[1]) == bits(changed(before, f3=abs(f3) * 3.25))


@given(before=registers, value=doubles)
def test_float_immediate(machine: Machine, before: Registers, value: float) -> None:
    (pattern,) = struct.unpack("<q", struct.pack("<d", value))
    way, after = machine.run(before, "load_float__f5_imm", IMM_B=pattern)
    assert (way, bits(after)) == ("next", bits(changed(before, f5=value)))


def classify(a: int, b: int) -> tuple[str, int, int]:
    """The `classify` stencil, in Python."""
    if a < 0:
        return ("exit" if a < -100 else "next"), a, -1
    if a == 7:
        return "exit", a, 70
    return "next", (a - b * ((a - 1) // b) if b > 0 and a > b else a), b


@given(before=registers, a=st.integers(-300, 300) | st.just(7), b=st.integers(-5, 50))
def test_many_ways_and_a_loop(machine: Machine, before: Registers, a: int, b: int) -> None:
    before = changed(before, i4=a, i0=b)
    way, a_after, b_after = classify(a, b)
    got, after = machine.run(before, "classify__i4_i0")
    assert (got, bits(after)) == (way, bits(changed(before, i4=a_after, i0=b_after)))


@given(before=registers.filter(lambda pair: pair[0][6] > -(2**63)))
@example(before=([0, 1, 2, 3, 4, 5, -5, 7], [0.5] * 8))
def test_a_call_to_c_keeps_every_other_register(machine: Machine, before: Registers) -> None:
    value = abs(before[0][6])
    way, after = machine.run(before, "absolute__i6")
    assert (way, bits(after)) == ("exit" if value == 5 else "next", bits(changed(before, i6=value)))


@given(before=registers, slot=st.integers(0, 7))
def test_offset_is_a_displacement(machine: Machine, before: Registers, slot: int) -> None:
    (hole,) = machine.stencils["load_local__i2"].holes
    assert hole.kind == "abs32"
    way, after = machine.run(before, "load_local__i2", OFF0=8 * slot)
    assert (way, bits(after)) == ("next", bits(changed(before, i2=before[0][slot])))
