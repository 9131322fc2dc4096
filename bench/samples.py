"""What goes into one measuring process and what comes out of it, as plain data."""

from dataclasses import asdict, dataclass, field
from typing import Any

MODES = ("interpreter", "ftjit", "eager")
COMPILED_MODES = ("ftjit", "eager")


@dataclass(frozen=True)
class Request:
    """One process: run ``program`` at ``size`` in ``threads`` threads at once, in one of ``MODES``.

    It warms up until steady but not longer than ``warm_up_seconds``, then does ``repeats`` timed repeats. On
    a machine too slow or too busy for that within ``allowance_seconds`` (None: no limit) it does fewer of
    both, but at least one.
    """

    program: str
    mode: str
    threads: int
    size: int
    repeats: int
    warm_up_seconds: float
    allowance_seconds: float | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Sample:
    """What one process measured. All times in seconds.

    ``first_seconds`` is the very first run, ``warm_up`` all runs before the timed ones (the first included),
    and ``seconds`` the timed repeats, each the wall time from the first thread's start to the last one's end.
    ``counters`` is ``ftjit.stats().to_dict()`` at the end, or None for the interpreter. ``failure`` is one
    line saying why there are no numbers, or None.
    """

    request: Request
    first_seconds: float = 0.0
    warm_up: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    steady: bool = False
    checksums: list[str] = field(default_factory=list)
    counters: dict[str, Any] | None = None
    failure: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def entries(self) -> int:
        """How often machine code was entered; 0 for the interpreter."""
        return int((self.counters or {}).get("entries", 0))
