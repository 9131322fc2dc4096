"""Builds the C core: one cffi module (API mode) out of the units below, each a .c file with its declarations beside
it in a .cdef file of the same name.

FTJIT_BREAK=tag in the environment breaks one ordering or condition of the reclamation protocol on purpose (breaks.h): a
negative control, never for use."""

import os
import re
from pathlib import Path

from cffi import FFI

UNITS = [
    "record",
    "epoch",
    "heap",
    "keepsakes",
    "slot",
    "leave",
    "inlined",
    "door",
    "direct",
    "peek",
    "snapshot",
    "sampler",
    "worker",
    "forks",
    "helpers",
    "callouts",
    "thunks",
    "measure",
    "symbols",
]
HERE = Path(__file__).resolve().parent

# What cffi's own generated code sees of the units: plain C types only.
PREAMBLE = "#include <stdint.h>\n"


def declarations() -> str:
    """The declarations of all units, in their order."""
    return "\n".join(path.read_text() for unit in UNITS if (path := HERE / f"{unit}.cdef").exists())


def macros() -> list[str]:
    """Compiler options for what the environment asks for; none in a normal build. ValueError: no such control."""
    tag = os.environ.get("FTJIT_BREAK")
    if not tag:
        return []
    sources = "".join(path.read_text() for path in sorted(HERE.glob("*.[ch]")))
    known = sorted(set(re.findall(r"\b(?:BROKEN\(|ORDER\(\w+, )(\w+)\)", sources)) - {"tag"})
    if tag not in known:
        raise ValueError(f"FTJIT_BREAK={tag}: the C core has no such control; it has {', '.join(known)}")
    return [f"-DFTJIT_BREAK_{tag}"]


def builder() -> FFI:
    """The builder of `ftjit._core`. Paths are relative to the project's root, where the build runs."""
    ffi = FFI()
    ffi.cdef(declarations())
    ffi.set_source(
        "ftjit._core",
        PREAMBLE + declarations(),
        sources=[f"cdefs/{unit}.c" for unit in UNITS],
        depends=[str(path.relative_to(HERE.parent)) for path in HERE.glob("*.h")],
        # Hidden symbols: calls inside the core are direct. -fno-plt: those into the interpreter go by one jump.
        extra_compile_args=[
            "-std=gnu11",
            "-O2",
            "-g",
            "-fvisibility=hidden",
            "-fno-plt",
            "-Wall",
            "-Wno-unused-parameter",
            *macros(),
        ],
        libraries=["m", "dl", "pthread"],
    )
    return ffi


ffibuilder = builder()
