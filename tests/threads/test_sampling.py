"""The sampler gets answers where threads are many."""

from __future__ import annotations

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
