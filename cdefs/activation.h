/* The machine state that does not ride in registers: one record on the C stack for each stay in machine code.
   Shared by the core and the stencils; a stencil reaches it through its third argument. */
#ifndef FTJIT_ACTIVATION_H
#define FTJIT_ACTIVATION_H
#include <stdint.h>

enum { INT_REGISTERS = 8, FLOAT_REGISTERS = 8, SPILL_SLOTS = 224, HELD = 4 };

struct executor;

struct activation {
    int64_t i[INT_REGISTERS];       /* i0..i7 as they were when machine code was left */
    double f[FLOAT_REGISTERS];      /* f0..f7 likewise */
    int64_t spill[SPILL_SLOTS];     /* values that found no register; doubles by their bits */
    struct executor *executor;      /* where this thread is inside */
    void *bytecode;                 /* this thread's copy of the frame's bytecode, its first unit */
    uintptr_t version;              /* instrumentation version at entry (upper bits of eval_breaker) */
    int64_t exit;                   /* number of the exit that was taken */
    void *kept;                     /* a list whose lock this thread keeps from one store to the next, or null */
    void *number;                   /* of another thread, counted once: the last one read out of a list, or null */
    void *held[HELD];               /* globals of other threads, counted once: only where the executor says `holds` */
    int64_t status;                 /* of the last call out: < 0 an exception is set, odd leave at the next bytecode, & 2 "no" */
};

/* What machine code returns: the number of an exit, or a light return: the end of a frame that nobody looks at. That is
   LIGHT, the code unit of the RETURN_VALUE, and whether the result is a number yet to be boxed (in i[0] or f[0]); else
   it is in its home. backend/emit.py makes these. */
enum { LIGHT = 1 << 30, LIGHT_INT = 1 << 28, LIGHT_FLOAT = 1 << 29, LIGHT_UNIT = (1 << 28) - 1 };
#endif
