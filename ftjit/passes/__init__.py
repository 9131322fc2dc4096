"""Optimisations, one per file, and the one list that orders them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ftjit.ir import Function
from ftjit.passes import constants, dead_code, loop_depths, numbers_of_items, parameters, threading_jumps

PASSES: Final[dict[str, Callable[[Function], None]]] = {
    "parameters": parameters.run,
    "constants": constants.run,
    "dead_code": dead_code.run,
    "threading_jumps": threading_jumps.run,
    "numbers_of_items": numbers_of_items.run,
    "parameters_again": parameters.run,
    "loop_depths": loop_depths.run,
}


def run(
    function: Function, off: frozenset[str] = frozenset(), after: Callable[[str, Function], None] | None = None
) -> None:
    """Every pass but those named in `off`; `after` sees the function after each (to verify, or to print it)."""
    for name, run_pass in PASSES.items():
        if name not in off:
            run_pass(function)
            if after is not None:
                after(name, function)
