"""The file by which Linux perf names addresses in code made at run time: a line for each stencil of an executor."""

from __future__ import annotations

import os
from collections.abc import Iterable


def append(name: str, base: int, size: int, rows: Iterable[tuple[int, int, str]]) -> None:
    """Add one executor at `base`; `rows` are (start, bytecode offset, stencil). Unwritable /tmp: nothing happens."""
    starts = sorted((start, offset, stencil) for start, offset, stencil in rows)
    ends = [start for start, _, _ in starts[1:]] + [size]
    lines = [
        f"{base + start:x} {end - start:x} ftjit:{name}+{offset}:{stencil}\n"
        for (start, offset, stencil), end in zip(starts, ends, strict=True)
        if end > start
    ]
    try:
        with open(f"/tmp/perf-{os.getpid()}.map", "a") as file:
            file.writelines(lines)
    except OSError:
        pass
