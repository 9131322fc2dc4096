"""The report as one self-contained HTML page, readable without knowing the project."""

import importlib.util
from collections.abc import Mapping
from html import escape
from typing import Any

from . import machine, table
from .catalog import BY_NAME
from .runner import Plan
from .samples import COMPILED_MODES
from .summary import Summary

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem;
       margin: 2rem auto; padding: 0 1rem; color: #1c1f24; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums;
        font-size: 14px; display: block; overflow-x: auto; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #dfe2e6; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
svg { max-width: 100%; height: auto; } pre { overflow-x: auto; }
.bad { color: #b3261e; } .good { color: #1b6e3c; }
"""


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def render(plan: Plan, facts: Mapping[str, Any], summary: Summary) -> str:
    """The whole page. Needs matplotlib."""
    from . import pictures

    parts = ["<h1>Python programs with and without ftjit</h1>", introduction(plan, summary)]
    for mode in [mode for mode in COMPILED_MODES if any(row.mode == mode and row.speed_up for row in summary.rows)]:
        name = "" if mode == "ftjit" else f" ({escape(mode)} mode)"
        parts += [
            f"<h2>How much faster{name}</h2>",
            "<p>Bars: ftjit. Grey line: the interpreter. Thin lines: slowest to fastest round.</p>",
            pictures.speed_up_bars(summary.rows, mode),
            f"<h2>Time by number of threads{name}</h2>",
            "<p>Every thread does the whole program, so a flat line is perfect scaling. "
            "Grey: the interpreter. Blue: ftjit.</p>",
            pictures.times_by_threads(summary.rows, mode),
        ]
    parts += ["<h2>All numbers</h2>", to_html(table.speed_table(summary))]
    parts += [f"<p>{escape(note)}</p>" for note in table.notes(plan.threads, int(facts["cpus"]))]
    parts += [to_html(table.mean_table(summary))] if summary.means else []
    if summary.counters:
        parts += ["<h2>What the runtime counted</h2>", to_html(table.counter_table(summary))]
    programs = "".join(f"<li><b>{name}</b>: {escape(BY_NAME[name].title)}</li>" for name in plan.programs)
    parts += ["<h2>The programs</h2>", f"<ul>{programs}</ul>"]
    parts += ["<h2>Measured on</h2>", "<pre>" + escape("\n".join(machine.lines(dict(facts)))) + "</pre>"]
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>ftjit: side by side</title>\n'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>\n'
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def introduction(plan: Plan, summary: Summary) -> str:
    """What was done and whether it held, in words."""
    names = {"interpreter": "in the interpreter", "ftjit": "with ftjit", "eager": "with ftjit in eager mode"}
    modes = " and ".join(names[mode] for mode in plan.modes)
    threads = ", ".join(map(str, plan.threads))
    text = (
        "<p>ftjit turns the hot parts of ordinary Python programs into machine code while they run, on "
        f"free-threaded CPython. {len(plan.programs)} programs were run {modes}, turn about, in fresh "
        f"processes, with {threads} threads running the same code at once; {summary.runs} timed runs.</p>"
    )
    if summary.problems:
        problems = "".join(f"<li>{escape(problem)}</li>" for problem in summary.problems)
        return text + f'<p class="bad">This run failed:</p><ul class="bad">{problems}</ul>'
    ran = any(row.machine_code for row in summary.rows)
    also = ", and machine code ran in every ftjit process" if ran else ""
    return f'{text}<p class="good">All checksums agree{also}.</p>'


def to_html(lines: table.Lines) -> str:
    header = "".join(f"<th>{escape(cell)}</th>" for cell in lines[0])
    rows = ("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>\n" for line in lines[1:])
    return f"<table><tr>{header}</tr>\n{''.join(rows)}</table>"
