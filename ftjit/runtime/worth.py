"""Is machine code going to be faster than the interpreter? An estimate, by the operations of the innermost loops.

A bytecode that is done by a C function (a call out) costs more than in the interpreter, which has a specialised form
for it: everything has to be in the frame, and what is specialised is not used. What machine code does costs less.
The weights are nanoseconds, fitted to loops over strings, dicts, sets, generators and numbers ("What is worth it" in
docs/compiler.md).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ftjit.ir import Function

GAIN = 1.5  # of an operation that does something a bytecode asks for
LOSS = 10.0  # of a call out, but for these:
LOSSES: dict[str, float] = {
    # Calls of what is not a plain function: the interpreter has specialised bytecodes for them.
    **dict.fromkeys(("call", "call_kw"), 15.0),
    "call_class": 6.0,
    # What the interpreter has no specialised bytecode for, either.
    **dict.fromkeys(("binary_slice", "store_slice", "build_slice", "build_list", "build_tuple", "build_map"), 3.0),
}
GENERAL = 4.0  # of a call out that the interpreter has tried to specialise, and could not
CALLING = 6.0  # a function of Python's: between nothing, where it is compiled, and 12, where the interpreter runs it
ENTERING = 25.0  # and leaving, from the interpreter: 14 to 55 by the machine (docs/entering.md)
TURNS = 10.0  # how often a loop goes round each time it is come to

# Operations that the interpreter has no need of: guards, moves between places, bookkeeping.
_OVERHEAD = (
    "guard_", "unbox_", "push_", "drop_", "move_", "load_", "store_", "int_move", "float_move", "jump", "leave",
    "poll", "fence", "hold_",
)  # fmt: skip


def gain(function: Function, losses: Mapping[int, float], general: Collection[int] = ()) -> float:
    """Nanoseconds gained each time it is run; less than nothing if it loses. `losses`: LOSSES by helper address;
    `general`: offsets of bytecodes that are not specialised in the interpreter."""
    total = 0.0
    for block in function.blocks:
        once = 0.0
        for op in block.ops:
            if op.name == "call_function":
                once -= CALLING
            elif op.name.startswith("call_out"):
                once -= GENERAL if op.offset in general else losses.get(op.immediates[0], LOSS)
            elif not op.name.startswith(_OVERHEAD):
                once += GAIN
        total += once * TURNS**block.loop_depth
    return total
