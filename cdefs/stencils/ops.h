/* What the stencils of several files share: homes in the frame, and when a pointer may be used without a count. */
#ifndef FTJIT_STENCIL_OPS_H
#define FTJIT_STENCIL_OPS_H

/* A helper's code must travel with the stencil. */
#define INLINE inline __attribute__((always_inline))

/* A home: one word of the frame, a local or a stack entry, by its byte offset in the frame. */
#define HOME(offset) (*(_PyStackRef *)((char *)frame + (offset)))
#define HOME_OBJECT(offset) ((PyObject *)(HOME(offset).bits & ~(uintptr_t)Py_TAG_BITS))

/* Rule 5: no count is needed up to the next safepoint for what this thread owns (nobody else can merge its count
   away), for immortals, and for objects whose count is deferred to the collector (which stops the world first). */
static INLINE int is_alive_here(PyObject *object)
{
    return object->ob_tid == _Py_ThreadId() || object->ob_ref_local == _Py_IMMORTAL_REFCNT_LOCAL
           || (object->ob_gc_bits & _PyGC_BITS_DEFERRED);
}

/* Dropping it runs no code of anybody's: something is left of it, or it is a number. */
static INLINE int drop_is_plain(_PyStackRef ref)
{
    PyObject *object = (PyObject *)ref.bits;
    if (ref.bits & Py_TAG_REFCNT) {     /* also the null reference */
        return 1;
    }
    return (object->ob_tid == _Py_ThreadId() && object->ob_ref_local > 1)
           || object->ob_ref_local == _Py_IMMORTAL_REFCNT_LOCAL || Py_TYPE(object) == &PyFloat_Type
           || Py_TYPE(object) == &PyLong_Type;
}

extern void ftjit_drop(PyObject *);

/* Drop what drop_is_plain allowed. */
static INLINE void drop_plain(_PyStackRef ref)
{
    PyObject *object = (PyObject *)ref.bits;
    if (ref.bits & Py_TAG_REFCNT) {
        return;
    }
    if (LIKELY(object->ob_tid == _Py_ThreadId() && object->ob_ref_local - 1u < _Py_IMMORTAL_REFCNT_LOCAL - 1u
               && object->ob_ref_local > 1)) {
        object->ob_ref_local--;
        return;
    }
    ftjit_drop(object);
}

static INLINE void count_up(PyObject *object) { Py_INCREF(object); }

/* A reference with a real count (a home above the frame's stackpointer is not seen by the collector), or to an
   immortal. */
static INLINE _PyStackRef new_reference(PyObject *object)
{
    _PyStackRef ref = {.bits = (uintptr_t)object};
    if (object->ob_ref_local == _Py_IMMORTAL_REFCNT_LOCAL) {
        ref.bits |= Py_TAG_REFCNT;
    }
    else {
        count_up(object);
    }
    return ref;
}

extern int64_t ftjit_long_value(PyObject *, int64_t *value);

/* One CAS each way; a busy lock is left to the slow path or the interpreter. */
static INLINE int lock_at_once(PyObject *object)
{
    uint8_t unlocked = _Py_UNLOCKED;
    return __atomic_compare_exchange_n(&object->ob_mutex._bits, &unlocked, _Py_LOCKED, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}
extern void ftjit_unlock(PyMutex *);
static INLINE void unlock(PyObject *object)
{
    uint8_t locked = _Py_LOCKED;
    if (UNLIKELY(!__atomic_compare_exchange_n(&object->ob_mutex._bits, &locked, _Py_UNLOCKED, 0, __ATOMIC_RELEASE,
                                              __ATOMIC_RELAXED))) {
        ftjit_unlock(&object->ob_mutex);
    }
}
#endif
