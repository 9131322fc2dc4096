"""What scenarios ask of ftjit themselves. Each does nothing where ftjit is not at work: a scenario never imports it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any


def compiler() -> ModuleType | None:
    """ftjit, if this run is with it."""
    return sys.modules.get("ftjit")


def want(*functions: Callable[..., Any]) -> None:
    """Have them compiled as soon as may be."""
    ftjit = compiler()
    for function in functions if ftjit is not None else ():
        ftjit.jit(function)  # type: ignore[union-attr]


def compile_now(function: Callable[..., Any], *arguments: Any) -> None:
    """Have it compiled, and wait for that a while; nothing where it is forbidden."""
    ftjit = compiler()
    if ftjit is not None:
        with suppress(ftjit.CompileError):
            ftjit.compile(function, *arguments, timeout=0.1)  # somebody may switch it off meanwhile


def forbid(*functions: Callable[..., Any]) -> None:
    """Leave them to the interpreter from now on."""
    ftjit = compiler()
    for function in functions if ftjit is not None else ():
        ftjit.never(function)  # type: ignore[union-attr]


def switch(on: bool) -> None:
    """ftjit as a whole."""
    ftjit = compiler()
    if ftjit is not None:
        (ftjit.enable if on else ftjit.disable)()


def look_around(function: Callable[..., Any]) -> None:
    """Ask all that can be asked: statistics, an explanation, a round of reclamation."""
    ftjit = compiler()
    if ftjit is not None:
        ftjit.stats()
        str(ftjit.explain(function))
        ftjit.drain(0.005)


def limbo() -> tuple[int, int, int]:
    """(executors in limbo, executors that threads are inside, executors retired so far)."""
    ftjit = compiler()
    if ftjit is None:
        return 0, 0, 0
    seen = ftjit.stats()
    return seen.limbo_executors, seen.activations, seen.executors_retired
