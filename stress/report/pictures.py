"""The pictures of the page, drawn by matplotlib as SVG text that goes straight into it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ftjit_bench.pictures import new_figure, to_svg

from ..harness.grading import Verdict
from ..harness.scenario import Grade

COLOURS = {Grade.ACCEPTABLE: "#9ecae1", Grade.INTERESTING: "#f0b323", Grade.FORBIDDEN: "#b3261e"}
LINE = "#08519c"
PALE = "#8a8f98"


def outcomes(verdicts: Sequence[Verdict]) -> str:
    """One bar a run, its outcomes as shares of all that was seen, by grade."""
    shown = [verdict for verdict in verdicts if verdict.samples]
    figure = new_figure(9.0, 0.9 + 0.22 * len(shown))
    axes = figure.subplots()
    places = range(len(shown))
    left = [0.0] * len(shown)
    for grade, colour in COLOURS.items():
        shares = [sum(n for row, n in v.rows if row.grade is grade) / v.samples for v in shown]
        axes.barh(places, shares, left=left, color=colour, label=str(grade), height=0.7)
        left = [sum(pair) for pair in zip(left, shares, strict=True)]
    for place, verdict in zip(places, shown, strict=True):
        axes.text(1.01, place, f"{verdict.samples:,}", va="center", fontsize=7, color=PALE)
    axes.set_yticks(places, [f"{verdict.scenario.name}, {verdict.mode}" for verdict in shown], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.12)
    axes.set_xlabel("share of outcomes (how many were seen: at the right)")
    axes.legend(frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return to_svg(figure, "outcomes")


def over_time(verdicts: Sequence[Verdict]) -> str:
    """Limbo, epoch advances and swaps over the seconds of each run with machine code, one line a run."""
    figure = new_figure(9.0, 6.4)
    limbo, advances, swaps = figure.subplots(3, 1, sharex=True)
    shown = [verdict for verdict in verdicts if verdict.mode != "interpreter" and len(verdict.answer.timeline) > 1]
    for verdict in shown:
        points = verdict.answer.timeline
        seconds = [point["seconds"] for point in points]
        style = {"linewidth": 0.9, "alpha": 0.6}
        limbo.plot(seconds, [point["limbo_executors"] for point in points], color=LINE, **style)
        advances.plot(seconds[1:], rates(points, "advances"), color=LINE, **style)
        swaps.plot(seconds[1:], rates(points, "retired"), color=LINE, **style)
    limbo.set_ylabel("executors in limbo")
    advances.set_ylabel("epoch advances / s")
    swaps.set_ylabel("executors retired / s")
    swaps.set_xlabel("seconds since the run began")
    for axes in (limbo, advances, swaps):
        axes.set_ylim(bottom=0)
    return to_svg(figure, "time")


def swap_rates(verdicts: Sequence[Verdict]) -> str:
    """For each run with machine code: executors retired a second, and the share with somebody inside."""
    shown = [verdict for verdict in verdicts if verdict.answer.counters.get("retired")]
    figure = new_figure(9.0, 0.9 + 0.22 * max(len(shown), 1))
    axes = figure.subplots()
    places = range(len(shown))
    retired = [per_second(verdict, "retired") for verdict in shown]
    inside = [per_second(verdict, "retired_inside") for verdict in shown]
    axes.barh(places, retired, color="#9ecae1", height=0.7, label="retired")
    axes.barh(places, inside, color=LINE, height=0.4, label="with a thread inside at that moment")
    axes.set_yticks(places, [verdict.scenario.name for verdict in shown], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("executors a second")
    axes.legend(frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return to_svg(figure, "swaps")


def per_second(verdict: Verdict, counter: str) -> float:
    seconds = sum(variant.seconds for variant in verdict.answer.variants)
    return verdict.answer.counters.get(counter, 0) / seconds if seconds else 0.0


def rates(points: Sequence[dict[str, Any]], name: str) -> list[float]:
    """How much a counter grew a second, between one point and the next."""
    return [
        (after[name] - before[name]) / max(after["seconds"] - before["seconds"], 1e-3)
        for before, after in pairwise(points)
    ]
