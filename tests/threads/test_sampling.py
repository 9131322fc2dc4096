"""The sampler asks by pending calls: it gets answers where threads are many, and it is in nobody's way."""

from __future__ import annotations

import ctypes
import sys
import time
from typing import Any

from fresh_process import fresh_process
from machine import join, start_thread, switch_on, wait_until

import ftjit


class Flag:
    def __init__(self) -> None:
        self.done = False


def busy(flag: Any) -> None:
    """Work that is never hot: a new code object each time."""
    turn = 0
    while not flag.done:
        turn += 1
        space: dict[str, Any] = {}
        exec(f"def f(n):\n    t = 0\n    for i in range(n):\n        t += i & {turn & 255}\n    return t\n", space)
        space["f"](3000)


@fresh_process(seconds=60)
def test_many_threads_are_sampled() -> None:
    """M4: a question to all threads at once gets an answer or two a second from so many; one in turn gets many more."""
    switch_on()
    ftjit.never(busy)
    flag = Flag()
    threads = [start_thread(busy, flag) for _ in range(32)]
    before = ftjit.stats().samples
    wait_until(lambda: ftjit.stats().samples - before >= 150, 20, f"sampled: {ftjit.stats()}")
    flag.done = True
    join(*threads, seconds=20)


@fresh_process(environment={"FTJIT_TICK_US": "50"}, seconds=60)
def test_pending_calls_of_others_arrive() -> None:
    """M6: CPython 3.14 can strand a pending call of the main thread that comes while another thread is answering."""
    switch_on()
    ftjit.never(busy)
    flag = Flag()
    threads = [start_thread(busy, flag) for _ in range(3)]
    arrived = [0]
    kind = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p)

    def count(_: Any) -> int:
        arrived[0] += 1
        return 0

    callback = kind(count)
    add = ctypes.pythonapi.Py_AddPendingCall
    add.argtypes = [kind, ctypes.c_void_p]

    def send() -> None:
        for _ in range(400):
            while add(callback, None) != 0:
                time.sleep(0)
            time.sleep(0.0005)

    sender = start_thread(send)
    until = time.monotonic() + 30
    while (sender.is_alive() or arrived[0] < 400) and time.monotonic() < until:
        sys.getrecursionlimit()  # a call, where the main thread looks for what is pending
    assert arrived[0] == 400
    assert ftjit.stats().samples > 50
    flag.done = True
    join(sender, *threads, seconds=20)
