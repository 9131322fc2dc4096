"""How the programs in `tests/differential/programs/` say what is to be run.

    @case(warm=(1, 2), then=[(1, 0), (2**62, 2**62)])
    def divide(a, b): ...

    @script
    def a_global_changes(run):
        run.warm(reader, 3)
        ...change the global...
        run.call(reader, 3)

Both are played twice, in a process with ftjit and in one without, and must record the same. A function may
not depend on how often it was called before: warming up takes as long as it takes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from support.outcome import outcome

ROUNDS = 3
REPEATS = 12  # more than FTJIT_RELEARN in these processes: a deopt taken this often has its code compiled anew


@dataclass(frozen=True)
class Case:
    """`hot`: the functions that must run as machine code (if not `machine`: that may)."""

    name: str
    play: Callable[[Run], None]
    hot: tuple[Callable[..., Any], ...]
    machine: bool


CASES: dict[str, list[Case]] = {}


def _register(module: str, new: Case) -> None:
    cases = CASES.setdefault(module, [])
    assert all(other.name != new.name for other in cases), f"two cases are called {new.name}"
    cases.append(new)


@dataclass
class Run:
    """One playing of one case. `heat` gets functions hot and says whether they were compiled."""

    case: Case
    heat: Callable[[Callable[[], None], tuple[Callable[..., Any], ...], bool], bool]
    compiled: bool = True
    recorded: dict[str, list[str]] = field(default_factory=dict)
    steps: int = 0

    def warm(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call it with (copies of) these arguments until it is machine code; every call must do the same."""
        key = self._next(f"warm {function.__name__}")
        hot = (function,) if function in self.case.hot or not self.case.hot else self.case.hot
        self.compiled &= self.heat(lambda: self._record(key, function, arguments), hot, self.case.machine)

    def call(self, function: Callable[..., Any], *arguments: Any, times: int = 1) -> None:
        """Call it `times` times with (copies of) these arguments; every call must do the same."""
        key = self._next(f"call {function.__name__}")
        for _ in range(times):
            self._record(key, function, arguments)

    def _next(self, what: str) -> str:
        self.steps += 1
        return f"step {self.steps}, {what}"

    def _record(self, key: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        found = outcome(function, copy.deepcopy(arguments))
        known = self.recorded.setdefault(key, [])
        if found not in known:
            known.append(found)


def case[F: Callable[..., Any]](
    warm: tuple[Any, ...],
    then: Sequence[tuple[Any, ...]] = (),
    hot: Sequence[Callable[..., Any]] = (),
    machine: bool = True,
) -> Callable[[F], F]:
    """Get the function hot on `warm`, then call it with each of `then`, in rounds."""

    def register(function: F) -> F:
        def play(run: Run) -> None:
            run.warm(function, *warm)
            for number in range(ROUNDS):
                for arguments in then:
                    run.call(function, *arguments, times=REPEATS if number else 1)
                run.warm(function, *warm)

        _register(function.__module__, Case(function.__name__, play, tuple(hot) or (function,), machine))
        return function

    return register


def script(
    hot: Sequence[Callable[..., Any]] = (), machine: bool = True
) -> Callable[[Callable[[Run], None]], Callable[[Run], None]]:
    """A case that is played by hand."""

    def register(play: Callable[[Run], None]) -> Callable[[Run], None]:
        _register(play.__module__, Case(play.__name__, play, tuple(hot), machine))
        return play

    return register
