/* What call outs and direct calls need of each other. */
#ifndef FTJIT_DIRECT_H
#define FTJIT_DIRECT_H
#include "core.h"
#include "callouts.h"

extern vectorcallfunc plain_vectorcall;
/* Not for a function whose way to be called was replaced (PyFunction_SetVectorcall), and not where somebody evaluates
   frames instead of the interpreter (PEP 523). */
static inline bool may_call_directly(PyThreadState *tstate, PyObject *callable)
{
    return PyFunction_Check(callable) && ((PyFunctionObject *)callable)->vectorcall == plain_vectorcall
        && !tstate->interp->eval_frame;
}

PyObject *direct_call(PyThreadState *, _PyStackRef *callable, _PyStackRef *arguments, Py_ssize_t count, PyObject *names);
void frame_abandon(PyThreadState *, _PyInterpreterFrame *, _PyInterpreterFrame *caller);

int64_t ftjit_call_out(_PyInterpreterFrame *, PyThreadState *, struct activation *, callout_t helper, int64_t argument, int64_t place);

/* A reference that is handed over. An immortal object's carries no count, and machine code drops it at once. */
static inline _PyStackRef handed_over(PyObject *object)
{
    return _Py_IsImmortal(object) ? PyStackRef_FromPyObjectBorrow(object) : PyStackRef_FromPyObjectSteal(object);
}

/* A CALL ends with a look at what is pending: a signal that came meanwhile is raised here, where a handler expects it. */
static inline int64_t with_a_look(PyThreadState *tstate, int64_t status)
{
    bool pending = _Py_atomic_load_uintptr_relaxed(&tstate->eval_breaker) & _PY_EVAL_EVENTS_MASK;
    return status >= 0 && __builtin_expect(pending, 0) && _Py_HandlePending(tstate) < 0 ? -1 : status;
}
#endif
