"""Tier-up: hot code objects get a door, entries get executors, disappointing ones are compiled anew.

Everything here that compiles runs in worker threads (native threads that attach while there is work; they never log
and never use `threading`, which would list them), but in eager mode, where the thread that comes first compiles. Else
user threads come in through the public functions only.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import weakref
from _queue import Empty, SimpleQueue
from collections.abc import Callable, Mapping
from functools import partial, wraps
from itertools import batched
from types import CodeType
from typing import Any, Concatenate

from ftjit.config import VARIABLES, Config, check_words, read, slips
from ftjit.errors import UnsupportedPython, warn
from ftjit.frontend.bytecode import Bytecode
from ftjit.frontend.core import Uncompilable
from ftjit.passes import PASSES
from ftjit.plain import changed
from ftjit.profile.missing import MISSING
from ftjit.profile.snapshot import Snapshot
from ftjit.runtime.core import Core, core
from ftjit.runtime.executors import (
    MIN_STRAIGHT_BYTECODES,
    NEVER_STARTS,
    CodeRecord,
    CompileSeconds,
    Installed,
    Stopwatch,
    install,
)
from ftjit.runtime.locks import Lock
from ftjit.runtime.room import NoRoom, Room

TOOL = sys.monitoring.OPTIMIZER_ID if hasattr(sys, "monitoring") else 5
WANTED, PENDING, INSTALLED, REFUSED = range(4)
# Events: a function starts, a jump (of which those backward matter).
_START, _JUMP = (sys.monitoring.events.PY_START, sys.monitoring.events.JUMP) if hasattr(sys, "monitoring") else (0, 0)
_EVENTS = _START | _JUMP
# Loop-free functions of fewer than MIN_STRAIGHT_BYTECODES do not repay the door: they have a slot and no events, so
# only machine code enters them.
_TOO_SMALL = ("too small to repay entering from the interpreter", 0)
# Starts and backward jumps that an open door sees before the snapshot: what runs once a call must be specialised, too.
_WARM = (12, 16)
_LINGER = 0.05
_OURSELVES = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_STANDARD = (os.path.dirname(threading.__file__) + os.sep, "<frozen ")


def _one_at_a_time[R, **P](method: Callable[Concatenate[Tier, P], R]) -> Callable[Concatenate[Tier, P], R]:
    """Under the tier's lock: switching on beside switching off would leave some of both."""

    @wraps(method)
    def locked(tier: Tier, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with tier.lock:
            return method(tier, *args, **kwargs)

    return locked


class Tier:
    """The runtime's state in one process. One instance, made by `tier()`."""

    def __init__(self, config: Config) -> None:
        check_words("FTJIT_PASSES_OFF", config.passes_off, PASSES)
        self.config = config
        self.core: Core = core()
        self.core.layout = changed(self.core.layout, seen_bytecode=self._seen_bytecode)
        self.lock = Lock()
        self.queue: SimpleQueue[Any] = SimpleQueue()
        self.put: Callable[..., Any] = self.queue.put
        self.records: dict[int, tuple[weakref.ref[CodeType], CodeRecord]] = {}
        self.compiling = CompileSeconds()
        self.room = Room(self.core, self.records, config.code_limit)
        self.world_stops = 0
        self.enabled = False
        self.eager = False
        lib = self.core.lib
        self._work: Callable[..., None] = self.work
        lib.worker_set(id(self._work), config.threads)
        lib.snapshot_set_queue(id(self.put), id(MISSING))
        lib.direct_learn(id(existing))
        lib.door_set_thresholds(*_WARM, config.relearn)
        lib.door_set_trace(config.trace)
        lib.heap_configure(config.sealed_pages, config.debug)
        self.over = False
        self._take_tool()
        try:
            # Not at once, for threads that main has not waited for go on; and no sooner, for then it is the first of
            # the exit functions. RuntimeError when main has ended already.
            threading._register_atexit(atexit.register, self.shut_down)  # type: ignore[attr-defined]
            atexit.register(self.shut_down)  # if one of the functions registered there fails, the others are not called
        except RuntimeError:
            raise UnsupportedPython("the interpreter is ending: ftjit does not start any more") from None
        self._hook_forks()

    # ---- sys.monitoring -------------------------------------------------------------------------------------------

    def _take_tool(self) -> None:
        monitoring = sys.monitoring
        holder = monitoring.get_tool(TOOL)
        if holder is not None and holder != "ftjit":
            raise UnsupportedPython(f"sys.monitoring tool {TOOL} is taken by {holder!r}: ftjit needs it")
        if holder is None:
            monitoring.use_tool_id(TOOL, "ftjit")
        self._register: Callable[[str, Any], None] = lambda event, callback: (
            monitoring.register_callback(TOOL, getattr(monitoring.events, event), callback),
            None,
        )[1]
        if self.core.lib.door_register(id(self._register)) != 0:
            raise UnsupportedPython("the callbacks of ftjit's monitoring tool could not be registered")

    def _hold_tool(self) -> None:
        """It is ours, with our events; if somebody has freed it, again. UnsupportedPython if somebody has it."""
        if self.over or sys.monitoring.get_tool(TOOL) == "ftjit":
            return
        self._take_tool()
        for reference, record in list(self.records.values()):
            if record.watched and (code := reference()) is not None:
                self._events(code, record.watched)
        if self.eager:
            self._events(None, _EVENTS)

    def _watch(self, code: CodeType, record: CodeRecord, wanted: int) -> None:
        if record.watched != wanted:
            record.watched = wanted
            self._events(code, wanted)

    def _events(self, code: CodeType | None, wanted: int) -> None:
        """Switch the events of this code object, or of all code: stops the world, so once per code object. Nothing
        while the tool is not ours any more: enable() takes it again, and then it does this."""
        monitoring = sys.monitoring
        if monitoring.get_tool(TOOL) != "ftjit":
            return
        self.world_stops += 1
        try:
            if code is None:
                monitoring.set_events(TOOL, wanted)
            else:
                monitoring.set_local_events(TOOL, code, wanted)
        except ValueError:  # freed at this very moment
            pass

    # ---- code objects ---------------------------------------------------------------------------------------------

    def record(self, code: CodeType) -> CodeRecord:
        """What is known of the code object; made on first use, gone with it. Holds no lock: in eager mode any code of
        the program's may come by here, with locks of its own."""
        found = self.known(code)
        if found is not None:
            return found
        # No bytecode in the callback (records.pop(key, the reference)): a signal handler that raises there would raise
        # in vain. The code object's address is another's only after it.
        key = id(code)
        fresh = (weakref.ref(code, partial(self.records.pop, key)), CodeRecord(code.co_qualname))
        return self.records.setdefault(key, fresh)[1]

    def known(self, code: CodeType) -> CodeRecord | None:
        found = self.records.get(id(code))
        return found[1] if found is not None and found[0]() is code else None

    def _seen_bytecode(self, code: CodeType) -> bytes | None:
        record = self.known(code)
        return record.bytecode if record is not None else None

    def open_door(self, code: CodeType, insist: bool = False) -> None:
        """Let threads in at this code object's start and loops, from now on. `insist`: somebody named it."""
        record = self.record(code)
        is_news = insist and not record.insisted
        record.insisted |= insist
        if record.door_open and not is_news and (record.watched or self.eager or not insist):
            return
        bytecode = Bytecode(code)
        watched = bool(bytecode.loops) or insist or len(bytecode.instructions) >= MIN_STRAIGHT_BYTECODES
        with self.lock:
            if self._is_left_alone(code, record, bytecode):
                self._make_slot(code, bytecode, REFUSED)
                return
            if not (self.enabled or insist):  # disable() came before
                record.reopen = True
                return
            if not self._make_slot(code, bytecode, WANTED):
                record.refused[bytecode.resume_offset] = ("no memory for its entries", 0)
                return
            for offset in list(record.refused):  # another chance
                self.core.lib.slot_set_entry_state(id(code), offset, WANTED)
            record.refused.clear()
            record.door_open = True
            if not watched:
                record.refused[bytecode.resume_offset] = _TOO_SMALL
            if watched:
                self._watch(code, record, _EVENTS)

    def _make_slot(self, code: CodeType, bytecode: Bytecode, state: int) -> bool:
        """A slot with an entry for the start and each loop. REFUSED: nothing is ever entered there, and the sampler
        takes no more notice of this code. False without memory."""
        offsets = [bytecode.resume_offset, *sorted(bytecode.loops)][:250]
        if self.core.lib.slot_create(id(code), offsets, len(offsets)) != 0:
            return False
        for offset in offsets if state != WANTED else ():
            self.core.lib.slot_set_entry_state(id(code), offset, state)
        return True

    def _is_left_alone(self, code: CodeType, record: CodeRecord, bytecode: Bytecode) -> bool:
        """Never to be compiled; the record then says why."""
        why = ""
        if self._is_ours(code):
            why = "part of ftjit itself"
        elif self.config.only and not {code.co_name, code.co_qualname} & self.config.only:
            why = "not among FTJIT_ONLY"
        if why:
            record.refused[bytecode.resume_offset] = (why, 0)
            record.never = True
        return record.never

    @staticmethod
    def _is_ours(code: CodeType) -> bool:
        return code.co_filename.startswith(_OURSELVES)

    @_one_at_a_time
    def close_door(self, code: CodeType, record: CodeRecord) -> None:
        record.door_open = False  # first: whoever installs something now looks at it afterwards
        self.core.lib.slot_clear(id(code), REFUSED)
        self._watch(code, record, 0)

    # ---- compiling ------------------------------------------------------------------------------------------------

    def work(self, codes: list[CodeType]) -> None:
        """A worker's turn: doors for what is hot, executors for the snapshots that wait."""
        lib = self.core.lib
        self.room.try_again()
        code: CodeType | None = None
        for code in codes:
            self.open_door(code)
        del codes[:]
        code = None
        while not lib.worker_is_stopping():
            try:
                raw = self.queue.get(timeout=_LINGER)
            except Empty:
                return
            try:
                self.compile(Snapshot(*raw))
            finally:
                del raw  # who waits for the compiler waits for this too
                lib.snapshot_done()

    def is_idle(self) -> bool:
        """Whether no snapshot waits and none is being compiled, and so nothing of the program's is held for that."""
        done = self.core.counter("snapshots_done")  # read first: one may be taken and done between the two
        return done == self.core.counter("snapshots")

    def compile(self, snapshot: Snapshot) -> None:
        """Compile one entry and swap it in, or refuse it. Raises what a signal handler of the program raises meanwhile,
        where the program's thread compiles for itself, and nothing else."""
        try:
            self._compile(snapshot)
        except MemoryError, RecursionError:  # not even enough to say so: another time
            self.core.lib.slot_set_entry_state(id(snapshot.code), snapshot.offset, WANTED)

    def _compile(self, snapshot: Snapshot) -> None:
        code, offset = snapshot.code, snapshot.offset
        record = self.record(code)
        record.bytecode = snapshot.bytecode
        for callee, bytecode in batched(snapshot.inlined, 2, strict=True):
            self.record(callee).bytecode = bytecode
        lib = self.core.lib
        if record.never or not self.enabled:
            lib.slot_set_entry_state(id(code), offset, WANTED if not record.never else REFUSED)
            return
        revisions = record.feedback.revisions
        if not self._is_time_again(code, record, offset):
            lib.slot_set_entry_state(id(code), offset, INSTALLED if offset in record.installed else REFUSED)
            return
        if offset in record.installed and (why := self._learn(code, record, offset)):
            record.installed.pop(offset, None)
            lib.slot_clear_entry(id(code), offset, REFUSED)
            self._refuse(code, record, offset, why, offset)
            return
        revisions[offset] += 1
        with Stopwatch(self.compiling):
            try:
                if snapshot.is_start and code.co_flags & NEVER_STARTS:
                    raise Uncompilable("a generator's or coroutine's start", offset)
                insist = record.insisted or self.eager
                installed = install(self.core, self.config, self.room, snapshot, record.feedback, insist)
                self._note_installed(code, record, installed)
            except (NoRoom, MemoryError) as why:
                revisions[offset] -= 1  # it was not compiled
                if isinstance(why, MemoryError):  # or is in already, and nothing is known of it
                    record.installed.pop(offset, None)
                    lib.slot_clear_entry(id(code), offset, REFUSED)
                if offset in record.installed:
                    lib.slot_set_entry_state(id(code), offset, INSTALLED)
                else:
                    lib.slot_set_entry_state(id(code), offset, REFUSED)
                    self.room.wait(code, record, offset, str(why) or "no memory to compile it")
            except Uncompilable as why:
                self._refuse(code, record, offset, why.reason, why.offset)
            except Exception as error:  # a defect of the compiler's must not be the program's
                if isinstance(error, RecursionError) or _is_the_programs(error):
                    revisions[offset] -= 1
                    record.installed.pop(offset, None)
                    lib.slot_clear_entry(id(code), offset, WANTED)
                    raise
                self.compiling.failed()
                lib.slot_clear_entry(id(code), offset, REFUSED)  # it may be in already
                record.installed.pop(offset, None)
                self._refuse(code, record, offset, f"the compiler failed: {type(error).__name__}: {error}", offset)
                if self.config.verify:
                    sys.excepthook(*sys.exc_info())
            except BaseException:  # Ctrl-C in a thread that compiles for itself
                record.installed.pop(offset, None)
                lib.slot_clear_entry(id(code), offset, WANTED)
                raise

    @_one_at_a_time
    def _note_installed(self, code: CodeType, record: CodeRecord, installed: Installed) -> None:
        """What was switched off or forbidden while it was compiled goes at once: disable() has not seen it."""
        offset = installed.offset
        if not self.enabled or not record.door_open or record.never:
            record.installed.pop(offset, None)
            self.core.lib.slot_clear_entry(id(code), offset, REFUSED if record.never else WANTED)
            self.core.lib.reclaim()
            return
        record.installed[offset] = installed
        record.refused.pop(offset, None)
        record.waiting.pop(offset, None)
        self._close_what_is_not_entered(code, record)

    def _refuse(self, code: CodeType, record: CodeRecord, offset: int, reason: str, where: int) -> None:
        record.refused[offset] = (reason, where)
        self.core.lib.slot_set_entry_state(id(code), offset, REFUSED)
        self._close_what_is_not_entered(code, record)

    @_one_at_a_time
    def _close_what_is_not_entered(self, code: CodeType, record: CodeRecord) -> None:
        """An event costs the interpreter as much as a few bytecodes: none where nothing will be entered."""
        bytecode = Bytecode(code)
        if not record.installed and len(record.refused) >= 1 + len(bytecode.loops):
            self.close_door(code, record)
        elif record.watched:
            start = bytecode.resume_offset
            starts = _START if start not in record.refused and record.repays_entering(start) else 0
            jumps = _JUMP if set(bytecode.loops) - set(record.refused) else 0
            self._watch(code, record, starts | jumps)

    def _is_time_again(self, code: CodeType, record: CodeRecord, offset: int) -> bool:
        """Whether one more revision of the entry is worth its while. From config.revisions on each takes twice as many
        exits as the one before: there may always be something to learn, and compiling stays cheap beside leaving."""
        more = record.feedback.revisions[offset] - self.config.revisions
        if more < 0:
            return True
        most = max((taken for _, taken in self.exit_counts(code, record, offset)), default=0)
        return most >= self.config.relearn << min(more + 1, 50)

    def _learn(self, code: CodeType, record: CodeRecord, offset: int) -> str:
        """Which exits of the executor that is installed were taken too often. Why it is not worth having, if so: the
        second time that it leaves in every turn of its loop, or every call, for what cannot be compiled, or because its
        iterator is another's."""
        losing = ""
        for exit, taken in self.exit_counts(code, record, offset):
            if taken < self.config.relearn // 2 or exit.reason in ("return", "poll", "status", "never ran"):
                continue
            if exit.reason == "entry":
                record.feedback.mixed.update(range(code.co_nlocals))
            record.feedback.note(exit.place, exit.reason)
            revisions = record.feedback.revisions[offset]
            if exit.reason == "uncompiled" and revisions >= 2 and _is_every_turn(Bytecode(code), offset, exit.offset):
                losing = "it leaves for the interpreter in every turn, at what is not compiled"
            elif exit.detail == "guard_own_iterator" and revisions >= 2:
                losing = "it leaves for the interpreter as soon as it is entered: others hold the loop's iterator"
        return losing

    def exit_counts(self, code: CodeType, record: CodeRecord, offset: int) -> list[tuple[Any, int]]:
        """(exit, times taken) of the entry's executor."""
        installed = record.installed.get(offset)
        if installed is None:
            return []
        room = len(installed.exits)
        taken = self.core.ffi.new("uint64_t[]", room + 1)
        number = self.core.ffi.new("uint64_t *")
        count = self.core.lib.slot_exit_counts(id(code), offset, number, taken, room)
        if number[0] != installed.number:
            return []
        return [(installed.exits[i], int(taken[i])) for i in range(min(count, room))]

    # ---- on and off -------------------------------------------------------------------------------------------------

    @_one_at_a_time
    def switch(self, mode: str) -> str | None:
        """To "auto", "eager" or "off"; what is missing, as enable() says."""
        if mode == "off":
            self.disable()
        else:
            self._hold_tool()  # before anything is changed: it may be somebody else's
        self.set_eager(mode == "eager")
        return self.enable() if mode != "off" else None

    @_one_at_a_time
    def enable(self) -> str | None:
        """On, from now; what was hot before disable() still is. What is missing, where the system refuses the thread
        that samples."""
        if self.over:
            return None
        self._hold_tool()
        self.enabled = True
        self.core.lib.door_enable(1)
        for reference, record in list(self.records.values()):
            code = reference()
            if code is not None and record.reopen:
                record.reopen = False
                if self.eager:  # its events are on for everything
                    record.door_open = True
                else:
                    self.open_door(code, insist=record.insisted)
        if self._start_sampling() != 0:
            return "the sampling thread could not be started: only what ftjit.jit or compile names is compiled"
        return None

    def _start_sampling(self) -> int:
        return int(self.core.lib.sampler_start(self.config.tick_us, self.config.hot_samples))

    # ---- eager mode -------------------------------------------------------------------------------------------------

    @_one_at_a_time
    def set_eager(self, on: bool) -> None:
        """Compile each entry the first time it is reached, before it runs, in the thread that reaches it."""
        if on == self.eager or self.over:
            return
        self.eager = on
        lib = self.core.lib
        if on:
            self._eager_put: Callable[[tuple[Any, ...]], bool] = self._compile_at_once
            self._opener: Callable[[CodeType], None] = self._open_at_once
            self.enabled = True
        lib.door_set_thresholds(*((1, 1) if on else _WARM), self.config.relearn)
        lib.snapshot_set_queue(id(self._eager_put if on else self.put), id(MISSING))
        lib.door_set_opener(id(self._opener) if on else 0)
        self._events(None, _EVENTS if on else 0)
        for _reference, record in list(self.records.values()) if not on else ():
            if record.door_open and not record.watched:  # it needs events of its own now
                record.door_open, record.reopen = False, True

    def _compile_at_once(self, raw: tuple[Any, ...]) -> bool:
        """True: the compiler has let go of it already (snapshot_take)."""
        self.compile(Snapshot(*raw))
        return True

    def _open_at_once(self, code: CodeType) -> None:
        """A slot for code seen for the first time; one that refuses everything for code that is left alone."""
        try:
            record, bytecode = self.record(code), Bytecode(code)
            alone = self._is_left_alone(code, record, bytecode)
            self._make_slot(code, bytecode, REFUSED if alone else WANTED)
            if not alone:
                record.door_open = True
        except Exception as error:
            if isinstance(error, MemoryError | RecursionError) or _is_the_programs(error):
                raise
            self.compiling.failed()

    @_one_at_a_time
    def disable(self) -> None:
        """Stop entering and compiling; running executors leave at their next poll; doors close."""
        self.enabled = False
        self.core.lib.door_enable(0)
        self.core.lib.sampler_stop()
        for reference, record in list(self.records.values()):
            code = reference()
            if code is not None and (record.door_open or record.reopen):
                self.core.lib.slot_clear(id(code), WANTED)
                record.door_open, record.reopen = False, True
                record.installed.clear()
                record.waiting.clear()
                record.feedback.revisions.clear()
                self._watch(code, record, 0)
        self.core.lib.reclaim()  # the thread that would have done it is gone

    def shut_down(self) -> None:
        """When the program's threads have ended, before the interpreter goes: no thread of ours is left, none comes."""
        self.over = True  # `enabled` stays, for the statistics
        self.core.lib.door_enable(0)
        self.core.lib.sampler_end()
        self.core.lib.worker_end(5.0)

    # ---- fork -------------------------------------------------------------------------------------------------------

    def _hook_forks(self) -> None:
        """Our threads stop before a fork and go on after it (cdefs/forks.c). In the child no lock of ours is held."""
        hooks: dict[str, Callable[[], None]] = {}
        give, locks = hooks.__setitem__, (self.lock, self.room.lock, self.compiling.lock)
        if self.core.lib.forks_give(id(give), id(locks), id(self.records)) != 0:
            raise UnsupportedPython("the hooks round a fork could not be made")
        os.register_at_fork(
            before=hooks["before"], after_in_parent=hooks["after_in_parent"], after_in_child=hooks["after_in_child"]
        )


def _is_the_programs(error: Exception) -> bool:
    """Did a signal handler of the program's raise it, in the midst of us? Then its code is on the traceback."""
    traceback = error.__traceback__
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        standard = name.startswith(_STANDARD) and "site-packages" not in name
        if not standard and not name.startswith(_OURSELVES):
            return True
        traceback = traceback.tb_next
    return False


def _is_every_turn(bytecode: Bytecode, entry: int, leaving: int) -> bool:
    """Is the place a part of the loop that was entered (and of no loop inside), or of a function without loops?"""
    if entry not in bytecode.loops:
        return not bytecode.loops
    inside = [header for header, last in bytecode.loops.items() if header <= leaving <= last]
    return bool(inside) and max(inside) == entry


_tier: Tier | None = None
_making = Lock()
_is_being_made = False


def tier(settings: Mapping[str, Any] | None = None) -> Tier:
    """The one Tier of this process, made with these settings; a warning is logged for others than it was made with.
    UnsupportedPython where there can be none, SettingError for settings that make no sense."""
    global _tier, _is_being_made
    if _tier is None:
        with _making:
            if _is_being_made:
                raise UnsupportedPython("ftjit is just starting, below this very call: call it again later")
            if _tier is None:
                _is_being_made = True
                try:
                    _tier = Tier(read(settings))
                    for slip in slips():
                        warn("%s", slip)
                finally:
                    _is_being_made = False
    wanted = read(settings) if settings else _tier.config
    for name in settings or ():
        if (running := getattr(_tier.config, name)) != getattr(wanted, name):
            warn(
                "%s: ftjit has started with %r (under python -m ftjit, with FTJIT=1, or by an earlier call or "
                "decorator) and goes on with it: set %s, or call enable() before",
                name, running, VARIABLES[name],
            )  # fmt: skip
    return _tier


def _after_fork_in_child() -> None:
    """Another thread that was making the Tier is not here."""
    global _is_being_made
    if not _making._is_owned():
        _making._at_fork_reinit()
        _is_being_made = False


os.register_at_fork(after_in_child=_after_fork_in_child)


def existing() -> Tier | None:
    """The Tier, if anything made it yet."""
    return _tier
