"""The table for people and the JSON for programs."""

import sys
from collections.abc import Sequence

from model.spin import Result

HEADINGS = ("configuration", "what", "verdict", "caught by", "states", "depth", "MiB", "CPU s")
_RIGHT = frozenset({"states", "depth", "MiB", "CPU s"})


def row(result: Result) -> tuple[str, ...]:
    """One line of the table, a text for each of HEADINGS."""
    configuration = result.configuration
    expected = "" if result.as_expected else f"  <- WRONG: {result.why_not}"
    return (
        configuration.name,
        configuration.about,
        result.verdict + expected,
        result.caught_by or "",
        f"{result.states:,}",
        f"{result.depth:,}",
        f"{result.memory_mib:,.0f}",
        f"{result.processor_seconds:.1f}",
    )


def show_table(results: Sequence[Result]) -> None:
    """Print all results: with rich on a terminal that has it, else as plain columns."""
    rows = [row(result) for result in results]
    if sys.stdout.isatty():
        try:
            from rich.console import Console
            from rich.table import Table
        except ImportError:
            pass
        else:
            table = Table()
            for heading in HEADINGS:
                table.add_column(heading, justify="right" if heading in _RIGHT else "left")
            for result, cells in zip(results, rows, strict=True):
                table.add_row(*cells, style=None if result.as_expected else "bold red")
            Console().print(table)
            return
    widths = [max(len(line[column]) for line in [HEADINGS, *rows]) for column in range(len(HEADINGS))]
    for line in [HEADINGS, *rows]:
        padded = (
            f"{cell:>{width}}" if heading in _RIGHT else f"{cell:{width}}"
            for heading, cell, width in zip(HEADINGS, line, widths, strict=True)
        )
        print("  ".join(padded).rstrip())


def summary(results: Sequence[Result]) -> str:
    """One sentence: how many hold, how many fail as they must, how many are wrong."""
    held = sum(result.as_expected and result.verdict == "holds" for result in results)
    failed = sum(result.as_expected and result.verdict == "fails" for result in results)
    wrong = sum(not result.as_expected for result in results)
    states = sum(result.states for result in results if result.verdict == "holds")
    return f"{held} hold ({states:,} states, each search complete), {failed} fail as they must, {wrong} wrong"
