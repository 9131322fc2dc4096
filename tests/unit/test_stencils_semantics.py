"""Every stencil that computes with numbers does what Python does with them, or leaves with nothing done.

The stencils of the built library, in any variant of registers and immediates, are laid out by the assembler and run on
random registers. A row of ARITHMETIC says what the operation is in Python, and when it may leave. All else is wrong:
another value, leaving where Python has a result that fits, a register touched that is not the result's.
"""

from __future__ import annotations

import ctypes
import math
import operator
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.own_stencils import Registers, bits, build_library, changed, doubles, executable, fits, int64, registers

from ftjit.backend.assembler import Assembler, Label
from ftjit.runtime.core import core
from ftjit.stencils.library import StencilLibrary, decode, encode

SIGN_BIT = -(2**63)
LEAVES = object()
"""The answer of a row where the interpreter does the bytecode, or a branch is taken."""

small = st.integers(-70, 70)
divisors = st.integers(-9, 9) | int64
positive = st.integers(1, 9) | st.integers(1, 2**31 - 1)
numbers = doubles | st.integers(-400, 400).map(lambda number: number / 2)
COMPARISONS = {
    "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge, "eq": operator.eq, "ne": operator.ne,
}  # fmt: skip


def whole(result: int) -> Any:
    """What does not fit 64 bits is left to the interpreter."""
    return result if fits(result) else LEAVES


def except_for(function: Callable[[Any, Any], Any], *divisors: int) -> Callable[[Any, Any], Any]:
    """The interpreter does these divisors."""
    return lambda a, b: LEAVES if b in divisors else function(a, b)


def power(a: float, b: float) -> Any:
    """Plain cases only."""
    if not (a > 0 and math.isfinite(a) and math.isfinite(b)):
        return LEAVES
    try:
        return a**b or LEAVES
    except OverflowError:
        return LEAVES


def double_from_bits(number: int) -> float:
    return struct.unpack("<d", struct.pack("<q", number))[0]  # type: ignore[no-any-return]


def bits_of(number: float) -> int:
    return struct.unpack("<q", struct.pack("<d", number))[0]  # type: ignore[no-any-return]


def branch(condition: Callable[..., bool]) -> Callable[..., Any]:
    return lambda *operands: LEAVES if condition(*operands) else None


@dataclass(frozen=True)
class Row:
    """`function`, of what the last operands hold and then of what is in the holes, gives a number, None where none is
    made, or LEAVES."""

    function: Callable[..., Any]
    operands: tuple[st.SearchStrategy[Any], ...]
    holes: dict[str, st.SearchStrategy[int]]


def row(function: Callable[..., Any], *operands: st.SearchStrategy[Any], **holes: st.SearchStrategy[int]) -> Row:
    return Row(function, operands, holes)


def comparisons(names: str, operands: st.SearchStrategy[Any], as_result: Callable[[int], float]) -> dict[str, Row]:
    """`compare` and `branch` for each of the names."""
    rows = {}
    for name in names.split():
        holds = COMPARISONS[name]
        rows[f"compare_{name}"] = row(lambda a, b, holds=holds: as_result(int(holds(a, b))), operands, operands)
        rows[f"branch_{name}"] = row(branch(holds), operands, operands)
    return rows


ARITHMETIC: dict[str, Row] = {
    "int_move": row(lambda b: b, int64),
    "int_add": row(lambda a, b: whole(a + b), int64, int64),
    "int_sub": row(lambda a, b: whole(a - b), int64, int64),
    "int_mul": row(lambda a, b: whole(a * b), int64, small | int64),
    "int_and": row(operator.and_, int64, int64),
    "int_or": row(operator.or_, int64, int64),
    "int_xor": row(operator.xor, int64, int64),
    "int_neg": row(lambda a: whole(-a), int64),
    "int_invert": row(operator.invert, int64),
    "int_abs": row(lambda a: whole(abs(a)), int64),
    "int_shl": row(lambda a, b: whole(a << b) if 0 <= b <= 62 else LEAVES, small | int64, small | int64),
    "int_shr": row(lambda a, b: a >> min(b, 100) if b >= 0 else LEAVES, int64, small | int64),
    "int_floordiv": row(except_for(operator.floordiv, 0, -1), small | int64, divisors),
    "int_mod": row(except_for(operator.mod, 0, -1), small | int64, divisors),
    "int_floordiv_const": row(operator.floordiv, small | int64, OFF0=positive),
    "int_mod_const": row(operator.mod, small | int64, OFF0=positive),
    "guard_fits_double": row(lambda a: None if abs(a) <= 2**53 else LEAVES, int64 | st.integers(2**53 - 2, 2**53 + 2)),
    **{f"int_{name}": each for name, each in comparisons("lt le gt ge eq ne", small | int64, int).items()},
    "branch_true": row(branch(lambda a: a != 0), small),
    "branch_false": row(branch(lambda a: a == 0), small),
    "branch_positive": row(branch(lambda a: a > 0), small),
    "float_move": row(lambda b: b, numbers),
    "float_const": row(double_from_bits, OP0=int64),
    "float_zero": row(lambda: 0.0),
    "float_from_int": row(float, int64),
    "bits_of_float": row(bits_of, numbers),
    "int_from_float": row(lambda b: int(b) if -9.2e18 < b < 9.2e18 else LEAVES, numbers),
    "float_add": row(operator.add, numbers, numbers),
    "float_sub": row(operator.sub, numbers, numbers),
    "float_mul": row(operator.mul, numbers, numbers),
    "float_div": row(except_for(operator.truediv, 0), numbers, numbers),
    "float_mod": row(except_for(operator.mod, 0), numbers, numbers),
    "float_floordiv": row(except_for(operator.floordiv, 0), numbers, numbers),
    "float_pow": row(power, numbers, numbers),
    "float_neg": row(lambda a, _: -a, numbers, OP0=st.just(SIGN_BIT)),
    "float_abs": row(lambda a, _: abs(a), numbers, OP0=st.just(SIGN_BIT)),
    "float_sqrt": row(lambda a: math.sqrt(a) if a >= 0 else LEAVES, numbers),
    **{f"float_{name}": each for name, each in comparisons("lt le eq ne", numbers, double_from_bits).items()},
    "float_branch_not_lt": row(branch(lambda a, b: not a < b), numbers, numbers),
    "float_branch_not_le": row(branch(lambda a, b: not a <= b), numbers, numbers),
}


class Machine:
    """Runs one variant of one stencil."""

    def __init__(self, own: StencilLibrary) -> None:
        built = core().library
        wanted = [name for name in built if name.partition("__")[0] in ARITHMETIC]
        both = [*(own[name] for name in own), *(built[name] for name in wanted)]
        self.library = decode(encode(both, [*own.operations.values(), *(built.operations[n] for n in ARITHMETIC)], ""))
        self.variants: dict[str, list[str]] = {name: [] for name in ARITHMETIC}
        for name in wanted:
            if not name.endswith("__slow"):
                self.variants[name.partition("__")[0]].append(name)
        self.memory, self.base, self.shim = executable(own)

    def run(
        self, before: Registers, name: str, operands: tuple[str, ...], holes: dict[str, int]
    ) -> tuple[bool, Registers]:
        """Whether it left (or branched), and the registers after it."""
        assembler, elsewhere = Assembler(self.library, core().symbol), Label("elsewhere")
        assembler.emit("test_load", (), {})
        assembler.emit(name, operands, holes, elsewhere)
        for left in (0, 1):
            assembler.emit("test_save", (), {})
            assembler.emit("test_leave", (), {"OP0": 1 + left})
            if not left:
                assembler.label(elsewhere)
        code = assembler.finish(self.base + 4096).bytes
        self.memory[4096 : 4096 + len(code)] = code
        activation = ctypes.create_string_buffer(struct.pack("<8q8d", *before[0], *before[1]), 8192)
        left_by = self.shim(self.base + 4096, None, None, ctypes.addressof(activation))
        unpacked = struct.unpack_from("<8q8d", activation)
        return left_by == 2, (list(unpacked[:8]), list(unpacked[8:]))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(build_library(tmp_path_factory.mktemp("cdefs")))


def test_every_one_has_a_row() -> None:
    operations = core().library.operations.values()
    written = {each.name for each in operations if each.source.startswith(("int.stencil.c", "float.stencil.c"))}
    assert written == set(ARITHMETIC)


@pytest.mark.parametrize("name", ARITHMETIC)
@given(before=registers, data=st.data())
def test_it_does_what_python_does(machine: Machine, name: str, before: Registers, data: st.DataObject) -> None:
    meaning = ARITHMETIC[name]
    variant = data.draw(st.sampled_from(machine.variants[name]))
    operands = tuple(variant.partition("__")[2].split("_"))
    holes = {hole: data.draw(values) for hole, values in meaning.holes.items()}
    read = operands[len(operands) - len(meaning.operands) :]
    immediate = {}
    for operand, letter, values in zip(read, "ABC"[len(operands) - len(read) :], meaning.operands, strict=False):
        if operand.startswith("imm"):
            values = st.integers(0, 2**31 - 1) | st.integers(0, 70) if operand == "imm32" else values
            immediate[operand] = holes[f"{operand.upper()}_{letter}"] = data.draw(values)
        else:
            before = changed(before, **{operand: data.draw(values)})
    arguments = [immediate[each] if each in immediate else before[each[0] == "f"][int(each[1])] for each in read]
    expected = meaning.function(*arguments, *(holes[hole] for hole in meaning.holes))
    left, after = machine.run(before, name, operands, holes)
    assert left == (expected is LEAVES), (variant, arguments, expected)
    if expected is LEAVES or expected is None:
        assert bits(after) == bits(before), (variant, arguments)
        return
    result = after[operands[0][0] == "f"][int(operands[0][1])]
    same = math.isnan(result) and math.isnan(expected)  # which of several NaN is the processor's choice
    assert same or bits(after) == bits(changed(before, **{operands[0]: expected})), (
        variant,
        arguments,
        expected,
        result,
    )
    assert bits(changed(after, **{operands[0]: 0})) == bits(changed(before, **{operands[0]: 0})), (variant, arguments)
