"""`python -m ftjit`: the sub-commands, and running scripts, modules and code as `python` itself would."""

from __future__ import annotations

import importlib
import json
import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import ftjit
from ftjit.errors import SettingError, UnsupportedPython

USAGE = """\
usage: python -m ftjit [--mode auto|eager|off] [--stats] [--stats-json FILE] script.py args...
       python -m ftjit [options] -m module args...      python -m ftjit [options] -c code args...
       python -m ftjit explain TARGET        TARGET: module:qualname, or script.py[:qualname] (runs the script first)
       python -m ftjit bench [--quick] [--json FILE] [--html FILE] [PROGRAM...]
       python -m ftjit stress [--list] [--only NAME...] [--seconds N] [--seed N] [--json FILE] [--html FILE] ...
       python -m ftjit soak [--hours H] [--state FILE]
       python -m ftjit stencils | doctor | version"""


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
        if rest[0] in commands and not Path(rest[0]).is_file():
            return commands[rest[0]](rest[1:])
        return _run(rest)
    except (UsageError, UnsupportedPython, SettingError) as error:
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
    if mode not in ("auto", "eager", "off"):
        raise UsageError(f"--mode {mode}: it must be auto, eager or off")
    return mode, show, file


def _run(rest: list[str]) -> int:
    mode, show, file = _options(rest)
    if not rest:
        raise UsageError(f"nothing to run\n{USAGE}")
    if mode != "off":
        ftjit.enable(mode)
    try:
        return _run_as_python(rest)
    finally:
        if show or file:
            _report(show, file)


def _run_as_python(rest: list[str]) -> int:
    """What follows, with sys.argv and sys.path as `python` would set them. SystemExit goes on to the interpreter."""
    what = rest[0]
    if what in ("-m", "-c"):
        if len(rest) < 2:
            raise UsageError(f"{what} needs an argument\n{USAGE}")
        sys.path[0] = ""
        if what == "-m":
            sys.argv = rest[1:]
            runpy.run_module(rest[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = ["-c", *rest[2:]]
            module = sys.modules["__main__"].__dict__
            exec(compile(rest[1], "<string>", "exec"), {"__name__": "__main__", "__builtins__": module["__builtins__"]})
        return 0
    script = Path(what)
    if not script.exists():
        raise UsageError(f"there is no script {what}")
    sys.argv = rest
    sys.path[0] = str(script.resolve().parent)
    runpy.run_path(str(script), run_name="__main__")
    return 0


def _report(show: bool, file: str | None) -> None:
    stats = ftjit.stats().to_dict()
    if file:
        Path(file).write_text(json.dumps(stats, indent=2) + "\n")
    if show:
        width = max(map(len, stats))
        for name, value in stats.items():
            print(f"{name:{width}}  {value}", file=sys.stderr)


# ---- asking ----------------------------------------------------------------------------------------------------------


def _explain(rest: list[str]) -> int:
    """Run the script (or import the module) with ftjit on, then explain what the target names."""
    if len(rest) != 1:
        raise UsageError("explain takes one TARGET: module:qualname, or script.py[:qualname]")
    place, _, name = rest[0].partition(":")
    ftjit.enable()
    if place.endswith(".py"):
        if not Path(place).exists():
            raise UsageError(f"there is no script {place}")
        sys.argv = [place]
        sys.path[0] = str(Path(place).resolve().parent)
        space = runpy.run_path(place, run_name="__main__")
    else:
        try:
            space = vars(importlib.import_module(place))
        except ImportError as error:
            raise UsageError(f"cannot import {place}: {error}") from None
    if not name:
        from ftjit.runtime.tier import tier

        for reference, _record in list(tier().records.values()):
            code = reference()
            if code is not None and code.co_filename == place:
                print(ftjit.explain(code))
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
        print(explanation.disassembly())
    return 0


def _bench(rest: list[str]) -> int:
    try:
        from ftjit_bench.main import main as bench
    except ModuleNotFoundError as error:
        raise UsageError(f"the benchmarks are not installed ({error}): pip install 'ftjit[bench]'") from None
    return int(bench(rest))


def _stress(rest: list[str]) -> int:
    return _of_stress_suite("main", rest)


def _soak(rest: list[str]) -> int:
    return _of_stress_suite("soak", rest)


def _of_stress_suite(module: str, rest: list[str]) -> int:
    try:
        command = importlib.import_module(f"ftjit_stress.{module}").main
    except ModuleNotFoundError as error:
        raise UsageError(f"the stress suite is not installed ({error}): pip install 'ftjit[stress]'") from None
    return int(command(rest))


def _stencils(rest: list[str]) -> int:
    from ftjit.stencils.catalogue import catalogue, render
    from ftjit.stencils.library import load

    print(render(catalogue(load())))
    return 0


def _doctor(rest: list[str]) -> int:
    from ftjit.inspect.doctor import report

    text, works = report()
    print(text)
    return 0 if works else 1


def _version(rest: list[str]) -> int:
    print(f"ftjit {ftjit.__version__}, Python {sys.version}")
    return 0
