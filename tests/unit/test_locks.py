"""The lock of the Python side: taken and given back, whatever a signal handler raises in between."""

from __future__ import annotations

import _thread
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from ftjit.runtime.locks import Lock


class Interrupted(Exception):
    pass


def times_lost(make: Callable[[], Any], seconds: float) -> tuple[int, int]:
    """(How often the lock stayed taken, interruptions) while a signal handler raises in its midst again and again."""
    armed, lock, lost, interrupted = False, make(), 0, 0

    def handler(number: int, frame: FrameType | None) -> None:
        nonlocal armed
        if armed:
            armed = False  # not a second time on the way out
            raise Interrupted

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            try:
                armed = True
                while True:
                    with lock:
                        pass
            except Interrupted:
                interrupted += 1
                while lock._is_owned():
                    lost += 1
                    lock.release()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return lost, interrupted


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals come to the main thread")
def test_an_interruption_does_not_leave_it_taken() -> None:
    lost, interrupted = times_lost(_thread.RLock, 1)
    assert interrupted > 20
    assert lost, "the interpreter's own is not lost any more: ours is not needed"
    lost, interrupted = times_lost(Lock, 1)
    assert interrupted > 20
    assert lost == 0


def test_it_keeps_others_out_and_lets_its_holder_in() -> None:
    lock, order = Lock(), []
    with lock, lock:
        thread = threading.Thread(target=lambda: (lock.acquire(), order.append("other"), lock.release()))
        thread.start()
        time.sleep(0.05)
        order.append("holder")
    thread.join(5)
    assert order == ["holder", "other"]
    assert not lock.locked()
