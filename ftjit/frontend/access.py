"""Reads and writes of shared memory: subscripts, attributes, globals, unpacking. In program order, each with its own
checks (rules 1 to 3 of the memory model); nothing here is reused or hoisted."""

from __future__ import annotations

from collections.abc import Callable
from inspect import CO_NESTED
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from ftjit.frontend.bytecode import Instruction
from ftjit.frontend.core import Core, LeaveHere
from ftjit.frontend.values import (
    MISSING,
    Boxed,
    Constant,
    Entry,
    Home,
    Local,
    Null,
    Number,
    Pointer,
    exact_type,
    number_constant,
    number_kind,
)
from ftjit.ir import Const
from ftjit.ir.nodes import Operand
from ftjit.plain import changed

_SUBSCRIPT_HINT: Final[dict[str, type]] = {
    "BINARY_OP_SUBSCR_LIST_INT": list, "BINARY_OP_SUBSCR_TUPLE_INT": tuple, "BINARY_OP_SUBSCR_STR_INT": str,
}  # fmt: skip


class Access(Core):
    """BINARY_OP's subscript, STORE_SUBSCR, slices, LOAD_ATTR, STORE_ATTR, LOAD_GLOBAL, UNPACK_SEQUENCE, builders."""

    if TYPE_CHECKING:  # the page for calls has it

        def may_inline(self, function: FunctionType) -> bool: ...

    # ---- types ----------------------------------------------------------------------------------------------------

    def expected_type(self, entry: Entry) -> type | None:
        match entry:
            case Local(_, known, sample) | Pointer(_, known, sample) | Home(known, sample):
                return known or (None if sample is MISSING else exact_type(sample))
        return None

    def typed_pointer(self, entry: Entry, wanted: type) -> Operand | None:
        """A borrowed pointer to what is an exact `wanted`, guarded unless known; None for entries in stack homes,
        whose object could go with its count before the result is used."""
        if not isinstance(entry, Local | Pointer):
            return None
        pointer = self.pointer(entry)
        assert pointer is not None
        if entry.type is not wanted:
            self.emit("guard_type", [pointer], [id(wanted)], reason="type")
            known = self.state.outer.locals
            if isinstance(entry, Local) and entry.slot < len(known) and isinstance(known[entry.slot], Boxed):
                known[entry.slot] = Boxed(wanted, entry.sample)
        return pointer

    def item_of(self, entry: Entry, index: int | None) -> Any:
        """The item at `index` of the entry's sample, or some item (None), for its type; MISSING if there is none."""
        sample: Any = getattr(entry, "sample", MISSING)
        if exact_type(sample) not in (list, tuple):
            return MISSING
        return self.layout.peek.item(sample, len(sample) // 2 if index is None else index, MISSING)

    def push_loaded(self, value: Operand, sample: Any) -> None:
        """A pointer just loaded."""
        self.push(Pointer(value, None, sample))

    # ---- subscripts -----------------------------------------------------------------------------------------------

    def subscript(self, instruction: Instruction) -> None:
        container, index = self.stack[-2], self.stack[-1]
        kind = self.expected_type(container) or _SUBSCRIPT_HINT.get(instruction.special)
        top = len(self.stack) - 1
        if isinstance(index, Constant) and type(index.object) is slice and self._slice_of_a_list(container, kind):
            sample = getattr(container, "sample", MISSING)
            self.call_out("binary_op", instruction.argument, 2, [Home(list, sample)], quiet=True)
            return
        known = kind in (list, tuple) and self.kind_of(index, "int") == "int" and isinstance(container, Local | Pointer)
        if not known or self.level() >= 2:
            self.call_out("binary_op", instruction.argument, 2, [Home()])
            return
        assert kind is not None
        number = self.unbox(index, "int", top)
        pointer = self.typed_pointer(container, kind)
        assert pointer is not None
        sample = self.item_of(container, None)
        if kind is tuple:
            result = self.emit("tuple_item_at", [pointer, number], reason="index")
        elif self.level() == 0:
            unfenced = self.state.unfenced
            if isinstance(container, Local) and unfenced == 2 + container.slot:
                # Most likely the list that was written last: its lock is kept, and no fence is needed yet.
                self.emit("fence_unless_kept", [pointer])
                self.state.unfenced = 0
                result = self.emit("list_item", [pointer, number], reason="item")
                self.state.unfenced = unfenced
            else:
                result = self.emit("list_item", [pointer, number], reason="item")
        elif self.inlined:
            raise self.not_inlinable("it reads a list of what another thread has made")
        else:
            home = self.stack_home(top - 1)
            self.emit("list_item_owned", [pointer, number], [home], reason="item")
            self.drop(index, top, below=top - 1)
            del self.stack[-2:]
            self.push(Home(None, sample))
            return
        self.drop(index, top, below=top - 1)
        del self.stack[-2:]
        self.push_loaded(result, sample)

    def op_STORE_SUBSCR(self, instruction: Instruction) -> None:
        value, container, index = self.stack[-3:]
        top = len(self.stack) - 1
        hint = list if instruction.special == "STORE_SUBSCR_LIST_INT" else None
        plain = (self.expected_type(container) or hint) is list and self.kind_of(index, "int") == "int"
        storable = self._storable(value) if isinstance(value, Number) else True
        if not plain or not storable or not isinstance(container, Local | Pointer) or self.level() >= 1:
            self.call_out("store_subscr", 0, 3)
            return
        number = self.unbox(index, "int", top)
        pointer = self.typed_pointer(container, list)
        assert pointer is not None
        for position in range(top - 1):
            self._unbox_small(position)
        value = self.stack[-3]
        self.settle_pointers(3)
        match value:
            case Number("float", number_value):
                self.emit("list_store_float", [pointer, number, number_value], reason="store")
            case Number("int", number_value) if hasattr(number_value, "number"):
                self.emit("list_store_int", [pointer, number, number_value], reason="store")
            case Number(_, constant):
                object = bool(constant.value) if value.kind == "bool" else constant.value  # type: ignore[union-attr]
                self.emit("list_store_constant", [pointer, number], [id(object)], reason="store")
            case Constant(object) if self.layout.is_immortal(object):
                self.emit("list_store_constant", [pointer, number], [id(object)], reason="store")
            case _:
                item = self.pointer(value, top - 2)
                assert item is not None
                self.emit("list_store_object", [pointer, number, item], reason="store")
                self.drop(value, top - 2)
        self.drop(index, top, below=top - 2)
        del self.stack[-3:]
        if isinstance(container, Local):
            self.state.unfenced = 2 + container.slot

    def _unbox_small(self, position: int) -> None:
        """A borrowed item that looks like a small int travels as a number: it has one object at hand, with no count."""
        entry = self.stack[position]
        if isinstance(entry, Pointer) and type(entry.sample) is int and -5 <= entry.sample <= 256:
            self.stack[position] = Number("int", self.unbox(entry, "int"))

    def append(self, value: Entry, container: Entry) -> bool:
        """list.append(value), below it on the stack: the method and its self, an exact list. Leaves None."""
        top = len(self.stack) - 1
        if not isinstance(container, Local | Pointer) or self.level() >= 1:
            return False
        if isinstance(value, Number) and not self._storable(value):
            return False
        pointer = self.pointer(container)
        assert pointer is not None
        match value:
            case Number("float", number):
                self.emit("list_append_float", [pointer, number], reason="store")
            case Number("int", number) if hasattr(number, "number"):
                self.emit("list_append_int", [pointer, number], reason="store")
            case Number(kind, constant):
                object = bool(constant.value) if kind == "bool" else constant.value  # type: ignore[union-attr]
                self.emit("list_append_constant", [pointer], [id(object)], reason="store")
            case Constant(object) if self.layout.is_immortal(object):
                self.emit("list_append_constant", [pointer], [id(object)], reason="store")
            case _:
                item = self.pointer(value, top)
                if item is None:
                    return False
                self.emit("list_append_object", [pointer, item], reason="store")
                self.drop(value, top, below=top - 2)
        del self.stack[-3:]
        self.push(Constant(None))
        return True

    @staticmethod
    def _storable(value: Number) -> bool:
        """A bool in a register has no object at hand; a constant int must be one of the immortal small ones."""
        if hasattr(value.value, "number"):
            return value.kind != "bool"
        return value.kind != "int" or -5 <= value.value.value <= 256

    def _slice_of_a_list(self, container: Entry, kind: type | None) -> bool:
        """A slice of an exact list is an exact list, and nobody's code runs to make it. Guarded if so."""
        known = kind is list and isinstance(container, Local | Pointer) and self.level() < 2
        if known:
            self.typed_pointer(container, list)
        return known

    def op_BINARY_SLICE(self, instruction: Instruction) -> None:
        container = self.stack[-3]
        bounds = all(isinstance(bound, Number | Constant) for bound in self.stack[-2:])
        if bounds and self._slice_of_a_list(container, self.expected_type(container)):
            sample = getattr(container, "sample", MISSING)
            self.call_out("binary_slice", 0, 3, [Home(list, sample)], quiet=True)
        else:
            self.call_out("binary_slice", 0, 3, [Home()])

    def op_STORE_SLICE(self, instruction: Instruction) -> None:
        self.call_out("store_slice", 0, 4)

    # ---- attributes -----------------------------------------------------------------------------------------------

    def op_LOAD_ATTR(self, instruction: Instruction) -> None:
        owner = self.stack[-1]
        special = instruction.special
        name = self.frame.bytecode.code.co_names[instruction.argument >> 1]
        if isinstance(owner, Local | Pointer) and self.level() < 2:
            if special in ("LOAD_ATTR_INSTANCE_VALUE", "LOAD_ATTR_SLOT"):
                self._load_instance(instruction, owner, name)
                return
            if special == "LOAD_ATTR_METHOD_NO_DICT" and self._load_builtin_method(instruction, owner, name):
                return
            if special == "LOAD_ATTR_MODULE" and self.level() == 0:
                self._load_from_module(instruction, owner, name)
                return
            if special.startswith("LOAD_ATTR_NONDESCRIPTOR") and self._load_of_class(instruction, owner, name):
                return
        # (LOAD_ATTR_METHOD_LAZY_DICT has its instances' dict elsewhere, and no guard here.)
        methods = ("LOAD_ATTR_METHOD_NO_DICT", "LOAD_ATTR_METHOD_WITH_VALUES")
        if special in methods and self.level() < 2 and self._load_method(instruction, owner, name):
            return
        results: list[Entry] = [Home()]
        if instruction.argument & 1:
            results.append(Home())
        self.call_out("load_attr", instruction.argument, 1, results)

    def _load_instance(self, instruction: Instruction, owner: Local | Pointer, name: str) -> None:
        form = "value" if instruction.special == "LOAD_ATTR_INSTANCE_VALUE" else "slot"
        version, offset = instruction.cache32(1), instruction.caches[3]
        pointer = self.pointer(owner)
        assert pointer is not None
        sample = (
            MISSING if owner.sample is MISSING else self.layout.peek.attribute(owner.sample, version, offset, MISSING)
        )
        top = len(self.stack) - 1
        if self.level() == 0:
            result = self.emit(f"attr_{form}", [pointer], [version, offset], reason="attribute", detail=name)
            self.pop()
            self.push_loaded(result, sample)
        elif constant := self._as_constant(lambda: self.layout.peek.number(owner.sample, version, offset, MISSING)):
            address, number = constant
            self.emit(f"attr_{form}_is", [pointer], [version, offset, address], reason="constant", detail=name)
            self.pop()
            self.push(number)
        elif self.inlined:
            raise self.not_inlinable(f"its attribute {name} is what another thread has made")
        else:
            immediates = [version, offset, self.stack_home(top)]
            self.emit(f"attr_{form}_owned", [pointer], immediates, reason="attribute", detail=name)
            self.pop()
            self.push(Home(None, sample))
        if instruction.argument & 1:
            self.push(Null())

    def _load_from_module(self, instruction: Instruction, owner: Local | Pointer, name: str) -> None:
        pointer = self.typed_pointer(owner, ModuleType)
        assert pointer is not None
        version, index = instruction.cache32(1), instruction.caches[3]
        value = self.emit("module_value", [pointer], [version, index], reason="attribute", detail=name)
        is_module = type(owner.sample) is ModuleType
        sample = self.layout.peek.value(owner.sample.__dict__, name, MISSING) if is_module else MISSING
        self.pop()
        self._push_named(value, sample)
        if instruction.argument & 1:
            self.push(Null())

    def _push_named(self, value: Operand, sample: Any, held: bool = False) -> None:
        """What a global or a module's attribute names."""
        kind = type(sample)
        callee = sample if kind is FunctionType or kind is BuiltinFunctionType or kind is type else None
        self.push(Pointer(value, None, sample, callee, held))

    def _as_constant(self, look: Callable[[], object]) -> tuple[int, Number] | None:
        """A number that another thread has made, and that may well be for good: its address, and what it is. Comparing
        addresses takes no count, which all threads would write to; the executor keeps the number, so that nothing else
        comes to be there. None where it turned out to change."""
        if self.level() != 1 or not self.feedback.may_be("constant", self.place()):
            return None
        value = look()
        number = number_constant(value)
        if number is None or number.kind == "bool":
            return None
        self.function.kept.append(value)
        return id(value), number

    def _load_builtin_method(self, instruction: Instruction, owner: Local | Pointer, name: str) -> bool:
        """A method of an exact list: the type is immutable, so the method is a constant."""
        method = list.__dict__.get(name)
        if self.expected_type(owner) is not list or method is None or not instruction.argument & 1:
            return False
        self.typed_pointer(owner, list)
        self.pop()
        self.push(Constant(method))
        self.push(changed(owner, type=list))
        return True

    def _load_method(self, instruction: Instruction, owner: Entry, name: str) -> bool:
        """self.method: the type's version says which function it is; the owner becomes its self."""
        if not isinstance(owner, Local | Pointer | Home):
            return False
        version = instruction.cache32(1)
        if owner.sample is MISSING or not instruction.argument & 1:
            return False
        function = self.layout.method(type(owner.sample), version, name)
        if type(function) is not FunctionType:
            return False
        if not self.may_inline(function) and (self.inlined or function.__code__.co_flags & CO_NESTED):
            return False  # (what is nested is not left to the collector to free, and may be gone before it is counted)
        top = len(self.stack) - 1
        self._guard_found_in_class(instruction, owner, name)
        if isinstance(owner, Home):
            self.emit("move_home", [], [self.stack_home(top + 1), self.stack_home(top)])
        self.pop()
        self.push(Constant(function))
        self.push(owner)
        return True

    def _load_of_class(self, instruction: Instruction, owner: Local | Pointer, name: str) -> bool:
        """self.name, which the class has: the type's version says what it is, if that is a number or there for ever."""
        if owner.sample is MISSING or instruction.argument & 1:
            return False
        value = self.layout.method(type(owner.sample), instruction.cache32(1), name)
        number = number_constant(value)
        if number is None and (value is None or not self.layout.is_immortal(value)):
            return False  # (method() says None where it does not know)
        self._guard_found_in_class(instruction, owner, name)
        self.pop()
        self.push(number or Constant(value))
        return True

    def _guard_found_in_class(self, instruction: Instruction, owner: Local | Pointer | Home, name: str) -> None:
        pointer = self.pointer(owner, len(self.stack) - 1)
        assert pointer is not None
        self.emit("guard_version", [pointer], [instruction.cache32(1)], reason="attribute", detail=name)
        if not instruction.special.endswith("_NO_DICT"):
            # No instance attribute of that name: the keys that all instances share are as they were.
            self.emit("guard_instance_keys", [pointer], [instruction.cache32(3)], reason="attribute", detail=name)

    def op_STORE_ATTR(self, instruction: Instruction) -> None:
        value, owner = self.stack[-2], self.stack[-1]
        forms = {"STORE_ATTR_INSTANCE_VALUE": "value", "STORE_ATTR_SLOT": "slot"}
        form = forms.get(instruction.special)
        if isinstance(value, Number) and isinstance(value.value, Const) and value.kind != "float":
            number = bool(value.value.value) if value.kind == "bool" else int(value.value.value)
            if self.layout.is_immortal(number):  # an object that is always there: no box is needed
                value = self.stack[-2] = Constant(number)
        if (
            form is None
            or not isinstance(owner, Local | Pointer)
            or self.level() >= 1
            or (isinstance(value, Number) and value.kind == "bool")
        ):
            self.call_out("store_attr", instruction.argument, 2)
            return
        version, offset = instruction.cache32(1), instruction.caches[3]
        pointer = self.pointer(owner)
        assert pointer is not None
        top = len(self.stack) - 1
        self.settle_pointers(2)
        if isinstance(value, Number):
            what, operand = value.kind, value.value
        else:
            loaded = self.pointer(value, top - 1)
            assert loaded is not None
            what, operand = "object", loaded
        self.emit(f"attr_{form}_store_{what}", [pointer, operand], [version, offset], reason="store")
        self.drop(value, top - 1)
        del self.stack[-2:]

    # ---- globals --------------------------------------------------------------------------------------------------

    def global_value(self, name: str) -> Any:
        """What the name means now, MISSING if nothing."""
        value = self.layout.peek.value(self.snapshot.globals, name, MISSING)
        return self.layout.peek.value(self.snapshot.builtins, name, MISSING) if value is MISSING else value

    def op_LOAD_GLOBAL(self, instruction: Instruction) -> None:
        name = self.frame.bytecode.code.co_names[instruction.argument >> 1]
        sample = self.global_value(name)
        held: int | None = None
        if instruction.special == "LOAD_GLOBAL_MODULE" and self.level() < 1:
            version, index = instruction.caches[1], instruction.caches[3]
            value = self.emit("global_value", [], [version, index], reason="global", detail=name)
        elif instruction.special == "LOAD_GLOBAL_BUILTIN" and self.level() < 1:
            module, builtins, index = instruction.caches[1:4]
            value = self.emit("builtin_value", [], [module, builtins, index], reason="global", detail=name)
        elif instruction.special == "LOAD_GLOBAL_MODULE" and (constant := self._as_constant(lambda: sample)):
            address, number = constant
            version, index = instruction.caches[1], instruction.caches[3]
            self.emit("global_is", [], [version, index, address], reason="constant", detail=name)
            self.push(number)
            if instruction.argument & 1:
                self.push(Null())
            return
        elif instruction.special == "LOAD_GLOBAL_MODULE" and (held := self._hold(name)) is not None:
            version, index = instruction.caches[1], instruction.caches[3]
            value = self.emit("global_held", [], [version, index, held], reason="rebound", detail=name)
        elif instruction.special == "LOAD_GLOBAL_MODULE" and self.level() == 1 and not self.inlined:
            home = self.stack_home(len(self.stack))
            self.emit(
                "global_value_owned",
                [],
                [instruction.caches[1], instruction.caches[3], home],
                reason="global",
                detail=name,
            )
            self.push(Home(None, sample))
            if instruction.argument & 1:
                self.push(Null())
            return
        elif self.inlined:
            raise self.not_inlinable(f"it reads the global {name}, which has no stable place yet")
        else:
            results: list[Entry] = [Home(None, sample), Null()] if instruction.argument & 1 else [Home(None, sample)]
            self.call_out("load_global", instruction.argument >> 1, 0, results)  # keys may compare by code of their own
            return
        self._push_named(value, sample, held is not None)
        if instruction.argument & 1:
            self.push(Null())

    def op_STORE_GLOBAL(self, instruction: Instruction) -> None:
        self.call_out("store_global", instruction.argument, 1)

    def _hold(self, name: str) -> int | None:
        """Where in the activation a global that another thread has made is held, in bytes; None where it is not: not
        outside loops, nor in a loop that calls out, which lets go of it at every turn."""
        place, names = self.place(), self.function.held
        if self.level() != 1 or not self.block.loop_depth or not self.feedback.may_be("rebound", place):
            return None
        if place in self.feedback.not_held:
            return None
        if name not in names and len(names) == self.layout.held_places:
            return None
        if name not in names:
            names.append(name)
        self.held[place] = max(self.held.get(place, 0), self.block.loop_depth)
        return self.layout.held + 8 * names.index(name)

    # ---- building and taking apart --------------------------------------------------------------------------------

    def op_UNPACK_SEQUENCE(self, instruction: Instruction) -> None:
        entry = self.stack[-1]
        count = instruction.argument
        kind = self.expected_type(entry)
        hints = {"UNPACK_SEQUENCE_TUPLE": tuple, "UNPACK_SEQUENCE_TWO_TUPLE": tuple, "UNPACK_SEQUENCE_LIST": list}
        kind = kind or hints.get(instruction.special)
        top = len(self.stack) - 1
        if kind not in (tuple, list) or not isinstance(entry, Home | Local | Pointer | Constant):
            raise LeaveHere("neither a tuple nor a list")
        if self.level() >= 1 or not isinstance(entry, Home | Local | Pointer):
            self._unpack_out(entry, kind, count)
            return
        pointer = self.pointer(entry, top)
        assert pointer is not None
        if getattr(entry, "type", None) is not kind:
            self.emit("guard_type", [pointer], [id(kind)], reason="type")
        self.emit("guard_length", [pointer], [count], reason="length")
        items: list[Entry] = []
        for i in range(count):
            if kind is list:
                value = self.emit("list_item", [pointer, Const(i)], reason="item")
            else:
                name = "tuple_item_alive" if isinstance(entry, Home) else "tuple_item"
                value = self.emit(name, [pointer], [self.layout.tuple_items + 8 * i], reason="item")
            items.append(Pointer(value, None, self.item_of(entry, i)))
        following = self.frame.bytecode.instructions.get(instruction.next_offset)
        if following is not None and following.name.startswith("STORE_FAST"):
            # What is stored in locals at once is a value from there on (rule 10).
            items = [self._number_of(item) for item in items]
        self.drop(entry, top, late=False)
        self.pop()
        self.stack.extend(reversed(items))

    def _number_of(self, entry: Entry) -> Entry:
        kind = self.kind_of(entry)
        return entry if kind is None else Number(kind, self.unbox(entry, kind))

    def _unpack_out(self, entry: Entry, kind: type, count: int) -> None:
        if getattr(entry, "type", None) is not kind:
            pointer = self.pointer(entry, len(self.stack) - 1)
            assert pointer is not None
            self.emit("guard_type", [pointer], [id(kind)], reason="type")
        items = [Home(None, self.item_of(entry, i)) for i in reversed(range(count))]
        self.call_out("unpack_sequence", count, 1, items)

    def _build(self, instruction: Instruction, helper: str, kind: type, per: int = 1) -> None:
        count = instruction.argument
        self.call_out(helper, count, count * per, [Home(kind)], quiet=per == 1 and kind in (list, tuple))

    def op_BUILD_LIST(self, instruction: Instruction) -> None:
        self._build(instruction, "build_list", list)

    def op_BUILD_TUPLE(self, instruction: Instruction) -> None:
        self._build(instruction, "build_tuple", tuple)

    def op_BUILD_MAP(self, instruction: Instruction) -> None:
        self._build(instruction, "build_map", dict, 2)

    def op_BUILD_SLICE(self, instruction: Instruction) -> None:
        self._build(instruction, "build_slice", slice)

    def op_BUILD_STRING(self, instruction: Instruction) -> None:
        self._build(instruction, "build_string", str)

    def op_FORMAT_SIMPLE(self, instruction: Instruction) -> None:
        self.call_out("format_simple", 0, 1, [Home()])

    def op_FORMAT_WITH_SPEC(self, instruction: Instruction) -> None:
        self.call_out("format_with_spec", 0, 2, [Home()])

    def op_LIST_APPEND(self, instruction: Instruction) -> None:
        self.call_out("list_append", instruction.argument, 1, quiet=True)

    def op_CONTAINS_OP(self, instruction: Instruction) -> None:
        self.call_out("contains_op", instruction.argument, 2, [Home(bool)])


__all__ = ["Access", "number_kind"]
