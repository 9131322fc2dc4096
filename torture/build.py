"""Builds the torture program: one executable for each sanitizer and each control, kept until a source changes."""

import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "torture"
SOURCES = {
    "epoch": [ROOT / "cdefs" / "epoch.c", ROOT / "cdefs" / "record.c", *sorted((ROOT / "torture").glob("*.c"))],
    "heap": [ROOT / "cdefs" / "heap.c", ROOT / "torture" / "heap" / "storm.c"],
}
HEADERS = [
    *(ROOT / "cdefs" / name for name in ("breaks.h", "counters.h", "epoch.h", "executor.h", "heap.h")),
    ROOT / "torture" / "torture.h",
]

FLAGS = ["-std=gnu11", "-g", "-Wall", "-Wextra", "-Wno-sign-compare", "-D_GNU_SOURCE", "-DFTJIT_TORTURE", "-pthread"]
SANITIZERS = {
    "none": ["-O2"],
    "address": ["-O1", "-fno-omit-frame-pointer", "-fsanitize=address"],
    "undefined": ["-O1", "-fsanitize=undefined", "-fno-sanitize-recover=all"],
    "thread": ["-O1", "-fsanitize=thread"],
}
# Where gcc will not do: its ThreadSanitizer refuses the fences, and the allocator of its AddressSanitizer may stay
# locked in a forked child (seen with gcc 12).
NEEDS_CLANG = {"thread": "ThreadSanitizer", "address": "AddressSanitizer"}
HINT = "install it with: apt-get install clang-19"


class TortureError(Exception):
    """One line for the user."""


def compiler_for(sanitizer: str) -> str:
    """clang-19, or gcc where that will do. TortureError."""
    clang = shutil.which("clang-19")
    if clang:
        return clang
    gcc = shutil.which("gcc")
    if gcc and sanitizer not in NEEDS_CLANG:
        return gcc
    what = f"{NEEDS_CLANG[sanitizer]} needs clang-19" if gcc else "no C compiler"
    raise TortureError(f"{what}: {HINT}")


def build(sanitizer: str, tag: str = "", unit: str = "epoch") -> Path:
    """The executable for one of SOURCES with this sanitizer and this control broken (`""`: none). TortureError."""
    compiler = compiler_for(sanitizer)
    flags = [*FLAGS, *SANITIZERS[sanitizer], *([f"-DFTJIT_BREAK_{tag}"] if tag else [])]
    digest = hashlib.sha256(" ".join([compiler, *flags]).encode())
    for path in [*SOURCES[unit], *HEADERS]:
        digest.update(path.read_bytes())
    program = CACHE / f"{unit}-{sanitizer}-{tag or 'whole'}-{digest.hexdigest()[:12]}"
    if program.exists():
        return program
    CACHE.mkdir(parents=True, exist_ok=True)
    for old in CACHE.glob(f"{unit}-{sanitizer}-{tag or 'whole'}-*"):
        if time.time() - old.stat().st_mtime > 24 * 3600:  # a younger one may be running
            old.unlink(missing_ok=True)
    new = program.with_suffix(f".{os.getpid()}")
    answer = subprocess.run(
        [compiler, *flags, *map(str, SOURCES[unit]), "-o", str(new)], capture_output=True, text=True, errors="replace"
    )
    if answer.returncode:
        raise TortureError(f"{compiler} failed:\n{answer.stderr.strip()}")
    new.replace(program)
    return program
