"""What the IR is made of. A `Function` is one executor to be: blocks of ops in SSA form.

A value is an int64 or pointer (kind "i") or a double (kind "f"); objects live in their homes in the frame and appear
here as borrowed pointers. A block's parameters take the arguments of the edges that lead to it. Every op that can
leave carries an `Exit`: where the interpreter goes on, and how each home that is not up to date gets its value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import copysign
from types import CodeType

INT, FLOAT = "i", "f"


class Value:
    """One SSA value. `kind` is INT or FLOAT; `name` is unique in its function."""

    __slots__ = ("kind", "number")

    def __init__(self, kind: str, number: int) -> None:
        self.kind = kind
        self.number = number

    def __repr__(self) -> str:
        return f"%{self.kind}{self.number}"


@dataclass(frozen=True, slots=True, eq=False)
class Const:
    """A number known when compiling: an int within int64 (or an address), or a float. Equal are those that are the same
    in a register: 1 is not 1.0, and 0.0 not -0.0."""

    value: int | float

    @property
    def kind(self) -> str:
        return FLOAT if isinstance(self.value, float) else INT

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Const)
            and self.value == other.value
            and self.kind == other.kind
            and (self.kind == INT or copysign(1.0, self.value) == copysign(1.0, other.value))
        )

    def __hash__(self) -> int:
        return hash((self.kind, self.value))

    def __repr__(self) -> str:
        return repr(self.value)


type Operand = Value | Const


@dataclass(slots=True)
class Move:
    """How one home gets its value at an exit. `kind` names a row of `backend.exits.MOVES`; `slot` indexes
    `localsplus`; `operands` are the values it is made of; `constant` is an address or a slot, if the kind has one;
    `frame` says whose home it is: 0 that of the frame that was entered, else of the inlined one so far above it."""

    kind: str
    slot: int
    operands: tuple[Operand, ...] = ()
    constant: int = 0
    frame: int = 0


@dataclass(slots=True)
class Inner:
    """The frame of an inlined function, as an exit finds it. `function`: where its function object is; `code`: the
    address of its code object; `offset` and `depth` as an exit's; `kept`: stack entries of the frame below that go when
    it returns."""

    function: Operand
    code: int
    offset: int
    depth: int
    kept: int = 0


@dataclass(slots=True)
class Exit:
    """A frame state: the interpreter goes on at byte `offset` with `depth` entries on its stack. Out of inlined
    functions that is the CALL, and `inner` are the frames above, outermost first."""

    offset: int
    depth: int
    reason: str
    moves: list[Move]
    detail: str = ""
    inner: list[Inner] = field(default_factory=list)

    @property
    def place(self) -> tuple[int, ...]:
        """The bytecode, as feedback names it."""
        return (self.offset, *(frame.offset for frame in self.inner))

    def operands(self) -> Iterator[Operand]:
        for move in self.moves:
            yield from move.operands
        for frame in self.inner:
            yield frame.function


@dataclass(slots=True)
class Edge:
    """A way to another block, with the arguments for its parameters."""

    block: Block
    arguments: list[Operand]


@dataclass(slots=True)
class Op:
    """One operation: `name` is a row of OPS and the name of its stencil. `immediates` fill the stencil's holes
    (OFF0.. and OP0.., as OPS says). `target` is where a branch goes; `exit` where an op leaves to."""

    name: str
    arguments: list[Operand]
    result: Value | None = None
    immediates: tuple[int, ...] = ()
    exit: Exit | None = None
    target: Edge | None = None
    offset: int = -1

    def operands(self) -> Iterator[Operand]:
        yield from self.arguments
        if self.exit is not None:
            yield from self.exit.operands()
        if self.target is not None:
            yield from self.target.arguments


@dataclass(eq=False)
class Block:
    """Ops that run one after the other. The last is a `jump`, or a `leave` through its exit; branches may occur
    before it. `offset` is the bytecode offset it begins at, `loop_depth` how many loops it is in."""

    number: int
    offset: int
    parameters: list[Value] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)
    loop_depth: int = 0

    def edges(self) -> Iterator[Edge]:
        for op in self.ops:
            if op.target is not None:
                yield op.target

    def __repr__(self) -> str:
        return f"b{self.number}"


@dataclass
class Function:
    """One executor to be. `blocks[0]` is where machine code begins."""

    name: str
    blocks: list[Block] = field(default_factory=list)
    next_value: int = 0
    inlined: dict[int, CodeType] = field(default_factory=dict)  # the code of other functions that is part of it, by id
    inlined_at: set[int] = field(default_factory=set)  # the calls in its own bytecode that are inlined, by offset
    kept: list[object] = field(default_factory=list)  # what it compares addresses with, and so must keep
    held: list[str] = field(default_factory=list)  # globals that the activation holds, by place
    inline_depth: int = 0  # how many of their frames are on top of each other, at most
    inline_slots: int = 0  # the locals and stack entries of these frames, at most
    local_slots: int = 0  # of the frame: stack entries come after them in localsplus

    def value(self, kind: str) -> Value:
        self.next_value += 1
        return Value(kind, self.next_value)
