/* Arithmetic on doubles, in Python's order of operations, one rounding each. */
#include "ops.h"
extern double ftjit_float_power(double, double, int64_t *known);
extern double ftjit_float_modulo(double, double);
extern double ftjit_float_floor_divide(double, double);
extern int64_t ftjit_float_to_int(double, int64_t *known);

STENCIL(float_move, A:f, B:f, DISTINCT(A, B))
{
    A = B;
    NEXT;
}
STENCIL(float_const, A:f)
{
    A = double_from_bits(OP0);
    NEXT;
}
STENCIL(float_zero, A:f)
{
    A = 0.0;
    NEXT;
}
STENCIL(float_from_int, A:f, B:i)
{
    A = (double)B;
    NEXT;
}
STENCIL(bits_of_float, A:i, B:f)
{
    A = bits_from_double(B);
    NEXT;
}
STENCIL(float_add, A:f, B:f)
{
    A = A + B;
    NEXT;
}
STENCIL(float_sub, A:f, B:f)
{
    A = A - B;
    NEXT;
}
STENCIL(float_mul, A:f, B:f)
{
    A = A * B;
    NEXT;
}
/* A division by zero raises in the interpreter. */
STENCIL(float_div, A:f, B:f)
{
    if (UNLIKELY(B == 0.0)) {
        EXIT;
    }
    A = A / B;
    NEXT;
}
/* OP0 is the sign bit: as a hole, or the compiler would keep a mask in memory. */
STENCIL(float_neg, A:f)
{
    A = double_from_bits(bits_from_double(A) ^ OP0);
    NEXT;
}
STENCIL(float_abs, A:f)
{
    A = double_from_bits(bits_from_double(A) & ~OP0);
    NEXT;
}
STENCIL(float_sqrt, A:f)
{
    if (UNLIKELY(!(A >= 0.0))) {
        EXIT;
    }
    A = __builtin_sqrt(A);
    NEXT;
}
/* Plain cases only; signs, infinities, overflow and domain errors are the interpreter's. */
STENCIL(float_pow, A:f, B:f)
{
    int64_t known;
    double result = ftjit_float_power(A, B, &known);
    if (UNLIKELY(!known)) {
        EXIT;
    }
    A = result;
    NEXT;
}
STENCIL(float_mod, A:f, B:f)
{
    if (UNLIKELY(B == 0.0)) {
        EXIT;
    }
    A = ftjit_float_modulo(A, B);
    NEXT;
}
STENCIL(float_floordiv, A:f, B:f)
{
    if (UNLIKELY(B == 0.0)) {
        EXIT;
    }
    A = ftjit_float_floor_divide(A, B);
    NEXT;
}
/* int(x): truncated; what does not fit leaves. */
STENCIL(int_from_float, A:i, B:f)
{
    if (UNLIKELY(!(B > -9.2e18 && B < 9.2e18))) {
        EXIT;
    }
    A = (int64_t)B;
    NEXT;
}

/* Branches to TARGET when the condition holds. NaN makes every one but `ne` and the negated ones false. */
STENCIL(float_branch_lt, A:f, B:f)
{
    if (A < B) {
        EXIT;
    }
    NEXT;
}
STENCIL(float_branch_le, A:f, B:f)
{
    if (A <= B) {
        EXIT;
    }
    NEXT;
}
STENCIL(float_branch_eq, A:f, B:f)
{
    if (A == B) {
        EXIT;
    }
    NEXT;
}
STENCIL(float_branch_ne, A:f, B:f)
{
    if (A != B) {
        EXIT;
    }
    NEXT;
}
STENCIL(float_branch_not_lt, A:f, B:f)
{
    if (!(A < B)) {
        EXIT;
    }
    NEXT;
}
STENCIL(float_branch_not_le, A:f, B:f)
{
    if (!(A <= B)) {
        EXIT;
    }
    NEXT;
}
/* The value of a comparison, 0 or 1, as the bits of a float register (`bits_of_float` moves it). */
STENCIL(float_compare_lt, A:f, B:f)
{
    A = double_from_bits(A < B);
    NEXT;
}
STENCIL(float_compare_le, A:f, B:f)
{
    A = double_from_bits(A <= B);
    NEXT;
}
STENCIL(float_compare_eq, A:f, B:f)
{
    A = double_from_bits(A == B);
    NEXT;
}
STENCIL(float_compare_ne, A:f, B:f)
{
    A = double_from_bits(A != B);
    NEXT;
}
