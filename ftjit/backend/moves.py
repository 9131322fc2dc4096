"""Parallel moves: all arguments of an edge to all parameters at once, as a sequence of single moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ftjit.ir import Const

type Place = str | int


@dataclass(frozen=True, slots=True)
class Transfer:
    """One move. A source is a register, a spill slot, or a constant; `kind` is INT or FLOAT."""

    kind: str
    target: Place
    source: Place | Const


def sequence(transfers: list[Transfer], scratch: dict[str, str]) -> Iterator[Transfer]:
    """The transfers in an order in which no source is overwritten before it is read; a cycle goes through `scratch`
    (one register a kind)."""
    pending = [t for t in transfers if t.target != t.source and not isinstance(t.source, Const)]
    while pending:
        blocked = {t.source for t in pending}
        ready = [t for t in pending if t.target not in blocked]
        if ready:
            yield from ready
            pending = [t for t in pending if t not in ready]
            continue
        # Only cycles are left: free one target by keeping what it holds.
        place = pending[0].target
        kind = next(t.kind for t in pending if t.source == place)  # of the value in it; slots take either
        yield Transfer(kind, scratch[kind], place)
        pending = [Transfer(t.kind, t.target, scratch[kind]) if t.source == place else t for t in pending]
    yield from (t for t in transfers if isinstance(t.source, Const))
