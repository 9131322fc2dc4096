"""Forked children: waiting for one, and whose fault it is if it does not end.

CPython hands a mutex to the thread that has waited for it for a millisecond. A fork stops the world between the two: if
that thread has not gone on yet, the child, which has one thread, finds the mutex locked for ever. Stock interpreters do
so when threads share a dict or a code object that the child needs as well (docs/stress.md has a program). Such a child
is no finding about ftjit, provided that none of ftjit's code is on its stack.

Imported before anything that imports `threading`: hooks run in the order in which they were registered, and a child
can wait in that of `threading` already.
"""

from __future__ import annotations

import faulthandler
import fcntl
import os
import signal
import time
from collections.abc import Callable
from functools import partial

PATIENCE = 10.0  # seconds for a child
LOST = "a forked child waits for a mutex that the interpreter gave to a thread of the parent"
_MUTEX = "PyMutex_Lock"  # as builds name the function: PyMutex_Lock, or _PyMutex_LockTimed

_stacks = os.memfd_create("stacks of forked children")
fcntl.fcntl(_stacks, fcntl.F_SETFL, os.O_APPEND)
# C alone: a child may wait as soon as it runs bytecode.
os.register_at_fork(after_in_child=partial(faulthandler.enable, _stacks, False))


def forked(work: Callable[[int], object], expected: object, limit: int, patience: float = PATIENCE) -> str:
    """Fork, call work(limit) in the child, wait for it. What was wrong, or nothing; LOST if it was the interpreter."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if work(limit) == expected else 3
        finally:
            os._exit(status)
    deadline = time.monotonic() + patience
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > deadline:
            stack = ended(child)
            return (
                LOST if is_the_interpreters(stack) else f"a forked child did not end within {patience:.0f} s\n{stack}"
            )
        time.sleep(0.001)
    code = os.waitstatus_to_exitcode(status)
    return {0: "", 3: "a forked child computed something else"}.get(code, f"a forked child ended with {code}")


def ended(child: int) -> str:
    """End it; where it was: its stack in Python and in C."""
    start = os.fstat(_stacks).st_size
    os.kill(child, signal.SIGABRT)
    os.waitpid(child, 0)
    return os.pread(_stacks, os.fstat(_stacks).st_size - start, start).decode(errors="replace")


def is_the_interpreters(stack: str) -> bool:
    """Does it wait for a mutex, with none of ftjit's code below?"""
    import importlib.util  # which imports `threading`

    ftjit = importlib.util.find_spec("ftjit")
    ours = os.path.dirname(ftjit.origin) + os.sep if ftjit is not None and ftjit.origin else ""
    return _MUTEX in stack and not (ours and ours in stack)
