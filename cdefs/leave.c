/* Leaving machine code: put the values an exit names back into the frame, so that the interpreter goes on at a
   bytecode boundary as if it had run so far; and unwind an exception that came out of a call. */
#include "core.h"

int64_t bits_at(struct activation *act, int place, int64_t value)
{
    switch (place) {
    case PLACE_INT_REGISTER: return act->i[value];
    case PLACE_FLOAT_REGISTER: { int64_t bits; memcpy(&bits, &act->f[value], 8); return bits; }
    case PLACE_SPILL: return act->spill[value];
    default: return value;
    }
}

static inline double float_at(struct activation *act, int place, int64_t value)
{
    int64_t bits = bits_at(act, place, value);
    double number;
    memcpy(&number, &bits, 8);
    return number;
}

/* A range iterator with these fields. The type offers no constructor from C: make one of an empty range, set it. */
PyObject *range_iterator_new(int64_t start, int64_t length, int64_t step)
{
    static PyObject *empty;
    PyObject *range = empty;
    if (!range) {
        range = PyObject_CallFunction((PyObject *)&PyRange_Type, "i", 0);
        if (!range) return NULL;
        _Py_SetImmortal(range);
        empty = range;
    }
    PyObject *iterator = PyObject_GetIter(range);
    if (!iterator) return NULL;
    struct { PyObject_HEAD long start, step, len; } *fields = (void *)iterator;
    fields->start = start;
    fields->step = step;
    fields->len = length;
    return iterator;
}

/* Of a range with more items than an int64_t counts. */
static PyObject *long_iterator(int64_t start, int64_t stop, int64_t step)
{
    PyObject *range = PyObject_CallFunction((PyObject *)&PyRange_Type, "LLL", (long long)start, (long long)stop, (long long)step);
    PyObject *iterator = range ? PyObject_GetIter(range) : NULL;
    Py_XDECREF(range);
    return iterator;
}

/* The reference that goes into the home; PyStackRef_NULL with an exception set when there is no memory. */
static _PyStackRef materialise(struct activation *act, const struct move *move, _PyInterpreterFrame *frame)
{
    PyObject *object = NULL;
    switch (move->kind) {
    case MOVE_INT: object = PyLong_FromLongLong(bits_at(act, move->place[0], move->value[0])); break;
    case MOVE_FLOAT: object = PyFloat_FromDouble(float_at(act, move->place[0], move->value[0])); break;
    case MOVE_BOOL: return bits_at(act, move->place[0], move->value[0]) ? PyStackRef_True : PyStackRef_False;
    case MOVE_NEW_REFERENCE:
    case MOVE_CONSTANT: return PyStackRef_FromPyObjectNew((PyObject *)bits_at(act, move->place[0], move->value[0]));
    case MOVE_LOCAL: {
        _PyStackRef source = frame->localsplus[move->value[0]];
        return PyStackRef_IsNull(source) ? source : PyStackRef_FromPyObjectNew(PyStackRef_AsPyObjectBorrow(source));
    }
    case MOVE_MAYBE: {                    /* int value, float value, and which of them it is, if any */
        int64_t tag = bits_at(act, move->place[2], move->value[2]);
        if (tag == 0) return frame->localsplus[move->slot];       /* the home is right: see leave_to_frame */
        if (tag == 3) return bits_at(act, move->place[0], move->value[0]) ? PyStackRef_True : PyStackRef_False;
        object = tag == 2 ? PyFloat_FromDouble(float_at(act, move->place[1], move->value[1]))
                          : PyLong_FromLongLong(bits_at(act, move->place[0], move->value[0]));
        break;
    }
    case MOVE_RANGE_ITERATOR: {
        int64_t start = bits_at(act, move->place[0], move->value[0]);
        int64_t stop = bits_at(act, move->place[1], move->value[1]);
        int64_t step = bits_at(act, move->place[2], move->value[2]);
        uint64_t way = step > 0 ? (start < stop ? (uint64_t)stop - start : 0) : (start > stop ? (uint64_t)start - stop : 0);
        uint64_t length = way ? 1 + (way - 1) / (step > 0 ? (uint64_t)step : -(uint64_t)step) : 0;
        object = length <= INT64_MAX ? range_iterator_new(start, (int64_t)length, step) : long_iterator(start, stop, step);
        break;
    }
    }
    return object ? PyStackRef_FromPyObjectSteal(object) : PyStackRef_NULL;
}

/* Is there a value, if only there is memory for it? */
static bool must_be(struct activation *act, const struct move *move)
{
    if (move->kind == MOVE_MAYBE) return bits_at(act, move->place[2], move->value[2]) != 0;
    return move->kind != MOVE_NULL && move->kind != MOVE_LOCAL;         /* MOVE_SAME is of a number */
}

/* The values that an exit names, all of them before any home is written: a local may be read as well as overwritten, and
   what is read is always in the frame that was entered. `fresh` has exit->moves places. 0, or -1 with MemoryError set and
   nothing in the places of those that could not be made. */
int leave_take(struct activation *act, struct exit_record *exit, _PyInterpreterFrame *frame, _PyStackRef *fresh)
{
    const struct move *moves = act->executor->moves + exit->first_move;
    int result = 0;
    for (int k = 0; k < exit->moves; k++) {
        const struct move *move = &moves[k];
        if (move->kind == MOVE_SAME) {
            _PyStackRef same = fresh[move->value[0]];
            fresh[k] = PyStackRef_IsNull(same) ? same : PyStackRef_DUP(same);
        }
        else {
            fresh[k] = materialise(act, move, frame);
            if (PyStackRef_IsNull(fresh[k]) && must_be(act, move)) result = -1;
        }
    }
    return result;
}

/* ... and into their homes. Stack homes that are written hold nothing before; a local's old value is an exact number or
   singleton (nothing else may be stale), so dropping it runs no code. Where a value is missing the frames are as the exit's
   bytecode found them, but for homes that stay stale. */
void leave_put(struct activation *act, struct exit_record *exit, _PyInterpreterFrame **frames, const _PyStackRef *fresh)
{
    const struct move *moves = act->executor->moves + exit->first_move;
    for (int k = 0; k < exit->moves; k++) {
        _PyInterpreterFrame *frame = frames[moves[k].frame];
        _PyStackRef *home = &frame->localsplus[moves[k].slot];
        _PyStackRef old = *home;
        bool is_local = moves[k].slot < _PyFrame_GetCode(frame)->co_nlocalsplus;
        bool missing = PyStackRef_IsNull(fresh[k]) && must_be(act, &moves[k]);
        if (!missing && moves[k].kind == MOVE_MAYBE && old.bits == fresh[k].bits) continue;
        if (is_local && missing) {
            if (PyStackRef_IsNull(old)) *home = PyStackRef_None;       /* a handler may load it without a look */
            continue;
        }
        *home = fresh[k];
        if (is_local) PyStackRef_XCLOSE(old);
    }
    frames[0]->stackpointer = frames[0]->localsplus + _PyFrame_GetCode(frames[0])->co_nlocalsplus + exit->depth;
    frames[0]->instr_ptr = (_Py_CODEUNIT *)act->bytecode + exit->offset / (int)sizeof(_Py_CODEUNIT);
}

/* 0, or LEAVE_DAMAGED with MemoryError set. */
int leave_to_frame(struct activation *act, struct exit_record *exit, _PyInterpreterFrame *frame)
{
    _PyStackRef fresh[exit->moves + 1];
    int result = leave_take(act, exit, frame, fresh);
    leave_put(act, exit, &frame, fresh);
    return result < 0 ? LEAVE_DAMAGED : 0;
}

/* ---- exceptions ---------------------------------------------------------------------------------------------- */

static const unsigned char *read_varint(const unsigned char *at, int *value)
{
    int number = at[0] & 63;
    while (*at & 64) number = (number << 6) | (*++at & 63);
    *value = number;
    return at + 1;
}

/* The handler that covers a code unit, from the exception table (format: InternalDocs/exception_handling.md). */
int exception_handler_of(PyCodeObject *code, int unit, int *level, int *handler, int *lasti)
{
    const unsigned char *at = (unsigned char *)PyBytes_AS_STRING(code->co_exceptiontable);
    const unsigned char *end = at + PyBytes_GET_SIZE(code->co_exceptiontable);
    while (at < end) {
        int start, size, depth;
        at = read_varint(at, &start);
        at = read_varint(at, &size);
        at = read_varint(at, handler);
        at = read_varint(at, &depth);
        *level = depth >> 1;
        *lasti = depth & 1;
        if (start > unit) return 0;
        if (unit < start + size) return 1;
    }
    return 0;
}

/* What tools hear of an exception in the current frame, at a code unit. Only tools that were switched on below the call that
   raised it: of code that was watched before we would not be here. 0, or -1 with their own exception set instead. */
int tell_tools(PyThreadState *tstate, _PyInterpreterFrame *frame, int event, int unit)
{
    PyMonitoringState state = {.active = tstate->interp->monitors.tools[event]};
    if (!state.active) return 0;
    PyObject *code = (PyObject *)_PyFrame_GetCode(frame);
    int32_t offset = unit * (int)sizeof(_Py_CODEUNIT);
    switch (event) {
    case PY_MONITORING_EVENT_RAISE: return PyMonitoring_FireRaiseEvent(&state, code, offset);
    case PY_MONITORING_EVENT_EXCEPTION_HANDLED: return PyMonitoring_FireExceptionHandledEvent(&state, code, offset);
    default: return PyMonitoring_FirePyUnwindEvent(&state, code, offset);
    }
}

/* A frame object for the traceback; the exception may be another afterwards. */
void add_to_traceback(PyThreadState *tstate)
{
    PyObject *exception = PyErr_GetRaisedException();      /* making a frame object may fail, and forget it */
    PyFrameObject *object = PyThreadState_GetFrame(tstate);
    PyErr_SetRaisedException(exception);
    if (object) {
        PyTraceBack_Here(object);
        Py_DECREF(object);
    }
}

/* An exception is set and the frame, the current one, is as at frame->instr_ptr. With a handler: traceback entry, stack cut,
   exception pushed, instr_ptr at the handler; 0. Without one: -1, and the callback returns NULL, so that the interpreter
   adds the traceback entry and unwinds; the compiler makes calls out only where the entry has no handler
   either. `damaged`: what could not be made for lack of memory is missing from the stack; a handler that would go on with
   that (a loop's iterator) is none. */
int unwind_exception(PyThreadState *tstate, _PyInterpreterFrame *frame, bool damaged)
{
    PyCodeObject *code = _PyFrame_GetCode(frame);
    int unit = (int)(frame->instr_ptr - _PyFrame_GetBytecode(frame));
    int level, handler, lasti;
    if (!exception_handler_of(code, unit, &level, &handler, &lasti)) return -1;
    for (int k = 0; damaged && k < level; k++)
        if (PyStackRef_IsNull(frame->localsplus[code->co_nlocalsplus + k])) return -1;
    add_to_traceback(tstate);
    tell_tools(tstate, frame, PY_MONITORING_EVENT_RAISE, unit);
    _PyStackRef *base = frame->localsplus + code->co_nlocalsplus;
    for (;;) {
        while (frame->stackpointer > base + level) {
            _PyStackRef top = *--frame->stackpointer;
            PyStackRef_XCLOSE(top);
        }
        if (tell_tools(tstate, frame, PY_MONITORING_EVENT_EXCEPTION_HANDLED, handler) == 0) break;
        unit = handler - 1;            /* where the interpreter looks for whoever handles the tool's exception */
        if (!exception_handler_of(code, unit, &level, &handler, &lasti)) return -1;
    }
    if (lasti) *frame->stackpointer++ = PyStackRef_TagInt(unit);
    *frame->stackpointer++ = PyStackRef_FromPyObjectSteal(PyErr_GetRaisedException());
    frame->instr_ptr = _PyFrame_GetBytecode(frame) + handler;
    return 0;
}
