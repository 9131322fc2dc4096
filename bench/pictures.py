"""The pictures of the report, drawn by matplotlib as SVG text that goes straight into the page."""

import io
from collections.abc import Sequence
from typing import Any

from .summary import Cell, Row

INTERPRETER_COLOUR = "#8a8f98"
FTJIT_COLOURS = ("#9ecae1", "#4292c6", "#08519c", "#08306b")


def speed_up_bars(rows: Sequence[Row], mode: str) -> str:
    """Speed-ups as bars, one group for each program and one bar for each thread count; the interpreter is at
    1.
    """
    mine = [row for row in rows if row.mode == mode and row.speed_up is not None]
    programs = list(dict.fromkeys(row.program for row in mine))
    thread_counts = sorted({row.threads for row in mine})
    figure = new_figure(9.0, 3.8)
    axes = figure.subplots()
    width = 0.8 / max(len(thread_counts), 1)
    for index, threads in enumerate(thread_counts):
        bars = [row for row in mine if row.threads == threads]
        places = [programs.index(row.program) + (index - (len(thread_counts) - 1) / 2) * width for row in bars]
        heights = [row.speed_up or 0.0 for row in bars]
        ranges = [row.speed_up_range or (height, height) for row, height in zip(bars, heights, strict=True)]
        low = [max(height - low, 0.0) for height, (low, _) in zip(heights, ranges, strict=True)]
        high = [max(high - height, 0.0) for height, (_, high) in zip(heights, ranges, strict=True)]
        colour = FTJIT_COLOURS[index % len(FTJIT_COLOURS)]
        label = f"ftjit, {threads} thread{'s' if threads > 1 else ''}"
        axes.bar(places, heights, width, color=colour, label=label, yerr=[low, high], error_kw={"elinewidth": 0.8})
    axes.axhline(1.0, color=INTERPRETER_COLOUR, linewidth=1.5, label="the interpreter")
    axes.set_xticks(range(len(programs)), programs, rotation=20, ha="right")
    axes.set_ylabel("times as fast as the interpreter")
    axes.legend(frameon=False, ncols=4, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return to_svg(figure, "speed")


def times_by_threads(rows: Sequence[Row], mode: str) -> str:
    """Seconds over threads, one small picture for each program; flat is perfect scaling."""
    mine = [row for row in rows if row.mode == mode]
    programs = list(dict.fromkeys(row.program for row in mine))
    columns = min(len(programs), 3)
    lines = -(-len(programs) // columns)
    figure = new_figure(9.0, 2.4 * lines + 0.3)
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes, program in zip(grid.flat, programs, strict=False):
        own = sorted((row for row in mine if row.program == program), key=lambda row: row.threads)
        draw_times(axes, [(row.threads, row.interpreter) for row in own], INTERPRETER_COLOUR, "interpreter")
        draw_times(axes, [(row.threads, row.compiled) for row in own], FTJIT_COLOURS[1], "ftjit")
        axes.set_title(program, fontsize=10)
        axes.set_xticks([row.threads for row in own])
        axes.set_ylim(bottom=0)
    for axes in list(grid.flat)[len(programs) :]:
        axes.set_visible(False)
    for line in grid:
        line[0].set_ylabel("seconds")
    for axes in grid[-1]:
        axes.set_xlabel("threads, each with the same work")
    grid[0][0].legend(frameon=False)
    return to_svg(figure, "times")


def draw_times(axes: Any, points: Sequence[tuple[int, Cell | None]], colour: str, label: str) -> None:
    known = [(threads, cell.seconds) for threads, cell in points if cell is not None]
    if known:
        axes.plot(*zip(*known, strict=True), marker="o", color=colour, label=label)


def new_figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def to_svg(figure: Any, salt: str) -> str:
    """``figure`` as an ``<svg>`` element. ``salt`` keeps the ids of several pictures on one page apart."""
    import matplotlib

    stream = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt, "axes.spines.top": False}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]
