"""What the tests of the stress suite share: running one request, with the planted scenarios importable."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ftjit_stress.harness.grading import Verdict
from ftjit_stress.harness.messages import Request
from ftjit_stress.plan import run

sys.path.insert(0, str(Path(__file__).resolve().parent))

type Run = Callable[..., Verdict]


@pytest.fixture
def stress() -> Run:
    """stress(scenario, mode="ftjit", seconds=0.4, seed=1, nemeses=(), limit=90): one run, judged."""

    def one(
        scenario: str,
        mode: str = "ftjit",
        seconds: float = 0.4,
        seed: int = 1,
        nemeses: tuple[str, ...] | None = None,
        limit: float = 90,
    ) -> Verdict:
        return run(Request(scenario, mode, seconds, seed, nemeses, limit))

    return one
