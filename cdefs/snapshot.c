/* The snapshot: what the first thread through the door sees, copied with real values in hand and handed to the
   compiler. It holds references, so it is dropped as soon as the compiler is done with it. */
#include "core.h"
#include "internal/pycore_list.h"

static PyObject *put;          /* queue.put, held for ever */
static PyObject *missing;      /* stands for an unbound local or an empty stack slot */

int snapshot_set_queue(uintptr_t put_callable, uintptr_t missing_object)
{
    PyGILState_STATE state = PyGILState_Ensure();
    put = Py_NewRef((PyObject *)put_callable);
    missing = Py_NewRef((PyObject *)missing_object);
    PyGILState_Release(state);
    return 0;
}

PyObject *range_iterator_new(int64_t start, int64_t length, int64_t step);

/* What the compiler gets to see of a stack entry. An iterator that only this frame refers to must stay so (a count
   from another thread would change its ways for ever): it sees a new one like it. */
static PyObject *stand_in(PyObject *value)
{
    PyObject *like = NULL;
    /* What has a finaliser must not be kept alive by us, not even for the milliseconds until the compiler is done. */
    if (has_finaliser(value)) return Py_NewRef(missing);
    if (Py_IS_TYPE(value, &PyRangeIter_Type)) like = range_iterator_new(0, 1, ((struct { PyObject_HEAD long start, step, len; } *)value)->step);
    else if (Py_IS_TYPE(value, &PyListIter_Type)) {
        PyObject *list = (PyObject *)((_PyListIterObject *)value)->it_seq;
        like = list ? PyObject_GetIter(list) : NULL;
    }
    if (!like) PyErr_Clear();
    return like ? like : Py_NewRef(value);
}

static PyObject *values(_PyStackRef *from, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple && i < count; i++) {
        _PyStackRef ref = from[i];
        PyObject *value = PyStackRef_IsNull(ref) || PyStackRef_IsTaggedInt(ref) ? missing : PyStackRef_AsPyObjectBorrow(ref);
        PyTuple_SET_ITEM(tuple, i, stand_in(value));
    }
    return tuple;
}

/* This thread's copies of the bytecode that the entry's executor inlines, as it has specialised them by now: a tuple of
   code object, bytes, code object, bytes ... */
static PyObject *inlined_copies(struct entry *entry)
{
    PyObject *list = PyList_New(0);
    PyThreadState *tstate = PyThreadState_GetUnchecked();
    struct record *record = record_self();
    struct executor *executor;
    _Atomic(struct executor *) *place = list && record ? activation_enter(record, &entry->executor, &executor) : NULL;
    if (place) {
        for (int64_t i = 0; executor->keeps && i < executor->keeps->count; i++) {
            PyCodeObject *code = (PyCodeObject *)executor->keeps->objects[i];
            if (!PyCode_Check(code)) break;                      /* the numbers come after the code objects */
            char *copy = (char *)_PyCode_GetTLBCFast(tstate, code);
            PyObject *bytes = copy ? PyBytes_FromStringAndSize(copy, Py_SIZE(code) * sizeof(_Py_CODEUNIT)) : NULL;
            if (bytes && PyList_Append(list, (PyObject *)code) == 0) PyList_Append(list, bytes);
            Py_XDECREF(bytes);
        }
        activation_leave(record, place);
    }
    PyObject *tuple = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return tuple;
}

/* Queue (code, offset, is_start, bytecode, locals, stack, globals, builtins, inlined). Never raises: without memory the entry
   is wanted again by the next thread. */
int snapshot_take(struct slot *slot, struct entry *entry, int is_start, _PyInterpreterFrame *frame)
{
    PyCodeObject *code = slot->code;
    _PyStackRef *stack = frame->localsplus + code->co_nlocalsplus;
    Py_ssize_t depth = frame->stackpointer - stack;
    PyObject *bytecode = PyBytes_FromStringAndSize((char *)_PyFrame_GetBytecode(frame), Py_SIZE(code) * sizeof(_Py_CODEUNIT));
    PyObject *locals = values(frame->localsplus, code->co_nlocalsplus);
    PyObject *temporaries = values(stack, depth);
    PyObject *inlined = inlined_copies(entry);
    PyObject *snapshot = bytecode && locals && temporaries && inlined
        ? PyTuple_Pack(9, code, Py_None, is_start ? Py_True : Py_False, bytecode, locals, temporaries,
                       frame->f_globals, frame->f_builtins, inlined)
        : NULL;
    PyObject *offset = snapshot ? PyLong_FromLong(entry->offset) : NULL;
    if (offset) PyTuple_SET_ITEM(snapshot, 1, offset);         /* in place of the immortal None */
    else Py_CLEAR(snapshot);
    Py_XDECREF(bytecode);
    Py_XDECREF(locals);
    Py_XDECREF(temporaries);
    Py_XDECREF(inlined);
    PyObject *done = snapshot && put ? PyObject_CallOneArg(put, snapshot) : NULL;
    if (!done) {
        if (PyErr_Occurred()) forget_exception();
        atomic_store(&entry->state, ENTRY_WANTED);
    }
    else {
        COUNT(snapshots, 1);
        worker_wake();
    }
    Py_XDECREF(done);
    Py_XDECREF(snapshot);
    return 0;
}
