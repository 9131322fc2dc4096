"""ftjit: machine code for ordinary Python on stock free-threaded CPython, while many threads run it.

    import ftjit
    ftjit.enable()

Importing changes nothing (with FTJIT=1 in the environment it enables); `enable()` starts tiering up whatever gets hot.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ftjit import own_builtins

with own_builtins.kept():
    from ftjit.errors import CompileError, SettingError, UnsupportedPython
    from ftjit.errors import warn as _warn
    from ftjit.runtime.counters import Stats

    if TYPE_CHECKING or sys.version_info >= (3, 14):
        from ftjit.api import compile, disable, drain, enable, explain, is_compiled, jit, never, stats
    else:
        from ftjit.absent import compile, disable, drain, enable, explain, is_compiled, jit, never, stats

__version__ = "0.1.0"
__all__ = [
    "CompileError",
    "SettingError",
    "Stats",
    "UnsupportedPython",
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

_asked = os.environ.get("FTJIT", "").strip().lower()
if _asked not in ("", "0", "no", "off", "false", "1", "yes", "on", "true"):
    _warn("FTJIT=%s is neither yes nor no: ftjit stays off; FTJIT=1 enables it", _asked)
elif _asked in ("1", "yes", "on", "true"):
    try:
        enable()
    except (UnsupportedPython, SettingError) as why:  # importing always works; the program runs, in the interpreter
        _warn("FTJIT=1: %s", why)
