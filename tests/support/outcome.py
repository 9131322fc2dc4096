"""What a call did, as text to compare runs by: result and types, or exception, traceback and locals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

_SUPPORT = str(Path(__file__).resolve().parent)
_DEPTH = 6


def describe(value: Any, depth: int = 0) -> str:
    """The value with the exact type of every part, without addresses. NaNs are all alike, -0.0 is not 0.0."""
    kind = type(value)
    name = kind.__name__
    if depth > _DEPTH:
        return f"{name}:..."
    if kind is float:
        return "float:nan" if math.isnan(value) else f"float:{value.hex()}"
    if kind is int:
        return f"int:{value if abs(value) < 10**40 else hex(value)}"
    if kind in (bool, str, bytes, type(None), range, slice, complex):
        return f"{name}:{value!r}"
    if kind in (list, tuple, set, frozenset):
        parts = [describe(item, depth + 1) for item in value]
        return f"{name}({', '.join(sorted(parts) if kind in (set, frozenset) else parts)})"
    if kind is dict:
        pairs = (f"{describe(k, depth + 1)}={describe(v, depth + 1)}" for k, v in value.items())
        return f"dict({', '.join(pairs)})"
    if isinstance(value, BaseException):
        return f"{name}!{describe(value.args, depth + 1)}"
    if callable(value) or isinstance(value, ModuleType):
        return f"{name}:{getattr(value, '__qualname__', '') or getattr(value, '__name__', '')}"
    return f"{name}{{{', '.join(f'{k}={describe(v, depth + 1)}' for k, v in _fields(value))}}}"


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    slots = {slot for base in type(value).__mro__ for slot in getattr(base, "__slots__", ())}
    for slot in sorted(slots - {"__dict__", "__weakref__"}):
        yield slot, getattr(value, slot, "(unset)")
    yield from sorted(getattr(value, "__dict__", {}).items())


def _frames(traceback: TracebackType | None) -> Iterator[str]:
    """Function, line, column and locals of each frame of the program's own."""
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not code.co_filename.startswith(_SUPPORT):
            position = list(code.co_positions())[traceback.tb_lasti // 2]
            names = ", ".join(f"{k}={describe(v, 2)}" for k, v in sorted(traceback.tb_frame.f_locals.items()))
            yield f"  in {code.co_name}, line {traceback.tb_lineno}, columns {position[2:]}, with {names}"
        traceback = traceback.tb_next


def describe_exception(error: BaseException | None, depth: int = 0) -> str:
    """Type, message, traceback and the chain of causes."""
    if error is None or depth > 3:
        return ""
    lines = [f"{type(error).__name__}: {error}", *_frames(error.__traceback__)]
    for label in ("__cause__", "__context__"):
        other = getattr(error, label)
        if other is not None:
            lines.append(f"{label} {describe_exception(other, depth + 1)}")
    return "\n".join(lines)


def outcome(function: Callable[..., Any], arguments: tuple[Any, ...]) -> str:
    """Call it: what it returned or raised, and what the arguments look like afterwards."""
    try:
        text = f"returned {describe(function(*arguments))}"
    except Exception as error:
        text = f"raised {describe_exception(error)}"
    return f"{text}\narguments {describe(arguments)}"
