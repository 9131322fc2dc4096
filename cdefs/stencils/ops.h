/* What the stencils of several files share: homes in the frame, and when a pointer may be used without a count. */
#ifndef FTJIT_STENCIL_OPS_H
#define FTJIT_STENCIL_OPS_H

/* A helper's code must travel with the stencil. */
#define INLINE inline __attribute__((always_inline))

/* What a helper that is called through a thunk (../thunks.c) leaves alone: everything but r11. */
#define PRESERVE_ALL __attribute__((preserve_all))

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
/* What was loaded from a place that other threads write: between that and the look at it, it may have gone and its memory
   become another object's; not one of this thread's, but an immortal or a deferred one. Such a one stays from here on: if
   the place still holds it, it held it all right. Partner of the acquire: whoever stores into the place with release, the
   interpreter or store_box and store_kept in helpers.c; it serves rule 6, nothing that was never there is read. */
static INLINE int is_still_at(PyObject **place, PyObject *object)
{
    return __atomic_load_n(place, __ATOMIC_ACQUIRE) == object;
}
static INLINE int is_alive_at(PyObject **place, PyObject *object)
{
    return object->ob_tid == _Py_ThreadId()
           || ((object->ob_ref_local == _Py_IMMORTAL_REFCNT_LOCAL || (object->ob_gc_bits & _PyGC_BITS_DEFERRED))
               && LIKELY(is_still_at(place, object)));
}

/* A reference whose end is one decrement: something is left, and this thread counts. (Also what carries no count.) */
static INLINE int is_quick(_PyStackRef ref)
{
    PyObject *object = (PyObject *)ref.bits;
    return (ref.bits & Py_TAG_REFCNT)
           || (object->ob_tid == _Py_ThreadId() && object->ob_ref_local - 2u < _Py_IMMORTAL_REFCNT_LOCAL - 2u);
}
static INLINE void drop_quick(_PyStackRef ref)
{
    if (!(ref.bits & Py_TAG_REFCNT)) {
        ((PyObject *)ref.bits)->ob_ref_local--;
    }
}

/* The rest out of line. They look whether the old reference's end runs anybody's code, and return 0 if so, nothing
   done (`late`: it runs, there is no way back). */
extern PRESERVE_ALL int64_t ftjit_replace(_PyStackRef *home, uintptr_t bits);
extern PRESERVE_ALL int64_t ftjit_replace_object(_PyStackRef *home, PyObject *);
extern PRESERVE_ALL void ftjit_replace_late(_PyStackRef *home, uintptr_t bits);
extern PRESERVE_ALL int64_t ftjit_is_plain_beside_others(_PyStackRef *home);

/* The home's reference for another one, which is handed over. */
static INLINE int replace(_PyStackRef *home, uintptr_t bits)
{
    _PyStackRef old = *home;
    if (UNLIKELY(!is_quick(old))) {
        return (int)ftjit_replace(home, bits);
    }
    home->bits = bits;
    drop_quick(old);
    return 1;
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

/* For a call out or a return that comes next, after which the collector sees the home: what its count is deferred for
   needs none (functions and types are shared by all threads: counting them is what keeps threads from scaling). */
static INLINE _PyStackRef seen_reference(PyObject *object)
{
    _PyStackRef ref = {.bits = (uintptr_t)object};
    if (LIKELY(object->ob_ref_local == _Py_IMMORTAL_REFCNT_LOCAL) || (object->ob_gc_bits & _PyGC_BITS_DEFERRED)) {
        ref.bits |= Py_TAG_REFCNT;
    }
    else {
        count_up(object);
    }
    return ref;
}

extern PRESERVE_ALL int64_t ftjit_long_value(PyObject *, int64_t *value);

/* A box that only one place refers to, which this thread may write: no other thread gets a reference to it without
   the place's own lock (a container) or at all (a local), so the number inside may be replaced (rule 12). */
static INLINE int box_is_ours(PyObject *box, PyTypeObject *type)
{
    return Py_TYPE(box) == type && box->ob_tid == _Py_ThreadId() && box->ob_ref_local == 1 && box->ob_ref_shared == 0;
}
/* ... and an int of one digit that is none of the shared small ones can go into an int's box of one digit. */
static INLINE int fits_box(int64_t value, PyObject *box)
{
    return (uint64_t)(value + _PY_NSMALLNEGINTS) >= _PY_NSMALLNEGINTS + _PY_NSMALLPOSINTS
           && (uint64_t)(value + PyLong_MASK) <= 2ull * PyLong_MASK && box_is_ours(box, &PyLong_Type)
           && ((PyLongObject *)box)->long_value.lv_tag < (2 << NON_SIZE_BITS);
}
static INLINE void put_compact(PyObject *box, int64_t value)
{
    ((PyLongObject *)box)->long_value.lv_tag = (1 << NON_SIZE_BITS) | (value < 0 ? 2 : 0);
    ((PyLongObject *)box)->long_value.ob_digit[0] = (digit)(value < 0 ? -value : value);
}

/* One of the shared small ints, or NULL. */
static INLINE PyObject *small_int(int64_t value)
{
    if ((uint64_t)(value + _PY_NSMALLNEGINTS) >= _PY_NSMALLNEGINTS + _PY_NSMALLPOSINTS) {
        return NULL;
    }
    return (PyObject *)&_PyRuntime.static_objects.singletons.small_ints[_PY_NSMALLNEGINTS + value];
}

/* One CAS each way; a busy lock is left to the slow path or the interpreter. */
static INLINE int lock_at_once(PyObject *object)
{
    uint8_t unlocked = _Py_UNLOCKED;
    return __atomic_compare_exchange_n(&object->ob_mutex._bits, &unlocked, _Py_LOCKED, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}
extern PRESERVE_ALL void ftjit_unlock(PyMutex *);
static INLINE void unlock(PyObject *object)
{
    uint8_t locked = _Py_LOCKED;
    if (UNLIKELY(!__atomic_compare_exchange_n(&object->ob_mutex._bits, &locked, _Py_UNLOCKED, 0, __ATOMIC_RELEASE,
                                              __ATOMIC_RELAXED))) {
        ftjit_unlock(&object->ob_mutex);
    }
}
#endif
