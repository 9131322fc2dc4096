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

/* Can it be kept alive for the milliseconds until the compiler is done, and nobody notices? Of a type of C that is not
   among these we do not know: a file is flushed at its end, a view of memory locks what it is of. Instances of classes in
   Python own what their attributes are; without their types nothing could be compiled. */
static bool may_linger(PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    if (has_finaliser(value)) return false;
    if (PyMethod_Check(value)) return may_linger(PyMethod_GET_SELF(value));
    if (PyCFunction_Check(value)) return !PyCFunction_GET_SELF(value) || may_linger(PyCFunction_GET_SELF(value));
    if (PyCell_Check(value)) {
        PyObject *content = PyCell_Get(value);
        bool may = !content || may_linger(content);
        Py_XDECREF(content);
        return may;
    }
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) return !((PyHeapTypeObject *)type)->_ht_tpname;       /* C's types have it */
    return type->tp_flags & (Py_TPFLAGS_LONG_SUBCLASS | Py_TPFLAGS_UNICODE_SUBCLASS | Py_TPFLAGS_BYTES_SUBCLASS
                             | Py_TPFLAGS_LIST_SUBCLASS | Py_TPFLAGS_TUPLE_SUBCLASS | Py_TPFLAGS_DICT_SUBCLASS)
        || PyFloat_CheckExact(value) || PyComplex_CheckExact(value) || value == Py_None || value == missing
        || PyFunction_Check(value) || PyModule_Check(value)
        || PyType_Check(value) || PyCode_Check(value) || PyAnySet_CheckExact(value) || PyRange_Check(value)
        || PySlice_Check(value) || Py_IS_TYPE(value, &PyRangeIter_Type)
        || Py_IS_TYPE(value, &PyListIter_Type);
}

/* Another thread that is the last to let go of a container lets go of all that is in it, and takes every object there from
   its owner for ever: all counts on them are atomic from then on. So it gets a container of its own to see, with a few of the
   items, and these are paid for. What has a finaliser is not among them. */
enum { FEW = 8 };
static PyObject *few_of_list(PyObject *list)
{
    PyObject *few = PyList_GetSlice(list, 0, FEW);
    for (Py_ssize_t i = 0; few && i < PyList_GET_SIZE(few); i++) {
        if (!may_linger(PyList_GET_ITEM(few, i))) {
            PyList_SetSlice(few, i, PyList_GET_SIZE(few), NULL);
            break;
        }
        hand_over(PyList_GET_ITEM(few, i));
    }
    return few;
}
static PyObject *like_tuple(PyObject *tuple)
{
    Py_ssize_t size = PyTuple_GET_SIZE(tuple);
    PyObject *like = size && size <= FEW ? PyTuple_New(size) : NULL;
    for (Py_ssize_t i = 0; like && i < size; i++)        /* before any is paid for: that is for another thread to give back */
        if (!may_linger(PyTuple_GET_ITEM(tuple, i))) Py_CLEAR(like);
    for (Py_ssize_t i = 0; like && i < size; i++)
        PyTuple_SET_ITEM(like, i, hand_over(Py_NewRef(PyTuple_GET_ITEM(tuple, i))));
    return like;
}

/* What the compiler gets to see of a stack entry: something like it, where a count from another thread would change its
   ways for ever, as that of an iterator that only this frame refers to. */
static PyObject *stand_in(PyObject *value)
{
    PyObject *like = NULL;
    if (!may_linger(value)) return Py_NewRef(missing);
    if (Py_IS_TYPE(value, &PyRangeIter_Type)) like = range_iterator_new(0, 1, ((struct { PyObject_HEAD long start, step, len; } *)value)->step);
    else if (Py_IS_TYPE(value, &PyListIter_Type)) {
        PyObject *list = (PyObject *)((_PyListIterObject *)value)->it_seq;
        PyObject *few = list ? few_of_list(list) : NULL;
        like = few ? PyObject_GetIter(few) : NULL;
        Py_XDECREF(few);
        if (like) hand_over(few);        /* its iterator's reference */
    }
    else if (PyList_CheckExact(value)) like = few_of_list(value);
    else if (PyTuple_CheckExact(value)) like = like_tuple(value);
    else if (PyDict_CheckExact(value)) like = PyDict_New();
    else if (PySet_CheckExact(value)) like = PySet_New(NULL);
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
