"""The public functions where ftjit cannot run at all: each says why. For interpreters too old to read the rest."""

import platform

from ftjit.errors import CompileError, UnsupportedPython
from ftjit.runtime.counters import Stats

_WHY = (
    "ftjit needs free-threaded CPython 3.14 (python3.14t) on x86-64 Linux; this is "
    f"{platform.python_implementation()} {platform.python_version()}"
)


def enable(mode="auto"):
    raise UnsupportedPython(_WHY)


def compile(function, *args, timeout=30.0):
    raise UnsupportedPython(_WHY)


def explain(target):
    raise UnsupportedPython(_WHY)


def stats():
    return Stats()


def disable():
    """Nothing was ever on."""


def jit(function):
    """The function as it is: decorated programs run here too, in the interpreter."""
    return function


never = jit


def is_compiled(function):
    return False


def drain(timeout=None):
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
