"""The public functions. `ftjit` itself exports them and nothing else."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from contextlib import suppress
from types import CodeType, FunctionType, MethodType
from typing import Any

from ftjit.errors import CompileError, UnsupportedPython, warn
from ftjit.frontend.bytecode import Bytecode
from ftjit.inspect.explain import Explanation, refused_threads
from ftjit.inspect.explain import explain as _explain
from ftjit.runtime.core import unsupported
from ftjit.runtime.executors import NEVER_STARTS, line_of
from ftjit.runtime.statistics import Stats, collect
from ftjit.runtime.tier import INSTALLED, existing, tier

_WRAPPERS = 100  # one in the other, at most
_MODES = ("auto", "eager", "off")


def enable(mode: str = "auto", **settings: Any) -> None:
    """Tier up whatever gets hot, in the background, from now on. Idempotent.

    mode: "auto"; "eager" compiles every code object from its first run on; "off" is disable(). settings: those of
    `ftjit/config.py` by name (hot_samples=3). They go before the FTJIT_* variables, and are to be given before anything
    of ftjit is used: later a warning is logged, and what it started with holds. Raises UnsupportedPython where ftjit
    cannot run, SettingError for a setting or an FTJIT_* variable that says nothing sensible, ValueError for another
    mode."""
    if mode not in _MODES:
        raise ValueError(f"mode is {mode!r}; it must be one of {', '.join(_MODES)}")
    if mode == "off":
        disable()
    else:
        _warn(tier(settings).switch(mode))


def _warn(missing: str | None) -> None:
    if missing is not None:
        warn("%s", missing)


def disable() -> None:
    """Stop compiling and entering; executors that are running leave at their next poll. Idempotent."""
    runtime = existing()
    if runtime is not None:
        runtime.switch("off")


def code_of(target: Any) -> CodeType:
    """The code object of a function, method, code object, or what wraps one. TypeError for anything else."""
    seen, steps = target, 0
    while not isinstance(seen, CodeType):
        steps += 1
        if steps > _WRAPPERS:
            raise TypeError(f"{target!r} wraps itself: it is not a Python function")
        if isinstance(seen, MethodType):
            seen = seen.__func__
        elif isinstance(seen, FunctionType):
            seen = seen.__code__
        elif isinstance(seen, functools.partial):
            seen = seen.func
        elif hasattr(seen, "__wrapped__"):
            seen = seen.__wrapped__
        elif isinstance(seen, staticmethod | classmethod):
            seen = seen.__func__
        else:
            raise TypeError(f"{target!r} is not a Python function")
    return seen


def jit[F: Callable[..., Any]](function: F) -> F:
    """Decorator: compile this function as soon as it was called a dozen times, hot or not (once ftjit is enabled).
    Where ftjit cannot run the function stays as it is, so that decorated programs run everywhere. TypeError for what is
    not a Python function, SettingError for an FTJIT_* variable that says nothing sensible."""
    code = code_of(function)
    if unsupported() is None:
        with suppress(UnsupportedPython):  # the interpreter is ending
            tier().open_door(code, insist=True)
    return function


def never[F: Callable[..., Any]](function: F) -> F:
    """Decorator: leave this function to the interpreter. Raises as `jit` does."""
    code = code_of(function)
    if unsupported() is not None:
        return function
    try:
        runtime = tier()
    except UnsupportedPython:  # the interpreter is ending
        return function
    record = runtime.record(code)
    record.never = True
    record.refused[Bytecode(code).resume_offset] = ("ftjit.never", 0)
    runtime.close_door(code, record)
    return function


def compile(function: Callable[..., Any], *args: Any, timeout: float = 30.0) -> None:
    """Compile the function now, and wait: it is called with `args`, once at least, until machine code is installed for
    its start or one of its loops. For types other than those it sees first machine code leaves, and is compiled anew
    when that happens often. Enables ftjit if it is off, and raises as `enable` does. CompileError(reason, filename,
    lineno) when the function stays in the interpreter, TypeError for what cannot be called, and whatever the function
    raises."""
    code = code_of(function)
    if not callable(function):
        raise TypeError(f"{function!r} cannot be called: compile needs the function itself")
    runtime = tier()
    if not runtime.enabled:
        _warn(runtime.enable())
    if runtime.over:
        raise CompileError("the interpreter is ending", code.co_filename, code.co_firstlineno)
    if code.co_flags & NEVER_STARTS:
        raise CompileError("a generator's or coroutine's start", code.co_filename, code.co_firstlineno)
    record = runtime.record(code)
    runtime.open_door(code, insist=True)
    function(*args)
    start = Bytecode(code).resume_offset
    deadline = time.monotonic() + timeout
    while not is_compiled(function):
        refused = record.refused.get(start)
        if refused is not None:
            raise CompileError(refused[0], code.co_filename, line_of(code, refused[1]))
        if time.monotonic() > deadline:
            why = f"not compiled within {timeout} s{refused_threads(runtime)}"
            raise CompileError(why, code.co_filename, code.co_firstlineno)
        function(*args)
        time.sleep(0.001)


def is_compiled(function: Callable[..., Any]) -> bool:
    """True when an executor is installed for the function's start or one of its loops. TypeError for what is not a
    Python function."""
    code = code_of(function)
    runtime = existing()
    if runtime is None:
        return False
    record = runtime.known(code)
    if record is None:
        return False
    lib = runtime.core.lib
    return any(lib.slot_entry_state(id(code), offset) == INSTALLED for offset in list(record.installed))


def explain(target: Any) -> Explanation:
    """Why the function is, or is not, compiled: str() for people, .to_dict() for programs, .disassembly(). TypeError
    for what is not a Python function."""
    return _explain(existing(), code_of(target))


def stats() -> Stats:
    """The runtime's counters now; all zero if it never started."""
    return collect(existing())


def drain(timeout: float | None = None) -> bool:
    """Wait until everything retired so far is freed. False when `timeout` seconds pass first, and at once in the hooks
    of a fork: nothing is freed meanwhile."""
    runtime = existing()
    if runtime is None:
        return True
    deadline = None if timeout is None else time.monotonic() + timeout
    while runtime.core.lib.reclaim() != 0:
        if runtime.core.lib.forks_here() or (deadline is not None and time.monotonic() >= deadline):
            return False
        time.sleep(0.0005)
    runtime.core.lib.keepsakes_drop()
    return True
