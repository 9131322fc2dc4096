"""The run as JSON: everything, for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..harness.grading import Verdict
from ..plan import Plan


def content(plan: Plan, facts: Mapping[str, Any], verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Plan, machine, and for each run its verdict, its graded outcomes and all that it answered."""
    return {
        "machine": dict(facts),
        "plan": {
            "scenarios": list(plan.scenarios),
            "mode": plan.mode,
            "seconds": plan.seconds,
            "seed": plan.seed,
            "nemeses": plan.nemeses,
            "shard": list(plan.shard),
            "runs": plan.runs,
        },
        "held": all(verdict.good for verdict in verdicts),
        "runs": [one(verdict) for verdict in verdicts],
    }


def one(verdict: Verdict) -> dict[str, Any]:
    return {
        "scenario": verdict.scenario.name,
        "mode": verdict.mode,
        "status": str(verdict.status),
        "samples": verdict.samples,
        "forbidden": verdict.forbidden,
        "rate": verdict.rate,
        "reasons": list(verdict.reasons),
        "outcomes": [
            {"outcome": row.name, "grade": str(row.grade), "why": row.why, "count": count}
            for row, count in verdict.rows
        ],
        "answer": verdict.answer.to_dict(),
    }


def write(path: Path, plan: Plan, facts: Mapping[str, Any], verdicts: Sequence[Verdict]) -> None:
    """Raises OSError."""
    path.write_text(json.dumps(content(plan, facts, verdicts), indent=1) + "\n", encoding="utf-8")
