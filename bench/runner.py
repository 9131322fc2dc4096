"""The order in which everything is measured: interpreter and ftjit turn about, in several rounds."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from . import catalog, processes
from .samples import Request, Sample


@dataclass(frozen=True)
class Plan:
    """What to measure. ``budget_seconds``: no new pair is started after this; the first round is always
    whole.
    """

    programs: tuple[str, ...]
    threads: tuple[int, ...]
    modes: tuple[str, ...]
    size: str  # "quick" or "full"
    rounds: int
    repeats: int
    budget_seconds: float
    warm_up_seconds: float
    timeout_seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; no budget is null."""
        return asdict(self) | {
            "budget_seconds": self.budget_seconds if isfinite(self.budget_seconds) else None
        }


def requests(plan: Plan, round_number: int) -> Iterator[list[Request]]:
    """One list for each program and thread count: a request for each mode.

    Every other round takes the modes in the opposite order, so that a machine that drifts favours neither.
    """
    modes = plan.modes if round_number % 2 == 0 else plan.modes[::-1]
    for name in plan.programs:
        size = catalog.load(name).SIZES[plan.size]
        for threads in plan.threads:
            yield [Request(name, mode, threads, size, plan.repeats, plan.warm_up_seconds) for mode in modes]


def measure(plan: Plan, report: Callable[[int, int, Request, Sample | None], None]) -> list[Sample]:
    """Carry out ``plan``, one process after the other.

    ``report(done, total, request, sample)`` is called before each process (sample None) and after it.
    """
    began = time.perf_counter()
    samples: list[Sample] = []
    total = plan.rounds * len(plan.programs) * len(plan.threads) * len(plan.modes)
    with processes.child_environment() as environment:
        for round_number in range(plan.rounds):
            for group in requests(plan, round_number):
                if round_number > 0 and time.perf_counter() - began > plan.budget_seconds:
                    return samples
                for request in group:
                    report(len(samples), total, request, None)
                    samples.append(processes.sample(request, environment, plan.timeout_seconds))
                    report(len(samples), total, request, samples[-1])
    return samples


def needs_machine_code(programs: Sequence[str]) -> set[str]:
    """Those of ``programs`` that must run machine code under ftjit for a run to count: all that get hot."""
    return {name for name in programs if catalog.BY_NAME[name].kind != "cold"}
