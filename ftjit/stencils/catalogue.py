"""The stencil library as a table: for each operation its variants, their sizes in bytes, their holes.

python -m ftjit stencils
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from ftjit.stencils.library import StencilLibrary
from ftjit.stencils.model import Operation, Stencil

_HEADINGS: Final = ("operation", "operands", "variants", "min", "median", "max", "holes", "total", "slow")


class Row(NamedTuple):
    """One operation. Sizes are bytes of one variant's code, total is of all of them with their slow-path twins.

    holes: the most that a variant has. slow_median: bytes of a twin, None if there are no twins.
    """

    operation: str
    operands: str
    variants: int
    smallest: int
    median: float
    largest: int
    holes: int
    total: int
    slow_median: float | None


def catalogue(library: StencilLibrary) -> list[Row]:
    """One row for each operation, in the library's order."""
    main: dict[str, list[Stencil]] = defaultdict(list)
    slow: dict[str, list[Stencil]] = defaultdict(list)
    for name, stencil in library.items():
        operation = str(name).partition("__")[0]
        (slow if str(name).endswith("__slow") else main)[operation].append(stencil)
    return [_row(operation, main[name], slow[name]) for name, operation in library.operations.items()]


def _row(operation: Operation, variants: list[Stencil], twins: list[Stencil]) -> Row:
    sizes = [len(stencil.code) for stencil in variants]
    twin_sizes = [len(stencil.code) for stencil in twins]
    return Row(
        operation=operation.name,
        operands=" ".join(f"{operand.name}:{'|'.join(operand.kinds)}" for operand in operation.operands),
        variants=len(sizes),
        smallest=min(sizes),
        median=statistics.median(sizes),
        largest=max(sizes),
        holes=max(len(stencil.holes) for stencil in variants),
        total=sum(sizes) + sum(twin_sizes),
        slow_median=statistics.median(twin_sizes) if twin_sizes else None,
    )


def render(rows: Iterable[Row]) -> str:
    """The table as text, words to the left and numbers to the right, with a line of totals."""
    rows = list(rows)
    cells = [_HEADINGS, *(tuple(_cell(value) for value in row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEADINGS))]
    lines = [
        "  ".join(
            text.ljust(width) if column < 2 else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    variants, total = sum(row.variants for row in rows), sum(row.total for row in rows)
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join([*lines, "", f"{len(rows)} operations, {variants:,} variants, {total:,} bytes"])


def _cell(value: str | float | None) -> str:
    """A value as the table shows it: nothing for None, no decimals, thousands apart."""
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:,.0f}"


def by_symbol(library: StencilLibrary) -> Mapping[str, int]:
    """How many stencils refer to each C function, C variable or constant: what the emitter must be able to reach."""
    counts: dict[str, int] = defaultdict(int)
    for stencil in library.values():
        for symbol in stencil.symbols:
            if not symbol.startswith("_JIT_"):
                counts[symbol] += 1
    return dict(sorted(counts.items()))
