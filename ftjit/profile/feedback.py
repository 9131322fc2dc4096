"""What earlier executors of a code object taught: which bytecodes disappointed, and how."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Feedback:
    """One code object's. `failures`: bytecode offset -> reason -> how many executors left there often; `mixed`: locals
    whose type at the entry varies; `not_inlined`: calls that could not be inlined, and why; `revisions`: entry offset
    -> how often it was compiled."""

    failures: dict[int, Counter[str]] = field(default_factory=dict)
    mixed: set[int] = field(default_factory=set)
    not_inlined: dict[int, str] = field(default_factory=dict)
    revisions: Counter[int] = field(default_factory=Counter)

    def note(self, offset: int, reason: str) -> None:
        self.failures.setdefault(offset, Counter())[reason] += 1

    def level(self, offset: int) -> int:
        """0: speculate; 1: differently; 2: the general way."""
        return self.failures[offset].total() if offset in self.failures else 0

    def overflowed(self, offset: int) -> bool:
        return "overflow" in self.failures.get(offset, ())

    def is_mixed(self, slot: int) -> bool:
        return slot in self.mixed
