"""Running other programs: their noise goes to a log, and only what a person needs comes out."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tools.say import SetupError

TAIL_LINES = 30

# Set for the Python that runs this script, and misleading for the one it starts.
_NOT_FOR_CHILDREN = ("PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")


def clean_environment(**extra: str) -> dict[str, str]:
    """This process's environment without what would confuse another interpreter, plus `extra`."""
    return {name: value for name, value in os.environ.items() if name not in _NOT_FOR_CHILDREN} | extra


def run_logged(
    command: Sequence[str | Path],
    log: Path,
    *,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] = lambda line: None,
    what: str,
) -> None:
    """Run `command`, appending both its outputs to `log` and handing each line to `on_line`.

    Raises SetupError with the last lines of this run and the path of the log; `what` names the job.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    tail: list[str] = []
    with log.open("a", encoding="utf-8") as record:
        print("$", *command, file=record, flush=True)
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=clean_environment() if environ is None else environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                record.write(line)
                tail = [*tail[1 - TAIL_LINES :], line.rstrip("\n")]
                on_line(line)
            status = process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
    if status:
        shown = "\n".join("  | " + line for line in tail)
        raise SetupError(f"{what} failed (exit status {status}); the last lines of {log}:\n{shown}")
