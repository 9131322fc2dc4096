/* The machine state that does not ride in registers: one record on the C stack for each stay in machine code.
   Shared by the core and the stencils; a stencil reaches it through its third argument. */
#ifndef FTJIT_ACTIVATION_H
#define FTJIT_ACTIVATION_H
#include <stdint.h>

enum { INT_REGISTERS = 8, FLOAT_REGISTERS = 8, SPILL_SLOTS = 224 };

struct executor;

struct activation {
    int64_t i[INT_REGISTERS];       /* i0..i7 as they were when machine code was left */
    double f[FLOAT_REGISTERS];      /* f0..f7 likewise */
    int64_t spill[SPILL_SLOTS];     /* values that found no register; doubles by their bits */
    struct executor *executor;      /* where this thread is inside */
    uintptr_t version;              /* instrumentation version at entry (upper bits of eval_breaker) */
    int64_t exit;                   /* number of the exit that was taken */
    void *kept;                     /* a list whose lock this thread keeps from one store to the next, or null */
    int64_t status;                 /* of the last call out: < 0 an exception is set, > 0 leave at the next bytecode */
};
#endif
