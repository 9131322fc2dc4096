"""Every operation of the IR, as data. An operation is a stencil of the same name (`cdefs/stencils/`).

A signature reads `arguments > result`: `i` an int64 or pointer, `f` a double. With `=` instead of `>` the result takes
the register of the first argument (two-address). `imm` says which argument may be an immediate. Flags: `exit` it can
leave before its bytecode, nothing done; `branch` its target is a block; `guard` its exit may mean an exception or a
wrong guess, so it stays even if its result is unused; `drop` it may end the life of an object, so borrowed pointers die
(`effect`: and others can see it); `out` anything may run (a safepoint); `shared` it reads shared memory; `unfenced` it
writes shared memory without a fence after it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpInfo:
    """One row. `arguments`: kinds; `result`: kind or ""; `tied`: the result reuses argument 0's register."""

    name: str
    arguments: str
    result: str
    tied: bool
    immediate: int
    holes: tuple[str, ...]
    flags: frozenset[str]

    @property
    def pure(self) -> bool:
        """Can be removed when nothing uses its result."""
        return bool(self.result) and not self.flags & {"effect", "drop", "out", "guard"}


_TABLE = """
# name                signature   immediate holes        flags
int_move              i > i       0         -            -
int_add               ii = i      1         -            exit
int_sub               ii = i      1         -            exit
int_mul               ii = i      1         -            exit
int_and               ii = i      1         -            -
int_or                ii = i      1         -            -
int_xor               ii = i      1         -            -
int_neg               i = i       -         -            exit
int_invert            i = i       -         -            -
int_abs               i = i       -         -            exit
int_shl               ii = i      1         -            exit,guard
int_shr               ii = i      1         -            exit,guard
int_floordiv          ii = i      -         -            exit,guard
int_mod               ii = i      -         -            exit,guard
int_floordiv_const    i = i       -         OFF0         -
int_mod_const         i = i       -         OFF0         -
guard_fits_double     i           -         -            exit,guard
int_compare_lt        ii = i      1         -            -
int_compare_le        ii = i      1         -            -
int_compare_gt        ii = i      1         -            -
int_compare_ge        ii = i      1         -            -
int_compare_eq        ii = i      1         -            -
int_compare_ne        ii = i      1         -            -
int_branch_lt         ii          1         -            branch
int_branch_le         ii          1         -            branch
int_branch_gt         ii          1         -            branch
int_branch_ge         ii          1         -            branch
int_branch_eq         ii          1         -            branch
int_branch_ne         ii          1         -            branch
branch_true           i           -         -            branch
branch_false          i           -         -            branch
branch_same           i           -         OP0          branch
branch_same_objects   ii          -         -            branch
float_move            f > f       -         -            -
float_from_int        i > f       -         -            -
bits_of_float         f > i       -         -            -
int_from_float        f > i       -         -            exit,guard
float_add             ff = f      -         -            -
float_sub             ff = f      -         -            -
float_mul             ff = f      -         -            -
float_div             ff = f      -         -            exit,guard
float_mod             ff = f      -         -            exit,guard
float_floordiv        ff = f      -         -            exit,guard
float_pow             ff = f      -         -            exit,guard
float_neg             f = f       -         OP0          -
float_abs             f = f       -         OP0          -
float_sqrt            f = f       -         -            exit,guard
float_compare_lt      ff = f      -         -            -
float_compare_le      ff = f      -         -            -
float_compare_eq      ff = f      -         -            -
float_compare_ne      ff = f      -         -            -
float_branch_lt       ff          -         -            branch
float_branch_le       ff          -         -            branch
float_branch_eq       ff          -         -            branch
float_branch_ne       ff          -         -            branch
float_branch_not_lt   ff          -         -            branch
float_branch_not_le   ff          -         -            branch
jump                  -           -         -            branch
leave                 -           -         -            exit,effect
poll                  -           -         OP0          exit,effect
load_object           - > i       -         OFF0         home
load_int              - > i       -         OFF0         exit,guard,home
load_float            - > f       -         OFF0         exit,guard,home
load_bool             - > i       -         OFF0         exit,guard,home
load_truth            - > i       -         OFF0         home
unbox_int             i = i       -         -            exit,guard
unbox_float           i > f       -         -            exit,guard
unbox_bool            i = i       -         -            exit,guard
guard_type            i           -         OP0          exit,guard
guard_version         i           -         OFF0         exit,guard
guard_same            i           -         OP0          exit,guard
guard_builtin         i           -         OP0          exit,guard
guard_function        i           -         OP0          exit,guard
guard_function_globals i          -         -            exit,guard
guard_plain_globals   -           -         -            exit,guard
guard_instance_keys   i           -         OP0          exit,guard
guard_one             i           -         -            exit,guard
guard_length          i           -         OFF0         exit,guard
guard_home_bound      -           -         OFF0         exit,guard
guard_home_plain      -           -         OFF0         exit,guard
guard_homes_differ    -           -         OFF0,OFF1    exit,guard
guard_home_stale      -           -         OFF0         exit,guard
store_maybe           ifi         -         OFF0         exit,effect
guard_own_iterator    -           -         OFF0,OP0     exit,guard
store_int             i           -         OFF0         exit,effect
store_float           f           -         OFF0         exit,effect
store_bool            i           -         OFF0         effect
push_int              i           -         OFF0         exit,effect
push_float            f           -         OFF0         exit,effect
push_bool             i           -         OFF0         effect
store_object          i           -         OFF0         exit,effect
store_object_late     i           -         OFF0         effect
push_object           i           -         OFF0         effect
store_constant        -           -         OFF0,OP0     exit,effect
store_constant_late   -           -         OFF0,OP0     effect
push_constant         -           -         OFF0,OP0     effect
push_object_seen      i           -         OFF0         effect
push_constant_seen    -           -         OFF0,OP0     effect
push_constant_borrowed -          -         OFF0,OP0     effect
push_local_borrowed   -           -         OFF0,OFF1    effect
push_null             -           -         OFF0         effect
push_local            -           -         OFF0,OFF1    effect
store_home            -           -         OFF0,OFF1    exit,effect
store_home_late       -           -         OFF0,OFF1    effect
move_home             -           -         OFF0,OFF1    effect
swap_homes            -           -         OFF0,OFF1    effect
drop_home             -           -         OFF0         exit,effect
drop_home_late        -           -         OFF0         effect
list_length           i = i       -         -            shared
list_item             ii = i      1         -            exit,guard,shared
list_item_float       ii > f      1         -            exit,guard,shared
list_item_int         ii = i      1         -            exit,guard,shared
list_item_bool        ii = i      1         -            exit,guard,shared
list_item_owned       ii = i      -         OFF0         exit,effect,shared
list_store_float      iif         1         -            exit,drop,effect,unfenced
list_store_int        iii         -         -            exit,drop,effect,unfenced
list_store_object     iii         -         -            exit,drop,effect,unfenced
list_store_constant   ii          -         OP0          exit,drop,effect,unfenced
list_append_float     if          -         -            exit,effect,unfenced
list_append_int       ii          -         -            exit,effect,unfenced
list_append_object    ii          -         -            exit,effect,unfenced
list_append_constant  i           -         OP0          exit,effect,unfenced
list_iter_index       - > i       -         OFF0         branch,effect
list_iter_list        - > i       -         OFF0         home
list_iter_step        -           -         OFF0         effect
list_iter_next        - > i       -         OFF0,OFF1    branch,effect
fence                 -           -         -            effect
fence_unless_kept     i           -         -            effect
range_iter_field      - > i       -         OFF0,OFF1    -
tuple_item            i > i       -         OFF0         distinct
tuple_item_alive      i > i       -         OFF0         exit,guard,distinct
tuple_item_at         ii = i      -         -            exit,guard
attr_value            i = i       -         OFF0,OFF1    exit,guard,shared
attr_slot             i = i       -         OFF0,OFF1    exit,guard,shared
attr_value_owned      i = i       -         OFF0,OFF1,OFF2 exit,effect,shared
attr_slot_owned       i = i       -         OFF0,OFF1,OFF2 exit,effect,shared
attr_value_is         i           -         OFF0,OFF1,OP0 exit,guard,shared
attr_slot_is          i           -         OFF0,OFF1,OP0 exit,guard,shared
attr_value_store_float if         -         OFF0,OFF1    exit,drop,effect
attr_slot_store_float if          -         OFF0,OFF1    exit,drop,effect
attr_value_store_int  ii          -         OFF0,OFF1    exit,drop,effect
attr_slot_store_int   ii          -         OFF0,OFF1    exit,drop,effect
attr_value_store_object ii        -         OFF0,OFF1    exit,drop,effect
attr_slot_store_object ii         -         OFF0,OFF1    exit,drop,effect
global_value          - > i       -         OP0,OFF0     exit,guard,shared
module_value          i = i       -         OP0,OFF0     exit,guard,shared
global_value_owned    - > i       -         OP0,OFF0,OFF1 exit,effect,shared
global_held           - > i       -         OP0,OFF0,OFF1 exit,guard,shared
hold_nothing          -           -         OFF0         effect
global_is             -           -         OP0,OFF0,OP1 exit,guard,shared
builtin_value         - > i       -         OP0,OP1,OFF0 exit,guard,shared
call_out              -           -         OP0,OP1,OP2  exit,out,effect
call_function         -           -         OFF0,OP0     exit,out,effect
call_out_or           -           -         OP0,OP1,OP2  exit,branch,out,effect
leave_if_told         -           -         -            exit
"""


def _row(line: str) -> OpInfo:
    name, *rest = line.split()
    flags, holes, immediate = rest[-1], rest[-2], rest[-3]
    signature = "".join(rest[:-3])
    arguments, separator, result = signature.partition(">") if ">" in signature else signature.partition("=")
    return OpInfo(
        name,
        arguments.replace("-", ""),
        result,
        separator == "=",
        -1 if immediate == "-" else int(immediate),
        () if holes == "-" else tuple(holes.split(",")),
        frozenset() if flags == "-" else frozenset(flags.split(",")),
    )


OPS: dict[str, OpInfo] = {
    info.name: info
    for line in _TABLE.strip().splitlines()
    if line and not line.startswith("#")
    for info in [_row(line)]
}
