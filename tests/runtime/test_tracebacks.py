"""An exception raised in compiled code has the interpreter's traceback, lines, columns and locals included.

Each program is called until machine code runs it; then its outcome is compared with what the interpreter made of the
same call before ftjit was enabled.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import Any

from failing import PROGRAMS
from fresh_process import fresh_process
from machine import switch_on, wait_until

import ftjit


def shown(value: Any) -> Any:
    return (
        value
        if isinstance(value, int | float | str | tuple)
        else repr(value)
        if isinstance(value, list)
        else type(value)
    )


def traceback_of(error: BaseException) -> list[Any]:
    """Function, line, instruction, columns and locals of each entry below the call itself; runs are folded."""
    found: list[Any] = []
    entry = error.__traceback__.tb_next if error.__traceback__ else None
    while entry is not None:
        code = entry.tb_frame.f_code
        positions = list(code.co_positions())[entry.tb_lasti // 2]
        values = {name: shown(value) for name, value in entry.tb_frame.f_locals.items() if name != "log"}
        if code.co_name == "recursion":
            values = {}
        row = (code.co_name, entry.tb_lineno, positions, values)
        if not found or found[-1] != row:
            found.append(row)
        entry = entry.tb_next
    return found


def outcome(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """What a call gives or raises, with its whole chain of tracebacks, and what it did to its arguments."""
    try:
        result: Any = ("returned", function(*arguments))
    except BaseException as error:
        chain = []
        link: BaseException | None = error
        while link is not None:
            chain.append((type(link).__name__, str(link), traceback_of(link)))
            link = link.__cause__ or link.__context__
        result = ("raised", chain)
    return result, [shown(argument) for argument in arguments]


def quietly(function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    with contextlib.suppress(Exception):
        function(*arguments)


@fresh_process(seconds=60, cases=list(PROGRAMS))
def test_traceback(case: str) -> None:
    """Compared while cold, while hot from good calls, and again once the failing path is known too."""
    function, good, failing = PROGRAMS[case]
    sys.setrecursionlimit(600)
    expected_good, expected = outcome(function, good()), outcome(function, failing())
    switch_on()
    ftjit.jit(function)
    first = outcome(function, failing())
    assert first == expected, (first, expected)
    wait_until(
        lambda: quietly(function, good()) or ftjit.is_compiled(function),
        10,
        f"compiled: {ftjit.explain(function)}",
    )
    before = ftjit.stats().entries
    for turn in range(300):  # long enough to be compiled anew with what was learnt
        result = outcome(function, failing())
        assert result == expected, (turn, result, expected)
        if turn < 5:
            assert outcome(function, good()) == expected_good
    assert outcome(function, good()) == expected_good
    assert ftjit.stats().entries > before + 5, ftjit.explain(function)
