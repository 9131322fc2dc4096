#!/usr/bin/env python3
"""Model checking of the reclamation protocol: `python model/check.py --help`. Python 3.11, Spin, gcc."""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

if __name__ == "__main__":  # run as a file: the folder above this one is where `model` is found
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from model import report, spin, trail
from model.configurations import CONFIGURATIONS, Configuration

WRONG, MISUSED, LACKING = 1, 2, 3  # exit statuses
MEMORY_MIB = 6000
LIMIT_S = 1200


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="model/check.py", description="Check the reclamation protocol with Spin.")
    parser.add_argument("names", nargs="*", help="configurations or tags to check; none: the quick set")
    parser.add_argument("--full", action="store_true", help="the exhaustive searches too")
    parser.add_argument("--list", action="store_true", help="print what there is to check, and end")
    parser.add_argument("--show", metavar="TAG", help="print the counterexample of one break")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the results there too")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="searches at once")
    parser.add_argument("--memory", type=int, default=MEMORY_MIB, metavar="MIB", help="for all searches together")
    parser.add_argument("--limit", type=float, default=LIMIT_S, metavar="S", help="seconds one search may take")
    return parser


def chosen(names: Sequence[str], full: bool) -> list[Configuration]:
    """The configurations named (by name or tag), or all of the set. ValueError for a name there is none of."""
    known = {word for entry in CONFIGURATIONS for word in (entry.name, entry.breaks) if word}
    for name in names:
        if name not in known:
            raise ValueError(f"there is no configuration or tag {name!r}; --list prints them")
    if names:
        return [entry for entry in CONFIGURATIONS if entry.name in names or entry.breaks in names]
    return [entry for entry in CONFIGURATIONS if full or not entry.full]


def check_all(wanted: Sequence[Configuration], jobs: int, memory_mib: int, limit_s: float) -> list[spin.Result]:
    """Check all, `jobs` at a time, saying each result on standard error as it comes; results in the order wanted."""
    results: dict[str, spin.Result] = {}
    # The longest first, so that the last one does not run alone.
    by_length = sorted(wanted, key=lambda entry: not entry.full)
    with ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(spin.check, entry, memory_mib // jobs, limit_s) for entry in by_length]
        for done in as_completed(running):
            result = done.result()
            results[result.configuration.name] = result
            note = result.verdict if result.as_expected else f"WRONG: {result.why_not}"
            caught = f" ({result.caught_by})" if result.caught_by else ""
            print(
                f"{len(results)}/{len(wanted)} {result.configuration.name}: {note}{caught}, "
                f"{result.states:,} states, {result.seconds:.1f} s",
                file=sys.stderr,
                flush=True,
            )
    return [results[entry.name] for entry in wanted]


def _show(tag: str, memory_mib: int, limit_s: float) -> int:
    configuration = next((entry for entry in CONFIGURATIONS if tag in (entry.name, entry.breaks)), None)
    if configuration is None:
        raise ValueError(f"there is no configuration or tag {tag!r}; --list prints them")
    result, lines = spin.counterexample(configuration, memory_mib, limit_s)
    if not lines:
        print(f"{tag}: {result.verdict}; there is no counterexample to show {result.why_not}".rstrip())
        return 0 if result.as_expected else WRONG
    print("\n".join(trail.render(result, lines)))
    return 0


def main(arguments: Sequence[str]) -> int:
    """One command line; the exit status: 0 when everything is as it must be."""
    options = _parser().parse_args(arguments)
    if options.list:
        for entry in CONFIGURATIONS:
            print(
                f"{'full ' if entry.full else 'quick'}  {'fails' if entry.breaks else 'holds'}  "
                f"{entry.name:24} {entry.about}"
            )
        return 0
    lacking = spin.missing()
    if lacking:
        print(f"model: needs programs that are missing: apt-get install -y {' '.join(lacking)}", file=sys.stderr)
        return LACKING
    started = time.monotonic()
    try:
        if options.show:
            return _show(options.show, options.memory, options.limit)
        results = check_all(chosen(options.names, options.full), options.jobs, options.memory, options.limit)
    except ValueError as error:
        print(f"model: {error}", file=sys.stderr)
        return MISUSED
    except spin.SpinError as error:
        print(f"model: {error}", file=sys.stderr)
        return WRONG
    seconds = time.monotonic() - started
    report.show_table(results)
    print(f"{report.summary(results)}; {seconds:.0f} s with {spin.version()}")
    if options.json:
        page = {"spin": spin.version(), "seconds": round(seconds, 1), "results": [entry.as_json() for entry in results]}
        options.json.write_text(json.dumps(page, indent=1) + "\n", encoding="utf-8")
    return 0 if all(entry.as_expected for entry in results) else WRONG


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
