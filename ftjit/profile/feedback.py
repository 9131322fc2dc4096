"""What earlier executors of a code object taught: which bytecodes disappointed, and how. A bytecode is named by its
offset; one in an inlined function by the offsets of the calls that lead there and its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

type Place = tuple[int, ...]


@dataclass
class Feedback:
    """One code object's. `failures`: bytecode -> reason -> how many executors left there often; `mixed`: locals
    whose type at the entry varies; `not_inlined`: calls that could not be inlined, and why; `revisions`: entry offset
    -> how often it was compiled."""

    failures: dict[Place, Counter[str]] = field(default_factory=dict)
    mixed: set[int] = field(default_factory=set)
    not_inlined: dict[int, str] = field(default_factory=dict)
    revisions: Counter[int] = field(default_factory=Counter)

    def note(self, place: Place, reason: str) -> None:
        self.failures.setdefault(place, Counter())[reason] += 1

    def level(self, place: Place) -> int:
        """0: speculate; 1: differently; 2: the general way. That a number was no constant is not counted: that was an
        attempt in between."""
        failures = self.failures.get(place)
        return failures.total() - failures["constant"] if failures else 0

    def is_constant(self, place: Place) -> bool:
        """Whether the number that is read here may be taken for one that does not change."""
        return "constant" not in self.failures.get(place, ())

    def overflowed(self, place: Place) -> bool:
        return "overflow" in self.failures.get(place, ())

    def is_mixed(self, slot: int) -> bool:
        return slot in self.mixed
