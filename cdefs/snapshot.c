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

/* The compiler has let go of one. */
void snapshot_done(void) { COUNT(snapshots_done, 1); }

/* A reference of this thread's, turned into one that another thread gives back. A count in the owner's own half can be
   given back by the owner only: others leave a note, which it finds when it runs again; and whoever waits for a lock
   would keep alive what was in its last snapshot. */
static void prepay(PyObject *object)
{
    if (!_Py_IsImmortal(object)) _Py_atomic_add_ssize(&object->ob_ref_shared, (Py_ssize_t)1 << _Py_REF_SHARED_SHIFT);
}
static PyObject *hand_over(PyObject *object)
{
    if (!object || _Py_IsImmortal(object)) return object;
    prepay(object);
    Py_DECREF(object);
    return object;
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
        if (like) hand_over(list);       /* its iterator's reference */
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
        PyTuple_SET_ITEM(tuple, i, hand_over(stand_in(value)));
    }
    return hand_over(tuple);
}

/* This thread's copies of the bytecode that the entry's executor inlines, as it has specialised them by now: a tuple of
   code object, bytes, code object, bytes ... */
static PyObject *inlined_copies(struct entry *entry)
{
    PyObject *list = PyList_New(0);
    bool whole = list != NULL;
    PyThreadState *tstate = PyThreadState_GetUnchecked();
    struct record *record = record_self();
    struct executor *executor;
    _Atomic(struct executor *) *place = list && record ? activation_enter(record, &entry->executor, &executor) : NULL;
    if (place) {
        for (int64_t i = 0; executor->keeps && i < executor->keeps->count; i++) {
            PyCodeObject *code = (PyCodeObject *)executor->keeps->objects[i];
            if (!PyCode_Check(code)) break;                      /* the numbers come after the code objects */
            char *copy = (char *)_PyCode_GetTLBCFast(tstate, code);
            if (!copy) continue;                                 /* this thread has not run it */
            PyObject *bytes = PyBytes_FromStringAndSize(copy, Py_SIZE(code) * sizeof(_Py_CODEUNIT));
            whole = whole && bytes && PyList_Append(list, (PyObject *)code) == 0 && PyList_Append(list, bytes) == 0;
            Py_XDECREF(bytes);
        }
        activation_leave(record, place);
    }
    PyObject *tuple = whole ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    for (Py_ssize_t i = 0; tuple && i < PyTuple_GET_SIZE(tuple); i++) hand_over(PyTuple_GET_ITEM(tuple, i));
    return hand_over(tuple);
}

/* Queue (code, offset, is_start, bytecode, locals, stack, globals, builtins, inlined), for another thread to let go of.
   Without memory the entry is wanted again by the next thread. -1 with an exception that is the program's. */
int snapshot_take(struct slot *slot, struct entry *entry, int is_start, _PyInterpreterFrame *frame)
{
    PyCodeObject *code = slot->code;
    _PyStackRef *stack = frame->localsplus + code->co_nlocalsplus;
    Py_ssize_t depth = frame->stackpointer - stack;
    PyObject *parts[] = {
        hand_over(Py_NewRef(code)), hand_over(PyLong_FromLong(entry->offset)), is_start ? Py_True : Py_False,
        hand_over(PyBytes_FromStringAndSize((char *)_PyFrame_GetBytecode(frame), Py_SIZE(code) * sizeof(_Py_CODEUNIT))),
        values(frame->localsplus, code->co_nlocalsplus), values(stack, depth), hand_over(Py_NewRef(frame->f_globals)),
        hand_over(Py_NewRef(frame->f_builtins)), inlined_copies(entry)};
    enum { PARTS = sizeof parts / sizeof parts[0] };
    PyObject *snapshot = PyTuple_New(PARTS);
    bool whole = snapshot != NULL;
    for (int i = 0; i < PARTS; i++) {
        whole = whole && parts[i];
        if (snapshot) PyTuple_SET_ITEM(snapshot, i, parts[i]);
        else Py_XDECREF(parts[i]);
    }
    if (snapshot) prepay(snapshot);              /* the queue's reference: it may be given back before `put` returns */
    COUNT(snapshots, 1);                         /* before it can be done */
    PyObject *done = whole && put ? visit(put, snapshot) : NULL;
    int result = done ? 0 : pass_on_exception();
    if (!done) {
        atomic_store(&entry->state, ENTRY_WANTED);
        snapshot_done();
    }
    else if (done == Py_True) snapshot_done();               /* compiled at once, in this thread */
    else worker_wake();
    Py_XDECREF(done);
    for (int times = 0; times < 2; times++) Py_XDECREF(snapshot);         /* ours, and what the queue did not know was paid */
    return result;
}
