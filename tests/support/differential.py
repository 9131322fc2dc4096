"""One program module played with ftjit and without, and the differences as text."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.child import run_python

# Verify the IR, print compiler failures, and give up on an exit after few deopts.
VARIABLES = {"FTJIT_VERIFY": "1", "FTJIT_RELEARN": "8"}


@dataclass(frozen=True)
class Played:
    """What a child wrote: a record of each case it finished; `fault` says how it ended, if not well;
    `stderr` has the tracebacks of compiler failures."""

    cases: dict[str, dict[str, Any]]
    statistics: dict[str, Any]
    fault: str
    stderr: str


def play(
    mode: str, module: str, folder: Path, timeout: float = 120, variables: Mapping[str, str] = VARIABLES
) -> Played:
    """Run the module's cases in a child; `mode` is "plain" or "ftjit"."""
    file = folder / f"{mode}.jsonl"
    stderr = ""
    try:
        child = run_python(["-m", "support.drive", mode, module, str(file)], variables, timeout)
        stderr = child.stderr[-4000:]
        fault = "" if child.returncode == 0 else f"exit status {child.returncode}\n{stderr}"
    except subprocess.TimeoutExpired:
        fault = f"still running after {timeout} s"
    records = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    cases = {record["case"]: record for record in records if "case" in record}
    begun = [record["begin"] for record in records if "begin" in record]
    if fault and begun and begun[-1] not in cases:
        fault = f"in {begun[-1]}: {fault}"
    statistics = next((record["end"] for record in records if "end" in record), {})
    return Played(cases, statistics, fault, stderr)


def differences(plain: dict[str, Any], hot: dict[str, Any]) -> list[str]:
    """What one case did differently, and machine code that should have run and did not."""
    found = []
    for step, expected in plain["recorded"].items():
        got = hot["recorded"].get(step, ["(not reached)"])
        if len(expected) != 1:
            found.append(f"{step}: a bad case, the interpreter itself does not do the same each time: {expected}")
        elif got != expected:
            wrong = next(text for text in [*got, "(nothing)"] if text != expected[0])
            found.append(f"{step}\n--- interpreter\n{expected[0]}\n--- ftjit\n{wrong}")
    if hot["machine"] and not (hot["entries"] and hot["compiled"]):
        found.append(f"no machine code ran (entries {hot['entries']}):\n{hot['explain']}")
    return found
