"""What goes between the processes of a run: a request in, an answer out, both one line of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

MODES = ("interpreter", "ftjit", "eager")


@dataclass(frozen=True, slots=True)
class Request:
    """Run `scenario` in `mode` for `seconds` (of turns; starting and warming up come on top). `nemeses`: None for
    the scenario's own."""

    scenario: str
    mode: str
    seconds: float
    seed: int
    nemeses: tuple[str, ...] | None = None
    limit: float = 60.0  # seconds after which the process has hung

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        fields: dict[str, Any] = json.loads(text)
        if fields["nemeses"] is not None:
            fields["nemeses"] = tuple(fields["nemeses"])
        return cls(**fields)


@dataclass(slots=True)
class Variant:
    """One assignment of tiers to actors, and what was seen with it. `entries`: into machine code, by actor."""

    tiers: list[str]
    turns: int = 0
    seconds: float = 0.0
    entries: list[int] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Disturbance:
    """What one nemesis did: how many steps of its schedule, and how that schedule begins."""

    name: str
    steps: int
    schedule: list[str]


@dataclass(slots=True)
class Answer:
    """What one process reports, or what is reported for one that could not. Times are seconds since its start."""

    request: dict[str, Any]
    outcomes: dict[str, int] = field(default_factory=dict)
    variants: list[Variant] = field(default_factory=list)
    counters: dict[str, Any] = field(default_factory=dict)  # changes over the run; `limbo_*` at its end
    timeline: list[dict[str, float]] = field(default_factory=list)
    nemeses: list[Disturbance] = field(default_factory=list)
    vacuous: list[str] = field(default_factory=list)  # why it has shown nothing
    problems: list[str] = field(default_factory=list)  # what went wrong in the run itself
    details: list[str] = field(default_factory=list)  # tracebacks of what actors raised
    skipped: str = ""
    crashed: str = ""  # one line: which signal, or exit status
    hung: str = ""
    errors: str = ""  # the end of its standard error
    wall_seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        known = dict(fields)
        known["variants"] = [Variant(**variant) for variant in fields["variants"]]
        known["nemeses"] = [Disturbance(**nemesis) for nemesis in fields["nemeses"]]
        return cls(**known)


def add(to: dict[str, int], counts: Mapping[str, int]) -> None:
    """Add up; zero counts leave no trace."""
    for name, number in counts.items():
        if number:
            to[name] = to.get(name, 0) + number
