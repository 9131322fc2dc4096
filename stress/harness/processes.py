"""Starting the process of a run, and what to say when it crashes or hangs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from .messages import Answer, Request

GRACE = 8.0  # seconds over its limit before a process is ended from outside
KEPT = 4000  # characters of standard error's beginning, and as many of its end, that go into the report
_CHILD = f"{__package__}.child"
_HUNG = "Timeout ("  # what faulthandler writes when the limit has passed
SETTINGS = {"FTJIT_VERIFY": "1"}  # check the IR after each pass
_under_way: set[int] = set()  # the processes of the runs that this process waits for


def command(request: Request) -> list[str]:
    """The command line that repeats a run."""
    return [sys.executable, "-X", "faulthandler", "-m", _CHILD, request.to_json()]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's, without the FTJIT that would switch ftjit on, with what a run needs."""
    kept = {name: value for name, value in os.environ.items() if name != "FTJIT"}
    # The child imports what this process imports, wherever that was found.
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**SETTINGS, **kept, "PYTHONPATH": path, "PYTHONHASHSEED": "0", **(more or {})}


def run(request: Request, more: Mapping[str, str] | None = None) -> Answer:
    """Run one request in a process of its own. Never raises for what happens there."""
    began = time.monotonic()
    process = subprocess.Popen(
        command(request),
        env=environment(more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C is for us; what a run has forked goes with it
    )
    _under_way.add(process.pid)
    try:
        out, err, killed = communicate(process, request.limit)
    except BaseException:  # Ctrl-C: nothing of this run stays behind
        end_session(process.pid, signal.SIGKILL)
        process.wait()
        raise
    finally:
        _under_way.discard(process.pid)
    answer = read(out) if process.returncode == 0 else None
    if answer is None:
        answer = Answer(request={})
        if killed or _HUNG in err:
            answer.hung = f"no answer within {request.limit:.0f} s"
        else:
            answer.crashed = ending(process.returncode)
    answer.request = asdict(request)
    answer.errors = err if len(err) <= 2 * KEPT else f"{err[:KEPT]}\n[...]\n{err[-KEPT:]}"
    answer.wall_seconds = round(time.monotonic() - began, 3)
    return answer


def communicate(process: subprocess.Popen[str], limit: float) -> tuple[str, str, bool]:
    """Output, errors, and whether the process had to be ended: SIGABRT first, for every thread's stack."""
    try:
        return *process.communicate(timeout=limit + GRACE), False
    except subprocess.TimeoutExpired:
        end_session(process.pid, signal.SIGABRT)
    try:
        return *process.communicate(timeout=GRACE), True
    except subprocess.TimeoutExpired:
        end_session(process.pid, signal.SIGKILL)
    return *process.communicate(), True


def end_all() -> None:
    """End the runs that other threads wait for."""
    for leader in list(_under_way):
        end_session(leader, signal.SIGKILL)


def end_session(leader: int, number: signal.Signals) -> None:
    """Send a signal to the process we started and to what it has forked."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)


def read(out: str) -> Answer | None:
    """The answer in the last line of a process's output."""
    lines = [line for line in out.splitlines() if line.startswith("{")]
    try:
        fields: dict[str, Any] = json.loads(lines[-1])
        return Answer.from_dict(fields)
    except IndexError, ValueError, KeyError, TypeError:
        return None


def ending(code: int) -> str:
    """What an exit status says."""
    if code >= 0:
        return f"exit status {code} and no answer"
    return f"killed by {signal.Signals(-code).name}"
