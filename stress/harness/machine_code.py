"""All that the harness asks of ftjit, in one place; the interpreter answers the same questions."""

from __future__ import annotations

import gc
import importlib
import pkgutil
import sys
import time
from collections.abc import Callable
from types import FunctionType
from typing import Any, Protocol

from .scenario import Tier

COUNTERS = ("installed", "swapped", "retired", "retired_inside", "freed", "advances", "samples", "snapshots", "unwinds")
NO_GUESS = ("return", "poll", "status", "light", "uncompiled")  # exits for which nothing was guessed wrong
DRAIN_SECONDS = 10.0
AMBUSH = 0.05  # seconds


class Machine(Protocol):
    """What runs the actors."""

    compiles: bool

    def prepare(self, function: Callable[..., Any], tier: Tier) -> None: ...
    def ready(self, function: Callable[..., Any]) -> bool: ...
    def why_not(self, function: Callable[..., Any]) -> str: ...
    def mine(self) -> tuple[int, int]: ...
    def counters(self) -> dict[str, int]: ...
    def guards_failed(self, function: Callable[..., Any]) -> dict[str, int]: ...
    def finish(self) -> dict[str, Any]: ...


class Interpreter:
    """Nothing is compiled, nothing is counted, ftjit is not imported."""

    compiles = False

    def prepare(self, function: Callable[..., Any], tier: Tier) -> None: ...

    def ready(self, function: Callable[..., Any]) -> bool:
        return True

    def why_not(self, function: Callable[..., Any]) -> str:
        return ""

    def mine(self) -> tuple[int, int]:
        return 0, 0

    def counters(self) -> dict[str, int]:
        return {}

    def guards_failed(self, function: Callable[..., Any]) -> dict[str, int]:
        return {}

    def finish(self) -> dict[str, Any]:
        return {}


class Compiled:
    """ftjit in auto or eager mode. Raises ftjit.UnsupportedPython where it cannot run."""

    compiles = True

    def __init__(self, eager: bool = False) -> None:
        import ftjit
        from ftjit.runtime.tier import tier

        self.ftjit = ftjit
        self.mode = "eager" if eager else "auto"
        self.tier = tier()
        self.core = self.tier.core
        self.enable()
        for package in ("harness", "nemeses"):
            for function in functions_of(package):
                ftjit.never(function)

    # ---- asking -----------------------------------------------------------------------------------------------

    def ready(self, function: Callable[..., Any]) -> bool:
        return self.ftjit.is_compiled(function)

    def why_not(self, function: Callable[..., Any]) -> str:
        return str(self.ftjit.explain(function))

    def mine(self) -> tuple[int, int]:
        """(entries, deopts) of the calling thread since it first came."""
        three = self.core.ffi.new("uint64_t[3]")
        self.core.lib.epoch_mine(three, three + 1, three + 2)
        return int(three[0]), int(three[2])

    def counters(self) -> dict[str, int]:
        """COUNTERS, entries and exits, which only grow; `limbo_*`, which does not."""
        entries, exits, _ = self.core.totals()
        known = {name: self.core.counter(name) for name in (*COUNTERS, "limbo_executors", "limbo_bytes")}
        return known | {"entries": entries, "exits": exits}

    def guards_failed(self, function: Callable[..., Any]) -> dict[str, int]:
        """Exits because a guess was wrong, by reason, of the executors that the function has now."""
        found: dict[str, int] = {}
        code = function.__code__
        record = self.tier.known(code)
        if record is None:
            return found
        for offset in list(record.installed):
            for exit, taken in self.tier.exit_counts(code, record, offset):
                if taken and exit.reason not in NO_GUESS:
                    found[exit.reason] = found.get(exit.reason, 0) + taken
        return found

    # ---- doing ------------------------------------------------------------------------------------------------

    def enable(self) -> None:
        self.ftjit.enable(self.mode)

    def disable(self) -> None:
        self.ftjit.disable()

    def prepare(self, function: Callable[..., Any], tier: Tier) -> None:
        """Send the function to its tier: it is there at the latest when `ready` says so."""
        if tier is Tier.INTERPRETER:
            self.ftjit.never(function)
        else:
            self.ftjit.jit(function)

    def retire(self, function: Callable[..., Any]) -> None:
        """Take its executors away, at a moment when a thread is inside if there is one within AMBUSH; the next thread
        through the door has new ones made."""
        self._forget_revisions(function)
        self.core.lib.slot_clear_inside(id(function.__code__), 0, AMBUSH)

    def renew(self, function: Callable[..., Any]) -> None:
        """Have new executors made; they are swapped in for the old ones, which run until then."""
        self._forget_revisions(function)
        record = self.tier.known(function.__code__)
        for offset in list(record.installed) if record is not None else []:
            self.core.lib.slot_set_entry_state(id(function.__code__), offset, 0)

    def _forget_revisions(self, function: Callable[..., Any]) -> None:
        """An entry is compiled a few times and then no more: start counting anew, or a storm would soon be over."""
        record = self.tier.known(function.__code__)
        if record is not None:
            record.feedback.revisions.clear()

    def finish(self) -> dict[str, Any]:
        """Switch off, wait until everything retired is freed, and say what is left."""
        deadline = time.monotonic() + 5
        while not self.tier.is_idle() and time.monotonic() < deadline:
            time.sleep(0.003)
        self.disable()
        gc.collect()
        drained = self.ftjit.drain(DRAIN_SECONDS)
        stats = self.ftjit.stats()
        return {
            "drained": drained,
            "retired_in_all": stats.executors_retired,
            "freed_in_all": stats.executors_freed,
            "freed_ages": stats.freed_ages,
            "limbo_executors": stats.limbo_executors,
            "limbo_bytes": stats.limbo_bytes,
            "compile_errors": stats.compile_errors,
            "compile_seconds": stats.compile_seconds,
            "world_stops": stats.world_stops,
            "asymmetric_barrier": stats.asymmetric_barrier,
        }


def functions_of(package: str) -> list[FunctionType]:
    """Every function and method in the modules of one of our packages: what judges is never compiled."""
    root = __name__.rpartition(".harness")[0]
    found: list[FunctionType] = []
    folder = importlib.import_module(f"{root}.{package}")
    for module in pkgutil.iter_modules(folder.__path__):
        name = f"{folder.__name__}.{module.name}"
        importlib.import_module(name)
        for value in list(vars(sys.modules[name]).values()):
            members = list(vars(value).values()) if isinstance(value, type) else [value]
            found += [member for member in members if isinstance(member, FunctionType)]
    return [function for function in found if function.__module__.startswith(root)]


def machine(mode: str) -> Machine:
    """What a mode runs on."""
    return Interpreter() if mode == "interpreter" else Compiled(eager=mode == "eager")
