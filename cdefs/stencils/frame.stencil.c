/* Between homes in the frame and registers. */
#include "ops.h"
extern PRESERVE_ALL int64_t ftjit_box_int(int64_t value, _PyStackRef *home, int64_t is_local);
extern PRESERVE_ALL int64_t ftjit_box_float(double value, _PyStackRef *home, int64_t is_local);

STENCIL(load_object, A:i)
{
    A = (int64_t)HOME_OBJECT(OFF0);
    NEXT;
}

/* From a home to an unboxed number; another type leaves. */
STENCIL(load_int, A:i)
{
    PyObject *object = HOME_OBJECT(OFF0);
    if (UNLIKELY(Py_TYPE(object) != &PyLong_Type)) {
        EXIT;
    }
    if (UNLIKELY(!_PyLong_IsCompact((PyLongObject *)object))) {
        SLOW;
    }
    A = _PyLong_CompactValue((PyLongObject *)object);
    NEXT;
}
SLOWPATH
{
    int64_t value;
    if (!ftjit_long_value(HOME_OBJECT(OFF0), &value)) {
        EXIT;
    }
    A = value;
    NEXT;
}
STENCIL(load_float, A:f)
{
    PyObject *object = HOME_OBJECT(OFF0);
    if (UNLIKELY(Py_TYPE(object) != &PyFloat_Type)) {
        EXIT;
    }
    A = ((PyFloatObject *)object)->ob_fval;
    NEXT;
}
STENCIL(load_bool, A:i)
{
    uintptr_t bits = HOME(OFF0).bits | Py_TAG_REFCNT;
    if (bits == PyStackRef_True.bits) {
        A = 1;
        NEXT;
    }
    if (UNLIKELY(bits != PyStackRef_False.bits)) {
        EXIT;
    }
    A = 0;
    NEXT;
}

/* From a pointer in a register. */
STENCIL(unbox_int, A:i)
{
    PyObject *object = (PyObject *)A;
    if (UNLIKELY(Py_TYPE(object) != &PyLong_Type)) {
        EXIT;
    }
    if (UNLIKELY(!_PyLong_IsCompact((PyLongObject *)object))) {
        SLOW;
    }
    A = _PyLong_CompactValue((PyLongObject *)object);
    NEXT;
}
SLOWPATH
{
    int64_t value;
    if (!ftjit_long_value((PyObject *)A, &value)) {
        EXIT;
    }
    A = value;
    NEXT;
}
STENCIL(unbox_float, A:f, B:i)
{
    if (UNLIKELY(Py_TYPE((PyObject *)B) != &PyFloat_Type)) {
        EXIT;
    }
    A = ((PyFloatObject *)B)->ob_fval;
    NEXT;
}
STENCIL(unbox_bool, A:i)
{
    PyObject *object = (PyObject *)A;
    if (object == Py_True) {
        A = 1;
        NEXT;
    }
    if (UNLIKELY(object != Py_False)) {
        EXIT;
    }
    A = 0;
    NEXT;
}

STENCIL(guard_type, A:i)
{
    if (UNLIKELY((int64_t)Py_TYPE((PyObject *)A) != OP0)) {
        EXIT;
    }
    NEXT;
}
STENCIL(guard_version, A:i)
{
    if (UNLIKELY((int64_t)__atomic_load_n(&Py_TYPE((PyObject *)A)->tp_version_tag, __ATOMIC_RELAXED) != OFF0)) {
        EXIT;
    }
    NEXT;
}
/* An instance with inline values, of a class whose shared keys are those of this version. */
STENCIL(guard_instance_keys, A:i)
{
    PyObject *object = (PyObject *)A;
    PyDictKeysObject *keys = ((PyHeapTypeObject *)Py_TYPE(object))->ht_cached_keys;
    if (UNLIKELY(!__atomic_load_n(&_PyObject_InlineValues(object)->valid, __ATOMIC_RELAXED))
        || UNLIKELY((int64_t)__atomic_load_n(&keys->dk_version, __ATOMIC_RELAXED) != OP0)) {
        EXIT;
    }
    NEXT;
}
STENCIL(guard_same, A:i)
{
    if (UNLIKELY(A != OP0)) {
        EXIT;
    }
    NEXT;
}
STENCIL(branch_same, A:i)
{
    if (A == OP0) {
        EXIT;
    }
    NEXT;
}
STENCIL(branch_same_objects, A:i, B:i)
{
    if (A == B) {
        EXIT;
    }
    NEXT;
}
/* The C function behind a builtin, by its method table entry, which is never freed. */
STENCIL(guard_builtin, A:i)
{
    PyObject *object = (PyObject *)A;
    if (UNLIKELY(Py_TYPE(object) != &PyCFunction_Type) || UNLIKELY((int64_t)((PyCFunctionObject *)object)->m_ml != OP0)) {
        EXIT;
    }
    NEXT;
}
/* By its code object, which the executor keeps: func_version is the same for all functions that were changed. Defaults,
   closure and globals need guards of their own. */
STENCIL(guard_function, A:i)
{
    PyFunctionObject *function = (PyFunctionObject *)A;
    if (UNLIKELY(Py_TYPE((PyObject *)function) != &PyFunction_Type)
        || UNLIKELY((int64_t)__atomic_load_n(&function->func_code, __ATOMIC_RELAXED) != OP0)) {
        EXIT;
    }
    NEXT;
}
STENCIL(guard_function_globals, A:i)
{
    if (UNLIKELY(((PyFunctionObject *)A)->func_globals != frame->f_globals)
        || UNLIKELY(((PyFunctionObject *)A)->func_builtins != frame->f_builtins)) {
        EXIT;
    }
    NEXT;
}
/* For an entry of code that loads globals: a dict's subclass may have its own idea of what it holds. */
STENCIL(guard_plain_globals)
{
    if (UNLIKELY(!PyDict_CheckExact(frame->f_globals)) || UNLIKELY(!PyDict_CheckExact(frame->f_builtins))) {
        EXIT;
    }
    NEXT;
}
STENCIL(guard_home_null)
{
    if (UNLIKELY(!PyStackRef_IsNull(HOME(OFF0)))) {
        EXIT;
    }
    NEXT;
}
STENCIL(guard_home_bound)
{
    if (UNLIKELY(PyStackRef_IsNull(HOME(OFF0)))) {
        EXIT;
    }
    NEXT;
}

/* Boxing into a home: a local's old value is a number or a singleton. Without memory it leaves with the error set. */
STENCIL(store_int, A:i)
{
    if (LIKELY(!(HOME(OFF0).bits & Py_TAG_REFCNT)) && LIKELY(fits_box(A, HOME_OBJECT(OFF0)))) {
        put_compact(HOME_OBJECT(OFF0), A);
        NEXT;
    }
    PyObject *small = small_int(A);
    _PyStackRef old = HOME(OFF0);
    if (small != NULL && LIKELY(is_quick(old))) {
        HOME(OFF0).bits = (uintptr_t)small | Py_TAG_REFCNT;
        drop_quick(old);
        NEXT;
    }
    if (UNLIKELY(ftjit_box_int(A, &HOME(OFF0), 1) < 0)) {
        EXIT;
    }
    NEXT;
}
STENCIL(push_int, A:i)
{
    PyObject *small = small_int(A);
    if (small != NULL) {
        HOME(OFF0).bits = (uintptr_t)small | Py_TAG_REFCNT;
        NEXT;
    }
    if (UNLIKELY(ftjit_box_int(A, &HOME(OFF0), 0) < 0)) {
        EXIT;
    }
    NEXT;
}
STENCIL(store_float, A:f)
{
    if (LIKELY(!(HOME(OFF0).bits & Py_TAG_REFCNT)) && LIKELY(box_is_ours(HOME_OBJECT(OFF0), &PyFloat_Type))) {
        ((PyFloatObject *)HOME_OBJECT(OFF0))->ob_fval = A;
        NEXT;
    }
    if (UNLIKELY(ftjit_box_float(A, &HOME(OFF0), 1) < 0)) {
        EXIT;
    }
    NEXT;
}
STENCIL(push_float, A:f)
{
    if (UNLIKELY(ftjit_box_float(A, &HOME(OFF0), 0) < 0)) {
        EXIT;
    }
    NEXT;
}
STENCIL(store_bool, A:i)
{
    ftjit_replace_late(&HOME(OFF0), A ? PyStackRef_True.bits : PyStackRef_False.bits);
    NEXT;
}
STENCIL(push_bool, A:i)
{
    HOME(OFF0) = A ? PyStackRef_True : PyStackRef_False;
    NEXT;
}

/* Objects into homes. A local's old value must go without running code, else the interpreter does this bytecode. */
STENCIL(store_object, A:i)
{
    _PyStackRef old = HOME(OFF0);
    if (UNLIKELY(!is_quick(old))) {
        if (!ftjit_replace_object(&HOME(OFF0), (PyObject *)A)) {
            EXIT;
        }
        NEXT;
    }
    HOME(OFF0) = new_reference((PyObject *)A);
    drop_quick(old);
    NEXT;
}
STENCIL(push_object, A:i)
{
    HOME(OFF0) = new_reference((PyObject *)A);
    NEXT;
}
STENCIL(store_constant)
{
    if (UNLIKELY(!replace(&HOME(OFF0), (uintptr_t)OP0 | Py_TAG_REFCNT))) {
        EXIT;
    }
    NEXT;
}
STENCIL(push_constant)
{
    HOME(OFF0) = new_reference((PyObject *)OP0);
    NEXT;
}
STENCIL(push_object_seen, A:i)
{
    HOME(OFF0) = seen_reference((PyObject *)A);
    NEXT;
}
STENCIL(push_constant_seen)
{
    HOME(OFF0) = seen_reference((PyObject *)OP0);
    NEXT;
}
/* A constant as an argument: borrowed, as the code object keeps it. Not all are immortal, and a count on one would be a
   word that all threads write to. */
STENCIL(push_constant_borrowed)
{
    HOME(OFF0).bits = (uintptr_t)OP0 | Py_TAG_REFCNT;
    NEXT;
}
/* A local as an argument: borrowed, as LOAD_FAST_BORROW does; the local's home keeps it for the length of the call. */
STENCIL(push_local_borrowed)
{
    HOME(OFF0).bits = HOME(OFF1).bits | Py_TAG_REFCNT;
    NEXT;
}
STENCIL(push_null)
{
    HOME(OFF0) = PyStackRef_NULL;
    NEXT;
}
STENCIL(push_local)
{
    HOME(OFF0) = new_reference(HOME_OBJECT(OFF1));
    NEXT;
}
/* One of several whose ends come together, where there is no more leaving: what such an end runs would run there. */
STENCIL(guard_home_plain)
{
    if (UNLIKELY(!is_quick(HOME(OFF0))) && !ftjit_is_plain_beside_others(&HOME(OFF0))) {
        EXIT;
    }
    NEXT;
}
/* Not the same counted object, whose last counts both may be. */
STENCIL(guard_homes_differ)
{
    if (UNLIKELY(HOME(OFF0).bits == HOME(OFF1).bits) && !(HOME(OFF0).bits & Py_TAG_REFCNT)) {
        EXIT;
    }
    NEXT;
}
static INLINE void replace_late(_PyStackRef *home, uintptr_t bits)
{
    _PyStackRef old = *home;
    if (UNLIKELY(!is_quick(old))) {
        ftjit_replace_late(home, bits);
        return;
    }
    home->bits = bits;
    drop_quick(old);
}
STENCIL(store_object_late, A:i)
{
    replace_late(&HOME(OFF0), new_reference((PyObject *)A).bits);
    NEXT;
}
STENCIL(store_constant_late)
{
    replace_late(&HOME(OFF0), (uintptr_t)OP0 | Py_TAG_REFCNT);
    NEXT;
}
STENCIL(store_home_late)
{
    replace_late(&HOME(OFF0), HOME(OFF1).bits);
    NEXT;
}
STENCIL(drop_home_late)
{
    replace_late(&HOME(OFF0), PyStackRef_NULL.bits);
    NEXT;
}
/* What a number may be kept in front of while unboxed: a home that holds a number, None or nothing (rule 11). */
STENCIL(guard_home_stale)
{
    _PyStackRef ref = HOME(OFF0);
    PyObject *object = (PyObject *)(ref.bits & ~(uintptr_t)Py_TAG_BITS);
    if (UNLIKELY(object != NULL && object != Py_None && Py_TYPE(object) != &PyLong_Type && Py_TYPE(object) != &PyFloat_Type
                 && Py_TYPE(object) != &PyBool_Type)) {
        EXIT;
    }
    NEXT;
}
STENCIL(swap_homes)
{
    _PyStackRef other = HOME(OFF0);
    HOME(OFF0) = HOME(OFF1);
    HOME(OFF1) = other;
    NEXT;
}

/* A stack home's reference moves into a local. */
STENCIL(store_home)
{
    if (UNLIKELY(!replace(&HOME(OFF0), HOME(OFF1).bits))) {
        EXIT;
    }
    NEXT;
}
STENCIL(move_home)
{
    HOME(OFF0) = HOME(OFF1);
    NEXT;
}
/* A home's reference goes, if that runs no code; for a local the home is null afterwards. */
STENCIL(drop_home)
{
    if (UNLIKELY(!replace(&HOME(OFF0), PyStackRef_NULL.bits))) {
        EXIT;
    }
    NEXT;
}

/* A number that is only there if its tag says so (1 int, 2 float, 3 bool; 0: the home is right): into its home. */
extern PRESERVE_ALL int64_t ftjit_box_maybe(int64_t value, double number, int64_t tag, _PyStackRef *home);
STENCIL(store_maybe, A:i, B:f, C:i)
{
    if (UNLIKELY(C != 0) && UNLIKELY(ftjit_box_maybe(A, B, C, &HOME(OFF0)) < 0)) {
        EXIT;
    }
    NEXT;
}
