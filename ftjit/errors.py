"""What ftjit raises at its users, and what it only says."""

from __future__ import annotations


class UnsupportedPython(RuntimeError):
    """This interpreter or platform cannot run ftjit; the message says what is needed."""


class CompileError(Exception):
    """A function that `compile` was asked for stays in the interpreter. `reason`, and where: `filename`, `lineno`."""

    def __init__(self, reason: str, filename: str, lineno: int) -> None:
        super().__init__(f"{filename}:{lineno}: {reason}")
        self.reason = reason
        self.filename = filename
        self.lineno = lineno


class SettingError(ValueError):
    """An FTJIT_* variable has a value that does not parse; the message names it."""


def warn(message: str, *arguments: object) -> None:
    """Through the logger "ftjit". (`logging` takes a tenth of the time of importing ftjit, and most never need it.)"""
    import logging

    logging.getLogger("ftjit").warning(message, *arguments)
