"""Why is this function compiled, or not? Entries, exits and how often they are taken, with source lines."""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from types import CodeType
from typing import Any

from ftjit.inspect.disassembly import disassemble
from ftjit.runtime.executors import CodeRecord, Installed, line_of
from ftjit.runtime.tier import INSTALLED, Tier


@dataclass(frozen=True, slots=True)
class Leaving:
    """One way out: `line` of source, `reason`, `detail`, and how often it was taken."""

    line: int
    reason: str
    detail: str
    taken: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A function's start or a loop that was considered. `compiled` now; `reason` why not, or what limits it."""

    kind: str
    line: int
    compiled: bool
    reason: str
    code_bytes: int
    exits: tuple[Leaving, ...]
    uncompiled: tuple[tuple[int, str], ...]
    inlined: tuple[str, ...]  # each "qualified name (file:line)"


class Explanation:
    """What ftjit did with one code object, and why."""

    def __init__(
        self, code: CodeType, state: str, entries: list[Entry], not_inlined: dict[int, str], installed: list[Installed]
    ):
        self.code = code
        self.state = state
        self.entries = entries
        self.not_inlined = not_inlined
        self._installed = installed

    @property
    def compiled(self) -> bool:
        return any(entry.compiled for entry in self.entries)

    def to_dict(self) -> dict[str, Any]:
        return {
            "function": self.code.co_qualname,
            "filename": self.code.co_filename,
            "lineno": self.code.co_firstlineno,
            "compiled": self.compiled,
            "state": self.state,
            "not_inlined": {line_of(self.code, offset): why for offset, why in self.not_inlined.items()},
            "entries": [
                {
                    "kind": entry.kind, "line": entry.line, "compiled": entry.compiled, "reason": entry.reason,
                    "code_bytes": entry.code_bytes,
                    "exits": [
                        {"line": e.line, "reason": e.reason, "detail": e.detail, "taken": e.taken} for e in entry.exits
                    ],
                    "uncompiled": [{"line": line, "what": what} for line, what in entry.uncompiled],
                    "inlined": list(entry.inlined),
                }
                for entry in self.entries
            ],
        }  # fmt: skip

    def __str__(self) -> str:
        code = self.code
        lines = [f"{code.co_qualname} ({code.co_filename}:{code.co_firstlineno}): {self.state}"]
        for entry in self.entries:
            what = f"compiled, {entry.code_bytes} bytes" if entry.compiled else "not compiled"
            what += f": {entry.reason}" if entry.reason else ""
            lines.append(f"  {entry.kind} at line {entry.line}: {what}")
            lines += [f"    inlined: {each}" for each in entry.inlined]
            lines += [f"    line {line} goes to the interpreter: {what}" for line, what in entry.uncompiled]
            for exit in entry.exits:
                detail = f" ({exit.detail})" if exit.detail else ""
                source = linecache.getline(code.co_filename, exit.line).strip()
                lines.append(
                    f"    left {exit.taken:,} times at line {exit.line}: {exit.reason}{detail}   {source}".rstrip()
                )
        lines += [
            f"  call at line {line_of(code, offset)} not inlined: {why}" for offset, why in self.not_inlined.items()
        ]
        return "\n".join(lines)

    __repr__ = __str__

    def disassembly(self, ir: bool = False) -> str:
        """Source lines, bytecode and instructions of everything installed, interleaved; `ir` puts the IR before."""
        if not self._installed:
            return f"{self.code.co_qualname}: nothing is installed\n"
        return "\n".join(disassemble(self.code, installed, ir) for installed in self._installed)


def _entry(tier: Tier, code: CodeType, record: CodeRecord, offset: int) -> Entry:
    installed = record.installed.get(offset)
    instruction_line = line_of(code, offset)
    kind = "loop" if offset in _loops(code) else "start"
    compiled = installed is not None and tier.core.lib.slot_entry_state(id(code), offset) == INSTALLED
    leavings: dict[tuple[int, str, str], int] = {}
    for exit, taken in tier.exit_counts(code, record, offset):
        if taken and exit.reason not in ("return", "poll"):
            key = (line_of(code, exit.offset), exit.reason, exit.detail)
            leavings[key] = leavings.get(key, 0) + taken
    exits = tuple(Leaving(*key, taken) for key, taken in sorted(leavings.items(), key=lambda row: -row[1]))
    uncompiled = (
        tuple((line_of(code, at), what) for at, what in sorted(installed.uncompiled.items())) if installed else ()
    )
    waiting = "waiting to be compiled anew" if installed is not None else "not hot yet"
    why = record.waiting.get(offset) or record.refused.get(offset, (waiting, offset))[0]
    if compiled:
        only_called = kind == "start" and not record.repays_entering(offset)
        why = "called from machine code only, too small to repay an event" if only_called else ""
    size, inlined = (len(installed.code), installed.inlined) if installed else (0, ())
    return Entry(kind, instruction_line, compiled, why, size, exits, uncompiled, inlined)


def _loops(code: CodeType) -> dict[int, int]:
    from ftjit.frontend.bytecode import Bytecode

    return Bytecode(code).loops


def refused_threads(tier: Tier) -> str:
    """What to add where something is not compiled and the system has refused a thread."""
    count = tier.core.counter("threads_refused")
    return f" (a thread of ftjit's could not be started, {count} times)" if count else ""


def explain(tier: Tier | None, code: CodeType) -> Explanation:
    """What is known of the code object."""
    record = tier.known(code) if tier is not None else None
    if tier is None:
        return Explanation(code, "ftjit is not enabled", [], {}, [])
    if record is None:
        state = f"never hot{refused_threads(tier)}" if tier.enabled else "ftjit is not enabled"
        return Explanation(code, state, [], {}, [])
    offsets = sorted({*record.installed, *record.refused, *record.waiting})
    entries = [_entry(tier, code, record, offset) for offset in offsets]
    if any(entry.compiled for entry in entries):
        state = "compiled"
    elif record.never and record.refused:
        state = "left to the interpreter: " + next(iter(record.refused.values()))[0]
    elif not tier.enabled:
        state = "ftjit is not enabled"
    else:
        waits = "asked for, not called often enough yet" if record.insisted and not entries else "hot, not compiled"
        state = (waits if record.door_open else "not compiled") + refused_threads(tier)
    return Explanation(code, state, entries, dict(record.feedback.not_inlined), list(record.installed.values()))
