/* One stay in machine code, written out in both places that enter (the door, a direct call): what is done at every
   entry is here and in line, what is rare is out of line (leave_by_exit). */
#ifndef FTJIT_STAY_H
#define FTJIT_STAY_H
#include "core.h"

typedef int64_t (*shim_t)(const void *code, _PyInterpreterFrame *, PyThreadState *, struct activation *);
extern shim_t shim;                      /* the way from the C calling convention into the stencils' */
extern int trace;                        /* FTJIT_TRACE: every stay in machine code, on stderr */

/* How a stay ended. LEFT: go on where the frame says; LEFT_BY_RETURN: that is at a RETURN_VALUE with the result on the
   stack; LEFT_BY_ERROR: an exception nobody here handles. */
enum outcome { LEFT_BY_ERROR = -1, LEFT = 0, LEFT_BY_RETURN = 1 };

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define COLD __attribute__((noinline, cold))

enum outcome leave_by_exit(struct record *, struct entry *, PyThreadState *, _PyInterpreterFrame *, struct activation *,
                           int64_t number);
enum outcome leave_without_memory(PyThreadState *, _PyInterpreterFrame *);
void trace_return(struct executor *, struct entry *, _PyInterpreterFrame *);

void release_held(struct activation *);
extern __thread PyObject *after_exit __attribute__((tls_model("initial-exec")));
void release_after_exit(void);
bool is_time(struct entry *, bool is_start);
void measure_stack(struct record *, PyThreadState *);

/* Threads enter where ENABLED stands alone. FORKING: from before a fork until our hook after it, in parent and child. Other
   modules' hooks run in the child before ours: there nothing may be compiled, locks of ours may be held by threads that
   are not there. */
enum { ENABLED = 1, FORKING = 2 };
extern _Atomic uint32_t enabled;
/* Relaxed: who enters a moment late leaves at its next poll. */
static inline bool is_enabled(void) { return atomic_load_explicit(&enabled, memory_order_relaxed) == ENABLED; }

/* Is another monitoring tool registered at all? Local events change no version, so this is asked after calls out. */
static inline bool other_tool_registered(PyInterpreterState *interp)
{
    uintptr_t any = 0;
    for (int i = 0; i < OUR_TOOL; i++) any |= (uintptr_t)interp->monitoring_tool_names[i];
    return any != 0;
}

/* After a call out: may machine code go on? Anything may have happened: tools, another version, a frame object that
   somebody else holds (its f_locals may have been written). */
static inline bool may_continue(PyThreadState *tstate, _PyInterpreterFrame *frame, struct activation *act)
{
    if ((atomic_load_explicit((_Atomic uintptr_t *)&tstate->eval_breaker, memory_order_relaxed) ^ act->version) >> 8
        && others_watch(tstate->interp, _PyFrame_GetCode(frame)))
        return false;
    if (other_tool_registered(tstate->interp) && (act->executor->inlines || others_watch(tstate->interp, _PyFrame_GetCode(frame)))) return false;
    /* Somebody holds our frame object, or has written a local through it (the old value is kept there). */
    if (frame->frame_obj && (Py_REFCNT(frame->frame_obj) > 1 || frame->frame_obj->f_overwritten_fast_locals)) return false;
    return atomic_load_explicit(&act->executor->valid, memory_order_relaxed) != 0;
}

/* Enough C stack for what we call, leaving the interpreter's own C recursion most of what it had: an eighth, 1 MiB at
   most, is left alone. The record remembers where that ends, for as long as the thread state's own limit stays. */
static ALWAYS_INLINE bool stack_is_short(struct record *record, PyThreadState *tstate)
{
    if (UNLIKELY(((_PyThreadStateImpl *)tstate)->c_stack_soft_limit != record->stack_limit)) measure_stack(record, tstate);
    return (uintptr_t)__builtin_frame_address(0) < record->stack_floor;
}

/* May code that inlines be entered? Another tool may watch what was inlined; and the frames that an exit makes need
   their place on the data stack and in the recursion limit. */
static inline bool may_inline(PyThreadState *tstate, struct executor *executor)
{
    return !other_tool_registered(tstate->interp) && tstate->py_recursion_remaining > (int)executor->inlines + 1
        && _PyThreadState_HasStackSpace(tstate, executor->inline_words);
}

/* Machine code has ended the frame: `way` is a light return (activation.h), the stack pointer is set. A number still
   has to be boxed. */
static ALWAYS_INLINE enum outcome leave_by_return(PyThreadState *tstate, _PyInterpreterFrame *frame,
                                                  struct activation *act, int64_t way)
{
    frame->instr_ptr = (_Py_CODEUNIT *)act->bytecode + (way & LIGHT_UNIT);
    if (way & (LIGHT_INT | LIGHT_FLOAT)) {
        PyObject *box = way & LIGHT_INT ? PyLong_FromLongLong(act->i[0]) : PyFloat_FromDouble(act->f[0]);
        if (UNLIKELY(!box)) return leave_without_memory(tstate, frame);
        frame->stackpointer[-1] = PyStackRef_FromPyObjectSteal(box);
    }
    return LEFT_BY_RETURN;
}

/* Run `executor`, which is entered (`place`). `bytecode`: this thread's copy, in which the frame runs. */
static ALWAYS_INLINE enum outcome stay(struct record *record, _Atomic(struct executor *) *place,
                                       struct executor *executor, PyThreadState *tstate, _PyInterpreterFrame *frame,
                                       struct entry *entry, void *bytecode)
{
    struct activation act;
    act.executor = executor;
    act.bytecode = bytecode;
    act.version = atomic_load_explicit((_Atomic uintptr_t *)&tstate->eval_breaker, memory_order_relaxed);
    act.status = 0;
    act.kept = NULL;
    act.number = NULL;
    struct activation *outer = current_activation;
    current_activation = &act;
    count_own(&record->entries);
    int64_t way = shim(executor->code, frame, tstate, &act);
    executor_used(executor);
    give_back(&act);
    current_activation = outer;
    enum outcome outcome;
    if (LIKELY(way & LIGHT)) {
        if (UNLIKELY(trace)) trace_return(executor, entry, frame);
        count_own(&record->exits);
        outcome = leave_by_return(tstate, frame, &act, way);
    }
    else {
        outcome = leave_by_exit(record, entry, tstate, frame, &act, way);
        if (UNLIKELY(after_exit)) release_after_exit();
    }
    if (UNLIKELY(executor->holds)) release_held(&act);
    if (UNLIKELY(act.number)) Py_DECREF(act.number);
    activation_leave(record, place);
    return outcome;
}
#endif
