"""Running Python in a process of its own: with `tests/` importable, a clean set of FTJIT_* variables, and a time limit."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
ROOT = TESTS.parent


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without FTJIT_* and PYTHON* settings of the caller's, `tests/` importable, plus `variables`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FTJIT", "PYTHON"))}
    return kept | {"PYTHONPATH": str(TESTS), "PYTHONHASHSEED": "0"} | dict(variables or {})


def run_python(
    arguments: Sequence[str], variables: Mapping[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """`python` with these arguments, output captured. subprocess.TimeoutExpired after `timeout` seconds."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment(variables),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
