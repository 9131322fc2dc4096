"""The public functions where ftjit cannot run at all: each says why. For interpreters too old to read the rest."""

import platform
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from ftjit.errors import CompileError, UnsupportedPython
from ftjit.runtime.counters import Stats

_Function = TypeVar("_Function", bound=Callable[..., Any])

_WHY = (
    "ftjit needs free-threaded CPython 3.14 (python3.14t) on x86-64 Linux; this is "
    f"{platform.python_implementation()} {platform.python_version()}"
)


def enable(mode: str = "auto") -> NoReturn:
    raise UnsupportedPython(_WHY)


def compile(function: Callable[..., Any], *args: Any, timeout: float = 30.0) -> NoReturn:
    raise UnsupportedPython(_WHY)


def explain(target: Any) -> NoReturn:
    raise UnsupportedPython(_WHY)


def stats() -> Stats:
    return Stats()


def disable() -> None:
    """Nothing was ever on."""


def jit(function: _Function) -> _Function:  # noqa: UP047  older Pythons read this
    """The function as it is: decorated programs run here too, in the interpreter."""
    return function


never = jit


def is_compiled(function: Callable[..., Any]) -> bool:
    return False


def drain(timeout: float | None = None) -> bool:
    return True


__all__ = [
    "CompileError",
    "Stats",
    "compile",
    "disable",
    "drain",
    "enable",
    "explain",
    "is_compiled",
    "jit",
    "never",
    "stats",
]
