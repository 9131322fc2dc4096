"""The limit of the code heap, and what happens when it is reached: no more is compiled until code that was not used
lately is taken out. What threads use now stays; what found no room is tried again when there is some."""

from __future__ import annotations

import weakref
from types import CodeType
from typing import TYPE_CHECKING

from ftjit.frontend.core import Uncompilable
from ftjit.runtime.locks import Lock

if TYPE_CHECKING:
    from ftjit.runtime.core import Core
    from ftjit.runtime.executors import CodeRecord

    type Records = dict[int, tuple[weakref.ref[CodeType], CodeRecord]]

# Not entered, and nobody seen inside, for so many eras of 64 ms: it may go.
COLD_ERAS = 4
# Evictions make this part of the limit free at once, so that not each compilation has to look for room.
SLACK = 8


class NoRoom(Exception):
    """The heap is full of code in use, or the system gives no memory now. str() says so for explain."""


class Room:
    """Bytes of machine code under one limit. Called by compiler threads, several at once."""

    def __init__(self, core: Core, records: Records, limit: int) -> None:
        self.core = core
        self.records = records
        self.limit = limit
        self.evicted = 0
        self.lock = Lock()
        self.waiting: list[tuple[weakref.ref[CodeType], CodeRecord, int]] = []

    def used(self) -> int:
        """Bytes installed. What is retired and not yet freed comes on top, for as long as threads are inside."""
        return self.core.counter("code_bytes") - self.core.counter("limbo_bytes")

    def ask(self, size: int, offset: int) -> None:
        """Return when `size` more bytes fit. NoRoom when nothing can go now, Uncompilable when they never fit."""
        if size > self.limit:
            raise Uncompilable(f"its {size} bytes are more than the code heap's limit (FTJIT_CODE_LIMIT)", offset)
        if self.used() + max(size, 1) <= self.limit:
            return
        with self.lock:
            self._evict(self.used() + size - self.limit + self.limit // SLACK)
        if self.used() + max(size, 1) > self.limit:
            raise NoRoom(f"the code heap is full of code in use ({self.limit} bytes, FTJIT_CODE_LIMIT)")

    def _evict(self, excess: int) -> None:
        """Take out what was used least recently, until `excess` bytes are free or only code in use is left."""
        for idle, code, record, offset in self._cold():
            if excess <= 0:
                break
            installed = record.installed.get(offset)
            if installed is None or not self.core.lib.slot_evict(id(code), offset, installed.number):
                continue
            record.installed.pop(offset, None)
            record.feedback.revisions[offset] -= 1
            record.waiting[offset] = (
                f"taken out to make room, {idle * 64} ms after it was used last "
                f"({self.limit} bytes, FTJIT_CODE_LIMIT); compiled again when it is hot"
            )
            self.evicted += 1
            excess -= len(installed.code)
        self.core.lib.reclaim()

    def _cold(self) -> list[tuple[int, CodeType, CodeRecord, int]]:
        """(eras idle, code, record, offset) of executors that may go, the longest idle first."""
        lib = self.core.lib
        if lib.epoch_mark_used() != 0:
            return []  # somebody drives reclamation: who is inside cannot be known now
        found = []
        for reference, record in list(self.records.values()):
            code = reference()
            if code is None:
                continue
            for offset in list(record.installed):
                idle = int(lib.slot_idle_eras(id(code), offset))
                if idle >= COLD_ERAS:
                    found.append((idle, code, record, offset))
        return sorted(found, key=lambda row: -row[0])

    def wait(self, code: CodeType, record: CodeRecord, offset: int, why: str) -> None:
        """This entry found no room: the ticker reminds a worker to try again."""
        with self.lock:
            record.waiting[offset] = why
            self.waiting.append((weakref.ref(code), record, offset))
            self.core.lib.sampler_remind(1)

    def try_again(self) -> None:
        """A worker's turn: where code may go by now, what waits is wanted again."""
        if not self.waiting:
            return
        with self.lock:
            if self.used() >= self.limit and not self._cold():
                return
            waiting, self.waiting = self.waiting, []
            self.core.lib.sampler_remind(0)
        for reference, record, offset in waiting:
            code = reference()
            if code is not None and not record.never and offset not in record.installed:
                self.core.lib.slot_reopen(id(code), offset)
