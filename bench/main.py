"""The command line of the benchmark: ``python -m ftjit bench``."""

import argparse
import json
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from . import aims, catalog, cold_cost, entry_cost, limbo_cost, machine, page, runner, scaling_cost, table, wide_cost
from .progress import progress
from .samples import MODES, Request, Sample
from .script import at_least_one
from .summary import Summary, summarise

SETTINGS = {  # rounds, timed repeats, budget, warm-up, time-out; the last three in seconds
    "quick": (2, 2, 80.0, 2.0, 60.0),
    "full": (5, 3, 480.0, 10.0, 300.0),
}

COSTS = {
    "entry": entry_cost.command,
    "cold": cold_cost.command,
    "wide": wide_cost.command,
    "limbo": limbo_cost.command,
    "scaling": scaling_cost.command,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what ``argv`` asks for; 0 only if all of it held. Never raises for a user's mistake."""
    parser = make_parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as exit_:  # argparse has printed its line (or the help)
        return exit_.code if isinstance(exit_.code, int) else 2
    for file in (arguments.json, arguments.html):
        if file is not None and not file.parent.is_dir():
            print(
                f"ftjit bench: no folder {file.parent} to write {file.name} in: make it first",
                file=sys.stderr,
            )
            return 2
    if arguments.measure in COSTS:
        return measure_cost(arguments)
    return measure_speed(arguments)


def make_parser() -> argparse.ArgumentParser:
    names = [program.name for program in catalog.PROGRAMS]
    parser = argparse.ArgumentParser(
        prog="python -m ftjit bench",
        description="Time real programs, in the interpreter and with ftjit, with several threads at once.",
        epilog="Exit status 0 only if all checksums agree and machine code ran in every ftjit process.",
    )
    add = parser.add_argument
    add(
        "programs",
        nargs="*",
        metavar="PROGRAM",
        type=program_names,
        help=f"which of {', '.join(names)}; or all that are {', '.join(catalog.BY_KIND)}; default: numeric and objects",
    )
    add("--quick", action="store_true", help="small sizes and few rounds: under 100 seconds, and noisy")
    add(
        "--threads",
        type=thread_counts,
        default=(1, 2, 4),
        metavar="N,N",
        help="thread counts, by default 1,2,4",
    )
    add(
        "--rounds",
        type=at_least_one,
        help="rounds at most (pairs with --measure cold, fours with wide, repeats with entry, executors with limbo)",
    )
    add(
        "--modes",
        type=mode_names,
        default=("interpreter", "ftjit"),
        metavar="M,M",
        help=f"of {', '.join(MODES)}",
    )
    add("--json", type=Path, metavar="FILE", help="write everything, every single run included")
    add(
        "--html",
        type=Path,
        metavar="FILE",
        help="write a page with pictures (needs matplotlib: ftjit[bench])",
    )
    add(
        "--measure",
        choices=["speed", *COSTS],
        default="speed",
        help="speed of programs; nanoseconds to enter machine code; cost to a short program that is never hot, and to "
        "a long one; what waits to be freed while a thread never leaves; what two threads do to what one does",
    )
    return parser


def program_names(text: str) -> list[str]:
    if text in catalog.BY_KIND:
        return catalog.BY_KIND[text]
    if text not in catalog.BY_NAME:
        known = ", ".join([*catalog.BY_NAME, *catalog.BY_KIND])
        raise argparse.ArgumentTypeError(f"no program {text!r}; there are: {known}")
    return [text]


def thread_counts(text: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(at_least_one(part) for part in text.split(",")))


def mode_names(text: str) -> tuple[str, ...]:
    modes = tuple(dict.fromkeys(text.split(",")))
    for mode in modes:
        if mode not in MODES:
            raise argparse.ArgumentTypeError(f"no mode {mode!r}; there are: {', '.join(MODES)}")
    return modes


def measure_cost(arguments: argparse.Namespace) -> int:
    """One of COSTS."""
    facts = machine.facts()
    status, content = COSTS[arguments.measure](arguments.quick, arguments.rounds)
    if content is None:
        return status
    print(*machine.lines(facts), sep="\n", flush=True)
    if arguments.json is not None:
        try:
            arguments.json.write_text(json.dumps({"machine": facts, **content}, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            return cannot_write(error)
    return status


def cannot_write(error: OSError) -> int:
    print(f"ftjit bench: cannot write {error.filename}: {error.strerror}", file=sys.stderr)
    return 2


def measure_speed(arguments: argparse.Namespace) -> int:
    if arguments.html is not None and not page.can_draw():
        print(
            "ftjit bench: --html needs matplotlib, which is not installed: install ftjit[bench], or matplotlib",
            file=sys.stderr,
        )
        return 2
    size = "quick" if arguments.quick else "full"
    rounds, repeats, budget, warm_up, timeout = SETTINGS[size]
    plan = runner.Plan(
        programs=tuple(dict.fromkeys(chain.from_iterable(arguments.programs)))
        or tuple(program.name for program in catalog.HOT_PROGRAMS),
        threads=arguments.threads,
        modes=arguments.modes,
        size=size,
        rounds=arguments.rounds or rounds,
        repeats=repeats,
        budget_seconds=budget if arguments.rounds is None else None,
        warm_up_seconds=warm_up,
        timeout_seconds=timeout,
    )
    facts = machine.facts()
    with progress("Measuring") as step:

        def report(done: int, total: int, request: Request, sample: Sample | None) -> None:
            if sample is not None or sys.stderr.isatty():
                step(done, total, describe(request, sample))

        samples = runner.measure(plan, report)
    summary = summarise(samples)
    show(plan, facts, summary)
    return write_files(arguments, plan, facts, summary, samples) or (1 if summary.problems else 0)


def describe(request: Request, sample: Sample | None) -> str:
    what = f"{request.program}, {request.threads} threads, {request.mode}"
    if sample is None:
        return what
    if sample.failure is not None:
        return f"{what}: FAILED: {sample.failure}"
    return f"{what}: {min(sample.seconds):.3f} s (first run {sample.first_seconds:.3f} s)"


def show(plan: runner.Plan, facts: dict[str, object], summary: Summary) -> None:
    """All tables and lines, on standard output; the problems on standard error."""
    cpus = facts["cpus"]
    table.show(table.speed_table(summary), spare=["low-high", "first run s", "scaling int."])
    for line in table.notes(plan.threads, cpus if isinstance(cpus, int) else 1):
        print(line)
    print()
    table.show(table.mean_table(summary))
    if summary.counters:
        table.show(table.counter_table(summary), spare=["limbo_bytes", "code_bytes", "swapped", "exits"])
    for line in (*aims.verdicts(summary), *machine.lines(facts)):
        print(line)
    print(f"Runs    {summary.runs} timed, {plan.size} sizes", flush=True)
    for problem in summary.problems:
        print(f"ftjit bench: {problem}", file=sys.stderr)


def write_files(
    arguments: argparse.Namespace,
    plan: runner.Plan,
    facts: dict[str, object],
    summary: Summary,
    samples: Sequence[Sample],
) -> int:
    """Write the files asked for; 0, or 2 after a line on standard error if one could not be written."""
    try:
        if arguments.json is not None:
            content = {
                "machine": facts,
                "plan": plan.to_dict(),
                "summary": summary.to_dict(),
                "samples": [sample.to_dict() for sample in samples],
            }
            arguments.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        if arguments.html is not None:
            arguments.html.write_text(page.render(plan, facts, summary), encoding="utf-8")
    except OSError as error:
        return cannot_write(error)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
