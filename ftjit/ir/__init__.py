"""The intermediate representation: SSA over basic blocks with block arguments."""

from ftjit.ir.nodes import Block, Const, Edge, Exit, Function, Inner, Move, Op, Value
from ftjit.ir.ops import OPS, OpInfo

__all__ = ["OPS", "Block", "Const", "Edge", "Exit", "Function", "Inner", "Move", "Op", "OpInfo", "Value"]
