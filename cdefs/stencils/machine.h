/* The machine that stencils are written for: its state, its ways on, its holes.
 *
 * A stencil is one C function. Its arguments are the whole state of the machine, and the convention
 * `preserve_none` passes all of them in registers, so that the end of one stencil and the start of the next
 * agree on where everything is and nothing is moved between them. On x86-64:
 *
 *     frame r12   tstate r13   act r14   i0 r15   i1 rdi  i2 rsi  i3 rdx  i4 rcx  i5 r8  i6 r9  i7 r11
 *     f0..f7 xmm0..xmm7
 *
 * C functions preserve r12-r15 (frame, tstate, act, i0), rbx and rbp; a stencil that calls one saves the rest on
 * the stack round the call, which is 200 bytes of code: keep calls in SLOWPATH blocks and away from loops.
 *
 * A body ends in exactly one of NEXT, EXIT, SLOW, or `return value` (back to the shim that entered).
 */
#ifndef FTJIT_MACHINE_H
#define FTJIT_MACHINE_H

#define Py_BUILD_CORE_MODULE 1
#include <Python.h>
#include "internal/pycore_ceval.h"
#include "internal/pycore_code.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_interpframe.h"
#include "internal/pycore_list.h"
#include "internal/pycore_long.h"
#include "internal/pycore_moduleobject.h"
#include "internal/pycore_object.h"
#include "internal/pycore_qsbr.h"
#include "internal/pycore_range.h"
#include "internal/pycore_stackref.h"
#include "internal/pycore_tstate.h"
#include "internal/pycore_tuple.h"

#include <stdint.h>

#include "../activation.h"

#define FTJIT_PRESERVE_NONE __attribute__((preserve_none))

/* clang-format off */
#define MACHINE_PARAMETERS                                                                                   \
    _PyInterpreterFrame *frame, PyThreadState *tstate, struct activation *act,                               \
    int64_t i0, int64_t i1, int64_t i2, int64_t i3, int64_t i4, int64_t i5, int64_t i6, int64_t i7,          \
    double f0, double f1, double f2, double f3, double f4, double f5, double f6, double f7
#define MACHINE_STATE                                                                                        \
    frame, tstate, act, i0, i1, i2, i3, i4, i5, i6, i7, f0, f1, f2, f3, f4, f5, f6, f7
/* clang-format on */

/* Compiled code, from its first stencil: what a SHIM calls. Its value is the hole of the `return` it left by. */
typedef FTJIT_PRESERVE_NONE int64_t (*code_t)(MACHINE_PARAMETERS);

/* The first function of a generated file's variants, and the C-callable way in. */
#define FTJIT_STENCIL_FUNCTION(name) FTJIT_PRESERVE_NONE int64_t name(MACHINE_PARAMETERS)
#define FTJIT_SHIM_FUNCTION(name)                                                                            \
    int64_t name(code_t code, _PyInterpreterFrame *frame, PyThreadState *tstate, struct activation *act)
/* In a SHIM: run the code, with whatever is in the registers. `preserve_none` keeps rsp and rbp alone. In assembly, because
 * in C every register that is passed has to be given a value first. */
#define ENTER()                                                                                              \
    ({                                                                                                       \
        register int64_t way_ __asm__("rax") = (int64_t)code;                                                \
        register _PyInterpreterFrame *frame_ __asm__("r12") = frame;                                         \
        register PyThreadState *tstate_ __asm__("r13") = tstate;                                             \
        register struct activation *act_ __asm__("r14") = act;                                               \
        __asm__ volatile("call *%%rax"                                                                       \
                         : "+r"(way_), "+r"(frame_), "+r"(tstate_), "+r"(act_)                               \
                         :                                                                                   \
                         : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r15", "cc",          \
                           "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",  \
                           "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");                    \
        way_;                                                                                                \
    })

/* The ways on. Each is a jump that the emitter patches: the next stencil, the operand's branch or exit target,
 * and the out-of-line twin of this stencil (its SLOWPATH). */
extern FTJIT_STENCIL_FUNCTION(_JIT_CONTINUE);
extern FTJIT_STENCIL_FUNCTION(_JIT_TARGET);
extern FTJIT_STENCIL_FUNCTION(_JIT_SLOW);
#define NEXT __attribute__((musttail)) return _JIT_CONTINUE(MACHINE_STATE)
#define EXIT __attribute__((musttail)) return _JIT_TARGET(MACHINE_STATE)
#define SLOW __attribute__((musttail)) return _JIT_SLOW(MACHINE_STATE)

/* Holes: constants known when code is emitted. To the compiler each is the address of a symbol, so
 *   - it takes every hole to be non-zero: never test a hole itself against 0 (`if (OP0 == 0)` vanishes);
 *   - it takes two holes to differ: never compare one hole with another.
 * OPn and `imm` operands are 64 bits (a 10-byte movabs). OFFn and `imm32` operands are 32-bit displacements and
 * immediates inside the instruction that uses them (4 bytes, no register); the emitter refuses values outside
 * 0 <= value < 2**31, because the compiler may widen them with or without their sign. */
#define FTJIT_HOLE(symbol) ((int64_t)(uintptr_t)(symbol))
#define FTJIT_SMALL __attribute__((model("small")))
extern char _JIT_OP0[], _JIT_OP1[], _JIT_OP2[], _JIT_OP3[];
extern char _JIT_OFF0[] FTJIT_SMALL, _JIT_OFF1[] FTJIT_SMALL, _JIT_OFF2[] FTJIT_SMALL, _JIT_OFF3[] FTJIT_SMALL;
#define OP0 FTJIT_HOLE(_JIT_OP0)
#define OP1 FTJIT_HOLE(_JIT_OP1)
#define OP2 FTJIT_HOLE(_JIT_OP2)
#define OP3 FTJIT_HOLE(_JIT_OP3)
#define OFF0 FTJIT_HOLE(_JIT_OFF0)
#define OFF1 FTJIT_HOLE(_JIT_OFF1)
#define OFF2 FTJIT_HOLE(_JIT_OFF2)
#define OFF3 FTJIT_HOLE(_JIT_OFF3)

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* Whether two operands are the same register in this variant; the compiler knows the answer. */
#define FTJIT_TEXT_(argument) #argument
#define FTJIT_TEXT(argument) FTJIT_TEXT_(argument)
#define SAME(A, B) (__builtin_strcmp(FTJIT_TEXT(A), FTJIT_TEXT(B)) == 0)

/* The double whose bits are these, and the other way: for float immediates and for values kept in int64 slots. */
static inline double double_from_bits(int64_t bits)
{
    double value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}
static inline int64_t bits_from_double(double value)
{
    int64_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return bits;
}

#endif
