/* Ways in and out, jumps, polls, spills, calls out. */
#include "ops.h"
extern int64_t ftjit_call_out(_PyInterpreterFrame *, PyThreadState *, struct activation *, void *helper, int64_t argument,
                              int64_t place);
extern int64_t ftjit_call_function(_PyInterpreterFrame *, PyThreadState *, struct activation *, int64_t count, int64_t place);

SHIM(shim)
{
    return ENTER();
}

STENCIL(jump)
{
    EXIT;
}

/* One exit: its number, then the executor's common way out. */
STENCIL(exit_here)
{
    act->exit = OFF0;
    EXIT;
}
/* The common way out: every register where leave_to_frame looks for it. */
STENCIL(leave)
{
    act->i[0] = i0;
    act->i[1] = i1;
    act->i[2] = i2;
    act->i[3] = i3;
    act->i[4] = i4;
    act->i[5] = i5;
    act->i[6] = i6;
    act->i[7] = i7;
    act->f[0] = f0;
    act->f[1] = f1;
    act->f[2] = f2;
    act->f[3] = f3;
    act->f[4] = f4;
    act->f[5] = f5;
    act->f[6] = f6;
    act->f[7] = f7;
    return act->exit;
}
/* The end of a frame that nobody looks at: a light return (../activation.h; OFF0 is the whole word). Only the result
   leaves, to its home, OFF1. With a frame object: the common way out. */
#define RETURN_LIGHTLY                                                                                                \
    frame->stackpointer = &HOME(OFF1) + 1;                                                                            \
    return OFF0
STENCIL(return_int, A:i)
{
    if (UNLIKELY(frame->frame_obj != NULL)) {
        EXIT;
    }
    act->i[0] = A;
    RETURN_LIGHTLY;
}
STENCIL(return_float, A:f)
{
    if (UNLIKELY(frame->frame_obj != NULL)) {
        EXIT;
    }
    act->f[0] = A;
    RETURN_LIGHTLY;
}
STENCIL(return_bool, A:i)
{
    if (UNLIKELY(frame->frame_obj != NULL)) {
        EXIT;
    }
    HOME(OFF1) = A ? PyStackRef_True : PyStackRef_False;
    RETURN_LIGHTLY;
}
STENCIL(return_object, A:i)
{
    if (UNLIKELY(frame->frame_obj != NULL)) {
        EXIT;
    }
    HOME(OFF1) = seen_reference((PyObject *)A);
    RETURN_LIGHTLY;
}
STENCIL(return_constant)
{
    if (UNLIKELY(frame->frame_obj != NULL)) {
        EXIT;
    }
    HOME(OFF1) = seen_reference((PyObject *)OP0);
    RETURN_LIGHTLY;
}
STENCIL(return_local)
{
    if (UNLIKELY(frame->frame_obj != NULL)) {
        EXIT;
    }
    HOME(OFF1) = seen_reference(HOME_OBJECT(OFF2));
    RETURN_LIGHTLY;
}
/* It is there already. */
STENCIL(return_home)
{
    if (UNLIKELY(frame->frame_obj != NULL)) {
        EXIT;
    }
    RETURN_LIGHTLY;
}

/* A back-edge: report a quiescent state as the interpreter does there (no interior pointer lives across it), then
   leave if anybody wants this thread (low byte of eval_breaker; the rest is a version and not ours) or the executor
   is no longer valid. OP0: the address of `valid`. */
STENCIL(poll)
{
    struct _qsbr_thread_state *qsbr = ((_PyThreadStateImpl *)tstate)->qsbr;
    __atomic_store_n(&qsbr->seq, __atomic_load_n(&qsbr->shared->wr_seq, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
    if (UNLIKELY((uint8_t)__atomic_load_n(&tstate->eval_breaker, __ATOMIC_RELAXED) != 0)) {
        EXIT;
    }
    if (UNLIKELY(__atomic_load_n((uint32_t *)OP0, __ATOMIC_RELAXED) == 0)) {
        EXIT;
    }
    NEXT;
}

/* The same where a list's lock may be kept: anything but "locked, nobody waits" and it is given back. */
extern PRESERVE_ALL void ftjit_give_back(struct activation *);
STENCIL(poll_keeping)
{
    if (act->kept != NULL
        && UNLIKELY(__atomic_load_n(&((PyObject *)act->kept)->ob_mutex._bits, __ATOMIC_RELAXED) != _Py_LOCKED)) {
        ftjit_give_back(act);
    }
    NEXT;
}

/* What was stored before is seen by all before anything is loaded after: a locked instruction on the own stack, which
   is quicker than mfence. */
STENCIL(fence)
{
    __asm__ volatile("lock orl $0, -8(%%rsp)" ::: "memory", "cc");
    NEXT;
}

/* The same before a read of A, unless its lock is kept: nobody else writes it then, so that the read cannot show that
   the stores before it wait. */
STENCIL(fence_unless_kept, A:i)
{
    if (UNLIKELY(act->kept != (void *)A)) {
        __asm__ volatile("lock orl $0, -8(%%rsp)" ::: "memory", "cc");
    }
    NEXT;
}

STENCIL(spill_int, A:i)
{
    *(int64_t *)((char *)act + OFF0) = A;
    NEXT;
}
STENCIL(reload_int, A:i)
{
    A = *(int64_t *)((char *)act + OFF0);
    NEXT;
}
STENCIL(spill_float, A:f)
{
    *(double *)((char *)act + OFF0) = A;
    NEXT;
}
STENCIL(reload_float, A:f)
{
    A = *(double *)((char *)act + OFF0);
    NEXT;
}

/* Run a C helper on the frame: all values are in their homes. OP0 helper, OP1 its argument, OP2 code unit and end of the
   stack. Leaves when the helper failed (an exception is set) or when machine code must not go on. The registers are saved
   here, floats only where there are any. */
#define NO_FLOATS __asm__("" : "=x"(f0), "=x"(f1), "=x"(f2), "=x"(f3), "=x"(f4), "=x"(f5), "=x"(f6), "=x"(f7))
STENCIL(call_out)
{
    int64_t status = ftjit_call_out(frame, tstate, act, (void *)OP0, OP1, OP2);
    if (UNLIKELY(status != 0)) {
        EXIT;
    }
    NEXT;
}
STENCIL(call_out_without_floats)
{
    int64_t status = ftjit_call_out(frame, tstate, act, (void *)OP0, OP1, OP2);
    NO_FLOATS;
    if (UNLIKELY(status != 0)) {
        EXIT;
    }
    NEXT;
}
/* A CALL of what was a function of Python's: OFF0 the count of arguments, OP0 as OP2 above. */
STENCIL(call_function)
{
    int64_t status = ftjit_call_function(frame, tstate, act, OFF0, OP0);
    if (UNLIKELY(status != 0)) {
        EXIT;
    }
    NEXT;
}
STENCIL(call_function_without_floats)
{
    int64_t status = ftjit_call_function(frame, tstate, act, OFF0, OP0);
    NO_FLOATS;
    if (UNLIKELY(status != 0)) {
        EXIT;
    }
    NEXT;
}
/* The same for a helper that answers a question: TARGET when the answer is no (status 2, or 3: but leave), else on. The
   emitter puts a `check_status` at TARGET, and where that goes on a `leave_if_told`. */
STENCIL(check_status)
{
    if (UNLIKELY(act->status < 2)) {
        EXIT;
    }
    NEXT;
}
STENCIL(leave_if_told)
{
    if (UNLIKELY(act->status == 3)) {
        EXIT;
    }
    NEXT;
}
/* A home's truth after a call out that left a bool there. */
STENCIL(load_truth, A:i)
{
    A = (HOME(OFF0).bits | Py_TAG_REFCNT) == PyStackRef_True.bits;
    NEXT;
}
