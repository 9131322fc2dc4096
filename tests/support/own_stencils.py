"""Stencils of the tests' own, that put all registers in and take them out again: what a stencil does is seen so."""

import ctypes
import mmap
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

from hypothesis import strategies as st

from ftjit.stencils import build, library

REGISTERS = r"""
STENCIL(test_load) { LOAD NEXT; }
STENCIL(test_save) { SAVE NEXT; }
STENCIL(test_leave) { return OP0; }
SHIM(test_shim) { return ENTER(); }
"""
HEAD = "\n".join(
    [
        "#define LOAD " + " ".join(f"i{n} = act->i[{n}]; f{n} = act->f[{n}];" for n in range(8)),
        "#define SAVE " + " ".join(f"act->i[{n}] = i{n}; act->f[{n}] = f{n};" for n in range(8)),
        "",
    ]
)

type Registers = tuple[list[int], list[float]]
"""i0 to i7, f0 to f7."""

int64 = st.integers(-(2**63), 2**63 - 1) | st.integers(-120, 120)
doubles = st.floats(width=64)
registers = st.tuples(st.lists(int64, min_size=8, max_size=8), st.lists(doubles, min_size=8, max_size=8))


def build_library(folder: Path, templates: str = "") -> library.StencilLibrary:
    """REGISTERS and these `templates`, built in an empty folder."""
    (folder / "stencils").mkdir()
    shutil.copy(build.SOURCES / "activation.h", folder)
    shutil.copy(build.SOURCES / "stencils" / "machine.h", folder / "stencils")
    (folder / "stencils" / "own.stencil.c").write_text(HEAD + REGISTERS + templates)
    return library.decode(build.build(folder))


def executable(own: library.StencilLibrary) -> tuple[mmap.mmap, int, Callable[..., int]]:
    """64 KiB of executable memory with the shim at its start: the memory, its address, and the shim as a function of
    the code's address and of three pointers, the last to the activation."""
    memory = mmap.mmap(
        -1, 1 << 16, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    )
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    shim = own["test_shim"].code
    memory[: len(shim)] = shim
    return memory, address, ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 4)(address)


def bits(values: Registers) -> bytes:
    """Registers so that NaN equals NaN and 0.0 does not equal -0.0."""
    return struct.pack("<8q8d", *values[0], *values[1])


def changed(before: Registers, **changes: float) -> Registers:
    """The registers with some of them changed: changed(r, i3=5)."""
    after = (list(before[0]), list(before[1]))
    for register, value in changes.items():
        after[register[0] == "f"][int(register[1])] = value  # type: ignore[call-overload]
    return after


def fits(value: int) -> bool:
    return -(2**63) <= value < 2**63
