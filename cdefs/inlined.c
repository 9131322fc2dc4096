/* Exits out of inlined functions. Machine code runs them in the frame of their caller; at an exit in one of them its
   frame is made, as the interpreter would have pushed it, and the interpreter runs it to its end. What it returns is
   the result of the CALL, after which the interpreter goes on in the frame that was entered. */
#include "core.h"
#include "direct.h"
#include "stay.h"

enum { CALL_UNITS = 1 + INLINE_CACHE_ENTRIES_CALL };

/* This thread's copy of a code object's bytecode, with the instrumentation that is due, is made where a frame of it
   starts, or takes up a thrown exception (ceval.c, throwflag). A frame that starts in the middle needs it made: let one
   take up an exception; it handles none, as nothing inlined has a handler. */
static void bytecode_make_ready(PyThreadState *tstate, PyObject *function, PyCodeObject *code)
{
    uintptr_t version = _Py_atomic_load_uintptr_relaxed(&tstate->eval_breaker) & ~(uintptr_t)0xff;
    if (_PyCode_GetTLBCFast(tstate, code) && _Py_atomic_load_uintptr_acquire(&code->_co_instrumentation_version) == version)
        return;
    _PyInterpreterFrame *frame = (_PyInterpreterFrame *)tstate->datastack_top;
    tstate->datastack_top += code->co_framesize;
    _PyFrame_Initialize(tstate, frame, PyStackRef_FromPyObjectNew(function), NULL, code, 0, tstate->current_frame);
    frame->instr_ptr++;                                  /* behind something, as after a call */
    PyErr_SetNone(PyExc_RuntimeError);
    tstate->tracing++;                                   /* no tool is told of it */
    PyObject *nothing = _PyEval_EvalFrameDefault(tstate, frame, 1);
    tstate->tracing--;
    Py_XDECREF(nothing);
    PyErr_Clear();
}

static _PyInterpreterFrame *frame_make(PyObject *function, const struct inner_frame *inner, PyThreadState *tstate,
                                       _PyInterpreterFrame *caller)
{
    _PyInterpreterFrame *frame = (_PyInterpreterFrame *)tstate->datastack_top;
    tstate->datastack_top += inner->code->co_framesize;
    _PyFrame_Initialize(tstate, frame, PyStackRef_FromPyObjectNew(function), NULL, inner->code, 0, caller);
    frame->instr_ptr = _PyFrame_GetBytecode(frame) + inner->offset / (int)sizeof(_Py_CODEUNIT);
    for (int i = 0; i < inner->depth; i++) *frame->stackpointer++ = PyStackRef_NULL;
    return frame;
}

/* References that carry no count, as the collector would see them in a frame: here it does not look, so they get one. (What
   is only maybe in a register is a number, or is in its home.) */
static void hold(_PyStackRef *fresh, const struct move *moves, int count)
{
    for (int k = 0; k < count; k++) {
        if (PyStackRef_IsNull(fresh[k]) || moves[k].kind == MOVE_MAYBE || !PyStackRef_IsDeferred(fresh[k])) continue;
        PyObject *object = PyStackRef_AsPyObjectBorrow(fresh[k]);
        if (!_Py_IsImmortal(object)) fresh[k].bits = (uintptr_t)Py_NewRef(object);
    }
}

static void after_call(_PyInterpreterFrame *frame, PyObject *result, int kept)
{
    for (; kept; kept--) {
        _PyStackRef top = *--frame->stackpointer;
        PyStackRef_XCLOSE(top);
    }
    *frame->stackpointer++ = PyStackRef_FromPyObjectSteal(result);
    frame->instr_ptr += CALL_UNITS;
}

/* Leave by an exit that is in inlined functions. 0: `frame` is after its CALL, with the result; LEAVE_RAISED or
   LEAVE_DAMAGED with an exception set: it is at the CALL. Room for the frames was seen to before machine code was entered
   (may_inline; for a direct call, behind the frame it pushes). */
int leave_inlined(struct activation *act, struct exit_record *exit, PyThreadState *tstate, _PyInterpreterFrame *frame)
{
    const struct inner_frame *inner = act->executor->inner_frames + exit->first_inner;
    _PyInterpreterFrame *frames[INLINE_DEPTH + 1] = {frame};
    int last = exit->inners;
    /* What machine code has only borrowed is counted before bytecode is made ready: that may stop the world. */
    PyObject *functions[INLINE_DEPTH];
    for (int k = 0; k < last; k++) functions[k] = Py_NewRef((PyObject *)bits_at(act, inner[k].place, inner[k].function));
    _PyStackRef fresh[exit->moves + 1];
    bool damaged = leave_take(act, exit, frame, fresh) < 0, failed = damaged;
    hold(fresh, act->executor->moves + exit->first_move, exit->moves);
    PyObject *exception = failed ? PyErr_GetRaisedException() : NULL;
    for (int k = 0; k < last; k++) bytecode_make_ready(tstate, functions[k], inner[k].code);
    if (failed) PyErr_SetRaisedException(exception);
    /* From here until they are linked nothing may collect garbage. */
    for (int k = 0; k < last; k++) frames[k + 1] = frame_make(functions[k], &inner[k], tstate, frames[k]);
    leave_put(act, exit, frames, fresh);
    if (!failed) {                                       /* what is let go now may end, and look at the frames */
        tstate->current_frame = frames[last];
        if (after_exit) release_after_exit();
        if (act->executor->holds) release_held(act);
    }
    PyObject *result = NULL;
    tstate->py_recursion_remaining -= last - 1;          /* the interpreter counts the one it runs */
    for (int k = last; k >= 1; k--) {
        if (failed) frame_abandon(tstate, frames[k], frames[k - 1]);
        else {
            tstate->current_frame = frames[k - 1];
            result = _PyEval_EvalFrameDefault(tstate, frames[k], 0);
            failed = !result;
        }
        if (k > 1) tstate->py_recursion_remaining++;
        if (!failed) after_call(frames[k - 1], result, inner[k - 1].kept);
    }
    tstate->current_frame = frame;
    for (int k = 0; k < last; k++) Py_DECREF(functions[k]);
    return damaged ? LEAVE_DAMAGED : failed ? LEAVE_RAISED : 0;
}
