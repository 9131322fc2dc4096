/* Arithmetic on int64, as Python does it: what does not fit leaves before its bytecode and the interpreter goes on
   with big ints. On EXIT every register holds what it held before. */

STENCIL(int_move, A:i, B:i|imm|imm32, DISTINCT(A, B))
{
    A = B;
    NEXT;
}

/* In place: the sum overwrites A, and the slow path, which is out of line, takes it back. */
STENCIL(int_add, A:i, B:i|imm|imm32)
{
    if (UNLIKELY(__builtin_add_overflow(A, B, &A))) {
        SLOW;
    }
    NEXT;
}
SLOWPATH
{
    /* A + A wrapped keeps every bit of A but the top one, which overflow says is the opposite of the sum's. */
    A = SAME(A, B) ? (A >> 1) ^ INT64_MIN : A - B;
    EXIT;
}

STENCIL(int_sub, A:i, B:i|imm|imm32)
{
    int64_t result;
    if (UNLIKELY(__builtin_sub_overflow(A, B, &result))) {
        EXIT;
    }
    A = result;
    NEXT;
}

STENCIL(int_mul, A:i, B:i|imm|imm32)
{
    int64_t result;
    if (UNLIKELY(__builtin_mul_overflow(A, B, &result))) {
        EXIT;
    }
    A = result;
    NEXT;
}

STENCIL(int_and, A:i, B:i|imm|imm32)
{
    A &= B;
    NEXT;
}

STENCIL(int_or, A:i, B:i|imm|imm32)
{
    A |= B;
    NEXT;
}

STENCIL(int_xor, A:i, B:i|imm|imm32)
{
    A ^= B;
    NEXT;
}

STENCIL(int_neg, A:i)
{
    if (UNLIKELY(A == INT64_MIN)) {
        EXIT;
    }
    A = -A;
    NEXT;
}

STENCIL(int_invert, A:i)
{
    A = ~A;
    NEXT;
}

STENCIL(int_abs, A:i)
{
    if (UNLIKELY(A == INT64_MIN)) {
        EXIT;
    }
    A = A < 0 ? -A : A;
    NEXT;
}

/* A << B; a negative count raises in the interpreter, a result of over 63 bits is a big int. */
STENCIL(int_shl, A:i, B:i|imm32)
{
    if (UNLIKELY((uint64_t)B > 62)) {
        EXIT;
    }
    int64_t result = (int64_t)((uint64_t)A << B);
    if (UNLIKELY(result >> B != A)) {
        EXIT;
    }
    A = result;
    NEXT;
}

STENCIL(int_shr, A:i, B:i|imm32)
{
    if (UNLIKELY(B < 0)) {
        EXIT;
    }
    A = B > 63 ? A >> 63 : A >> B;
    NEXT;
}

/* Floor division and modulo: rounded down, the remainder has the divisor's sign. Division by zero raises in the
   interpreter; -1 is left to it too, for the one case that overflows. */
STENCIL(int_floordiv, A:i, B:i)
{
    if (UNLIKELY((uint64_t)(B + 1) <= 1)) {
        EXIT;
    }
    int64_t quotient;
    if (LIKELY(((uint64_t)(A | B) >> 32) == 0)) {
        quotient = (int64_t)((uint32_t)A / (uint32_t)B);
    }
    else {
        quotient = A / B;
        if (A % B != 0 && (A ^ B) < 0) {
            quotient--;
        }
    }
    A = quotient;
    NEXT;
}

STENCIL(int_mod, A:i, B:i)
{
    if (UNLIKELY((uint64_t)(B + 1) <= 1)) {
        EXIT;
    }
    int64_t remainder;
    if (LIKELY(((uint64_t)(A | B) >> 32) == 0)) {
        remainder = (int64_t)((uint32_t)A % (uint32_t)B);
    }
    else {
        remainder = A % B;
        if (remainder != 0 && (remainder ^ B) < 0) {
            remainder += B;
        }
    }
    A = remainder;
    NEXT;
}

/* A small positive constant divisor (the emitter sees to it). */
STENCIL(int_floordiv_const, A:i)
{
    if (LIKELY(((uint64_t)A >> 32) == 0)) {
        A = (int64_t)((uint32_t)A / (uint32_t)OFF0);
    }
    else {
        int64_t quotient = A / OFF0;
        A = A % OFF0 < 0 ? quotient - 1 : quotient;
    }
    NEXT;
}

STENCIL(int_mod_const, A:i)
{
    if (LIKELY(((uint64_t)A >> 32) == 0)) {
        A = (int64_t)((uint32_t)A % (uint32_t)OFF0);
    }
    else {
        int64_t remainder = A % OFF0;
        A = remainder < 0 ? remainder + OFF0 : remainder;
    }
    NEXT;
}

/* Exactly a double, so that int / int is one correctly rounded division. */
STENCIL(guard_fits_double, A:i)
{
    if (UNLIKELY((uint64_t)(A + (1ll << 53)) > 1ull << 54)) {
        EXIT;
    }
    NEXT;
}

STENCIL(int_compare_lt, A:i, B:i|imm|imm32)
{
    A = A < B;
    NEXT;
}
STENCIL(int_compare_le, A:i, B:i|imm|imm32)
{
    A = A <= B;
    NEXT;
}
STENCIL(int_compare_gt, A:i, B:i|imm|imm32)
{
    A = A > B;
    NEXT;
}
STENCIL(int_compare_ge, A:i, B:i|imm|imm32)
{
    A = A >= B;
    NEXT;
}
STENCIL(int_compare_eq, A:i, B:i|imm|imm32)
{
    A = A == B;
    NEXT;
}
STENCIL(int_compare_ne, A:i, B:i|imm|imm32)
{
    A = A != B;
    NEXT;
}

/* Branches: to TARGET when the condition holds, else on. */
STENCIL(int_branch_lt, A:i, B:i|imm|imm32)
{
    if (A < B) {
        EXIT;
    }
    NEXT;
}
STENCIL(int_branch_le, A:i, B:i|imm|imm32)
{
    if (A <= B) {
        EXIT;
    }
    NEXT;
}
STENCIL(int_branch_gt, A:i, B:i|imm|imm32)
{
    if (A > B) {
        EXIT;
    }
    NEXT;
}
STENCIL(int_branch_ge, A:i, B:i|imm|imm32)
{
    if (A >= B) {
        EXIT;
    }
    NEXT;
}
STENCIL(int_branch_eq, A:i, B:i|imm|imm32)
{
    if (A == B) {
        EXIT;
    }
    NEXT;
}
STENCIL(int_branch_ne, A:i, B:i|imm|imm32)
{
    if (A != B) {
        EXIT;
    }
    NEXT;
}
/* A register against zero (a hole is never zero). */
STENCIL(branch_true, A:i)
{
    if (A != 0) {
        EXIT;
    }
    NEXT;
}
STENCIL(branch_false, A:i)
{
    if (A == 0) {
        EXIT;
    }
    NEXT;
}
STENCIL(branch_positive, A:i)
{
    if (A > 0) {
        EXIT;
    }
    NEXT;
}
