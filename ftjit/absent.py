"""The public functions where ftjit cannot run at all: each says why. For interpreters too old to read the rest."""

import platform
import sys
import sysconfig
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

from ftjit.errors import CompileError, UnsupportedPython
from ftjit.runtime.counters import Stats

_Function = TypeVar("_Function", bound=Callable[..., Any])

_WHY = (
    "ftjit needs free-threaded CPython 3.14 (python3.14t) on x86-64 Linux; this is "
    f"{platform.python_implementation()} {platform.python_version()}"
)


def main(arguments: Sequence[str]) -> int:
    """`python -m ftjit`: `doctor` and `version` say what was found; all else says why not, on stderr, exit status 2."""
    if list(arguments) in (["version"], ["-V"], ["--version"]):
        from ftjit import __version__

        print(f"ftjit {__version__}, Python {sys.version}")
        return 0
    if list(arguments) == ["doctor"]:
        print(f"Python               {sys.version}".replace("\n", " "))
        print(f"free-threaded build  {'yes' if sysconfig.get_config_var('Py_GIL_DISABLED') else 'no'}")
        print(f"machine              {platform.machine()}, {platform.platform()}")
        print(f"ftjit                cannot run: {_WHY}")
        return 1
    print(f"ftjit: {_WHY}", file=sys.stderr)
    return 2


def enable(mode: str = "auto", **settings: Any) -> NoReturn:
    """Raises UnsupportedPython."""
    raise UnsupportedPython(_WHY)


def compile(function: Callable[..., Any], *args: Any, timeout: float = 30.0) -> NoReturn:
    """Raises UnsupportedPython."""
    raise UnsupportedPython(_WHY)


def explain(target: Any) -> NoReturn:
    """Raises UnsupportedPython."""
    raise UnsupportedPython(_WHY)


def stats() -> Stats:
    """All zero."""
    return Stats()


def disable() -> None:
    """Nothing was ever on."""


def jit(function: _Function) -> _Function:  # noqa: UP047  older Pythons read this
    """The function as it is: decorated programs run here too, in the interpreter."""
    return function


never = jit


def is_compiled(function: Callable[..., Any]) -> bool:
    """Nothing is."""
    return False


def drain(timeout: float | None = None) -> bool:
    """There is nothing to wait for."""
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
    "main",
    "never",
    "stats",
]
