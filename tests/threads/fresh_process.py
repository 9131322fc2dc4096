"""Scenarios in a fresh interpreter: a test whose failure may be a hang or a crash gets a process and a time limit.

    @fresh_process(seconds=10)
    def test_something():
        ...                          # runs in the child, whose stderr must stay empty

The child imports the test module by path and runs the function; it never imports pytest, which takes longer
than most scenarios. A hang ends with every thread's Python stack (faulthandler), a crash with the signal's name.
"""

from __future__ import annotations

import faulthandler
import functools
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
IN_CHILD = os.environ.get("FTJIT_TEST_CHILD") == "1"
_START = f"import sys; sys.path[:0] = [{str(HERE)!r}]; import fresh_process; fresh_process.child(*sys.argv[1:])"

type Test = Callable[..., None]


def fresh_process(
    seconds: float = 60,
    *,
    environment: Mapping[str, str] | None = None,
    cases: Sequence[str] | None = None,
    marks: Sequence[str] = (),
    stderr: str = "",
) -> Callable[[Test], Test]:
    """Run the decorated test in a process of its own.

    seconds: the scenario's limit. environment: added to the child's. cases: the test is run with each of
    these
    strings as its argument. marks: pytest markers by name. stderr: text that the child is to write there, instead of
    nothing at all."""

    def decorate(function: Test) -> Test:
        if IN_CHILD:
            return function
        import pytest

        def run(case: str | None = None) -> None:
            module = sys.modules[function.__module__]
            run_child(str(module.__file__), function.__name__, case, seconds, environment or {}, stderr)

        if cases is None:
            test: Test = lambda: run()  # noqa: E731  (no parameter, or pytest looks for a fixture)
        else:
            test = lambda case: run(case)  # noqa: E731
        functools.update_wrapper(test, function)
        del test.__wrapped__  # type: ignore[attr-defined]
        if cases is not None:
            test = pytest.mark.parametrize("case", list(cases))(test)
        for mark in marks:
            test = getattr(pytest.mark, mark)(test)
        return test

    return decorate


def run_child(
    path: str, name: str, case: str | None, seconds: float, environment: Mapping[str, str], stderr: str
) -> None:
    """Run one scenario; AssertionError with the child's whole output when it fails, crashes or hangs."""
    outcome = python(
        *("-c", _START, path, name, str(seconds), *([] if case is None else [case])),
        environment={"FTJIT_TEST_CHILD": "1", "FTJIT_VERIFY": "1", **environment},
        seconds=seconds,
    )
    assert outcome.returncode == 0, f"{name}: {ending(outcome.returncode)}\n{outcome.stdout}{outcome.stderr}"
    if stderr:
        assert stderr in outcome.stderr, f"{name}: {stderr!r} is not in the child's stderr:\n{outcome.stderr}"
    else:
        assert not outcome.stderr, f"{name}: the child wrote to stderr:\n{outcome.stderr}"


def python(
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    seconds: float = 60,
    executable: str = sys.executable,
) -> subprocess.CompletedProcess[str]:
    """Run an interpreter; killed a few seconds after `seconds`, with its threads' Python stacks on stderr."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith("FTJIT")}
    variables.update(environment or {})
    command = [executable, "-X", "faulthandler", *arguments]
    process = subprocess.Popen(
        command,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    try:
        out, err = process.communicate(timeout=seconds + 5)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        try:
            out, err = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def ending(code: int) -> str:
    """What an exit status says."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


def child(path: str, name: str, seconds: str, *case: str) -> None:
    """In the child: import the module, run the scenario, check what must hold after any of them."""
    faulthandler.dump_traceback_later(float(seconds), exit=True)
    # For scenarios of other folders, their own folder too.
    sys.path[:0] = [str(Path(path).parent)]
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    scenario: Any = getattr(module, name)
    scenario(*case)
    import ftjit

    seen = ftjit.stats()
    assert seen.compile_errors == 0, f"the compiler failed {seen.compile_errors} times: {seen}"
    assert not sys._is_gil_enabled(), "something switched the GIL on"
