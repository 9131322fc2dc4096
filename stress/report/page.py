"""The report as one self-contained page, readable without knowing the project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

from ftjit_bench import machine
from ftjit_bench.page import STYLE, can_draw

from ..harness.grading import Verdict
from ..harness.scenario import Grade
from ..plan import Plan
from . import table

__all__ = ["can_draw", "render"]

EXTRA = """
.forbidden { color: #b3261e; font-weight: 600; } .interesting { color: #8a6100; }
td.why { text-align: left; white-space: normal; } details { margin: .4rem 0; } summary { cursor: pointer; }
.lesson { white-space: pre-wrap; }
"""


def render(plan: Plan, facts: Mapping[str, Any], verdicts: Sequence[Verdict]) -> str:
    """The whole page. Needs matplotlib."""
    from . import pictures

    parts = ["<h1>ftjit under stress</h1>", introduction(plan, verdicts)]
    parts += ["<h2>What was seen</h2>", pictures.outcomes(verdicts)]
    if any(verdict.mode != "interpreter" for verdict in verdicts):
        parts += [
            "<h2>What went on meanwhile</h2>",
            "<p>Each line is one run with machine code. <i>Limbo</i>: executors (units of machine code) that are "
            "out of use and not yet freed, because a thread may still be inside; it must come back to zero. "
            "<i>Epoch advances</i>: rounds of reclamation. <i>Retired</i>: executors replaced or taken away.</p>",
            pictures.over_time(verdicts),
            "<h2>Executors replaced under running threads</h2>",
            pictures.swap_rates(verdicts),
        ]
    parts += ["<h2>All runs</h2>", runs(verdicts)]
    parts += ["<h2>Scenario by scenario</h2>"]
    for _, group in groupby(verdicts, key=lambda verdict: verdict.scenario.name):
        parts.append(scenario(list(group)))
    parts += ["<h2>Measured on</h2>", "<pre>" + escape("\n".join(machine.lines(dict(facts)))) + "</pre>"]
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>ftjit under stress</title>\n'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}{EXTRA}</style></head>\n'
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def introduction(plan: Plan, verdicts: Sequence[Verdict]) -> str:
    """What was done and whether it held, in words."""
    good = all(verdict.good for verdict in verdicts)
    return (
        "<p>ftjit turns hot Python code into machine code while threads run it. Whatever a program can observe then, "
        "it could have observed in the interpreter. Each scenario here is a few threads that would notice if that "
        "were not so; it runs in a process of its own, in the plain interpreter and with ftjit, and every outcome is "
        "graded: <i>acceptable</i>, <i>interesting</i> (right, and worth knowing), or <span class='forbidden'>"
        "forbidden</span>. An outcome that nobody thought of is forbidden, too.</p>"
        f"<p>{len(verdicts)} runs of {plan.seconds:g} seconds, seed {plan.seed}. "
        f'<span class="{"good" if good else "bad"}">{escape(table.summary(verdicts))}.</span> '
        "Zero in N does not mean never: it means that the rate is most likely below 3/N.</p>"
    )


def runs(verdicts: Sequence[Verdict]) -> str:
    header = "".join(f"<th>{escape(cell)}</th>" for cell in table.HEADER)
    lines = []
    for verdict in verdicts:
        mark = "" if verdict.good else ' class="bad"'
        lines.append(f"<tr{mark}>" + "".join(f"<td>{escape(cell)}</td>" for cell in table.cells(verdict)) + "</tr>")
    return f"<table><tr>{header}</tr>\n" + "\n".join(lines) + "</table>"


def scenario(group: Sequence[Verdict]) -> str:
    """One scenario's lesson and its table of outcomes, one column a mode."""
    first = group[0].scenario
    good = all(verdict.good for verdict in group)
    rows = {row.name: row for verdict in group for row, _ in verdict.rows}
    header = "".join(f"<th>{escape(verdict.mode)}</th>" for verdict in group)
    lines = []
    for name, row in rows.items():
        counts = [{known.name: count for known, count in verdict.rows}.get(name, 0) for verdict in group]
        bad = row.grade is Grade.FORBIDDEN and any(counts)
        mark = ' class="forbidden"' if bad else (' class="interesting"' if row.grade is Grade.INTERESTING else "")
        numbers = "".join(f"<td>{count:,}</td>" for count in counts)
        lines.append(
            f"<tr{mark}><td>{escape(name)}</td><td>{row.grade}</td>{numbers}<td class='why'>{escape(row.why)}</td></tr>"
        )
    rates = "".join(f"<li>{escape(verdict.mode)}: {escape(verdict.rate)}</li>" for verdict in group)
    nemeses = sorted({f"{done.name} ({done.steps:,} steps)" for verdict in group for done in verdict.answer.nemeses})
    beside = f"<p>Beside it: {escape(', '.join(nemeses))}.</p>" if nemeses else ""
    wrong = "".join(
        f"<pre class='bad'>{escape(table.complaint(verdict))}</pre>" for verdict in group if not verdict.good
    )
    return (
        f"<details{'' if good else ' open'}><summary><b>{escape(first.name)}</b>: {escape(first.title)}</summary>"
        f"<p class='lesson'>{escape(first.lesson)}</p>"
        f"<table><tr><th>outcome</th><th>grade</th>{header}<th>why</th></tr>\n" + "\n".join(lines) + "</table>"
        f"<ul>{rates}</ul>{beside}{wrong}</details>"
    )
