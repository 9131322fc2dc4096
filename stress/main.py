"""The command line: `python -m ftjit stress`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ftjit_bench import machine
from ftjit_bench.progress import progress

from .harness.catalogue import load, modules
from .harness.grading import Verdict
from .harness.messages import MODES, Request
from .nemeses import ALL, NEMESES
from .plan import Plan, carry_out, seed_of
from .report import files, page, table

EPILOGUE = """\
Exit status 0 only if no outcome was forbidden and every run has shown something: machine code ran in every
actor, executors were replaced while threads were inside, and everything retired was freed.
docs/stress.md says how to read a report."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run what `argv` asks for; 0 only if all of it held. Never raises for a user's mistake."""
    parser = make_parser()
    try:
        arguments = parser.parse_args(argv)
        if arguments.list:
            list_all()
            return 0
        plan = plan_of(arguments)
    except SystemExit as exit_:  # argparse has printed its line (or the help)
        return exit_.code if isinstance(exit_.code, int) else 2
    except UsageError as error:
        print(f"ftjit stress: {error}", file=sys.stderr)
        return 2
    try:
        return stress(plan, arguments.json, arguments.html)
    except KeyboardInterrupt:
        print("ftjit stress: interrupted", file=sys.stderr)
        return 130


class UsageError(Exception):
    """What the user typed does not work; the message says what would."""


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ftjit stress",
        description="Many threads against compiled code, every outcome graded, the interpreter's own beside.",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--list", action="store_true", help="say which scenarios and nemeses there are, and what for")
    add("--only", nargs="+", metavar="NAME", default=[], help="these scenarios only")
    add("--seconds", type=above_zero, default=2.0, metavar="N", help="for each scenario, by default 2")
    add("--seed", type=seed_of, metavar="N", help="repeats the schedules of nemeses; by default a fresh one, printed")
    add("--mode", choices=[*MODES, "both"], default="both", help="by default the interpreter and ftjit, side by side")
    add("--nemesis", nargs="+", metavar="NAME", help="these disturbances, or all, or none; default: each scenario's")
    add("--json", type=Path, metavar="FILE", help="write everything")
    add("--html", type=Path, metavar="FILE", help="write a page with pictures (needs matplotlib)")
    add("--shard", type=shard_of, default=(1, 1), metavar="I/N", help="only the I-th of N parts")
    add("--runs", type=whole, default=1, metavar="N", help="so many of each, with seeds that count up; by default 1")
    add("--jobs", type=whole, default=1, metavar="N", help="so many scenarios at once, by default 1")
    return parser


def above_zero(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value


def whole(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)


def shard_of(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} is not I/N with I from 1 to N")
    return int(index), int(count)


def nemeses_of(names: Sequence[str] | None) -> tuple[str, ...] | None:
    """The nemeses meant by words; UsageError for one that is none."""
    if names is None:
        return None
    if list(names) == ["none"]:
        return ()
    if list(names) == ["all"]:
        return tuple(NEMESES)
    for name in names:
        if name not in NEMESES:
            raise UsageError(f"no nemesis {name!r}; there are: {', '.join(NEMESES)} (or all, or none)")
    return tuple(dict.fromkeys(names))


def scenarios_of(names: Sequence[str]) -> tuple[str, ...]:
    """The scenarios meant, in teaching order; UsageError for one that is none."""
    for name in names:
        if name not in modules():
            raise UsageError(f"no scenario {name!r}; --list names them")
    return tuple(name for name in modules() if not names or name in names)


def plan_of(arguments: argparse.Namespace) -> Plan:
    for file in (arguments.json, arguments.html):
        if file is not None and not file.parent.is_dir():
            raise UsageError(f"no folder {file.parent} to write {file.name} in: make it first")
    if arguments.html is not None and not page.can_draw():
        raise UsageError("--html needs matplotlib, which is not installed: install ftjit[stress], or matplotlib")
    if arguments.mode != "interpreter":
        needs_ftjit()
    plan = Plan(
        scenarios=scenarios_of(arguments.only),
        mode=arguments.mode,
        seconds=arguments.seconds,
        seed=arguments.seed if arguments.seed is not None else time.time_ns() % 1_000_000_007,
        nemeses=nemeses_of(arguments.nemesis),
        shard=arguments.shard,
        jobs=arguments.jobs,
        runs=arguments.runs,
    )
    if not plan.requests():
        raise UsageError(f"nothing to run: there are fewer runs than the {arguments.shard[1]} parts")
    return plan


def needs_ftjit() -> None:
    """UsageError where ftjit cannot run."""
    from ftjit.runtime.core import unsupported

    reason = unsupported()
    if reason is not None:
        raise UsageError(reason)


def list_all() -> None:
    width = max(map(len, [*modules(), *NEMESES]))
    print("Scenarios, in teaching order:")
    for name in modules():
        print(f"  {name:{width}}  {load(name).title}")
    print("\nNemeses:")
    for nemesis in ALL:
        print(f"  {nemesis.name:{width}}  {nemesis.title}")


def stress(plan: Plan, json_file: Path | None, html_file: Path | None) -> int:
    """Carry out the plan and report; the exit status."""
    requests = plan.requests()
    facts: dict[str, Any] = machine.facts()
    print(f"seed {plan.seed}, {len(requests)} runs", file=sys.stderr)
    with progress("Stress") as step:

        def report(done: int, request: Request, verdict: Verdict) -> None:
            step(done, len(requests), f"{request.scenario}, {request.mode}: {verdict.status}, {verdict.rate}")

        verdicts = carry_out(requests, plan.jobs, report)
    table.show(verdicts)
    try:
        if json_file is not None:
            files.write(json_file, plan, facts, verdicts)
        if html_file is not None:
            html_file.write_text(page.render(plan, facts, verdicts), encoding="utf-8")
    except OSError as error:
        print(f"ftjit stress: cannot write {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    return 0 if all(verdict.good for verdict in verdicts) else 1


if __name__ == "__main__":
    raise SystemExit(main())
