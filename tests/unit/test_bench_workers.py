"""The threads that are timed really run at once, and nothing they do wrong is lost."""

import threading
import time

import pytest
from ftjit_bench.workers import Workers


def test_all_threads_are_in_the_call_at_once():
    meeting = threading.Barrier(4)

    def call():
        meeting.wait(10)  # times out, and fails, unless all four get here
        return threading.get_ident()

    with Workers(call, 4) as workers:
        first, second = workers.turn(), workers.turn()
    assert len(set(first.checksums)) == 4
    assert first.checksums == second.checksums  # the same threads again


def test_a_turn_lasts_from_the_first_start_to_the_last_end():
    naps = iter([0.05, 0.2])

    def call():
        time.sleep(next(naps))
        return 0

    with Workers(call, 2) as workers:
        turn = workers.turn()
    assert 0.2 <= turn.seconds < 2.0
    assert turn.cpu_seconds < turn.seconds


def test_what_a_thread_raises_comes_out():
    def call():
        raise LookupError("lost")

    with Workers(call, 2) as workers, pytest.raises(LookupError, match="lost"):
        workers.turn()
    assert not any(thread.is_alive() for thread in workers._threads)
