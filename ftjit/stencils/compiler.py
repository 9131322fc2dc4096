"""Runs clang: one C file of stencils -> its stencils.

The compiler is the clang inside the `ziglang` wheel, the same on every machine, with libc's headers inside.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sysconfig
from pathlib import Path
from typing import Final

from ftjit.stencils import assembly, elf
from ftjit.stencils.model import Stencil, StencilError

ZIGLANG_VERSION: Final = "0.17.1"
TARGET_FLAGS: Final = ("-target", "x86_64-linux-gnu")

CODE_FLAGS: Final = (
    "-march=x86-64",  # the baseline: the library runs on every x86-64 processor
    "-O3",
    "-std=gnu11",
    "-DNDEBUG",  # CPython's headers assert; a stencil cannot report a failed assertion
    # Addresses.
    "-fno-pic",  # holes are plain addresses, not entries of a global offset table
    "-mcmodel=medium",  # data may be anywhere (64-bit holes), code within 2 GiB (32-bit jumps and calls)
    "-mlarge-data-threshold=0",  # every variable counts as large, even a one-byte symbol such as a hole
    # What the compiler would add to a function that is none in a stencil.
    "-fomit-frame-pointer",  # rbp is not ours to change
    "-fno-asynchronous-unwind-tables",  # the emitter describes a whole executor to unwinders itself
    "-fno-stack-protector",  # would refer to a thread-local variable
    "-fcf-protection=none",  # no endbr64 at the start: only the shim jumps indirectly
    "-fno-jump-tables",  # a table of addresses would be data that refers to code
    "-falign-loops=1",  # a stencil is placed at any address, so padding inside it aligns nothing
    # What the C means.
    "-fwrapv",  # signed overflow wraps, as in CPython's own build
    "-fno-strict-aliasing",  # templates reinterpret frame slots
    "-ffp-contract=off",  # a * b + c rounds twice, as the interpreter does
    "-fno-math-errno",  # __builtin_sqrt is one instruction, not a call that sets errno
    # What the object looks like.
    "-ffunction-sections",  # one section per function, so each one's bytes and relocations stand alone
    "-Wall", "-Werror",
    "-Wno-unused-function",  # a chunk holds all helpers and some of their users
    "-Wno-unused-but-set-parameter",  # a register may be written and not passed on, e.g. before a return
)  # fmt: skip


def compiler() -> tuple[Path, Path]:
    """The zig executable of the ziglang wheel, and its folder of headers. StencilError if it is not installed."""
    specification = importlib.util.find_spec("ziglang")
    if specification is None or not specification.submodule_search_locations:
        raise StencilError(f"building stencils needs clang: pip install ziglang=={ZIGLANG_VERSION}")
    folder = Path(next(iter(specification.submodule_search_locations)))
    return folder / "zig", folder / "lib"


def include_flags(headers: Path, sources: Path) -> list[str]:
    """Where clang finds its own headers, libc's and Python's, and nothing of this machine's."""
    libc = headers / "libc" / "include"
    system = [headers / "include"]
    system += [libc / part for part in ("x86-linux-gnu", "generic-glibc", "x86-linux-any", "any-linux-any")]
    python = Path(sysconfig.get_path("include"))
    if not (python / "internal" / "pycore_frame.h").exists():
        raise StencilError(f"{python} has no internal headers: install the development files of this Python")
    flags = ["-nostdinc"]
    for folder in (*system, python, python / "internal"):
        flags += ["-isystem", str(folder)]
    return [*flags, "-I", str(sources / "stencils")]


def version() -> str:
    """The version of the ziglang wheel; the one to install, if there is none."""
    try:
        return importlib.metadata.version("ziglang")
    except importlib.metadata.PackageNotFoundError:
        return ZIGLANG_VERSION


def compile_stencils(label: str, code: str, folder: Path, sources: Path) -> list[Stencil]:
    """The stencils of a C file's text, via assembly that `assembly.tidy` has gone over.

    label names it in messages and in `folder`, where the steps leave their files. sources: the cdefs folder.
    """
    zig, headers = compiler()
    source, text, result = (str(folder / f"{label}{suffix}") for suffix in (".c", ".s", ".o"))
    Path(source).write_text(code)
    clang = [str(zig), "clang", *TARGET_FLAGS]
    _run([*clang, *CODE_FLAGS, *include_flags(headers, sources), "-S", source, "-o", text], label)
    Path(text).write_text(assembly.tidy(Path(text).read_text()))
    _run([*clang, "-c", text, "-o", result], label)
    return elf.read_stencils(Path(result).read_bytes())


def _run(command: list[str], label: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StencilError(f"clang refuses {label}:\n{done.stderr.strip()[:4000]}")
