/* Direct calls: from machine code to a Python function, without going through its vectorcall. The callee gets a frame
   of its own on the data stack, as the interpreter would push it; if an executor is installed for its start it runs at
   once, else (and whenever machine code leaves before the end) the interpreter runs the frame to its end. */
#include "core.h"
#include "callouts.h"
#include "direct.h"
#include "stay.h"

vectorcallfunc plain_vectorcall;             /* not exported: learned from a function that is as Python made it */
void direct_learn(uintptr_t function) { plain_vectorcall = ((PyFunctionObject *)function)->vectorcall; }

static inline PyCodeObject *code_of(PyObject *function)
{
    return _Py_atomic_load_ptr_relaxed(&((PyFunctionObject *)function)->func_code);
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
    return breaker == version && is_enabled() && !others_watch(tstate->interp, code);
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

/* A call that code with a slot takes as it is: positional arguments, and defaults for the last of them. */
struct call {
    _PyStackRef *callable, *stack;   /* on the caller's stack; `stack` is the first argument */
    Py_ssize_t count;
    PyCodeObject *code;              /* read once, like `defaults`: they may be replaced */
    PyObject *defaults;
};

/* Does the slot's code take just this? */
static ALWAYS_INLINE bool takes(struct slot *slot, struct call *call)
{
    Py_ssize_t missing = slot->arguments - call->count;
    if (LIKELY(missing == 0)) return true;
    if (missing < 0) return false;
    call->defaults = ((PyFunctionObject *)PyStackRef_AsPyObjectBorrow(*call->callable))->func_defaults;
    return call->defaults && missing <= PyTuple_GET_SIZE(call->defaults);
}

/* The data stack has room: has_room. The function and the arguments move into the frame: what the callee lets go of may be
   gone at once. */
static ALWAYS_INLINE _PyInterpreterFrame *push_frame(PyThreadState *tstate, struct call *call)
{
    _PyInterpreterFrame *frame = (_PyInterpreterFrame *)tstate->datastack_top;
    PyCodeObject *code = call->code;
    tstate->datastack_top += code->co_framesize;
    _PyFrame_Initialize(tstate, frame, *call->callable, NULL, code, (int)call->count, tstate->current_frame);
    for (Py_ssize_t i = call->count; i < code->co_argcount; i++) {
        PyObject *value = PyTuple_GET_ITEM(call->defaults, PyTuple_GET_SIZE(call->defaults) - code->co_argcount + i);
        frame->localsplus[i] = PyStackRef_FromPyObjectNew(value);
    }
    *call->callable = PyStackRef_NULL;
    for (Py_ssize_t i = 0; i < call->count; i++) {
        frame->localsplus[i] = call->stack[i];
        call->stack[i] = PyStackRef_NULL;
    }
    return frame;
}

/* A frame that has returned, and is no longer the current one, goes: clear_thread_frame of the interpreter, in line. */
static ALWAYS_INLINE void pop_frame(PyThreadState *tstate, _PyInterpreterFrame *frame)
{
    bool first = (PyObject **)frame == &tstate->datastack_chunk->data[0];
    if (UNLIKELY(first || frame->frame_obj || frame->f_locals)) {
        _PyEval_FrameClearAndPop(tstate, frame);
        return;
    }
    _PyStackRef *top = frame->stackpointer;
    frame->stackpointer = frame->localsplus;
    while (top > frame->localsplus) {
        top--;
        PyStackRef_XCLOSE(*top);
    }
    PyStackRef_CLEAR(frame->f_funcobj);
    PyStackRef_CLEAR(frame->f_executable);
    tstate->datastack_top = (PyObject **)frame;
}

/* The interpreter runs the call. */
static PyObject *interpret(PyThreadState *tstate, struct call *call)
{
    return _PyEval_EvalFrameDefault(tstate, push_frame(tstate, call), 0);
}

/* The same with any arguments: the interpreter binds them, and finds room or raises. Whoever looks at the caller's stack
   meanwhile must not find what has been taken from it. */
static PyObject *bind_and_interpret(PyThreadState *tstate, _PyStackRef *callable, _PyStackRef *stack, Py_ssize_t count,
                                    PyObject *names)
{
    PyObject *function = PyStackRef_AsPyObjectBorrow(*callable);
    _PyInterpreterFrame *caller = tstate->current_frame;
    _PyStackRef *top = caller->stackpointer;
    PyCodeObject *code = (PyCodeObject *)PyFunction_GET_CODE(function);
    PyObject *locals = code->co_flags & CO_OPTIMIZED ? NULL : Py_NewRef(PyFunction_GET_GLOBALS(function));
    size_t positional = (size_t)(count - (names ? PyTuple_GET_SIZE(names) : 0));
    caller->stackpointer = stack;
    _PyInterpreterFrame *frame = _PyEvalFramePushAndInit(tstate, *callable, locals, stack, positional, names, caller);
    *callable = PyStackRef_NULL;
    for (Py_ssize_t i = 0; i < count; i++) stack[i] = PyStackRef_NULL;
    caller->stackpointer = top;
    return frame ? _PyEval_EvalFrameDefault(tstate, frame, 0) : NULL;
}

/* A direct call of an entry that is wanted, when it is time: the snapshot is taken here (small functions have no events),
   and the interpreter runs the call. */
static COLD PyObject *call_and_take_interest(PyThreadState *tstate, struct slot *slot, struct call *call)
{
    struct entry *entry = &slot->entries[0];
    if (!is_time(entry, true)) return interpret(tstate, call);
    _PyInterpreterFrame *caller = tstate->current_frame;
    _PyInterpreterFrame *frame = push_frame(tstate, call);
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

/* Is machine code installed for its start? Then run it, in a frame of its own, and leave the result as a new reference, NULL
   with an exception set. False: nothing has happened. */
static ALWAYS_INLINE bool run_installed(struct record *record, PyThreadState *tstate, struct slot *slot, struct call *call,
                                        PyObject **result)
{
    struct entry *entry = &slot->entries[0];           /* the start: slot_create puts it first */
    struct executor *executor;
    _Atomic(struct executor *) *place = activation_enter(record, &entry->executor, &executor);
    if (UNLIKELY(!place)) return false;
    /* The callee's frame comes first: what is inlined in it needs room behind that. */
    if (executor->inlines
        && !(may_inline(tstate, executor) && _PyThreadState_HasStackSpace(tstate, call->code->co_framesize + executor->inline_words))) {
        activation_leave(record, place);
        return false;
    }
    _PyInterpreterFrame *caller = tstate->current_frame;
    _PyInterpreterFrame *frame = push_frame(tstate, call);
    if (UNLIKELY(frame->tlbc_index != ((_PyThreadStateImpl *)tstate)->tlbc_index)) {
        /* This thread has no copy of the bytecode yet: the interpreter's RESUME makes one. */
        activation_leave(record, place);
        *result = _PyEval_EvalFrameDefault(tstate, frame, 0);
        return true;
    }
    tstate->current_frame = frame;                     /* at the RESUME: entry->offset is 0 */
    tstate->py_recursion_remaining--;
    /* `tracing` and `what_event` are as the door, which let the caller in, has set them. */
    enum outcome outcome = stay(record, place, executor, tstate, frame, entry, frame->instr_ptr);
    tstate->py_recursion_remaining++;
    tstate->current_frame = caller;                    /* EvalFrameDefault links the frame itself */
    if (LIKELY(outcome == LEFT_BY_RETURN)) {
        _PyStackRef top = *--frame->stackpointer;
        *result = PyStackRef_AsPyObjectSteal(top);
        pop_frame(tstate, frame);
        return true;
    }
    *result = NULL;
    /* After an exception that no handler here covers it unwinds (and adds the traceback entry); else it goes on. */
    if (outcome < 0) frame_abandon(tstate, frame, caller);
    else *result = _PyEval_EvalFrameDefault(tstate, frame, 0);
    return true;
}

/* Run callable(self or nothing, arguments...), which may_call_directly, and give its result as a new reference, NULL with
   an exception set. `stack` points to the first argument; all are taken from there, and so is the callable. `names` are
   those of the last ones. */
PyObject *direct_call(PyThreadState *tstate, _PyStackRef *callable, _PyStackRef *stack, Py_ssize_t count, PyObject *names)
{
    struct call call = {callable, stack, count, .code = code_of(PyStackRef_AsPyObjectBorrow(*callable))};
    struct record *record = record_self();
    struct slot *slot = slot_of(call.code);
    if (names || !slot || !takes(slot, &call) || !record || !has_room(record, tstate, call.code))
        return bind_and_interpret(tstate, callable, stack, count, names);
    PyObject *result;
    uint8_t state = atomic_load_explicit(&slot->entries[0].state, memory_order_relaxed);
    if (may_start(tstate, call.code)) {
        if (UNLIKELY(state == ENTRY_WANTED)) return call_and_take_interest(tstate, slot, &call);
        if (state == ENTRY_INSTALLED && run_installed(record, tstate, slot, &call, &result)) return result;
    }
    return interpret(tstate, &call);
}

/* A CALL, most likely of a function of Python's that takes these arguments. `place` is as for a call out, and so is what it
   answers. What is asked first has no effect: anything unusual is a call out. */
int64_t ftjit_call_function(_PyInterpreterFrame *frame, PyThreadState *tstate, struct activation *act, int64_t count, int64_t place)
{
    _PyStackRef *top = frame->localsplus + (uint16_t)(place >> 32), *callable = top - count - 2, *stack = callable + 1;
    PyObject *function = PyStackRef_AsPyObjectBorrow(*callable);
    if (frame->frame_obj || act->executor->holds || !may_call_directly(tstate, function)) goto general;
    if (PyStackRef_IsNull(*stack)) stack++;
    struct call call = {callable, stack, top - stack, .code = code_of(function)};
    struct slot *slot = slot_of(call.code);
    struct record *record = my_record;                 /* we are in machine code: there is one */
    if (!slot || !takes(slot, &call) || !has_room(record, tstate, call.code)) goto general;
    uint8_t state = atomic_load_explicit(&slot->entries[0].state, memory_order_relaxed);
    if (state == ENTRY_WANTED) goto general;
    give_back(act);
    frame->instr_ptr = (_Py_CODEUNIT *)act->bytecode + (int32_t)place;
    frame->stackpointer = top;
    PyObject *result;
    if (state != ENTRY_INSTALLED || !may_start(tstate, call.code) || !run_installed(record, tstate, slot, &call, &result))
        result = interpret(tstate, &call);
    current_activation = act;                          /* as in ftjit_call_out */
    frame->stackpointer = callable;
    int64_t status = -1;
    if (LIKELY(result != NULL)) {
        *frame->stackpointer++ = handed_over(result);
        status = with_a_look(tstate, 0);
        current_activation = act;
        if (status == 0 && (frame->frame_obj || !may_continue(tstate, frame, act))) status = 1;
    }
    act->status = status;
    return status;
general:
    return ftjit_call_out(frame, tstate, act, callout_call, count, place);
}
