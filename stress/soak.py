"""The command line `python -m ftjit soak`: hours of fresh seeds and nemeses, each finding kept as it comes."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from .harness.catalogue import modules
from .harness.grading import Status, Verdict
from .harness.messages import Request
from .main import UsageError, above_zero, needs_ftjit, scenarios_of, whole
from .nemeses import NEMESES
from .plan import carry_out, limit
from .report import files, table

EAGER_SHARE = 0.15  # of the runs are in eager mode
AT_ONCE = (0, 1, 2, 3, len(NEMESES))  # so many nemeses; each number is as likely


@dataclass(slots=True)
class State:
    """Where a soak is. A round runs every scenario once; `done` of this `round` have run. `samples`, by scenario."""

    seed: int
    round: int = 0
    done: int = 0
    runs: int = 0
    seconds: float = 0.0
    samples: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> State:
        """What the file says, or a fresh start. UsageError for a file that is none of ours."""
        try:
            if not path.exists():
                return cls(seed=time.time_ns() % 1_000_000_007)
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise UsageError(f"{path} is not the state of a soak ({error}): name another file, or remove it") from None
        except OSError as error:
            raise UsageError(f"cannot read {path} ({error.strerror}): name another file") from None

    def write(self, path: Path) -> None:
        """Whole or not at all. UsageError where it cannot be."""
        fresh = path.with_suffix(path.suffix + ".new")
        try:
            fresh.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
            os.replace(fresh, path)
        except OSError as error:
            raise UsageError(f"cannot write {path} ({error.strerror}): name another file") from None


def main(argv: Sequence[str] | None = None) -> int:
    """Soak; 0 only if nothing was ever found with this state file. Never raises for a user's mistake."""
    parser = make_parser()
    try:
        arguments = parser.parse_args(argv)
        needs_ftjit()
        if not arguments.state.parent.is_dir():
            raise UsageError(f"no folder {arguments.state.parent} to write {arguments.state.name} in: make it first")
        names = scenarios_of(arguments.only)
        state = State.read(arguments.state)
        state.write(arguments.state)
    except SystemExit as exit_:  # argparse has printed its line (or the help)
        return exit_.code if isinstance(exit_.code, int) else 2
    except UsageError as error:
        print(f"ftjit soak: {error}", file=sys.stderr)
        return 2
    deadline = time.monotonic() + 3600 * arguments.hours
    print(f"seed {state.seed}, from round {state.round} on; Ctrl-C stops it, {arguments.state} remembers", flush=True)
    try:
        while time.monotonic() < deadline:
            soak_round(state, names, arguments, deadline)
    except KeyboardInterrupt:
        print("stopping", flush=True)
        state.write(arguments.state)
    except UsageError as error:
        print(f"ftjit soak: {error}", file=sys.stderr)
        print(summary(state))
        return 2
    print(summary(state))
    return 1 if state.findings else 0


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ftjit soak",
        description="The stress suite for hours, with fresh seeds and random nemeses; findings are kept.",
    )
    add = parser.add_argument
    add("--hours", type=above_zero, default=8.0, metavar="H", help="by default 8")
    add("--state", type=Path, default=Path("ftjit-soak.json"), metavar="FILE", help="goes on from there if it exists")
    add("--only", nargs="+", metavar="NAME", default=[], help="these scenarios only")
    add("--seconds", type=above_zero, default=10.0, metavar="N", help="for each run, by default 10")
    add("--jobs", type=whole, default=1, metavar="N", help="so many runs at once, by default 1")
    return parser


def requests_of(state: State, names: Sequence[str], seconds: float) -> Iterator[Request]:
    """The runs of the state's round: a pure function of its seed and number."""
    rng = Random(f"{state.seed}/{state.round}")
    for name in rng.sample(list(names), len(names)):
        mode = "eager" if rng.random() < EAGER_SHARE else "ftjit"
        nemeses = tuple(sorted(rng.sample(list(NEMESES), rng.choice(AT_ONCE))))
        yield Request(name, mode, seconds, rng.randrange(1 << 31), nemeses, limit(seconds, mode))


def soak_round(state: State, names: Sequence[str], arguments: argparse.Namespace, deadline: float) -> None:
    """One round, in batches of as many runs as go at once; the state is written after each."""
    requests = list(requests_of(state, names, arguments.seconds))[state.done :]
    for start in range(0, len(requests), arguments.jobs):
        if time.monotonic() > deadline:
            return

        def report(done: int, request: Request, verdict: Verdict) -> None:
            took_in(state, verdict, arguments.state)

        batch = requests[start : start + arguments.jobs]
        carry_out(batch, arguments.jobs, report)
        state.done += len(batch)
        state.write(arguments.state)
    state.round, state.done = state.round + 1, 0
    state.write(arguments.state)


def took_in(state: State, verdict: Verdict, path: Path) -> None:
    """Count a run; keep it if it is a finding."""
    name = verdict.scenario.name
    state.runs += 1
    state.seconds += verdict.answer.wall_seconds
    state.samples[name] = state.samples.get(name, 0) + verdict.samples
    line = f"round {state.round} {name}, {verdict.mode}: {verdict.status}, {verdict.rate}"
    if not verdict.good:
        folder = keep(verdict, path)
        state.findings.append(str(folder))
        line += f"  -> {folder}"
    print(line, flush=True)


def keep(verdict: Verdict, state: Path) -> Path:
    """A folder with all that is known of a finding: verdict.json, and what to read first."""
    above = state.with_name(state.stem + "-findings")
    request: dict[str, Any] = verdict.answer.request
    folder = above / f"{request['scenario']}-{verdict.status}-{request['seed']}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "verdict.json").write_text(json.dumps(files.one(verdict), indent=1) + "\n", encoding="utf-8")
    (folder / "README.txt").write_text(table.complaint(verdict) + "\n", encoding="utf-8")
    return folder


def summary(state: State) -> str:
    """What a soak has to say for itself."""
    samples = sum(state.samples.values())
    lines = [
        f"{state.runs} runs in {state.seconds / 3600:.2f} hours, {samples:,} outcomes, {len(state.findings)} findings"
    ]
    rarest = min(modules(), key=lambda name: state.samples.get(name, 0))
    if samples and not state.findings:
        seen = state.samples.get(rarest, 0)
        bound = f"{3 / seen:.1e} or lower" if seen else "unknown: it was not run"
        lines.append(
            f"no {Status.FORBIDDEN} outcome: the rate of the scenario that was seen least ({rarest}) is {bound}"
        )
    lines += [f"  {finding}" for finding in state.findings]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
