"""Every scenario in a short form, in the tiers a short run has; longer, with all nemeses and in eager mode: full."""

from __future__ import annotations

import pytest
from ftjit_stress.harness.catalogue import load, modules
from ftjit_stress.harness.grading import Status
from ftjit_stress.nemeses import NEMESES
from ftjit_stress.report.table import complaint

NAMES = list(modules())
QUICK = [name for name in NAMES if not load(name).long]


def check(verdict) -> None:
    if verdict.status is Status.SKIPPED:
        pytest.skip(verdict.reasons[0])
    assert verdict.good, complaint(verdict)


@pytest.mark.threads
@pytest.mark.parametrize("name", QUICK)
def test_short(name: str, stress) -> None:
    check(stress(name, seconds=0.3))


@pytest.mark.full
@pytest.mark.threads
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", ["interpreter", "ftjit", "eager"])
def test_long(name: str, mode: str, stress) -> None:
    check(stress(name, mode, seconds=6, seed=2, limit=240))


@pytest.mark.full
@pytest.mark.threads
@pytest.mark.parametrize("nemesis", NEMESES)
@pytest.mark.parametrize("name", NAMES)
def test_with_nemesis(name: str, nemesis: str, stress) -> None:
    check(stress(name, seconds=2, seed=3, nemeses=(nemesis,), limit=240))


def test_every_scenario_teaches() -> None:
    """A title, a table with a reason in every row, and something that could be seen to be wrong."""
    assert len(NAMES) >= 30
    for name in NAMES:
        scenario = load(name)
        assert scenario.title.endswith((".", "?", "!")) or scenario.title[-1].isalnum(), name
        assert scenario.outcomes, name
        assert all(row.name and row.why for row in scenario.outcomes), name
        assert len({row.name for row in scenario.outcomes}) == len(scenario.outcomes), name
