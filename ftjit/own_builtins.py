"""The modules of ftjit keep the builtins of the moment they are imported, whatever the program does to `builtins`.

A test may have `unittest.mock.patch("builtins.len")`, a library may replace `isinstance` for good. The compiler is
Python and runs meanwhile: with their answers it would make wrong machine code. A function takes its builtins from the
`__builtins__` of the module it is made in, so that is set before the module's code runs. (Python functions of the
standard library have the program's: the compiler calls none that matters. `plain.py` has what it needs.)
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_OWN: dict[str, Any] = dict(vars(builtins))


class _Finder:
    """Finds what the standard finder finds below `ftjit`, and sees to it that it runs with our builtins."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not name.startswith("ftjit.") or path is None:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None and hasattr(spec.loader, "get_code"):  # it is Python code
            spec.loader.exec_module = partial(_execute, spec.loader.exec_module)  # type: ignore[method-assign]
        return spec


def _execute(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
    vars(module)["__builtins__"] = _OWN
    execute(module)


@contextmanager
def kept() -> Iterator[None]:
    """Modules of ours that are imported inside keep their builtins."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
