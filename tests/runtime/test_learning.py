"""What exits teach: one place after the other turns out to be wrong, and in the end machine code stays inside."""

from __future__ import annotations

from fresh_process import fresh_process
from machine import switch_on, wait_idle, wait_until

import ftjit
from ftjit.profile.feedback import FAILED_ATTEMPTS, Feedback
from ftjit.runtime.tier import tier

PLACES = 9


class Record:
    def __init__(self) -> None:
        self.a = self.b = self.c = self.d = self.e = self.f = self.g = self.h = self.i = 1


def choose(record: Record, turns: int, which: int) -> float:
    """Each place has a guess of its own, of an int."""
    total = 0
    for _ in range(turns):
        if which == 0:
            total = record.a * 3 + 1
        elif which == 1:
            total = record.b * 3 + 2
        elif which == 2:
            total = record.c * 3 + 3
        elif which == 3:
            total = record.d * 3 + 4
        elif which == 4:
            total = record.e * 3 + 5
        elif which == 5:
            total = record.f * 3 + 6
        elif which == 6:
            total = record.g * 3 + 7
        elif which == 7:
            total = record.h * 3 + 8
        else:
            total = record.i * 3 + 9
    return total


def left() -> int:
    return sum(ftjit.stats().deopts.values())


@fresh_process(seconds=90)
def test_more_places_are_wrong_than_there_are_revisions() -> None:
    switch_on()
    record = Record()
    revisions = tier().config.revisions
    assert revisions < PLACES
    for which in range(PLACES):  # in the interpreter's eyes all are ints
        choose(record, 50, which)
    ftjit.jit(choose)
    wait_until(lambda: (choose(record, 200, 0), ftjit.is_compiled(choose))[1], 10)

    def stays(which: int) -> bool:
        """Twenty calls of a thousand turns, hardly any of which leaves."""
        for _ in range(20):
            assert choose(record, 1000, which) == 1.5 + which + 1
        wait_idle()
        before = left()
        for _ in range(20):
            choose(record, 1000, which)
        return left() - before < 100

    for which, name in enumerate("abcdefghi"):
        setattr(record, name, 0.5)
        wait_until(lambda w=which: stays(w), 20, f"place {which}: {ftjit.explain(choose)}")  # type: ignore[misc]
    assert ftjit.is_compiled(choose)
    assert max(tier().record(choose.__code__).feedback.revisions.values()) > revisions
    assert ftjit.stats().compile_errors == 0


def test_a_guess_that_failed_in_many_places_is_not_tried_in_another() -> None:
    feedback = Feedback()
    for place in range(FAILED_ATTEMPTS):
        assert feedback.may_be("constant", (place,))
        feedback.note((place,), "constant")
        assert not feedback.may_be("constant", (place,))
    assert not feedback.may_be("constant", (100,))
    assert feedback.may_be("rebound", (100,))
