"""From a snapshot to an installed executor: the whole compiler in one function, and what is remembered of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from time import perf_counter  # bound now: the program may replace what the module has
from types import CodeType

from ftjit.backend.emit import Emitted, emit
from ftjit.backend.registers import TooManyValues
from ftjit.config import Config
from ftjit.frontend.build import Built, build
from ftjit.frontend.bytecode import Bytecode
from ftjit.frontend.core import Uncompilable
from ftjit.ir import Exit, Function
from ftjit.ir.printer import format_function
from ftjit.ir.verifier import verify
from ftjit.passes import run as run_passes
from ftjit.plain import changed
from ftjit.profile.feedback import Feedback
from ftjit.profile.snapshot import Snapshot
from ftjit.runtime import worth
from ftjit.runtime.core import Core, NoCodeMemory
from ftjit.runtime.locks import Lock
from ftjit.runtime.room import NoRoom, Room

# Entering from the interpreter, or calling from machine code, costs about what so many bytecodes gain
# (docs/entering.md).
MIN_STRAIGHT_BYTECODES = 20
# Where one call of a Python function is about even: the results and arguments of calls are objects.
BYTECODES_OF_A_CALL = 16
NEVER_STARTS = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR


@dataclass
class Installed:
    """What is kept of an executor for explain: nothing the program can see, no object of the snapshot."""

    number: int
    offset: int
    base: int
    code: bytes
    map: list[tuple[int, int, str]]
    exits: list[Exit]
    uncompiled: dict[int, str]
    gain: float = 0.0  # each time that it is run, by the estimate
    ir: str = field(repr=False, default="")
    inlined: tuple[str, ...] = ()


class KeepsItself(Exception):
    """What it inlines leads back to its own code: the two would keep each other alive for ever."""


def install(core: Core, config: Config, room: Room, snapshot: Snapshot, feedback: Feedback, insist: bool) -> Installed:
    """Compile the snapshot's entry and swap it in. Uncompilable when it stays in the interpreter, NoRoom when it does
    while the code heap is full of code in use. `insist`: even if it will not be faster."""
    while True:  # each turn has more calls that are not inlined
        calls: set[int] = set()
        try:
            return _install_once(core, config, room, snapshot, feedback, insist, calls)
        except KeepsItself:
            feedback.not_inlined.update(dict.fromkeys(calls, "the two would inline each other, and never be freed"))


def _install_once(
    core: Core, config: Config, room: Room, snapshot: Snapshot, feedback: Feedback, insist: bool, calls: set[int]
) -> Installed:
    """`calls` is filled with the offsets of those that were inlined. Raises KeepsItself, too."""
    lib = core.lib
    room.ask(0, snapshot.offset)
    owner = core.ffi.new("struct executor **", lib.executor_new())  # empty once it is installed
    executor = owner[0]
    if not executor:
        raise NoRoom("no memory for an executor")
    try:
        layout = changed(core.layout, valid=int(lib.executor_valid_address(executor)))
        built = build(snapshot, feedback, layout)
        calls.update(built.function.inlined_at)
        if not insist:
            _ask_worth(snapshot, built)

        def after(name: str, function: object) -> None:
            if config.verify:
                verify(built.function)

        if config.verify:
            verify(built.function)
        run_passes(built.function, config.passes_off, after)
        gain = worth.gain(built.function, core.losses, built.general)
        if not insist and gain < 0:
            raise Uncompilable("the C functions that it calls cost more than the rest of it gains", snapshot.offset)
        text = format_function(built.function)
        if config.dump:
            print(text, file=sys.stderr)
        _keep(core, executor, built.function)
        if built.function.held:
            lib.executor_set_holds(executor)
        try:
            emitted = emit(built.function, core.library, layout, core.spill, core.spill_slots)
        except TooManyValues:
            raise Uncompilable("too many values at once", snapshot.offset) from None
        installed = _swap_in(core, room, snapshot, owner, emitted)
        installed.uncompiled = built.uncompiled
        installed.inlined = tuple(_name(each) for each in built.function.inlined.values())
        installed.gain = gain
        installed.ir = text
        if config.perf:
            from ftjit.inspect import perf_map

            perf_map.append(built.function.name, installed.base, len(installed.code), installed.map)
        return installed
    finally:
        lib.executor_discard(owner)


def _ask_worth(snapshot: Snapshot, built: Built) -> None:
    """Uncompilable for a function without loops whose time goes into calling others."""
    bytecode = Bytecode(snapshot.code)
    if not snapshot.is_start or bytecode.loops or not built.python_calls:
        return
    if len(bytecode.instructions) < BYTECODES_OF_A_CALL * built.python_calls:
        raise Uncompilable("its calls of other functions cost more than the rest of it gains", snapshot.offset)


def _name(code: CodeType) -> str:
    return f"{code.co_qualname} ({code.co_filename}:{code.co_firstlineno})"


def _keep(core: Core, executor: object, function: Function) -> None:
    """The executor keeps the code objects it inlines, and knows what room their frames take; and it keeps the numbers
    that it knows by their addresses."""
    kept = [*function.inlined.values(), *function.kept]
    if not kept:
        return
    keeps = core.lib.keepsakes_hold([id(each) for each in kept], len(kept))
    if not keeps:
        raise NoRoom("no memory for what it refers to")
    core.lib.executor_set_inlines(executor, function.inline_depth, function.inline_slots, keeps)


def _swap_in(core: Core, room: Room, snapshot: Snapshot, owner: object, emitted: Emitted) -> Installed:
    lib, ffi = core.lib, core.ffi
    room.ask(emitted.size_at(int(lib.heap_near())), snapshot.offset)
    try:
        region, base, code = core.place_code(emitted.code_at, emitted.size_at)
    except NoCodeMemory as error:
        if error.for_good:
            raise Uncompilable(str(error), snapshot.offset) from None
        raise NoRoom(str(error)) from None
    try:
        exits = emitted.exits
        number = lib.slot_install(
            id(snapshot.code), snapshot.offset, region, owner, ffi.cast("void *", base), len(code.bytes),
            bytes(exits.records), len(exits.exits), bytes(exits.moves), exits.move_count,
            bytes(exits.inner_frames), exits.inner_count,
        )  # fmt: skip
        if number == lib.KEEPS_ITSELF:
            raise KeepsItself
        if not number:
            raise NoRoom("no memory for an executor")  # the entry is there: the snapshot holds its code object
        return Installed(int(number), snapshot.offset, base, code.bytes, code.map, exits.exits, {})
    finally:
        lib.region_release(region)


@dataclass
class CodeRecord:
    """What ftjit knows of one code object, apart from its slot."""

    code_name: str
    feedback: Feedback = field(default_factory=Feedback)
    installed: dict[int, Installed] = field(default_factory=dict)
    refused: dict[int, tuple[str, int]] = field(default_factory=dict)
    door_open: bool = False  # it has a slot, and what is compiled is wanted
    watched: int = 0  # its own events that are on: the interpreter enters by them (eager mode has those of all code)
    insisted: bool = False  # somebody asked for it by name
    reopen: bool = False  # disable() has closed its door
    waiting: dict[int, str] = field(default_factory=dict)  # entries without an executor because of the heap's limit
    bytecode: bytes | None = None  # as specialised in the thread that was observed last
    never: bool = False

    def repays_entering(self, start: int) -> bool:
        """Is it worth an event to enter the function at its start? Else only machine code calls it there."""
        installed = self.installed.get(start)
        return installed is None or self.insisted or installed.gain >= worth.ENTERING


def line_of(code: CodeType, offset: int) -> int:
    """The source line of a bytecode offset."""
    line = code.co_firstlineno
    for start, end, number in code.co_lines():
        if start <= offset < end and number is not None:
            line = number
    return line


class CompileSeconds:
    """Time that all threads have spent compiling, and how often it failed."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.errors = 0
        self.lock = Lock()

    def failed(self) -> None:
        with self.lock:
            self.errors += 1


class Stopwatch:
    """What runs in a `with` of it is added."""

    def __init__(self, seconds: CompileSeconds) -> None:
        self.seconds = seconds

    def __enter__(self) -> None:
        self.began = perf_counter()

    def __exit__(self, *error: object) -> None:
        with self.seconds.lock:
            self.seconds.seconds += perf_counter() - self.began
