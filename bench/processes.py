"""Starting measuring processes and reading what they answer."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from .samples import Request, Sample


class ProcessFailure(Exception):
    """A process gave no answer; the message is one line saying why."""


@contextlib.contextmanager
def child_environment() -> Iterator[dict[str, str]]:
    """The environment of measuring processes: this one's, with compiled modules cached in a temporary folder.

    Without that cache an interpreter whose library cannot be written to compiles every module it imports,
    each time. ``FTJIT*`` settings stay, except ``FTJIT`` itself, which would enable ftjit in the processes
    that must not have it.
    """
    with tempfile.TemporaryDirectory(prefix="ftjit-bench-", ignore_cleanup_errors=True) as folder:
        environment = {key: value for key, value in os.environ.items() if key != "FTJIT"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = folder
        environment["PYTHONHASHSEED"] = "0"  # the same in every process: one difference less
        yield environment


def ask(module: str, arguments: Sequence[str], environment: Mapping[str, str], timeout: float) -> Any:
    """Run ``python -m <this package>.module arguments`` and parse the JSON on its standard output.

    ``timeout`` is in seconds. Raises ProcessFailure.
    """
    try:
        done = subprocess.run(
            command(module, arguments), env=dict(environment), capture_output=True, text=True, timeout=timeout
        )
    except subprocess.TimeoutExpired:
        raise ProcessFailure(f"no answer within {timeout:.0f} s, so the process was ended") from None
    if done.returncode < 0:
        raise crashed(done.returncode, done.stderr)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = None
    if done.returncode != 0 or answer is None:
        raise ProcessFailure(f"exit status {done.returncode} and no numbers{last_line(done.stderr)}")
    return answer


def ask_alone(module: str, arguments: Sequence[str], timeout: float) -> dict[str, Any]:
    """The same for one process that is all there is to measure. Raises ProcessFailure, also where the answer is one."""
    with child_environment() as environment:
        answer: dict[str, Any] = ask(module, arguments, environment, timeout)
    if "failure" in answer:
        raise ProcessFailure(answer["failure"])
    return answer


def command(module: str, arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-X", "faulthandler", "-m", f"{__package__}.{module}", *arguments]


def crashed(returncode: int, errors: str) -> ProcessFailure:
    """The failure of a process that a signal ended."""
    _, _, stack = errors.partition("(most recent call first):")  # what faulthandler wrote
    where = next((f" in {line.strip()}" for line in stack.splitlines() if line.strip()), last_line(errors))
    return ProcessFailure(f"the process crashed with {signal.Signals(-returncode).name}{where}")


class Conversation:
    """A process that answers one line of JSON to each line it is sent, and one when it is ready.

    As a context manager it ends the process. After ``timeout`` seconds in all it is killed.
    """

    def __init__(self, module: str, arguments: Sequence[str], environment: Mapping[str, str], timeout: float) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed with the process
        self._process = subprocess.Popen(
            command(module, arguments),
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._watchdog = threading.Timer(timeout, self._process.kill)
        self._watchdog.daemon = True
        self._watchdog.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watchdog.cancel()
        if error is not None:
            self._process.kill()
        with contextlib.suppress(OSError), self._process:  # closes its pipes and waits for it
            pass
        self._errors.close()

    def hear(self) -> dict[str, Any]:
        """The next answer. Raises ProcessFailure."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            returncode = self._process.wait()
            self._errors.seek(0)
            errors = self._errors.read()
            if returncode < 0:
                raise crashed(returncode, errors)
            raise ProcessFailure(f"exit status {returncode} and no answer{last_line(errors)}")
        answer: dict[str, Any] = json.loads(line)
        if "failure" in answer:
            raise ProcessFailure(answer["failure"])
        return answer

    def ask(self, line: str) -> dict[str, Any]:
        """Send a line and wait for the answer. Raises ProcessFailure."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # the process has ended; hear() says why
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        return self.hear()


def last_line(text: str) -> str:
    """The last line of ``text`` that says something, after a colon; empty if there is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f": {lines[-1]}" if lines else ""


def sample(request: Request, environment: Mapping[str, str], timeout: float) -> Sample:
    """Measure ``request`` in a fresh process; what goes wrong there ends up in ``Sample.failure``."""
    try:
        answer = ask("child", [json.dumps(request.to_dict())], environment, timeout)
    except ProcessFailure as failure:
        return Sample(request, failure=str(failure))
    return replace(Sample(**answer), request=request)
