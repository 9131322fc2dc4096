"""The order in which everything is measured: interpreter and ftjit turn about, in several rounds."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from . import catalog, processes
from .samples import Request, Sample


@dataclass(frozen=True)
class Plan:
    """What to measure.

    ``budget_seconds`` (None: no limit) is for everything: later rounds stop when it is used up, and in the
    first, which is always whole, what each process may spend is what is left of it, shared out.
    """

    programs: tuple[str, ...]
    threads: tuple[int, ...]
    modes: tuple[str, ...]
    size: str  # "quick" or "full"
    rounds: int
    repeats: int
    budget_seconds: float | None
    warm_up_seconds: float
    timeout_seconds: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


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
    in_a_round = len(plan.programs) * len(plan.threads) * len(plan.modes)
    total = plan.rounds * in_a_round
    with processes.child_environment() as environment:
        for round_number in range(plan.rounds):
            for group in requests(plan, round_number):
                elapsed = time.perf_counter() - began
                if round_number > 0 and plan.budget_seconds is not None and elapsed > plan.budget_seconds:
                    return samples
                for request in group:
                    if round_number == 0 and plan.budget_seconds is not None:
                        left = plan.budget_seconds - (time.perf_counter() - began)
                        request = replace(request, allowance_seconds=allowance(left, in_a_round - len(samples)))
                    report(len(samples), total, request, None)
                    samples.append(processes.sample(request, environment, plan.timeout_seconds))
                    report(len(samples), total, request, samples[-1])
    return samples


def allowance(left_seconds: float, processes_left: int) -> float:
    """Seconds the next process of the first round may spend: twice its share, since most need less than theirs."""
    return max(2 * left_seconds / processes_left, 0.0)


def needs_machine_code(programs: Sequence[str]) -> set[str]:
    """Those of ``programs`` that must run machine code under ftjit for a run to count: all that get hot."""
    return {name for name in programs if catalog.BY_NAME[name] in catalog.HOT_PROGRAMS}
