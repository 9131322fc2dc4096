"""How many examples Hypothesis tries: few and always the same, or FTJIT_TEST_FULL many fresh ones."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

FULL = int(os.environ.get("FTJIT_TEST_FULL") or 0)


def examples(quick: int) -> settings:
    """Settings for a property that is to be tried `quick` times in the quick form."""
    return settings(
        max_examples=max(FULL, quick),
        derandomize=not FULL,
        database=None,
        deadline=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.large_base_example,
            HealthCheck.data_too_large,
        ],
    )
