"""The IR as text, and back in tests' eyes: one op a line, `FTJIT_DUMP` shows it before and after passes."""

from __future__ import annotations

from ftjit.ir.nodes import Block, Edge, Exit, Function, Op


def _edge(edge: Edge) -> str:
    return f"{edge.block}({', '.join(map(repr, edge.arguments))})"


def _exit(exit: Exit) -> str:
    moves = ", ".join(
        f"{'^' * move.frame}{move.slot}={move.kind}({', '.join(map(repr, move.operands)) or move.constant})"
        for move in exit.moves
    )
    inner = "".join(f" in @{frame.offset}/{frame.depth} of {frame.function}" for frame in exit.inner)
    return f"exit {exit.reason}@{exit.offset}/{exit.depth}{inner}[{moves}]"


def format_op(op: Op) -> str:
    text = f"{op.result} = {op.name}" if op.result else op.name
    text += "".join(f" {argument}" for argument in op.arguments)
    text += "".join(f" #{number}" for number in op.immediates)
    if op.target:
        text += f" -> {_edge(op.target)}"
    if op.exit:
        text += f"  ; {_exit(op.exit)}"
    return text


def format_block(block: Block) -> str:
    head = (
        f"{block}({', '.join(map(repr, block.parameters))})  ; bytecode {block.offset}, loop depth {block.loop_depth}"
    )
    return "\n".join([head, *(f"    {format_op(op)}" for op in block.ops)])


def format_function(function: Function) -> str:
    return "\n".join([f"function {function.name}", *map(format_block, function.blocks)])
