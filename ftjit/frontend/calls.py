"""Calls: builtins that have ops of their own, small pure functions inlined, everything else called out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Final

from ftjit.frontend.bytecode import Bytecode, Instruction
from ftjit.frontend.core import Core
from ftjit.frontend.state import Frame
from ftjit.frontend.values import Constant, Entry, Home, Local, Null, Number, Pointer, RangeIterator
from ftjit.ir import Const
from ftjit.ir.nodes import Operand

_MAX_INLINED_BYTES: Final = 400
_MAX_DEPTH: Final = 4  # INLINE_DEPTH of the core
_CANNOT: Final = (
    inspect.CO_GENERATOR
    | inspect.CO_COROUTINE
    | inspect.CO_ASYNC_GENERATOR
    | inspect.CO_VARARGS
    | inspect.CO_VARKEYWORDS
)
_INLINABLE: Final = frozenset([
    "RESUME", "NOP", "NOT_TAKEN", "LOAD_FAST", "LOAD_FAST_BORROW", "LOAD_FAST_LOAD_FAST",
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW", "LOAD_CONST", "LOAD_SMALL_INT", "STORE_FAST", "STORE_FAST_LOAD_FAST",
    "STORE_FAST_STORE_FAST", "BINARY_OP", "UNARY_NEGATIVE", "UNARY_INVERT", "UNARY_NOT", "COMPARE_OP", "TO_BOOL",
    "POP_JUMP_IF_FALSE", "POP_JUMP_IF_TRUE", "JUMP_FORWARD", "RETURN_VALUE", "LOAD_GLOBAL", "CALL", "LOAD_ATTR",
    "STORE_ATTR", "PUSH_NULL", "STORE_SUBSCR", "GET_ITER", "FOR_ITER", "END_FOR", "POP_ITER", "JUMP_BACKWARD",
    "LOAD_FAST_CHECK", "UNPACK_SEQUENCE", "LOAD_COMMON_CONSTANT", "RAISE_VARARGS",
    "SWAP", "COPY", "POP_TOP", "IS_OP", "POP_JUMP_IF_NONE", "POP_JUMP_IF_NOT_NONE",
])  # fmt: skip


class Calls(Core):
    """CALL, RETURN_VALUE, and what inlining needs."""

    def op_CALL(self, instruction: Instruction) -> bool | None:
        count = instruction.argument
        callable_, self_or_null = self.stack[-count - 2], self.stack[-count - 1]
        arguments = self.stack[len(self.stack) - count :]
        callee = callable_.callee if isinstance(callable_, Pointer) else getattr(callable_, "object", None)
        if self.level() < 2 and callee is not None:
            if isinstance(self_or_null, Null):
                if callee is range and self._range(instruction, callable_, arguments):
                    return False
                if self._builtin(callee, callable_, arguments):
                    return None
            if isinstance(callee, FunctionType) and self._inline(
                instruction, callee, callable_, self_or_null, arguments
            ):
                return False
        if callee is list.__dict__["append"] and count == 1 and getattr(self_or_null, "type", None) is list:
            if self.append(arguments[0], self_or_null):  # type: ignore[attr-defined]
                return None
            self.call_out("call_list_append", 1, 3, [Constant(None)], quiet=True)
            return None
        if instruction.special == "CALL_LIST_APPEND" and count == 1:
            self.call_out("call_list_append", 1, 3, [Home()])
            return None
        if instruction.special.startswith(("CALL_PY", "CALL_BOUND_METHOD")):
            self.python_calls.add(instruction.offset)
            self.call_out("call", count, count + 2, [Home()], name="call_function")
            return None
        if instruction.special == "CALL_ALLOC_AND_ENTER_INIT" and count < 1 << 8:
            self.python_calls.add(instruction.offset)
            self.call_out("call_class", instruction.cache32(1) << 8 | count, count + 2, [Home()])
            return None
        self.call_out("call", count, count + 2, [Home()])
        return None

    def op_CALL_KW(self, instruction: Instruction) -> None:
        self.call_out("call_kw", instruction.argument, instruction.argument + 3, [Home()])

    # ---- builtins -------------------------------------------------------------------------------------------------

    def _guard_builtin(self, callable_: Entry, callee: Callable[..., object]) -> None:
        assert isinstance(callable_, Pointer)
        if isinstance(callee, type):
            self.emit("guard_same", [callable_.value], [id(callee)], reason="callee")
        else:
            self.emit("guard_builtin", [callable_.value], [self.layout.builtin_method(callee)], reason="callee")

    def _builtin(self, callee: object, callable_: Entry, arguments: list[Entry]) -> bool:
        """len(list), abs, int(float), float(int), math-like one-argument builtins on numbers."""
        if len(arguments) != 1 or not isinstance(callable_, Pointer):
            return False
        argument = arguments[0]
        top = len(self.stack) - 1
        kind = self.kind_of(argument)
        value: Operand
        if callee is len:
            wanted = self.expected_type(argument)  # type: ignore[attr-defined]
            if wanted not in (list, tuple) or not isinstance(argument, Local | Pointer):
                return False
            self._guard_builtin(callable_, len)
            pointer = self.typed_pointer(argument, wanted)  # type: ignore[attr-defined]
            value, result = self.emit("list_length", [pointer]), "int"
        elif callee is abs and kind in ("int", "float"):
            self._guard_builtin(callable_, abs)
            value, result = self._abs(self.unbox(argument, kind, top), kind), kind
        elif callee is float and kind in ("int", "float"):
            self._guard_builtin(callable_, float)
            value, result = self.convert(self.unbox(argument, kind, top), kind, "float"), "float"
        elif callee is int and kind in ("int", "float"):
            self._guard_builtin(callable_, int)
            value = self.unbox(argument, kind, top)
            value, result = (value if kind == "int" else self.emit("int_from_float", [value])), "int"
        else:
            return False
        self.drop(argument, top, below=top - 2)
        del self.stack[-3:]
        self.push_number(result, value)
        return True

    def _abs(self, value: Operand, kind: str) -> Operand:
        if kind == "int":
            return self.emit("int_abs", [value], reason="overflow")
        return self.emit("float_abs", [value], [-(2**63)])

    def _range(self, instruction: Instruction, callable_: Entry, arguments: list[Entry]) -> bool:
        """range(...) whose iterator is made at once: neither object ever exists."""
        instructions = self.frame.bytecode.instructions
        following = instructions.get(instruction.next_offset)
        if following is None or following.name != "GET_ITER" or not 1 <= len(arguments) <= 3:
            return False
        user = instructions.get(following.next_offset)
        if user is None or user.name != "FOR_ITER":  # a generator expression is called with it
            return False
        if any(self.kind_of(argument, "int") != "int" for argument in arguments):
            return False
        step = arguments[2] if len(arguments) == 3 else Number("int", Const(1))
        if not isinstance(step, Number) or not isinstance(step.value, Const) or not 0 < abs(step.value.value) < 2**31:
            return False  # a step that is not a small constant: the general way
        self._finish_range(callable_, arguments, int(step.value.value), following)
        return True

    def _finish_range(self, callable_: Entry, arguments: list[Entry], step: int, following: Instruction) -> None:
        assert isinstance(callable_, Pointer)
        self._guard_builtin(callable_, range)
        first = len(self.stack) - len(arguments)
        numbers = [self.unbox(bound, "int", first + i) for i, bound in enumerate(arguments[:2])]
        for position in range(first, len(self.stack)):
            self.drop(self.stack[position], position, below=first - 2)
        del self.stack[first - 2 :]
        start, stop = (Const(0), numbers[0]) if len(numbers) == 1 else numbers
        self.push(RangeIterator(start, stop, step))
        self.pending_offset = following.next_offset
        self.state.top.offset = following.next_offset
        self.continue_at(following.next_offset)

    def continue_at(self, offset: int) -> None:
        """Go on at another place of the bytecode, in a block of its own."""
        self._goto(offset)  # type: ignore[attr-defined]

    # ---- inlining -------------------------------------------------------------------------------------------------

    def may_inline(self, function: FunctionType) -> bool:
        return self.callee_bytecode(function.__code__) is not None

    def callee_bytecode(self, code: CodeType) -> Bytecode | None:
        """Decoded once for each executor, so that its blocks are recognised again."""
        if id(code) not in self.callees:
            self.callees[id(code)] = code, _inlinable(code, self.layout.seen_bytecode(code))
        return self.callees[id(code)][1]

    def _inline(
        self,
        instruction: Instruction,
        function: FunctionType,
        callable_: Entry,
        receiver: Entry,
        arguments: list[Entry],
    ) -> bool:
        """A small function runs here, in its caller's frame; an exit in it makes the frame it would have."""
        code = function.__code__
        bytecode = self.callee_bytecode(code)
        given = [*([] if isinstance(receiver, Null) else [receiver]), *arguments]
        if (
            bytecode is None
            or len(given) != code.co_argcount
            or len(self.state.frames) > _MAX_DEPTH
            or self.before[0].offset in self.feedback.not_inlined
            or not all(isinstance(entry, Number | Local | Pointer | Constant | Home) for entry in given)
            or (self.inlined and any(isinstance(entry, Home) for entry in given))
            or any(frame.bytecode.code is code for frame in self.state.frames)
            or self.bytecode_raises_elsewhere()
            or not self._stays_alive(code, callable_)
        ):
            return False
        pointer: Operand = callable_.value if isinstance(callable_, Pointer) else Const(id(function))
        self.emit("guard_function", [pointer], [id(code)], reason="callee", detail=code.co_name)
        if any(i.name == "LOAD_GLOBAL" for i in bytecode.instructions.values()):
            plain = type(self.snapshot.globals) is dict and type(self.snapshot.builtins) is dict
            if function.__globals__ is not self.snapshot.globals or not plain:
                return False
            self.emit("guard_plain_globals", [], reason="callee", detail=code.co_name)
            self.emit("guard_function_globals", [pointer], reason="callee", detail=code.co_name)
        caller = self.state.top
        caller.offset = instruction.offset
        locals_: list[Entry | None] = [None] * code.co_nlocals
        locals_[: len(given)] = given
        kept = 0
        if not self.inlined and self._keep(locals_, len(given), stores=_stores(code)):
            kept = len(arguments) + 2
        else:
            del caller.stack[len(caller.stack) - len(arguments) - 2 :]
        self.state.frames.append(Frame(bytecode, 0, locals_, [], function=pointer, kept=kept))
        self._note_inlined(code)
        self.continue_at(bytecode.resume_offset)
        return True

    def _keep(self, locals_: list[Entry | None], count: int, stores: bool) -> bool:
        """Arguments that have counts of their own in the caller's stack homes stay there for the length of the call; so
        do borrowed ones, if the callee stores something and so may end what they borrow from. True if there are any."""
        first = len(self.stack) - count
        kept = False
        for i in range(count):
            entry = self.stack[first + i]
            if isinstance(entry, Home) or (stores and isinstance(entry, Pointer) and not entry.held):
                self.push_home(first + i)
                locals_[i] = Local(self.stack_slot(first + i), entry.type, entry.sample)
                kept = True
        return kept

    @staticmethod
    def _stays_alive(code: CodeType, callable_: Entry) -> bool:
        """Whether the function object is there until the next safepoint, whatever other threads do. Those of a module
        or of its classes go with a collection only; one made in a function can go when its count does: then it must be
        a pointer that was looked at when it was loaded, and nothing may be stored that could hold the last count."""
        if not code.co_flags & inspect.CO_NESTED:
            return True
        return isinstance(callable_, Pointer) and not _stores(code)

    def _note_inlined(self, code: CodeType) -> None:
        function, frames = self.function, self.state.frames[1:]
        function.inlined[id(code)] = code
        function.inlined_at.add(self.state.frames[0].offset)
        function.inline_depth = max(function.inline_depth, len(frames))
        slots = sum(len(frame.locals) + frame.bytecode.code.co_stacksize for frame in frames)
        function.inline_slots = max(function.inline_slots, slots)

    def op_RETURN_VALUE(self, instruction: Instruction) -> bool:
        if not self.inlined:
            self.leave("return")
            return False
        if self.frame.kept and self.level() >= 1:
            raise self.not_inlinable("the end of its arguments runs code")
        callee = self.state.frames.pop()
        result = callee.stack[-1]
        caller = self.state.top
        call = caller.bytecode.instructions[caller.offset]
        if callee.kept:
            if isinstance(result, Pointer) or (isinstance(result, Local) and result.slot >= len(caller.locals)):
                raise self.not_inlinable("its result may go with its arguments")
            first = len(caller.stack) - callee.kept
            homes = [p for p in range(first, len(caller.stack)) if isinstance(caller.stack[p], Home)]
            self.guard_plain([self.stack_home(position) for position in homes])
            for position in homes:
                self.drop(caller.stack[position], position, below=first)
            del caller.stack[first:]
        caller.stack.append(result)
        self._goto(call.next_offset)  # type: ignore[attr-defined]
        return False

    def op_JUMP_FORWARD(self, instruction: Instruction) -> bool:
        self._goto(instruction.target)  # type: ignore[attr-defined]
        return False


def _stores(code: CodeType) -> bool:
    """Whether it stores into objects, which may end what was there."""
    return any(each.name in ("STORE_ATTR", "STORE_SUBSCR") for each in Bytecode(code).instructions.values())


def _main_copy(code: CodeType) -> bytes:
    """The bytecode as the main thread has specialised it; read twice, as it may be writing one of the caches now."""
    while True:
        first: bytes = code._co_code_adaptive  # type: ignore[attr-defined]
        if first == code._co_code_adaptive:  # type: ignore[attr-defined]
            return first


def _inlinable(code: CodeType, seen: bytes | None) -> Bytecode | None:
    """The decoded bytecode of a function small and simple enough to inline, else None. Its specialisations say where
    its globals and attributes are: as some thread had them, or those of the main copy."""
    simple = (
        not code.co_flags & _CANNOT and not code.co_freevars and not code.co_cellvars and not code.co_exceptiontable
    )
    if not simple or code.co_kwonlyargcount or len(code.co_code) > _MAX_INLINED_BYTES:
        return None
    decoded = Bytecode(code, seen or _main_copy(code))
    names = {instruction.name for instruction in decoded.instructions.values()}
    return decoded if names <= _INLINABLE else None
