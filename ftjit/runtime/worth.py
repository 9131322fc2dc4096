"""Is machine code going to be faster than the interpreter? An estimate, by the operations of the innermost loops.

A bytecode that is done by a C function (a call out) costs more than in the interpreter, which has a specialised form
for it: everything has to be in the frame, and what is specialised is not used. What machine code does costs less.
The weights are nanoseconds, fitted to loops over strings, dicts, sets, generators and numbers (docs/compiler.md).
"""

from __future__ import annotations

from ftjit.ir import Function

GAIN = 1.5  # of an operation that does something a bytecode asks for
LOSS = 10.0  # of a call out
LOSS_OF_A_CALL = 15.0  # which the interpreter makes without C between, or by a specialised bytecode
TURNS = 10.0  # how often a loop goes round each time it is come to

CALLS = ("callout_call", "callout_call_kw")
# Operations that the interpreter has no need of: guards, moves between places, bookkeeping.
_OVERHEAD = (
    "guard_", "unbox_", "push_", "drop_", "move_", "load_", "store_maybe", "int_move", "float_move", "jump", "leave",
    "poll", "fence", "hold_",
)  # fmt: skip


def gain(function: Function, calls: frozenset[int]) -> float:
    """Nanoseconds gained each time it is run, less than nothing if it loses. `calls`: the addresses of CALLS."""
    total = 0.0
    for block in function.blocks:
        once = 0.0
        for op in block.ops:
            if op.name.startswith("call_out"):
                once -= LOSS_OF_A_CALL if op.immediates[0] in calls else LOSS
            elif not op.name.startswith(_OVERHEAD):
                once += GAIN
        total += once * TURNS**block.loop_depth
    return total
