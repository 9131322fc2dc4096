"""The snapshot: what the first thread through the door saw, real values included. Dropped after compiling."""

from __future__ import annotations

from dataclasses import dataclass
from types import CodeType
from typing import Any


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`bytecode` is the observing thread's own specialised copy; `locals` and `stack` hold the objects there, or
    MISSING. `offset` (bytes) is the loop header, or the RESUME of a start. `inlined`: that thread's copies of what the
    executor before this one inlines, each code object followed by its bytecode."""

    code: CodeType
    offset: int
    is_start: bool
    bytecode: bytes
    locals: tuple[Any, ...]
    stack: tuple[Any, ...]
    globals: dict[str, Any]
    builtins: dict[str, Any]
    inlined: tuple[Any, ...] = ()
