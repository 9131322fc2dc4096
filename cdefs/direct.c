/* Direct calls: from machine code to a Python function, without going through its vectorcall. The callee gets a frame
   of its own on the data stack, as the interpreter would push it; if an executor is installed for its start it runs at
   once, else (and whenever machine code leaves before the end) the interpreter runs the frame to its end. */
#include "core.h"
#include "direct.h"
#include "stay.h"

static vectorcallfunc plain_vectorcall;      /* not exported: learned from a function that is as Python made it */
void direct_learn(uintptr_t function) { plain_vectorcall = ((PyFunctionObject *)function)->vectorcall; }

/* Not for a function whose way to be called was replaced (PyFunction_SetVectorcall), and not where somebody evaluates
   frames instead of the interpreter (PEP 523). */
bool may_call_directly(PyThreadState *tstate, PyObject *callable)
{
    return PyFunction_Check(callable) && ((PyFunctionObject *)callable)->vectorcall == plain_vectorcall
        && !tstate->interp->eval_frame;
}

/* The function's code, if it takes just these arguments and nothing special. Read once: it may be replaced. */
static inline PyCodeObject *plain_code(PyObject *callable, Py_ssize_t arguments, PyObject *names)
{
    if (names) return NULL;
    PyCodeObject *code = _Py_atomic_load_ptr_relaxed(&((PyFunctionObject *)callable)->func_code);
    int simple = CO_OPTIMIZED | CO_NEWLOCALS;
    int special = CO_VARARGS | CO_VARKEYWORDS | CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR | CO_ITERABLE_COROUTINE;
    return (code->co_flags & simple) == simple && !(code->co_flags & special) && code->co_kwonlyargcount == 0
        && code->co_argcount == arguments ? code : NULL;
}

/* Is there room for a frame of this code? */
static inline bool has_room(struct record *record, PyThreadState *tstate, PyCodeObject *code)
{
    return tstate->py_recursion_remaining > 1 && !stack_is_short(record, tstate)
        && _PyThreadState_HasStackSpace(tstate, code->co_framesize);
}

/* May a frame of this code start in machine code, with nothing to instrument, to handle or to tell first? Else the
   interpreter runs it: its RESUME sees to that. */
static inline bool may_start(PyThreadState *tstate, PyCodeObject *code)
{
    uintptr_t breaker = _Py_atomic_load_uintptr_relaxed(&tstate->eval_breaker);
    uintptr_t version = _Py_atomic_load_uintptr_acquire(&code->_co_instrumentation_version);
    return breaker == version && door_is_enabled() && !others_watch(tstate->interp, code);
}

/* An exception that nobody in `frame` handles has ended it: a traceback entry, and it goes. */
void frame_abandon(PyThreadState *tstate, _PyInterpreterFrame *frame, _PyInterpreterFrame *caller)
{
    int unit = (int)(frame->instr_ptr - _PyFrame_GetBytecode(frame));
    tstate->current_frame = frame;
    add_to_traceback(tstate);
    tell_tools(tstate, frame, PY_MONITORING_EVENT_RAISE, unit);
    while (frame->stackpointer > frame->localsplus + _PyFrame_GetCode(frame)->co_nlocalsplus) {
        _PyStackRef top = *--frame->stackpointer;
        PyStackRef_XCLOSE(top);
    }
    tell_tools(tstate, frame, PY_MONITORING_EVENT_PY_UNWIND, unit);
    tstate->current_frame = caller;
    _PyEval_FrameClearAndPop(tstate, frame);
}

/* The data stack has room: has_room. The arguments move into it: what the callee lets go of may be gone at once. */
static inline _PyInterpreterFrame *push_frame(PyThreadState *tstate, PyObject *callable, PyCodeObject *code,
                                              _PyStackRef *stack, Py_ssize_t count)
{
    _PyInterpreterFrame *frame = (_PyInterpreterFrame *)tstate->datastack_top;
    tstate->datastack_top += code->co_framesize;
    _PyFrame_Initialize(tstate, frame, PyStackRef_FromPyObjectNew(callable), NULL, code, (int)count,
                        tstate->current_frame);
    for (Py_ssize_t i = 0; i < count; i++) {
        frame->localsplus[i] = stack[i];
        stack[i] = PyStackRef_NULL;
    }
    return frame;
}

/* The interpreter runs the call. */
static PyObject *interpret(PyThreadState *tstate, PyObject *callable, PyCodeObject *code, _PyStackRef *stack, Py_ssize_t count)
{
    return _PyEval_EvalFrameDefault(tstate, push_frame(tstate, callable, code, stack, count), 0);
}

/* The same with any arguments: the interpreter binds them, and finds room or raises. Whoever looks at the caller's stack
   meanwhile must not find what has been taken from it. */
static PyObject *bind_and_interpret(PyThreadState *tstate, PyObject *callable, _PyStackRef *stack, Py_ssize_t count,
                                    PyObject *names)
{
    _PyInterpreterFrame *caller = tstate->current_frame;
    _PyStackRef *top = caller->stackpointer;
    PyCodeObject *code = (PyCodeObject *)PyFunction_GET_CODE(callable);
    PyObject *locals = code->co_flags & CO_OPTIMIZED ? NULL : Py_NewRef(PyFunction_GET_GLOBALS(callable));
    size_t positional = (size_t)(count - (names ? PyTuple_GET_SIZE(names) : 0));
    caller->stackpointer = stack;
    _PyInterpreterFrame *frame = _PyEvalFramePushAndInit(tstate, PyStackRef_FromPyObjectNew(callable), locals, stack,
                                                         positional, names, caller);
    for (Py_ssize_t i = 0; i < count; i++) stack[i] = PyStackRef_NULL;
    caller->stackpointer = top;
    return frame ? _PyEval_EvalFrameDefault(tstate, frame, 0) : NULL;
}

/* A direct call of an entry that is wanted, when it is time: the snapshot is taken here (small functions have no events),
   and the interpreter runs the call. */
static COLD PyObject *call_and_take_interest(PyThreadState *tstate, PyObject *callable, struct slot *slot,
                                             struct entry *entry, _PyStackRef *stack, Py_ssize_t count)
{
    if (!is_time(entry, true)) return interpret(tstate, callable, slot->code, stack, count);
    _PyInterpreterFrame *caller = tstate->current_frame;
    _PyInterpreterFrame *frame = push_frame(tstate, callable, slot->code, stack, count);
    if (frame->tlbc_index == ((_PyThreadStateImpl *)tstate)->tlbc_index) {
        tstate->current_frame = frame;
        int taken = snapshot_take(slot, entry, true, frame);
        tstate->current_frame = caller;
        if (taken < 0) {
            frame_abandon(tstate, frame, caller);
            return NULL;
        }
    }
    else atomic_store(&entry->state, ENTRY_WANTED);      /* no copy of the bytecode in this thread yet */
    return _PyEval_EvalFrameDefault(tstate, frame, 0);
}

/* Run callable(self or nothing, arguments...), which may_call_directly, and give its result as a new reference, NULL with
   an exception set. `stack` points to the first argument; all are taken from there. `names` are those of the last ones. */
PyObject *direct_call(PyThreadState *tstate, PyObject *callable, _PyStackRef *stack, Py_ssize_t count, PyObject *names)
{
    PyCodeObject *code = plain_code(callable, count, names);
    struct record *record = record_self();
    if (!code || !record || !has_room(record, tstate, code)) return bind_and_interpret(tstate, callable, stack, count, names);
    struct slot *slot = slot_of(code);
    if (!slot || !may_start(tstate, code)) return interpret(tstate, callable, code, stack, count);
    struct entry *entry = &slot->entries[0];           /* the start: slot_create puts it first */
    /* Cells are made, or closures copied, before the RESUME? */
    if (entry->offset != 0) return interpret(tstate, callable, code, stack, count);
    struct executor *executor;
    uint8_t state = atomic_load_explicit(&entry->state, memory_order_relaxed);
    if (UNLIKELY(state == ENTRY_WANTED)) return call_and_take_interest(tstate, callable, slot, entry, stack, count);
    if (state != ENTRY_INSTALLED) return interpret(tstate, callable, code, stack, count);
    _Atomic(struct executor *) *place = activation_enter(record, &entry->executor, &executor);
    if (!place) return interpret(tstate, callable, code, stack, count);
    /* The callee's frame comes first: what is inlined in it needs room behind that. */
    if (executor->inlines
        && !(may_inline(tstate, executor) && _PyThreadState_HasStackSpace(tstate, code->co_framesize + executor->inline_words))) {
        activation_leave(record, place);
        return interpret(tstate, callable, code, stack, count);
    }

    _PyInterpreterFrame *caller = tstate->current_frame;
    _PyInterpreterFrame *frame = push_frame(tstate, callable, code, stack, count);
    if (frame->tlbc_index != ((_PyThreadStateImpl *)tstate)->tlbc_index) {
        /* This thread has no copy of the bytecode yet: the interpreter's RESUME makes one. */
        activation_leave(record, place);
        return _PyEval_EvalFrameDefault(tstate, frame, 0);
    }
    _Py_CODEUNIT *bytecode = _PyFrame_GetBytecode(frame);
    frame->instr_ptr = bytecode;                       /* the RESUME: entry->offset is 0 */
    tstate->current_frame = frame;
    tstate->py_recursion_remaining--;
    /* `tracing` and `what_event` are as the door, which let the caller in, has set them. */
    enum outcome outcome = stay(record, place, executor, tstate, frame, entry, bytecode);
    tstate->py_recursion_remaining++;
    if (outcome == LEFT_BY_RETURN) {
        _PyStackRef result = *--frame->stackpointer;
        PyObject *object = PyStackRef_AsPyObjectSteal(result);
        tstate->current_frame = caller;
        _PyEval_FrameClearAndPop(tstate, frame);
        return object;
    }
    tstate->current_frame = caller;                    /* EvalFrameDefault links the frame itself */
    /* After an exception that no handler here covers it unwinds (and adds the traceback entry); else it goes on. */
    if (outcome < 0) {
        frame_abandon(tstate, frame, caller);
        return NULL;
    }
    return _PyEval_EvalFrameDefault(tstate, frame, 0);
}
