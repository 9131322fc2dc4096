"""`python -m ftjit`: the sub-commands, and running scripts, modules and code as `python` itself would."""

from __future__ import annotations

import atexit
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import ftjit
from ftjit import running
from ftjit.errors import SettingError, UnsupportedPython
from ftjit.running import NothingToRun

USAGE = """\
usage: python -m ftjit [--mode auto|eager|off] [--stats] [--stats-json FILE] script.py args...
       python -m ftjit [options] -m module args...      python -m ftjit [options] -c code args...
       python -m ftjit explain [--ir] TARGET     TARGET: module:qualname, or script.py[:qualname] (runs it first)
       python -m ftjit bench [--quick] [--json FILE] [--html FILE] [PROGRAM...]
       python -m ftjit stress [--list] [--only NAME...] [--seconds N] [--seed N] [--json FILE] [--html FILE] ...
       python -m ftjit soak [--hours H] [--state FILE] ...
       python -m ftjit stencils | doctor | version"""
_PATIENCE = 5.0  # seconds that the compiler gets to finish, before an explanation


class UsageError(Exception):
    """What the user typed does not work; the message says why."""


def main(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit status. A user's mistake is one line on stderr and status 2."""
    commands: dict[str, Callable[[list[str]], int]] = {
        "explain": _explain, "bench": _bench, "stress": _stress, "soak": _soak,
        "stencils": _stencils, "doctor": _doctor, "version": _version,
    }  # fmt: skip
    rest = list(arguments)
    try:
        if not rest or rest[0] in ("-h", "--help"):
            print(USAGE)
            return 0 if rest else 2
        if rest[0] in ("-V", "--version"):
            return _version([])
        if rest[0] in commands and not Path(rest[0]).is_file():
            return commands[rest[0]](rest[1:])
        return _run(rest)
    except (UsageError, NothingToRun, UnsupportedPython, SettingError) as error:
        print(f"ftjit: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would complain when it flushes at exit.
        sys.stdout = None
        return 0


# ---- running programs ------------------------------------------------------------------------------------------------


def _options(rest: list[str]) -> tuple[str, bool, str | None]:
    """Take our own options off the front: (mode, print statistics, file for them)."""
    mode, show, file = "auto", False, None
    while rest and rest[0].startswith("--"):
        option, _, value = rest.pop(0).partition("=")
        if option == "--stats":
            show = True
            continue
        if option not in ("--mode", "--stats-json"):
            raise UsageError(f"unknown option {option}\n{USAGE}")
        if not value:
            if not rest:
                raise UsageError(f"{option} needs a value\n{USAGE}")
            value = rest.pop(0)
        if option == "--mode":
            mode = value
        else:
            file = value
    if file is not None and not Path(file).absolute().parent.is_dir():
        raise UsageError(f"no folder {Path(file).parent} to write {Path(file).name} in: make it first")
    if mode not in ("auto", "eager", "off"):
        raise UsageError(f"--mode {mode}: it must be auto, eager or off")
    return mode, show, file


def _run(rest: list[str]) -> int:
    mode, show, file = _options(rest)
    if not rest:
        raise UsageError(f"nothing to run\n{USAGE}")
    if mode != "off":
        ftjit.enable(mode)
    if show or file:
        atexit.register(_report, show, file)  # when the program's threads have ended too
    return _run_as_python(rest)


def _run_as_python(rest: list[str]) -> int:
    """What follows our options. SystemExit goes on to the interpreter."""
    if rest[0][:2] in ("-m", "-c"):  # -cCODE is -c CODE
        rest = [rest[0][:2], *filter(None, [rest[0][2:]]), *rest[1:]]
    what = rest[0]
    if what not in ("-m", "-c"):
        if what.startswith("-") and what != "-" and not Path(what).exists():
            raise UsageError(
                f"{what} is no option of ftjit's; Python's own go before -m: python {what} ... -m ftjit ..."
            )
        return running.run_script(what, rest[1:])
    if len(rest) < 2:
        raise UsageError(f"{what} needs an argument\n{USAGE}")
    return (running.run_module if what == "-m" else running.run_code)(rest[1], rest[2:])


def _report(show: bool, file: str | None) -> None:
    stats = ftjit.stats().to_dict()
    if file:
        try:
            Path(file).write_text(json.dumps(stats, indent=2) + "\n")
        except OSError as error:
            print(f"ftjit: the statistics could not be written: {error}", file=sys.stderr)
    if show:
        width = max(map(len, stats))
        for name, value in stats.items():
            print(f"{name:{width}}  {value}", file=sys.stderr)


# ---- asking ----------------------------------------------------------------------------------------------------------


def _explain(rest: list[str]) -> int:
    """Run the script (or import the module) with ftjit on, then explain what the target names."""
    ir = "--ir" in rest
    rest = [each for each in rest if each != "--ir"]
    if len(rest) != 1 or rest[0].startswith("-"):
        raise UsageError("explain takes one TARGET: module:qualname, or script.py[:qualname]")
    place, _, name = rest[0].partition(":")
    if not place or not (name or place.endswith(".py")):
        raise UsageError(f"explain {rest[0]}: name a function of it, as in {place or 'module'}:function")
    ftjit.enable()
    if place.endswith(".py"):
        try:
            status: object = running.run_script(place, [])
        except SystemExit as exit_:  # most scripts end so
            status = exit_.code
        if status not in (None, 0):
            print(f"ftjit: the script ended with status {status}", file=sys.stderr)
        space = vars(sys.modules["__main__"])
    else:
        try:
            space = vars(importlib.import_module(place))
        except ImportError as error:
            raise UsageError(f"cannot import {place}: {error}") from None
    from ftjit.runtime.tier import tier

    deadline = time.monotonic() + _PATIENCE
    while not tier().is_idle() and time.monotonic() < deadline:  # what it is compiling at the end is explained, too
        time.sleep(0.001)
    if not name:
        file, found = os.path.abspath(place), 0
        for reference, _record in list(tier().records.values()):
            code = reference()
            if code is not None and code.co_filename == file:
                found += 1
                print(ftjit.explain(code))
        if not found:
            print(f"nothing in {place} was hot")
        return 0
    first, *others = name.split(".")
    if first not in space:
        raise UsageError(f"{place} has no {first}")
    target = space[first]
    for attribute in others:
        if not hasattr(target, attribute):
            raise UsageError(f"{name}: there is no {attribute}")
        target = getattr(target, attribute)
    try:
        explanation = ftjit.explain(target)
    except TypeError as error:
        raise UsageError(str(error)) from None
    print(explanation)
    if explanation.compiled:
        print()
        try:
            print(explanation.disassembly(ir))
        except ModuleNotFoundError as error:
            raise UsageError(str(error)) from None
    return 0


def _bench(rest: list[str]) -> int:
    try:
        from ftjit_bench.main import main as bench
    except ModuleNotFoundError as error:
        raise UsageError(f"the benchmarks are not installed ({error}): install ftjit[bench]") from None
    return int(bench(rest))


def _stress(rest: list[str]) -> int:
    return _of_stress_suite("main", rest)


def _soak(rest: list[str]) -> int:
    return _of_stress_suite("soak", rest)


def _of_stress_suite(module: str, rest: list[str]) -> int:
    try:
        command = importlib.import_module(f"ftjit_stress.{module}").main
    except ModuleNotFoundError as error:
        raise UsageError(f"the stress suite is not installed ({error}): install ftjit[stress]") from None
    return int(command(rest))


def _takes_nothing(command: str, rest: list[str]) -> None:
    if rest:
        raise UsageError(f"{command} takes no arguments, not {rest[0]}")


def _stencils(rest: list[str]) -> int:
    _takes_nothing("stencils", rest)
    from ftjit.stencils.catalogue import catalogue, render
    from ftjit.stencils.library import load

    print(render(catalogue(load())))
    return 0


def _doctor(rest: list[str]) -> int:
    _takes_nothing("doctor", rest)
    from ftjit.inspect.doctor import report

    text, works = report()
    print(text)
    return 0 if works else 1


def _version(rest: list[str]) -> int:
    _takes_nothing("version", rest)
    print(f"ftjit {ftjit.__version__}, Python {sys.version}")
    return 0
