"""What earlier executors of a code object taught: which bytecodes disappointed, and how. A bytecode is named by its
offset; one in an inlined function by the offsets of the calls that lead there and its own."""

from __future__ import annotations

from dataclasses import dataclass, field

from ftjit.plain import Counts

type Place = tuple[int, ...]

# Reasons of exits: a number that is taken for a constant has changed; a global that is held was bound anew.
ATTEMPTS = ("constant", "rebound")
FAILED_ATTEMPTS = 3


@dataclass
class Feedback:
    """One code object's. `failures`: bytecode -> reason -> how many executors left there often; `mixed`: locals
    whose type at the entry varies; `not_inlined`: calls that could not be inlined, and why; `not_held`: globals not
    worth holding from one turn of a loop to the next; `revisions`: entry offset -> how often it was compiled."""

    failures: dict[Place, Counts[str]] = field(default_factory=dict)
    mixed: set[int] = field(default_factory=set)
    not_inlined: dict[int, str] = field(default_factory=dict)
    not_held: set[Place] = field(default_factory=set)
    revisions: Counts[int] = field(default_factory=Counts)

    def note(self, place: Place, reason: str) -> None:
        self.failures.setdefault(place, Counts())[reason] += 1

    def level(self, place: Place) -> int:
        """0: speculate; 1: differently; 2: the general way. ATTEMPTS lie between 0 and 1."""
        failures = self.failures.get(place)
        return sum(failures.values()) - sum(failures[reason] for reason in ATTEMPTS) if failures else 0

    def may_be(self, attempt: str, place: Place) -> bool:
        """Whether one of the ATTEMPTS has not failed here, nor in so many places that it is hopeless."""
        failed = [each for each, reasons in self.failures.items() if attempt in reasons]
        return place not in failed and len(failed) < FAILED_ATTEMPTS

    def overflowed(self, place: Place) -> bool:
        return "overflow" in self.failures.get(place, ())

    def is_mixed(self, slot: int) -> bool:
        return slot in self.mixed
