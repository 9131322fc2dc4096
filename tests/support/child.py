"""Running Python in a process of its own: `tests/` importable, no FTJIT_* variables but ours, a limit."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent
ROOT = TESTS.parent


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without the caller's FTJIT_* and PYTHON*, `tests/` importable, plus `variables`."""
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


class Server:
    """A child that answers JSON lines (`support.serve`), started anew when it has died."""

    def __init__(self, mode: str, variables: Mapping[str, str]) -> None:
        self.mode = mode
        self.variables = variables
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  (closed in close)
        self.child: subprocess.Popen[str] | None = None

    def ask(self, request: dict[str, Any], timeout: float = 30) -> dict[str, Any]:
        """The answer, or {"fault": what happened} when the child dies or takes over `timeout` seconds."""
        if self.child is None:
            command = [sys.executable, "-m", "support.serve", self.mode]
            pipe = subprocess.PIPE
            self.child = subprocess.Popen(
                command,
                env=environment(self.variables),
                stdin=pipe,
                stdout=pipe,
                stderr=self.errors,
                text=True,
            )
        child = self.child
        assert child.stdin is not None
        assert child.stdout is not None
        start = self.errors.seek(0, os.SEEK_END)
        child.stdin.write(json.dumps(request) + "\n")
        child.stdin.flush()
        readable, _, _ = select.select([child.stdout], [], [], timeout)
        answer = child.stdout.readline() if readable else ""
        if answer:
            return json.loads(answer)
        self._end()
        self.errors.seek(start)
        how = f"exit status {child.returncode}" if readable else f"no answer within {timeout} s"
        return {"fault": f"{how}\n{self.errors.read()[-3000:]}"}

    def _end(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.child.communicate()
            self.child = None

    def close(self) -> None:
        """End the child."""
        self._end()
        self.errors.close()
