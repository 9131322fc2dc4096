"""What ftjit raises at its users."""

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
