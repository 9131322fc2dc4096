"""Getting functions hot in this process, and knowing when the compiler has nothing left to do."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from types import FunctionType
from typing import Any

import ftjit
from ftjit.runtime.tier import existing
from support import case, outcome

Hot = tuple[Callable[..., Any], ...]


def enable() -> None:
    """ftjit for the programs, not for what judges them: the harness stays in the interpreter."""
    ftjit.enable()
    for module in (outcome, case, copy):
        for value in list(vars(module).values()):
            functions = vars(value).values() if isinstance(value, type) else [value]
            for function in functions:
                if isinstance(function, FunctionType):
                    ftjit.never(function)


def settle(timeout: float = 2.0) -> None:
    """Wait until no snapshot waits and none is being compiled."""
    runtime = existing()
    deadline = time.monotonic() + timeout
    while runtime is not None and not runtime.is_idle() and time.monotonic() < deadline:
        time.sleep(0.001)


def heat(call: Callable[[], None], hot: Hot, machine: bool) -> bool:
    """`call` until each of `hot` is machine code (or refuses to be, if it may), then until nothing new is
    compiled. Returns whether all of them are."""
    for function in hot:
        ftjit.jit(function)
    deadline = time.monotonic() + (3.0 if machine else 0.1)
    while True:
        for _ in range(3):
            call()
        settle()
        compiled = all(map(ftjit.is_compiled, hot))
        if compiled or time.monotonic() > deadline:
            break
    for _ in range(3):
        for _ in range(6):
            call()
        settle()
    return compiled


def heat_nothing(call: Callable[[], None], hot: Hot, machine: bool) -> bool:
    """The same in the interpreter: nothing to wait for."""
    for _ in range(3):
        call()
    return False
