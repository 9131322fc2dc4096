"""Numbers: binary and unary operations, comparisons, truth, and the jumps that follow them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ftjit.frontend.bytecode import Instruction
from ftjit.frontend.core import Core, LeaveHere
from ftjit.frontend.values import MISSING, Boxed, Condition, Constant, Entry, Home, Local, Number, Pointer
from ftjit.ir import Const, Edge, Op
from ftjit.ir.nodes import Operand

# BINARY_OP's argument without the in-place half.
OPERATORS: Final = ("+", "&", "//", "<<", "@", "*", "%", "|", "**", ">>", "-", "/", "^")
SUBSCRIPT: Final = 26
_INT: Final = {"+": "add", "-": "sub", "*": "mul", "&": "and", "|": "or", "^": "xor", "<<": "shl", ">>": "shr",
               "//": "floordiv", "%": "mod"}  # fmt: skip
_FLOAT: Final = {"+": "add", "-": "sub", "*": "mul", "/": "div", "//": "floordiv", "%": "mod", "**": "pow"}
_COMPARE: Final = ("lt", "le", "eq", "ne", "gt", "ge")
_NEGATED: Final = {"lt": "ge", "le": "gt", "eq": "ne", "ne": "eq", "gt": "le", "ge": "lt"}
_FOLD: Final[dict[str, Callable[[int, int], int]]] = {
    "+": int.__add__, "-": int.__sub__, "*": int.__mul__, "&": int.__and__, "|": int.__or__, "^": int.__xor__,
}  # fmt: skip
SIGN_BIT: Final = -(2**63)
_JUMPS: Final = ("POP_JUMP_IF_FALSE", "POP_JUMP_IF_TRUE")


class Arithmetic(Core):
    """BINARY_OP on numbers, UNARY_*, COMPARE_OP, IS_OP, TO_BOOL, POP_JUMP_IF_*."""

    if TYPE_CHECKING:  # the page for access has it

        def subscript(self, instruction: Instruction) -> None: ...

    # ---- binary operations ---------------------------------------------------------------------------------------

    def op_BINARY_OP(self, instruction: Instruction) -> None:
        if instruction.argument == SUBSCRIPT:
            self.subscript(instruction)
            return
        if instruction.special == "BINARY_OP_INPLACE_ADD_UNICODE":
            raise LeaveHere("a string that grows in place")  # a call out would copy it, each time
        operator = OPERATORS[instruction.argument % len(OPERATORS)]
        left, right = self.stack[-2], self.stack[-1]
        hint = self._hint(instruction)
        kinds = self.kind_of(left, hint), self.kind_of(right, hint)
        if None in kinds and (hint is None or kinds != (None, None)):
            # One side known, the other a result of a call: guess that it is of the same kind.
            known = kinds[0] or kinds[1]
            guess = known if known in ("int", "float") and self._may_guess(left) and self._may_guess(right) else None
            kinds = kinds[0] or guess, kinds[1] or guess
        plan = self._plan(operator, kinds[0], kinds[1], right)
        if plan is None or self.level() >= 2 or (self.level() >= 1 and self.feedback.overflowed(self.place())):
            self.call_out("binary_op", instruction.argument, 2, [Home()])
            return
        kind, result = plan
        top = len(self.stack) - 1
        a, own_a = self._operand(left, str(kinds[0]), top - 1)
        b, own_b = self._operand(right, str(kinds[1]), top)
        if operator == "/" and own_a == own_b == "int":
            self._guard_exact(a)
            self._guard_exact(b)
        a = self.convert(a, own_a, kind)
        b = self.convert(b, own_b, kind)
        value = self._float_op(operator, a, b) if kind == "float" else self._int_op(operator, a, b)
        self.drop(right, top, below=top - 1)
        self.drop(left, top - 1)
        del self.stack[-2:]
        self.push_number(result, value)

    @staticmethod
    def _hint(instruction: Instruction) -> str | None:
        for kind in ("INT", "FLOAT"):
            if instruction.special.endswith(f"_{kind}"):
                return kind.lower()
        return None

    @staticmethod
    def _may_guess(entry: Entry) -> bool:
        """Not of an object whose type or sample says that it is no number."""
        if isinstance(entry, Local | Pointer | Home):
            return entry.type is None and entry.sample is MISSING
        return isinstance(entry, Number)

    @staticmethod
    def _plan(operator: str, left: str | None, right: str | None, exponent: Entry) -> tuple[str, str] | None:
        """(kind to compute in, kind of the result), or None where the general way is taken."""
        if left is None or right is None:
            return None
        if "float" in (left, right):
            return ("float", "float") if operator in _FLOAT else None
        if operator == "/":
            return "float", "float"
        if operator == "**":
            constant = (
                exponent.value.value if isinstance(exponent, Number) and isinstance(exponent.value, Const) else -1
            )
            return ("int", "int") if 1 <= constant <= 4 else None
        both_bool = left == right == "bool" and operator in ("&", "|", "^")
        return ("int", "bool" if both_bool else "int") if operator in _INT else None

    def _float_op(self, operator: str, a: Operand, b: Operand) -> Operand:
        return self.emit(f"float_{_FLOAT[operator]}", [a, b], reason="arithmetic")

    def _operand(self, entry: Entry, kind: str, position: int) -> tuple[Operand, str]:
        """The number, and what to take it for: a bool counts as an int."""
        return self.unbox(entry, kind, position), "int" if kind == "bool" else kind

    def _guard_exact(self, value: Operand) -> None:
        """An int that a double holds exactly."""
        if isinstance(value, Const):
            if abs(value.value) > 2**53:
                raise LeaveHere("a division of large ints")
        else:
            self.emit("guard_fits_double", [value], reason="overflow")

    def _int_op(self, operator: str, a: Operand, b: Operand) -> Operand:
        if isinstance(a, Const) and isinstance(b, Const) and operator in _FOLD:
            folded = _FOLD[operator](int(a.value), int(b.value))
            if -(2**63) <= folded < 2**63:
                return Const(folded)
        if isinstance(a, Const) and operator in ("+", "*", "&", "|", "^"):
            a, b = b, a
        if operator == "**":
            assert isinstance(b, Const)
            result: Operand = a
            for _ in range(int(b.value) - 1):
                result = self.emit("int_mul", [result, a], reason="overflow")
            return result
        if operator in ("//", "%") and isinstance(b, Const) and 0 < b.value < 2**31:
            divisor = int(b.value)
            if divisor & (divisor - 1) == 0:
                if operator == "//":
                    return self.emit("int_shr", [a, Const(divisor.bit_length() - 1)]) if divisor > 1 else a
                return self.emit("int_and", [a, Const(divisor - 1)])
            return self.emit(f"int_{_INT[operator]}_const", [a], [divisor])
        reason = "overflow" if operator in ("+", "-", "*", "<<") else "arithmetic"
        return self.emit(f"int_{_INT[operator]}", [a, b], reason=reason)

    # ---- unary operations ----------------------------------------------------------------------------------------

    def op_UNARY_NEGATIVE(self, instruction: Instruction) -> None:
        entry = self.stack[-1]
        kind = self.kind_of(entry)
        if kind is None or self.level() >= 2:
            self.call_out("unary_negative", 0, 1, [Home()])
            return
        top = len(self.stack) - 1
        kind = "int" if kind == "bool" else kind
        value = self.unbox(entry, kind, top)
        if isinstance(value, Const) and value.value != 0 and value.value != SIGN_BIT:
            result: Operand = Const(-value.value)
        elif kind == "int":
            result = self.emit("int_neg", [value], reason="overflow")
        else:
            result = self.emit("float_neg", [value], [SIGN_BIT])
        self.drop(entry, top)
        self.stack[-1] = Number(kind, result)

    def op_UNARY_INVERT(self, instruction: Instruction) -> None:
        entry = self.stack[-1]
        if self.kind_of(entry) != "int" or self.level() >= 2:
            self.call_out("unary_invert", 0, 1, [Home()])
            return
        top = len(self.stack) - 1
        result = self.emit("int_invert", [self.unbox(entry, "int", top)])
        self.drop(entry, top)
        self.stack[-1] = Number("int", result)

    def op_UNARY_NOT(self, instruction: Instruction) -> None:
        entry = self.stack[-1]
        if isinstance(entry, Condition):
            entry = self._settle(entry)
        if isinstance(entry, Home):  # TO_BOOL came before: it holds True or False
            value: Operand = self.emit("load_truth", [], [self.stack_home(len(self.stack) - 1)])
        else:
            assert isinstance(entry, Number)
            value = entry.value
        self.stack[-1] = Number("bool", self.emit("int_xor", [value, Const(1)]))

    # ---- comparisons ---------------------------------------------------------------------------------------------

    def op_COMPARE_OP(self, instruction: Instruction) -> None:
        left, right = self.stack[-2], self.stack[-1]
        hint = self._hint(instruction)
        kinds = self.kind_of(left, hint), self.kind_of(right, hint)
        if None in kinds and kinds != (None, None):
            known = kinds[0] or kinds[1]
            guess = known if known in ("int", "float") and self._may_guess(left) and self._may_guess(right) else None
            kinds = kinds[0] or guess, kinds[1] or guess
        if None in kinds or self.level() >= 2:
            self.call_out("compare_op", instruction.argument, 2, [Home()])
            return
        top = len(self.stack) - 1
        a, own_a = self._operand(left, str(kinds[0]), top - 1)
        b, own_b = self._operand(right, str(kinds[1]), top)
        kind = "float" if "float" in (own_a, own_b) else "int"
        if own_a != own_b:
            # An int compares with a float by its exact value: both as doubles, if it fits.
            self._guard_exact(a if own_a == "int" else b)
        a = self.convert(a, own_a, kind)
        b = self.convert(b, own_b, kind)
        self.drop(right, top, below=top - 1)
        self.drop(left, top - 1)
        del self.stack[-2:]
        self._push_condition(Condition(kind, _COMPARE[instruction.argument >> 5], a, b))

    def op_IS_OP(self, instruction: Instruction) -> None:
        left, right = self.stack[-2], self.stack[-1]
        if isinstance(left, Constant) and not isinstance(right, Constant):
            left, right = right, left
        simple = isinstance(left, Local | Pointer) and isinstance(right, Local | Pointer | Constant)
        if not simple:
            self.call_out("is_op", instruction.argument, 2, [Home(bool)])
            return
        a, b = self.pointer(left), self.pointer(right)
        assert a is not None
        assert b is not None
        del self.stack[-2:]
        self._push_condition(Condition("same", "ne" if instruction.argument else "eq", a, b))

    def _push_condition(self, condition: Condition) -> None:
        """Kept as a condition when its jump comes next, else made a bool."""
        following = self.frame.bytecode.instructions.get(self.pending_offset)
        if following is not None and following.name == "TO_BOOL":
            following = self.frame.bytecode.instructions.get(following.next_offset)
        leaders = self._leaders(self.frame.bytecode)  # type: ignore[attr-defined]
        if following is not None and following.name in _JUMPS and self.pending_offset not in leaders:
            self.push(condition)
        else:
            self.push(self._settle(condition))

    def _settle(self, condition: Condition) -> Number:
        kind, operator, a, b = condition.kind, condition.operator, condition.left, condition.right
        if kind == "int":
            if isinstance(a, Const):
                operator = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}.get(operator, operator)
                a, b = b, a
            return Number("bool", self.emit(f"int_compare_{operator}", [a, b]))
        if kind == "same":
            return Number("bool", self.emit(f"int_compare_{operator}", [a, b]))
        if operator in ("gt", "ge"):
            operator, a, b = {"gt": "lt", "ge": "le"}[operator], b, a
        bits = self.emit(f"float_compare_{operator}", [a, b])
        return Number("bool", self.emit("bits_of_float", [bits]))

    def op_TO_BOOL(self, instruction: Instruction) -> None:
        entry = self.stack[-1]
        if isinstance(entry, Condition) or (isinstance(entry, Number) and entry.kind == "bool"):
            return
        kind = self.kind_of(entry, "bool" if instruction.special == "TO_BOOL_BOOL" else None)
        if kind is None and instruction.special == "TO_BOOL_INT":
            kind = "int"
        top = len(self.stack) - 1
        if kind is None or self.level() >= 2:
            self.call_out("to_bool", 0, 1, [Home(bool)])
            return
        value = self.unbox(entry, kind, top)
        self.drop(entry, top)
        self.pop()
        if kind == "bool":
            self.push_number("bool", value)
        elif kind == "int":
            self._push_condition(Condition("int", "ne", value, Const(0)))
        else:
            self._push_condition(Condition("float", "ne", value, Const(0.0)))

    # ---- jumps ---------------------------------------------------------------------------------------------------

    def op_POP_JUMP_IF_FALSE(self, instruction: Instruction) -> bool:
        return self._jump_if(instruction, False)

    def op_POP_JUMP_IF_TRUE(self, instruction: Instruction) -> bool:
        return self._jump_if(instruction, True)

    def op_POP_JUMP_IF_NONE(self, instruction: Instruction) -> bool:
        return self._jump_none(instruction, "eq")

    def op_POP_JUMP_IF_NOT_NONE(self, instruction: Instruction) -> bool:
        return self._jump_none(instruction, "ne")

    def _jump_none(self, instruction: Instruction, operator: str) -> bool:
        entry = self.stack[-1]
        top = len(self.stack) - 1
        if isinstance(entry, Number | Constant):
            is_none = isinstance(entry, Constant) and entry.object is None
            self.pop()
            self._goto(instruction.target if is_none == (operator == "eq") else instruction.next_offset)
            return False
        pointer = self.pointer(entry, top)
        if pointer is None:
            self.leave("uncompiled", "a comparison with None of what is no object")
            return False
        if isinstance(entry, Home) and self.level() >= 1:  # its end has run code here before: let it, as a call out
            taken = int(operator == "eq")
            self.call_out_or("pop_jump_none", taken, 1, [], instruction.next_offset, instruction.target)  # type: ignore[attr-defined]
            return False
        self.drop(entry, top, late=False)  # before the branch; the address is only compared
        self.pop()
        self._branch(Condition("same", operator, pointer, Const(id(None))), instruction.target, instruction.next_offset)
        return False

    def _jump_if(self, instruction: Instruction, wanted: bool) -> bool:
        entry = self.stack[-1]
        top = len(self.stack) - 1
        if isinstance(entry, Home):
            entry = Number("bool", self.emit("load_truth", [], [self.stack_home(top)]))
        elif isinstance(entry, Local | Pointer):
            entry = Number("bool", self.unbox(entry, "bool", top))
        elif isinstance(entry, Constant):
            self.pop()
            self._goto(instruction.target if bool(entry.object) == wanted else instruction.next_offset)
            return False
        self.pop()
        if isinstance(entry, Number) and isinstance(entry.value, Const):
            self._goto(instruction.target if bool(entry.value.value) == wanted else instruction.next_offset)
            return False
        condition = entry if isinstance(entry, Condition) else Condition("int", "ne", entry.value, Const(0))  # type: ignore[attr-defined]
        taken, other = instruction.target, instruction.next_offset
        if not wanted:
            taken, other = other, taken
        self._branch(condition, taken, other)
        return False

    def _goto(self, offset: int | None) -> None:
        assert offset is not None
        self.state.top.offset = offset
        self.block.ops.append(Op("jump", [], target=self._edge(), offset=self.offset))

    def _edge(self) -> Edge:
        return self.edge_to(self.state)  # type: ignore[attr-defined,no-any-return]

    def _branch(self, condition: Condition, when_true: int | None, when_false: int | None) -> None:
        """Two edges; the branch op goes to the true one, and on to the false one."""
        assert when_true is not None
        assert when_false is not None
        kind, operator, a, b = condition.kind, condition.operator, condition.left, condition.right
        if kind == "float" and operator in ("gt", "ge"):
            operator, a, b = {"gt": "lt", "ge": "le"}[operator], b, a
        if kind == "int" and isinstance(a, Const):
            if isinstance(b, Const):
                holds = {"lt": a.value < b.value, "le": a.value <= b.value, "eq": a.value == b.value}
                truth = holds[operator] if operator in holds else not holds[_NEGATED[operator]]
                self._goto(when_true if truth else when_false)
                return
            operator = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}.get(operator, operator)
            a, b = b, a
        block = self.block
        self.state.top.offset = when_true
        op = Op(*self._branch_op(kind, operator, a, b), offset=self.offset)
        op.target = self._edge()
        self.state.top.offset = when_false
        otherwise = self._edge()
        block.ops.append(op)
        block.ops.append(Op("jump", [], target=otherwise, offset=self.offset))
        self.block = block

    @staticmethod
    def _branch_op(kind: str, operator: str, a: Operand, b: Operand) -> tuple[str, list[Operand]]:
        if kind == "float":
            return f"float_branch_{operator}", [a, b]
        if kind == "int" and isinstance(b, Const) and b.value == 0 and operator in ("eq", "ne"):
            return ("branch_true" if operator == "ne" else "branch_false"), [a]
        return f"int_branch_{operator}", [a, b]


__all__ = ["Arithmetic", "Boxed"]
