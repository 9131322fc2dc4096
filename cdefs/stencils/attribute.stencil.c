/* Attributes of instances, globals, builtins: the interpreter's own lock-free reads and locked writes, inlined. Interior
   pointers never outlive a stencil. */
#include "ops.h"
extern PRESERVE_ALL int64_t ftjit_attr_store_float(PyObject *object, int64_t offset, double value);
extern PRESERVE_ALL int64_t ftjit_attr_store_int(PyObject *object, int64_t offset, int64_t value);

/* What is at a place, alive up to the next safepoint without a count; else NULL. */
static INLINE PyObject *alive_at(PyObject **place)
{
    PyObject *value = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    return LIKELY(value != NULL) && LIKELY(is_alive_at(place, value)) ? value : NULL;
}
/* The same with a count, which `home` keeps: what another thread made. */
static INLINE PyObject *counted_at(PyObject **place, _PyStackRef *home)
{
    PyObject *value = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (UNLIKELY(value == NULL) || UNLIKELY(!_Py_TryIncrefCompare(place, value))) {
        return NULL;
    }
    home->bits = (uintptr_t)value;
    return value;
}

/* Attributes, in inline values or in slots (IN_VALUES or IN_SLOTS): OFF0 the type's version, OFF1 the byte offset in the
   instance. The stencils of both forms differ in that word only. */
enum { IN_SLOTS, IN_VALUES };

static INLINE int version_is(PyObject *object, int64_t version)
{
    return (int64_t)__atomic_load_n(&Py_TYPE(object)->tp_version_tag, __ATOMIC_RELAXED) == version;
}
static INLINE int layout_is(PyObject *object, int64_t version, int form)
{
    return LIKELY(version_is(object, version))
           && (form == IN_SLOTS || LIKELY(__atomic_load_n(&_PyObject_InlineValues(object)->valid, __ATOMIC_RELAXED)));
}
static INLINE PyObject *attr_alive(PyObject *object, int64_t version, int64_t offset, int form)
{
    return layout_is(object, version, form) ? alive_at((PyObject **)((char *)object + offset)) : NULL;
}
static INLINE PyObject *attr_counted(PyObject *object, int64_t version, int64_t offset, int form, _PyStackRef *home)
{
    return layout_is(object, version, form) ? counted_at((PyObject **)((char *)object + offset), home) : NULL;
}

STENCIL(attr_value, A:i)
{
    PyObject *value = attr_alive((PyObject *)A, OFF0, OFF1, IN_VALUES);
    if (UNLIKELY(value == NULL)) {
        EXIT;
    }
    A = (int64_t)value;
    NEXT;
}
STENCIL(attr_slot, A:i)
{
    PyObject *value = attr_alive((PyObject *)A, OFF0, OFF1, IN_SLOTS);
    if (UNLIKELY(value == NULL)) {
        EXIT;
    }
    A = (int64_t)value;
    NEXT;
}
/* With a count, in home OFF2. */
STENCIL(attr_value_owned, A:i)
{
    PyObject *value = attr_counted((PyObject *)A, OFF0, OFF1, IN_VALUES, &HOME(OFF2));
    if (UNLIKELY(value == NULL)) {
        EXIT;
    }
    A = (int64_t)value;
    NEXT;
}
STENCIL(attr_slot_owned, A:i)
{
    PyObject *value = attr_counted((PyObject *)A, OFF0, OFF1, IN_SLOTS, &HOME(OFF2));
    if (UNLIKELY(value == NULL)) {
        EXIT;
    }
    A = (int64_t)value;
    NEXT;
}

/* The value is the object OP0, which the executor keeps: what is at its address cannot be another. */
STENCIL(attr_value_is, A:i)
{
    PyObject **place = (PyObject **)((char *)A + OFF1);
    if (UNLIKELY(!layout_is((PyObject *)A, OFF0, IN_VALUES)) || UNLIKELY((int64_t)__atomic_load_n(place, __ATOMIC_ACQUIRE) != OP0)) {
        EXIT;
    }
    NEXT;
}
STENCIL(attr_slot_is, A:i)
{
    PyObject **place = (PyObject **)((char *)A + OFF1);
    if (UNLIKELY(!layout_is((PyObject *)A, OFF0, IN_SLOTS)) || UNLIKELY((int64_t)__atomic_load_n(place, __ATOMIC_ACQUIRE) != OP0)) {
        EXIT;
    }
    NEXT;
}

/* Lock the instance, then look at the type again; NULL (unlocked) when anything is not as expected. There may be no value
   yet. */
static INLINE PyObject **attr_lock_place(PyObject *object, int64_t version, int64_t offset, int form)
{
    if (UNLIKELY(!lock_at_once(object))) {
        return NULL;
    }
    PyObject **place = (PyObject **)((char *)object + offset);
    if (UNLIKELY(!layout_is(object, version, form)) || (form == IN_VALUES && UNLIKELY(_PyObject_GetManagedDict(object) != NULL))) {
        unlock(object);
        return NULL;
    }
    return place;
}

/* Finish a store in a locked instance whose old reference is not quick: 0, unlocked, nothing stored, if its end would run
   code. */
extern PRESERVE_ALL int64_t ftjit_store_locked(PyObject *instance, PyObject **place, PyObject *);

/* The first value of a place, whose count is passed on: inline values know the order in which they came. */
static INLINE void store_first(PyObject *instance, PyObject **place, PyObject *object, int form)
{
    __atomic_store_n(place, object, __ATOMIC_RELEASE);
    if (form == IN_VALUES) {
        PyDictValues *values = _PyObject_InlineValues(instance);
        _PyDictValues_AddToInsertionOrder(values, place - values->values);
    }
    unlock(instance);
}

static INLINE int store_locked(PyObject *instance, PyObject **place, PyObject *object, int form)
{
    _PyStackRef old = {.bits = (uintptr_t)*place};
    if (old.bits == 0) {
        count_up(object);
        store_first(instance, place, object, form);
        return 1;
    }
    if (UNLIKELY(!is_quick(old))) {
        return (int)ftjit_store_locked(instance, place, object);
    }
    count_up(object);
    __atomic_store_n(place, object, __ATOMIC_RELEASE);
    unlock(instance);
    drop_quick(old);
    return 1;
}

/* A shared small int in place of what is quickly dropped: stored and unlocked, or nothing done. */
static INLINE int store_small(PyObject *instance, PyObject **place, int64_t value, int form)
{
    PyObject *small = small_int(value);
    _PyStackRef old = {.bits = (uintptr_t)*place};
    if (small != NULL && old.bits == 0) {
        store_first(instance, place, small, form);
        return 1;
    }
    if (small == NULL || !(is_quick(old) || *place == small || (*place)->ob_ref_local == _Py_IMMORTAL_REFCNT_LOCAL)) {
        return 0;
    }
    __atomic_store_n(place, small, __ATOMIC_RELEASE);
    unlock(instance);
    if (((PyObject *)old.bits)->ob_ref_local != _Py_IMMORTAL_REFCNT_LOCAL) {
        drop_quick(old);
    }
    return 1;
}

/* A number into the place, and unlocked: 0, and still locked, if it takes a new box. */
static INLINE int store_float(PyObject *instance, PyObject **place, double value)
{
    if (UNLIKELY(*place == NULL) || UNLIKELY(!box_is_ours(*place, &PyFloat_Type))) {
        return 0;
    }
    ((PyFloatObject *)*place)->ob_fval = value;
    unlock(instance);
    return 1;
}
static INLINE int store_int(PyObject *instance, PyObject **place, int64_t value, int form)
{
    PyObject *old = *place;
    if (store_small(instance, place, value, form)) {
        return 1;
    }
    if (UNLIKELY(old == NULL) || UNLIKELY(!fits_box(value, old))) {
        return 0;
    }
    put_compact(old, value);
    unlock(instance);
    return 1;
}

STENCIL(attr_value_store_float, A:i, B:f)
{
    PyObject **place = attr_lock_place((PyObject *)A, OFF0, OFF1, IN_VALUES);
    if (UNLIKELY(place == NULL)) {
        EXIT;
    }
    if (UNLIKELY(!store_float((PyObject *)A, place, B))) {
        SLOW;
    }
    NEXT;
}
SLOWPATH
{
    if (ftjit_attr_store_float((PyObject *)A, OFF1, B) < 0) {
        EXIT;
    }
    NEXT;
}
STENCIL(attr_slot_store_float, A:i, B:f)
{
    PyObject **place = attr_lock_place((PyObject *)A, OFF0, OFF1, IN_SLOTS);
    if (UNLIKELY(place == NULL)) {
        EXIT;
    }
    if (UNLIKELY(!store_float((PyObject *)A, place, B))) {
        SLOW;
    }
    NEXT;
}
SLOWPATH
{
    if (ftjit_attr_store_float((PyObject *)A, OFF1, B) < 0) {
        EXIT;
    }
    NEXT;
}
STENCIL(attr_value_store_int, A:i, B:i)
{
    PyObject **place = attr_lock_place((PyObject *)A, OFF0, OFF1, IN_VALUES);
    if (UNLIKELY(place == NULL)) {
        EXIT;
    }
    if (UNLIKELY(!store_int((PyObject *)A, place, B, IN_VALUES))) {
        SLOW;
    }
    NEXT;
}
SLOWPATH
{
    if (ftjit_attr_store_int((PyObject *)A, OFF1, B) < 0) {
        EXIT;
    }
    NEXT;
}
STENCIL(attr_slot_store_int, A:i, B:i)
{
    PyObject **place = attr_lock_place((PyObject *)A, OFF0, OFF1, IN_SLOTS);
    if (UNLIKELY(place == NULL)) {
        EXIT;
    }
    if (UNLIKELY(!store_int((PyObject *)A, place, B, IN_SLOTS))) {
        SLOW;
    }
    NEXT;
}
SLOWPATH
{
    if (ftjit_attr_store_int((PyObject *)A, OFF1, B) < 0) {
        EXIT;
    }
    NEXT;
}
STENCIL(attr_value_store_object, A:i, B:i)
{
    PyObject **place = attr_lock_place((PyObject *)A, OFF0, OFF1, IN_VALUES);
    if (UNLIKELY(place == NULL) || UNLIKELY(!store_locked((PyObject *)A, place, (PyObject *)B, IN_VALUES))) {
        EXIT;
    }
    NEXT;
}
STENCIL(attr_slot_store_object, A:i, B:i)
{
    PyObject **place = attr_lock_place((PyObject *)A, OFF0, OFF1, IN_SLOTS);
    if (UNLIKELY(place == NULL) || UNLIKELY(!store_locked((PyObject *)A, place, (PyObject *)B, IN_SLOTS))) {
        EXIT;
    }
    NEXT;
}

/* Globals and builtins by keys version and entry index, as LOAD_GLOBAL's specialisations read them: OP0 keys version (of
   the globals; OP1 of the builtins), OFF0 entry index. Alive up to the next safepoint, or this leaves. */
static INLINE PyObject **dict_place(PyObject *dict, int64_t version, int64_t index)
{
    PyDictKeysObject *keys = __atomic_load_n(&((PyDictObject *)dict)->ma_keys, __ATOMIC_ACQUIRE);
    return LIKELY(__atomic_load_n(&keys->dk_version, __ATOMIC_RELAXED) == (uint32_t)version)
           ? &DK_UNICODE_ENTRIES(keys)[index].me_value : NULL;
}
STENCIL(global_value, A:i)
{
    PyObject **place = dict_place(frame->f_globals, OP0, OFF0);
    PyObject *value = place ? alive_at(place) : NULL;
    if (UNLIKELY(value == NULL)) {
        EXIT;
    }
    A = (int64_t)value;
    NEXT;
}
/* The same of a module, which A is. */
STENCIL(module_value, A:i)
{
    PyObject **place = dict_place(((PyModuleObject *)A)->md_dict, OP0, OFF0);
    PyObject *value = place ? alive_at(place) : NULL;
    if (UNLIKELY(value == NULL)) {
        EXIT;
    }
    A = (int64_t)value;
    NEXT;
}
/* With a count, in home OFF1. */
STENCIL(global_value_owned, A:i)
{
    PyObject **place = dict_place(frame->f_globals, OP0, OFF0);
    PyObject *value = place ? counted_at(place, &HOME(OFF1)) : NULL;
    if (UNLIKELY(value == NULL)) {
        EXIT;
    }
    A = (int64_t)value;
    NEXT;
}
/* The same for a loop that reads it again and again: counted at the first read only, and held at OFF1 in the activation until
   machine code is left or calls out. Somebody who counts at every turn would make all threads wait for one another. Bound
   anew, it leaves: what is held may still be in use. */
STENCIL(global_held, A:i)
{
    PyObject **place = dict_place(frame->f_globals, OP0, OFF0);
    if (UNLIKELY(place == NULL)) {
        EXIT;
    }
    PyObject *value = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (UNLIKELY(value == NULL) || UNLIKELY(value != *(PyObject **)((char *)act + OFF1))) {
        SLOW;
    }
    A = (int64_t)value;
    NEXT;
}
SLOWPATH
{
    PyObject **place = dict_place(frame->f_globals, OP0, OFF0), **held = (PyObject **)((char *)act + OFF1);
    PyObject *value = place ? __atomic_load_n(place, __ATOMIC_ACQUIRE) : NULL;
    if (value == NULL || *held != NULL || !_Py_TryIncrefCompare(place, value)) {
        EXIT;
    }
    *held = value;
    A = (int64_t)value;
    NEXT;
}
/* First of all, where any is held. OFF0: the first place. */
STENCIL(hold_nothing)
{
    PyObject **held = (PyObject **)((char *)act + OFF0);
    for (int i = 0; i < HELD; i++) {
        held[i] = NULL;
    }
    NEXT;
}
/* It is the object OP1, which the executor keeps. */
STENCIL(global_is)
{
    PyObject **place = dict_place(frame->f_globals, OP0, OFF0);
    if (UNLIKELY(place == NULL) || UNLIKELY((int64_t)__atomic_load_n(place, __ATOMIC_ACQUIRE) != OP1)) {
        EXIT;
    }
    NEXT;
}
STENCIL(builtin_value, A:i)
{
    if (UNLIKELY(dict_place(frame->f_globals, OP0, 0) == NULL)) {
        EXIT;
    }
    PyObject **place = dict_place(frame->f_builtins, OP1, OFF0);
    PyObject *value = place ? alive_at(place) : NULL;
    if (UNLIKELY(value == NULL)) {
        EXIT;
    }
    A = (int64_t)value;
    NEXT;
}
