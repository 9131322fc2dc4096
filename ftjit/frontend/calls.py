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
_MAX_DEPTH: Final = 4
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
    "STORE_ATTR", "PUSH_NULL", "SWAP", "COPY", "POP_TOP", "IS_OP", "POP_JUMP_IF_NONE", "POP_JUMP_IF_NOT_NONE",
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
            self.call_out("call_list_append", 1, 3, [Home(type(None))])
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
        self.drop(argument, top)
        del self.stack[-3:]
        self.push_number(result, value)
        return True

    def _abs(self, value: Operand, kind: str) -> Operand:
        if kind == "int":
            return self.emit("int_abs", [value], reason="overflow")
        return self.emit("float_abs", [value], [-(2**63)])

    def _range(self, instruction: Instruction, callable_: Entry, arguments: list[Entry]) -> bool:
        """range(...) whose iterator is made at once: neither object ever exists."""
        following = self.frame.bytecode.instructions.get(instruction.next_offset)
        if self.inlined or following is None or following.name != "GET_ITER" or not 1 <= len(arguments) <= 3:
            return False
        if any(self.kind_of(argument, "int") != "int" for argument in arguments):
            return False
        step = arguments[2] if len(arguments) == 3 else Number("int", Const(1))
        if not isinstance(step, Number) or not isinstance(step.value, Const) or not 0 < abs(step.value.value) < 2**31:
            return False  # a step that is not a small constant: the general way
        self._finish_range(callable_, arguments[:2], int(step.value.value), following)
        return True

    def _finish_range(self, callable_: Entry, bounds: list[Entry], step: int, following: Instruction) -> None:
        assert isinstance(callable_, Pointer)
        self._guard_builtin(callable_, range)
        first = len(self.stack) - 1
        while self.stack[first] is not bounds[0]:
            first -= 1
        numbers = [self.unbox(bound, "int", first + i) for i, bound in enumerate(bounds)]
        for position in range(first, len(self.stack)):
            self.drop(self.stack[position], position)
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
        if code not in self.callees:
            self.callees[code] = _inlinable(code, self.layout.seen_bytecode(code))
        return self.callees[code]

    def _inline(
        self,
        instruction: Instruction,
        function: FunctionType,
        callable_: Entry,
        receiver: Entry,
        arguments: list[Entry],
    ) -> bool:
        """A small function that does nothing but compute, or whose last act is its only effect: run here. Every exit
        in it goes back to before the call."""
        code = function.__code__
        bytecode = self.callee_bytecode(code)
        given = [*([] if isinstance(receiver, Null) else [receiver]), *arguments]
        outer_offset = self.before.offset
        if (
            bytecode is None
            or len(given) != code.co_argcount
            or len(self.state.frames) >= _MAX_DEPTH
            or outer_offset in self.feedback.not_inlined
            or not all(isinstance(entry, Number | Local | Pointer | Constant) for entry in given)
            or any(frame.bytecode.code is code for frame in self.state.frames)
        ):
            return False
        version = self.layout.function_version(function)
        if version == 0 or version >= 2**31:
            return False
        pointer: Operand = callable_.value if isinstance(callable_, Pointer) else Const(id(function))
        self.emit("guard_function", [pointer], [version], reason="callee", detail=code.co_name)
        if any(i.name == "LOAD_GLOBAL" for i in bytecode.instructions.values()):
            if function.__globals__ is not self.snapshot.globals:
                return False
            self.emit("guard_function_globals", [pointer], reason="callee", detail=code.co_name)
        caller = self.state.top
        before = None if self.inlined else self.before.copy()
        caller.offset = instruction.offset
        del caller.stack[len(caller.stack) - len(arguments) - 2 :]
        locals_: list[Entry | None] = [None] * code.co_nlocals
        locals_[: len(given)] = given
        callee = Frame(bytecode, 0, locals_, [], caller=before, effects=caller.effects)
        self.state.frames.append(callee)
        self.function.inlines = True
        self.continue_at(bytecode.resume_offset)
        return True

    def op_RETURN_VALUE(self, instruction: Instruction) -> bool:
        if not self.inlined:
            self.leave("return")
            return False
        frame = self.state.frames.pop()
        result = frame.stack[-1]
        caller = self.state.top
        call = caller.bytecode.instructions[caller.offset]
        caller.effects = caller.effects or (frame.effects and len(self.state.frames) > 1)
        caller.stack.append(result)
        if len(self.state.frames) == 1 and frame.effects:
            # What follows starts from after the call; nothing up to the next bytecode may leave.
            self.before = caller.copy()
            self.before.offset = call.next_offset
        self._goto(call.next_offset)  # type: ignore[attr-defined]
        return False

    def op_JUMP_FORWARD(self, instruction: Instruction) -> bool:
        self._goto(instruction.target)  # type: ignore[attr-defined]
        return False


def _inlinable(code: CodeType, seen: bytes | None) -> Bytecode | None:
    """The decoded bytecode of a function small and simple enough to inline, else None. Its specialisations say where
    its globals and attributes are: as some thread had them, or those of the main copy."""
    simple = (
        not code.co_flags & _CANNOT and not code.co_freevars and not code.co_cellvars and not code.co_exceptiontable
    )
    if not simple or code.co_kwonlyargcount or len(code.co_code) > _MAX_INLINED_BYTES:
        return None
    decoded = Bytecode(code, seen or code._co_code_adaptive)  # type: ignore[attr-defined]
    names = {instruction.name for instruction in decoded.instructions.values()}
    return decoded if names <= _INLINABLE and not decoded.loops else None
