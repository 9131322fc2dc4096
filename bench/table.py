"""The tables a run ends with, for people: with lines and colours on a terminal, aligned text elsewhere."""

import importlib.util
import sys
from collections.abc import Sequence

from .summary import COUNTERS, Cell, Row, Summary

type Lines = list[list[str]]


def number(value: float | None, digits: int = 2, unit: str = "") -> str:
    return "-" if value is None else f"{value:.{digits}f}{unit}"


def seconds(cell: Cell | None) -> str:
    return number(cell.seconds if cell else None, 4)


def verdict(row: Row) -> str:
    """What the last column says: whether the checksums agree and whether machine code ran."""
    words = ["✓" if row.checksums_equal else "✗"]
    if row.machine_code is False:
        words.append("no machine code ran")
    if row.mode != "interpreter" and row.compiled is None:
        words.append("failed")
    if row.compiled is not None and not row.compiled.steady:
        words.append("unsteady")
    return " ".join(words)


def speed_table(summary: Summary) -> Lines:
    """Header and rows: one for each program, thread count and compiled mode."""
    compiled_modes = {row.mode for row in summary.rows}
    header = ["program", "threads", "interpreter s", "ftjit s", "speed-up", "low-high"]
    header += ["scaling int.", "scaling ftjit", "first run s", "runs", "checksum"]
    lines = [header]
    for row in summary.rows:
        several_rounds = row.compiled is not None and len(row.compiled.round_seconds) > 1
        low_high = "-"
        if row.speed_up_range is not None and several_rounds:
            low_high = "{:.2f}-{:.2f}".format(*row.speed_up_range)
        measured = row.compiled or row.interpreter
        name = row.program if len(compiled_modes) == 1 else f"{row.program} ({row.mode})"
        lines.append(
            [
                name,
                str(row.threads),
                seconds(row.interpreter),
                seconds(row.compiled),
                number(row.speed_up, 2, "x"),
                low_high,
                number(row.scaling_interpreter),
                number(row.scaling_compiled),
                number(measured.first_seconds if measured else None, 3),
                str(measured.runs if measured else 0),
                verdict(row),
            ]
        )
    return lines


def mean_table(summary: Summary) -> Lines:
    lines = [["geometric mean speed-up", "threads", "numeric kernels", "all programs"]]
    for mean in summary.means:
        lines.append([mean.mode, str(mean.threads), number(mean.numeric, 2, "x"), number(mean.all, 2, "x")])
    return lines


def counter_table(summary: Summary) -> Lines:
    """The runtime's counters, added up over all ftjit processes of a program; last come all programs."""
    lines = [["counters", *(name.replace("executors_", "") for name in COUNTERS)]]
    for program in dict.fromkeys(row.program for row in summary.rows):
        cells = [row.compiled for row in summary.rows if row.program == program and row.compiled is not None]
        totals = {name: sum(cell.counters.get(name, 0) for cell in cells) for name in COUNTERS}
        lines.append([program, *(f"{totals[name]:,.6g}" for name in COUNTERS)])
    lines.append(["all", *(f"{summary.counters.get(name, 0):,.6g}" for name in COUNTERS)])
    return lines


def show(lines: Lines, spare: Sequence[str] = ()) -> None:
    """Print ``lines``, the first of which is the header, on standard output; only the first column is
    left-aligned.

    ``spare`` are the columns that a terminal too narrow for all of them does without, the first to go first.
    """
    if len(lines) == 1:
        return
    if sys.stdout.isatty() and importlib.util.find_spec("rich") is not None:
        show_rich(lines, spare)
    else:
        print(plain(lines), flush=True)


def plain(lines: Lines) -> str:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = []
    for line in lines:
        cells = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=False)]
        text.append("  ".join([line[0].ljust(widths[0]), *cells]).rstrip())
    return "\n".join(text) + "\n"


def show_rich(lines: Lines, spare: Sequence[str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for name in spare:
        if width_in_rich(lines) > console.width:
            gone = lines[0].index(name)
            lines = [line[:gone] + line[gone + 1 :] for line in lines]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    last = len(lines[0]) - 1  # the one column with words, which may go on below
    for index, name in enumerate(lines[0]):
        table.add_column(stacked(name), justify="left" if index == 0 else "right", no_wrap=index < last)
    for line in lines[1:]:
        table.add_row(*(colour(cell) for cell in line))
    console.print(table)


def stacked(name: str) -> str:
    """A column's name, its words below one another."""
    return name.replace(" ", "\n").replace("_", "\n")


def width_in_rich(lines: Lines) -> int:
    header = [max(map(len, stacked(name).splitlines())) for name in lines[0]]
    cells = [max(len(line[column]) for line in lines[1:]) for column in range(len(lines[0]))]
    cells[-1] = max(len(word) for line in lines[1:] for word in line[-1].split())
    return sum(max(pair) + 2 for pair in zip(header, cells, strict=True))


def colour(cell: str) -> str:
    if cell.startswith("✓"):
        return f"[green]{cell}[/]"
    if cell.startswith("✗") or cell == "failed":
        return f"[red]{cell}[/]"
    return cell


def notes(threads: Sequence[int], cpus: int) -> list[str]:
    """What a reader must know to read the tables."""
    text = [
        "Every thread does the whole program, all in the same code objects at once; times are medians.",
        "first run: the very first one, under ftjit if it was measured, compiling while it runs.",
        "unsteady: still getting faster when its time for warming up was over.",
        "low-high: the lowest and highest speed-up of the rounds.",
        "scaling: work of N threads relative to one thread of the same kind in the same time; N is perfect.",
    ]
    if max(threads) > cpus:
        text.append(f"This machine has {cpus} usable CPUs, so scaling cannot get above {cpus} here.")
    return text
