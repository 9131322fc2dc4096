"""Runs Spin on one configuration: generates the checker, compiles it, runs it, reads what it says."""

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from model.breaks import BREAKS
from model.configurations import Configuration

MODEL = Path(__file__).resolve().parent / "promela"
MAIN = "reclamation.pml"
PACKAGES = {"spin": "spin", "gcc": "gcc"}  # program: the Debian package that brings it

DEPTH = 5_000_000  # steps of one path, at most; reaching it makes the run incomplete
SMALL_DEPTH = 1_000_000  # for the quick set: the stack is allocated at once
BUILD_SECONDS = 120

_ERRORS = re.compile(r"State-vector (\d+) byte, depth reached (\d+), errors: (\d+)")
_STATES = re.compile(r"^\s*([\d.e+]+) states, stored", re.MULTILINE)
_PROGRESS = re.compile(r"^Depth=.* States=\s*([\d.e+]+)", re.MULTILINE)  # said now and then
_MEMORY = re.compile(r"^\s*([\d.]+)\s+total actual memory usage", re.MULTILINE)
_ASSERTION = re.compile(r"^pan:1: assertion violated \(?(\w+)\)?", re.MULTILINE)
_UNREACHED = re.compile(r"^\s+(\w+\.pml:\d+), state \d+, \"(.*)\"", re.MULTILINE)
_CUT_SHORT = ("max search depth too small", "out of memory", "Search not completed", "aborting", "bit-state")


class SpinError(Exception):
    """Spin, the compiler or the checker did not do what it should; the message says which, with its last words."""


@dataclass(frozen=True)
class Result:
    """What one run found. `caught_by` is the claim that failed, None when all held."""

    configuration: Configuration
    verdict: str  # "holds", "fails", or "incomplete": the search was cut short and says nothing
    caught_by: str | None
    as_expected: bool
    why_not: str  # empty when as expected
    states: int
    depth: int
    memory_mib: float
    seconds: float  # the search alone, on the clock
    processor_seconds: float  # the search alone, of processor time
    state_bytes: int

    def as_json(self) -> dict[str, object]:
        """Plain data for the report."""
        configuration = self.configuration
        return {
            "name": configuration.name,
            "about": configuration.about,
            "defines": dict(configuration.all_defines),
            "breaks": configuration.breaks,
            "liveness": configuration.liveness,
            "verdict": self.verdict,
            "caught_by": self.caught_by,
            "as_expected": self.as_expected,
            "why_not": self.why_not,
            "states": self.states,
            "depth": self.depth,
            "memory_mib": self.memory_mib,
            "seconds": self.seconds,
            "processor_seconds": self.processor_seconds,
            "state_bytes": self.state_bytes,
        }


def missing() -> list[str]:
    """Debian packages of the programs that are not here."""
    return [package for program, package in PACKAGES.items() if shutil.which(program) is None]


def version() -> str:
    """What Spin calls itself."""
    return subprocess.run(["spin", "-V"], capture_output=True, text=True, check=True).stdout.strip()


def switches(defines: Mapping[str, int | None]) -> list[str]:
    """{"READERS": 1, "WEAK": None} -> ["-DREADERS=1", "-DWEAK"]."""
    return [f"-D{name}" if value is None else f"-D{name}={value}" for name, value in defines.items()]


def _must(command: Sequence[str], folder: Path, what: str) -> str:
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
    if answer.returncode:
        raise SpinError(f"{what} failed: {(answer.stdout + answer.stderr).strip()[-500:]}")
    return answer.stdout


def _build(configuration: Configuration, folder: Path, memory_mib: int) -> list[str]:
    """Make `pan` in `folder`; returns the command that runs it.

    What must hold is searched depth-first, to the end. What must fail is searched breadth-first, for a
    shortest counterexample. Liveness knows only depth-first search.
    """
    for source in MODEL.glob("*.pml"):
        shutil.copy(source, folder)
    _must(["spin", "-a", *_model_switches(configuration), MAIN], folder, f"spin ({configuration.name})")
    options = ["-DCOLLAPSE", f"-DMEMLIM={memory_mib}"]
    if configuration.liveness:
        options += ["-DNFAIR=3"]
        arguments = ["-a", "-f"]
    else:
        options += ["-DSAFETY"] + (["-DBFS"] if configuration.breaks else [])
        arguments = []
    effort = "-O2" if configuration.full else "-O0" if configuration.breaks else "-O1"
    _must(["gcc", effort, "-w", *options, "-o", "pan", "pan.c"], folder, "gcc")
    return ["./pan", f"-m{DEPTH if configuration.full else SMALL_DEPTH}", *arguments]


def _model_switches(configuration: Configuration) -> list[str]:
    shortest = configuration.breaks is not None and not configuration.liveness
    return switches(configuration.all_defines) + (["-DSHORTEST"] if shortest else [])


def check(configuration: Configuration, memory_mib: int, limit_s: float) -> Result:
    """Run one configuration to its end. Raises SpinError when it could not be run."""
    with tempfile.TemporaryDirectory(prefix="model-") as name:
        return _search(configuration, Path(name), memory_mib, limit_s)


def counterexample(configuration: Configuration, memory_mib: int, limit_s: float) -> tuple[Result, list[str]]:
    """Run a configuration that fails, and replay its counterexample: what Spin prints, line by line."""
    with tempfile.TemporaryDirectory(prefix="model-") as name:
        folder = Path(name)
        result = _search(configuration, folder, memory_mib, limit_s)
        if result.verdict != "fails":
            return result, []
        replay = ["spin", "-t", "-T", "-DREPLAY", *_model_switches(configuration), MAIN]
        return result, _must(replay, folder, "spin -t").splitlines()


def _search(configuration: Configuration, folder: Path, memory_mib: int, limit_s: float) -> Result:
    command = _build(configuration, folder, memory_mib)
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    late = threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(limit_s, end)
    timer.start()
    assert process.stdout is not None
    try:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        timer.cancel()
        if process.returncode is None:
            process.kill()
            process.wait()
        process.stdout.close()
    elapsed = time.monotonic() - started
    return judge(configuration, output, elapsed, usage.ru_utime + usage.ru_stime, late.is_set())


def judge(
    configuration: Configuration, output: str, seconds: float = 0.0, processor_seconds: float = 0.0, late: bool = False
) -> Result:
    """Read what the checker printed. A search that was cut short never counts as a pass."""
    numbers, states, memory = (pattern.search(output) for pattern in (_ERRORS, _STATES, _MEMORY))
    if not states:  # ended from outside: how far it had come
        states = next(reversed(list(_PROGRESS.finditer(output))), None)
    errors = int(numbers[3]) if numbers else 0
    caught_by = _caught_by(output) if errors else None
    if errors:
        verdict = "fails"
    elif late or not numbers or any(words in output for words in _CUT_SHORT):
        verdict = "incomplete"
    else:
        verdict = "holds"
    why_not = _why_not(configuration, verdict, caught_by, output, late)
    return Result(
        configuration=configuration,
        verdict=verdict,
        caught_by=caught_by,
        as_expected=not why_not,
        why_not=why_not,
        states=int(float(states[1])) if states else 0,
        depth=int(numbers[2]) if numbers else 0,
        memory_mib=float(memory[1]) if memory else 0.0,
        seconds=round(seconds, 2),
        processor_seconds=round(processor_seconds, 2),
        state_bytes=int(numbers[1]) if numbers else 0,
    )


def _caught_by(output: str) -> str:
    """The claim that failed: an assertion's name, the name of the property, or Spin's own words."""
    assertion = _ASSERTION.search(output)
    if assertion:
        return assertion[1]
    if "acceptance cycle" in output:
        return "freed"
    first = next((line for line in output.splitlines() if line.startswith("pan:1:")), "an error without a name")
    return first.removeprefix("pan:1: ").partition(" (at depth")[0]


def unreached(output: str) -> list[str]:
    """Statements of the model that no path came to; the ends of endless processes do not count."""
    return [f"{place} {statement}" for place, statement in _UNREACHED.findall(output) if statement != "-end-"]


def _why_not(configuration: Configuration, verdict: str, caught_by: str | None, output: str, late: bool) -> str:
    """What is not as it should be; empty when all is."""
    if verdict == "incomplete":
        return "cut short: " + ("time limit" if late else next((w for w in _CUT_SHORT if w in output), "no result"))
    if configuration.breaks is None:
        if verdict == "fails":
            return f"must hold, and {caught_by} fails"
        dead = unreached(output)
        return f"never reached: {dead[0]}" if dead and not configuration.liveness else ""
    wanted = next(entry.claims for entry in BREAKS if entry.tag == configuration.breaks)
    if verdict == "holds":
        return "must fail, and holds"
    return "" if caught_by in wanted else f"must fail by {' or '.join(wanted)}, not by {caught_by}"
