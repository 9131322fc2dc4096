"""From what was seen to a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .crew import OUT_OF_MEMORY
from .messages import Answer
from .scenario import Grade, Outcome, Scenario


class Status(StrEnum):
    """How a run ended, worst first."""

    CRASHED = "crashed"
    HUNG = "hung"
    FORBIDDEN = "forbidden"
    FAILED = "failed"  # the run itself: the compiler, the GIL, memory that is not freed, a nemesis
    VACUOUS = "vacuous"  # it has shown nothing: no machine code, no swap, no deopt
    SKIPPED = "skipped"
    HELD = "held"


GOOD = (Status.HELD, Status.SKIPPED)
_SHORT_OF_MEMORY = Outcome(OUT_OF_MEMORY, Grade.ACCEPTABLE, "a MemoryError, while the memory nemesis is at work")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A scenario's run, graded. `rows`: every outcome of the table and every one that was seen, with its count."""

    scenario: Scenario
    answer: Answer
    status: Status
    rows: tuple[tuple[Outcome, int], ...]
    samples: int
    forbidden: int
    reasons: tuple[str, ...]

    @property
    def good(self) -> bool:
        return self.status in GOOD

    @property
    def mode(self) -> str:
        return str(self.answer.request.get("mode", ""))

    @property
    def rate(self) -> str:
        """What N samples say of the rate of forbidden outcomes (95 %)."""
        if not self.samples:
            return "nothing seen"
        if self.forbidden:
            return f"{self.forbidden:,} forbidden in {self.samples:,}: rate about {self.forbidden / self.samples:.1e}"
        return f"0 forbidden in {self.samples:,}, rate below {3 / self.samples:.1e}"


def grade(scenario: Scenario, answer: Answer) -> Verdict:
    """Judge one run."""
    seen = dict(answer.outcomes)
    rows = [(row, seen.pop(row.name, 0)) for row in scenario.outcomes]
    for name, count in seen.items():
        short = name == OUT_OF_MEMORY
        rows.append((_SHORT_OF_MEMORY if short else scenario.grade(name), count))
    forbidden = sum(count for row, count in rows if row.grade is Grade.FORBIDDEN)
    named = [
        f"{count:,} times {row.name!r}: {row.why}" for row, count in rows if count and row.grade is Grade.FORBIDDEN
    ]
    findings: list[tuple[Status, list[str]]] = [
        (Status.CRASHED, [answer.crashed] if answer.crashed else []),
        (Status.HUNG, [answer.hung] if answer.hung else []),
        (Status.FORBIDDEN, named),
        (Status.FAILED, answer.problems),
        (Status.SKIPPED, [answer.skipped] if answer.skipped else []),
        (Status.VACUOUS, answer.vacuous),
    ]
    status = next((status for status, reasons in findings if reasons), Status.HELD)
    reasons = tuple(reason for _, listed in findings for reason in listed)
    return Verdict(scenario, answer, status, tuple(rows), sum(answer.outcomes.values()), forbidden, reasons)
