"""What the speed of the hot programs should be at least, and whether a run shows it.

The exit status is not a matter of these: a busy machine may miss one, and what it found is right all the same.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .catalog import PROGRAMS
from .summary import Row, Summary

NUMERIC = frozenset(program.name for program in PROGRAMS if program.kind == "numeric")


@dataclass(frozen=True)
class Aim:
    """``found`` gives the speed-up that should be at least ``least``, or None where the run has not measured it."""

    words: str
    least: float
    found: Callable[[Summary], float | None]


def measured(summary: Summary) -> list[Row]:
    return [row for row in summary.rows if row.mode == "ftjit" and row.speed_up is not None and row.kind != "cold"]


def slowest(summary: Summary, *programs: str) -> float | None:
    """The least of the speed-ups of these programs, or of all, with any number of threads."""
    return min(
        (row.speed_up for row in measured(summary) if row.speed_up and (not programs or row.program in programs)),
        default=None,
    )


def numeric_mean(summary: Summary) -> float | None:
    """With one thread; only of all the numeric kernels."""
    if not {row.program for row in measured(summary) if row.threads == 1} >= NUMERIC:
        return None
    return next((mean.numeric for mean in summary.means if (mean.mode, mean.threads) == ("ftjit", 1)), None)


AIMS = (
    Aim("geometric mean of the numeric kernels, one thread", 12.0, numeric_mean),
    Aim("nbody", 2.0, lambda summary: slowest(summary, "nbody")),
    Aim("fannkuch", 2.0, lambda summary: slowest(summary, "fannkuch")),
    Aim("every program", 1.0, slowest),
)


def verdicts(summary: Summary) -> list[str]:
    """A line for each aim that the run says something about."""
    lines = []
    for aim in AIMS:
        found = aim.found(summary)
        if found is not None:
            holds = "✓" if found >= aim.least else "✗"
            lines.append(f"Aim     {aim.words}: {found:.2f}x of {aim.least:g}x {holds}")
    return lines
