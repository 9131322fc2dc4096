"""What a run says on the terminal: a table, and under it everything that went wrong."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from collections.abc import Sequence

from ..harness import processes
from ..harness.grading import Status, Verdict
from ..harness.messages import Request
from ..harness.scenario import Grade

type Lines = list[list[str]]

HEADER = ["scenario", "mode", "status", "outcomes", "forbidden", "interesting", "entries", "swaps inside", "deopts"]
COLOURS = {Status.HELD: "green", Status.SKIPPED: "yellow"}


def cells(verdict: Verdict) -> list[str]:
    counters = verdict.answer.counters
    interesting = sum(count for row, count in verdict.rows if row.grade is Grade.INTERESTING)
    compiled = verdict.mode != "interpreter"
    return [
        verdict.scenario.name,
        verdict.mode,
        str(verdict.status),
        f"{verdict.samples:,}",
        f"{verdict.forbidden:,}",
        f"{interesting:,}",
        *(f"{counters.get(name, 0):,}" if compiled else "-" for name in ("entries", "retired_inside", "deopts")),
    ]


def show(verdicts: Sequence[Verdict]) -> None:
    """The table, with lines and colours on a terminal, aligned text elsewhere."""
    lines = [HEADER, *map(cells, verdicts)]
    if sys.stdout.isatty() and importlib.util.find_spec("rich") is not None:
        show_rich(lines, verdicts)
    else:
        widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
        for line in lines:
            text = [cell.ljust(w) if n < 3 else cell.rjust(w) for n, (cell, w) in enumerate(zip(line, widths))]  # noqa: B905
            print("  ".join(text).rstrip())
    print(summary(verdicts))
    for verdict in verdicts:
        if not verdict.good:
            print("\n" + complaint(verdict), file=sys.stderr)


def show_rich(lines: Lines, verdicts: Sequence[Verdict]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for number, title in enumerate(lines[0]):
        table.add_column(title, justify="left" if number < 3 else "right", no_wrap=number < 3)
    for line, verdict in zip(lines[1:], verdicts, strict=True):
        colour = COLOURS.get(verdict.status, "bold red")
        table.add_row(*line[:2], f"[{colour}]{line[2]}[/]", *line[3:])
    Console().print(table)


def summary(verdicts: Sequence[Verdict]) -> str:
    """One line: how many runs, how they ended, and what that says of the rate."""
    ended = {status: sum(verdict.status is status for verdict in verdicts) for status in Status}
    words = ", ".join(f"{count} {status}" for status, count in ended.items() if count)
    compiled = [verdict for verdict in verdicts if verdict.mode != "interpreter"]
    samples = sum(verdict.samples for verdict in compiled)
    forbidden = sum(verdict.forbidden for verdict in compiled)
    line = f"{len(verdicts)} runs: {words or 'nothing to do'}"
    if samples and not forbidden:
        line += f"; with machine code 0 forbidden in {samples:,}, rate below {3 / samples:.1e}"
    elif samples:
        line += f"; with machine code {forbidden:,} forbidden in {samples:,}"
    return line


def complaint(verdict: Verdict) -> str:
    """All about a run that did not hold, and how to repeat it."""
    answer = verdict.answer
    lines = [f"{verdict.scenario.name} ({verdict.mode}): {verdict.status}"]
    lines += [f"  {reason}" for reason in verdict.reasons]
    for variant in answer.variants:
        wrong = {
            name: n for name, n in variant.outcomes.items() if verdict.scenario.grade(name).grade is Grade.FORBIDDEN
        }
        if wrong:
            lines.append(f"  with {' and '.join(variant.tiers)}: {wrong}")
    lines += [f"  {line}" for detail in answer.details for line in detail.rstrip().splitlines()]
    lines += [f"  stderr: {line}" for line in answer.errors.rstrip().splitlines()]
    lines.append(f"  to repeat it: {repeat(Request(**answer.request))}")
    return "\n".join(lines)


def repeat(request: Request) -> str:
    """The command line that repeats a run."""
    words = ["python", "-m", "ftjit", "stress", "--only", request.scenario, "--mode", request.mode]
    words += ["--seconds", f"{request.seconds:g}", "--seed", str(request.seed)]
    if request.nemeses is not None:
        words += ["--nemesis", *(request.nemeses or ("none",))]
    known = ":" not in request.scenario
    return shlex.join(words if known else processes.command(request))
