/* Lists, tuples, their iterators and ranges': the interpreter's own lock-free reads and locked writes, inlined. Interior
   pointers never outlive a stencil. */
#include "ops.h"
extern PRESERVE_ALL PyObject *ftjit_list_item(PyObject *list, int64_t index);
extern PRESERVE_ALL int64_t ftjit_list_item_float(PyObject *list, int64_t index, double *value);
extern PRESERVE_ALL int64_t ftjit_list_item_int(PyObject *list, int64_t index, int64_t *value);
extern PRESERVE_ALL int64_t ftjit_list_item_owned(PyObject *list, int64_t index, _PyStackRef *home);
extern PRESERVE_ALL int64_t ftjit_list_store_float(PyObject *list, int64_t index, double value);
extern PRESERVE_ALL int64_t ftjit_list_store_int(PyObject *list, int64_t index, int64_t value);
extern PRESERVE_ALL int64_t ftjit_list_store_object(PyObject *list, int64_t index, PyObject *item);
extern PRESERVE_ALL int64_t ftjit_list_append_float(PyObject *list, double value);
extern PRESERVE_ALL int64_t ftjit_list_append_int(PyObject *list, int64_t value);
extern PRESERVE_ALL int64_t ftjit_list_append_object(PyObject *list, PyObject *item);
extern PRESERVE_ALL int64_t ftjit_list_iter_next(PyObject *iterator, _PyStackRef *home);

typedef struct {
    Py_ssize_t allocated;
    PyObject *item[];
} list_array;

/* May this thread read the array without a lock: nobody frees it before this thread reports a quiescent state. */
static INLINE int list_is_readable(PyObject *list)
{
    return list->ob_tid == _Py_ThreadId() || (list->ob_gc_bits & _PyGC_BITS_SHARED);
}

/* The item's place, or NULL when it takes more than plain loads. */
static INLINE PyObject **list_place(PyObject *list, int64_t index)
{
    int64_t size = __atomic_load_n(&((PyVarObject *)list)->ob_size, __ATOMIC_RELAXED);
    if (UNLIKELY((uint64_t)index >= (uint64_t)size) || UNLIKELY(!list_is_readable(list))) {
        return NULL;
    }
    PyObject **items = __atomic_load_n(&((PyListObject *)list)->ob_item, __ATOMIC_ACQUIRE);
    if (UNLIKELY(items == NULL)) {
        return NULL;
    }
    list_array *array = (list_array *)((char *)items - offsetof(list_array, item));
    return LIKELY(index < array->allocated) ? &items[index] : NULL;
}
static INLINE PyObject *item_at(PyObject **place)
{
    return LIKELY(place != NULL) ? __atomic_load_n(place, __ATOMIC_ACQUIRE) : NULL;
}
/* The same with an index from the end, out of the way. */
static INLINE PyObject **list_place_from_end(PyObject *list, int64_t index)
{
    return index < 0 ? list_place(list, index + __atomic_load_n(&((PyVarObject *)list)->ob_size, __ATOMIC_RELAXED)) : NULL;
}

STENCIL(list_length, A:i)
{
    A = __atomic_load_n(&((PyVarObject *)A)->ob_size, __ATOMIC_RELAXED);
    NEXT;
}

/* A: an exact list, then its item, borrowed up to the next safepoint. */
STENCIL(list_item, A:i, B:i|imm32)
{
    PyObject **place = list_place((PyObject *)A, B), *item = item_at(place);
    if (UNLIKELY(item == NULL)) {
        SLOW;
    }
    if (UNLIKELY(!is_alive_at(place, item))) {
        EXIT;
    }
    A = (int64_t)item;
    NEXT;
}
SLOWPATH
{
    PyObject **place = list_place_from_end((PyObject *)A, B), *item = item_at(place);
    if (item != NULL && is_alive_at(place, item)) {
        A = (int64_t)item;
        NEXT;
    }
    item = ftjit_list_item((PyObject *)A, B);
    if (item == NULL) {
        EXIT;
    }
    A = (int64_t)item;
    NEXT;
}

/* The number in an item, without a count for it: it is this thread's or immortal. Out of line: or the one of another
   thread's that is counted already, else it is counted. Reading it and then looking whether the place still holds it would
   not do: between the two it may have gone and come back, with any number in it meanwhile. */
static INLINE int is_own_number(PyObject **place, PyObject *item, PyTypeObject *type)
{
    return (item->ob_tid == _Py_ThreadId()
            || (item->ob_ref_local == _Py_IMMORTAL_REFCNT_LOCAL && LIKELY(is_still_at(place, item))))
           && Py_TYPE(item) == type;
}
static INLINE int is_compact(PyObject *item)
{
    return Py_TYPE(item) == &PyLong_Type && _PyLong_IsCompact((PyLongObject *)item);
}
static INLINE int is_own_compact(PyObject **place, PyObject *item)
{
    return is_own_number(place, item, &PyLong_Type) && _PyLong_IsCompact((PyLongObject *)item);
}
static INLINE PyObject **list_place_from_start_or_end(PyObject *list, int64_t index)
{
    return LIKELY(index >= 0) ? list_place(list, index) : list_place_from_end(list, index);
}
STENCIL(list_item_float, A:f, B:i, C:i|imm32)
{
    PyObject **place = list_place((PyObject *)B, C), *item = item_at(place);
    if (UNLIKELY(item == NULL) || UNLIKELY(!is_own_number(place, item, &PyFloat_Type))) {
        SLOW;
    }
    A = ((PyFloatObject *)item)->ob_fval;
    NEXT;
}
SLOWPATH
{
    PyObject **place = list_place_from_start_or_end((PyObject *)B, C), *item = item_at(place);
    if (item != NULL && (item == act->number ? Py_TYPE(item) == &PyFloat_Type : is_own_number(place, item, &PyFloat_Type))) {
        A = ((PyFloatObject *)item)->ob_fval;
        NEXT;
    }
    double value;
    if (!ftjit_list_item_float((PyObject *)B, C, &value)) {
        EXIT;
    }
    A = value;
    NEXT;
}
STENCIL(list_item_int, A:i, B:i|imm32)
{
    PyObject **place = list_place((PyObject *)A, B), *item = item_at(place);
    if (UNLIKELY(item == NULL) || UNLIKELY(!is_own_compact(place, item))) {
        SLOW;
    }
    A = _PyLong_CompactValue((PyLongObject *)item);
    NEXT;
}
SLOWPATH
{
    PyObject **place = list_place_from_start_or_end((PyObject *)A, B), *item = item_at(place);
    if (item != NULL && (item == act->number ? is_compact(item) : is_own_compact(place, item))) {
        A = _PyLong_CompactValue((PyLongObject *)item);
        NEXT;
    }
    int64_t value;
    if (!ftjit_list_item_int((PyObject *)A, B, &value)) {
        EXIT;
    }
    A = value;
    NEXT;
}
/* True and False are known by their addresses: the item itself is not looked at. */
STENCIL(list_item_bool, A:i, B:i|imm32)
{
    PyObject *item = item_at(list_place((PyObject *)A, B));
    int is_true = item == Py_True, is_false = item == Py_False;
    if (UNLIKELY(!(is_true | is_false))) {
        SLOW;
    }
    A = is_true;
    NEXT;
}
SLOWPATH
{
    PyObject *item = item_at(list_place_from_end((PyObject *)A, B));
    if (item == NULL) {
        item = ftjit_list_item((PyObject *)A, B);
    }
    if (item != Py_True && item != Py_False) {
        EXIT;
    }
    A = item == Py_True;
    NEXT;
}

/* The same with a count, kept in the stack home OFF0: for items that another thread made. */
STENCIL(list_item_owned, A:i, B:i)
{
    PyObject **place = list_place((PyObject *)A, B);
    if (UNLIKELY(place == NULL)) {
        SLOW;
    }
    PyObject *item = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (UNLIKELY(item == NULL) || UNLIKELY(!_Py_TryIncrefCompare(place, item))) {
        SLOW;
    }
    HOME(OFF0).bits = (uintptr_t)item;
    A = (int64_t)item;
    NEXT;
}
SLOWPATH
{
    int64_t item = ftjit_list_item_owned((PyObject *)A, B, &HOME(OFF0));
    if (item == 0) {
        EXIT;
    }
    A = item;
    NEXT;
}

/* Stores into lists. The lock is kept from one store to the next (rule 7): a list that this thread keeps is written
   without a look at the lock; the back-edge gives it back when somebody waits. Whatever is not plain is done out of line,
   which also takes the lock. */
static INLINE PyObject **kept_place(struct activation *act, PyObject *list, int64_t index)
{
    if (UNLIKELY(act->kept != list) || UNLIKELY((uint64_t)index >= (uint64_t)((PyVarObject *)list)->ob_size)) {
        return NULL;
    }
    return &((PyListObject *)list)->ob_item[index];
}

/* The kept lock changes hands: one is given back, if nobody waits for it, and this one is taken, if it is free. */
static INLINE PyObject **keep_place(struct activation *act, PyObject *list, int64_t index)
{
    if (act->kept != list) {
        uint8_t locked = _Py_LOCKED;
        if (act->kept != NULL
            && !__atomic_compare_exchange_n(&((PyObject *)act->kept)->ob_mutex._bits, &locked, _Py_UNLOCKED, 0,
                                            __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
            return NULL;
        }
        act->kept = NULL;
        if (!lock_at_once(list)) {
            return NULL;
        }
        act->kept = list;
    }
    return kept_place(act, list, index);
}

STENCIL(list_store_float, A:i, B:i|imm32, C:f)
{
    PyObject **place = kept_place(act, (PyObject *)A, B);
    if (UNLIKELY(place == NULL) || UNLIKELY(!box_is_ours(*place, &PyFloat_Type))) {
        SLOW;
    }
    ((PyFloatObject *)*place)->ob_fval = C;
    NEXT;
}
SLOWPATH
{
    PyObject **place = keep_place(act, (PyObject *)A, B);
    if (place != NULL && box_is_ours(*place, &PyFloat_Type)) {
        ((PyFloatObject *)*place)->ob_fval = C;
        NEXT;
    }
    if (!ftjit_list_store_float((PyObject *)A, B, C)) {
        EXIT;
    }
    NEXT;
}

STENCIL(list_store_int, A:i, B:i, C:i)
{
    PyObject **place = kept_place(act, (PyObject *)A, B);
    if (UNLIKELY(place == NULL)) {
        SLOW;
    }
    PyObject *small = small_int(C);
    if (small != NULL && LIKELY((*place)->ob_ref_local == _Py_IMMORTAL_REFCNT_LOCAL)) {
        __atomic_store_n(place, small, __ATOMIC_RELEASE);
        NEXT;
    }
    if (UNLIKELY(!fits_box(C, *place))) {
        SLOW;
    }
    put_compact(*place, C);
    NEXT;
}
SLOWPATH
{
    if (!ftjit_list_store_int((PyObject *)A, B, C)) {
        EXIT;
    }
    NEXT;
}

/* An object, borrowed: the list gets a count of its own. The old item must go without running code. */
STENCIL(list_store_object, A:i, B:i, C:i)
{
    PyObject **place = kept_place(act, (PyObject *)A, B);
    if (UNLIKELY(place == NULL)) {
        SLOW;
    }
    PyObject *old = *place;
    int immortal = old->ob_ref_local == _Py_IMMORTAL_REFCNT_LOCAL;
    if (UNLIKELY(!immortal && !is_quick((_PyStackRef){.bits = (uintptr_t)old}))) {
        SLOW;
    }
    count_up((PyObject *)C);
    __atomic_store_n(place, (PyObject *)C, __ATOMIC_RELEASE);
    if (!immortal) {
        old->ob_ref_local--;
    }
    NEXT;
}
SLOWPATH
{
    if (!ftjit_list_store_object((PyObject *)A, B, (PyObject *)C)) {
        EXIT;
    }
    NEXT;
}

/* An immortal one in place of another: no count. */
STENCIL(list_store_constant, A:i, B:i)
{
    PyObject **place = kept_place(act, (PyObject *)A, B);
    if (UNLIKELY(place == NULL) || UNLIKELY((*place)->ob_ref_local != _Py_IMMORTAL_REFCNT_LOCAL)) {
        SLOW;
    }
    __atomic_store_n(place, (PyObject *)OP0, __ATOMIC_RELEASE);
    NEXT;
}
SLOWPATH
{
    if (!ftjit_list_store_object((PyObject *)A, B, (PyObject *)OP0)) {
        EXIT;
    }
    NEXT;
}

/* Appending, under the kept lock while there is room; the reference is the caller's to give. */
static INLINE int append_now(struct activation *act, PyObject *list, PyObject *item)
{
    if (UNLIKELY(act->kept != list)) {
        return 0;
    }
    int64_t size = ((PyVarObject *)list)->ob_size;
    if (UNLIKELY(size >= ((PyListObject *)list)->allocated)) {
        return 0;
    }
    __atomic_store_n(&((PyListObject *)list)->ob_item[size], item, __ATOMIC_RELEASE);
    __atomic_store_n(&((PyVarObject *)list)->ob_size, size + 1, __ATOMIC_RELEASE);
    return 1;
}
STENCIL(list_append_float, A:i, B:f)
{
    if (!ftjit_list_append_float((PyObject *)A, B)) {
        EXIT;
    }
    NEXT;
}
STENCIL(list_append_int, A:i, B:i)
{
    PyObject *small = small_int(B);
    if (small != NULL && append_now(act, (PyObject *)A, small)) {
        NEXT;
    }
    if (!ftjit_list_append_int((PyObject *)A, B)) {
        EXIT;
    }
    NEXT;
}
STENCIL(list_append_object, A:i, B:i)
{
    count_up((PyObject *)B);
    if (UNLIKELY(!append_now(act, (PyObject *)A, (PyObject *)B))) {
        SLOW;
    }
    NEXT;
}
SLOWPATH
{
    if (!ftjit_list_append_object((PyObject *)A, (PyObject *)B)) {
        EXIT;
    }
    NEXT;
}
STENCIL(list_append_constant, A:i)
{
    if (UNLIKELY(!append_now(act, (PyObject *)A, (PyObject *)OP0))) {
        SLOW;
    }
    NEXT;
}
SLOWPATH
{
    if (!ftjit_list_append_object((PyObject *)A, (PyObject *)OP0)) {
        EXIT;
    }
    NEXT;
}

/* The next item of a list iterator that only this frame refers to (home OFF0), counted, into home OFF1 and A; to
   TARGET when there is none. */
STENCIL(list_iter_next, A:i)
{
    _PyListIterObject *iterator = (_PyListIterObject *)HOME_OBJECT(OFF0);
    PyObject *list = (PyObject *)iterator->it_seq;
    int64_t index = iterator->it_index;
    if (UNLIKELY(list == NULL)) {
        EXIT;
    }
    if (UNLIKELY((uint64_t)index >= (uint64_t)__atomic_load_n(&((PyVarObject *)list)->ob_size, __ATOMIC_RELAXED))) {
        EXIT;
    }
    PyObject **place = list_place(list, index);
    if (UNLIKELY(place == NULL)) {
        SLOW;
    }
    PyObject *item = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (UNLIKELY(item == NULL) || UNLIKELY(!_Py_TryIncrefCompare(place, item))) {
        SLOW;
    }
    iterator->it_index = index + 1;
    HOME(OFF1).bits = (uintptr_t)item;
    A = (int64_t)item;
    NEXT;
}
SLOWPATH
{
    int64_t item = ftjit_list_iter_next(HOME_OBJECT(OFF0), &HOME(OFF1));
    if (item == 0) {
        EXIT;
    }
    A = item;
    NEXT;
}
/* The same in three: the index that comes next (to TARGET when there is none), the list, and one further once the item
   is read. */
STENCIL(list_iter_index, A:i)
{
    _PyListIterObject *iterator = (_PyListIterObject *)HOME_OBJECT(OFF0);
    PyObject *list = (PyObject *)iterator->it_seq;
    if (UNLIKELY(list == NULL)) {
        EXIT;
    }
    int64_t index = iterator->it_index;
    if (UNLIKELY((uint64_t)index >= (uint64_t)__atomic_load_n(&((PyVarObject *)list)->ob_size, __ATOMIC_RELAXED))) {
        EXIT;
    }
    A = index;
    NEXT;
}
STENCIL(list_iter_list, A:i)
{
    A = (int64_t)((_PyListIterObject *)HOME_OBJECT(OFF0))->it_seq;
    NEXT;
}
STENCIL(list_iter_step)
{
    ((_PyListIterObject *)HOME_OBJECT(OFF0))->it_index++;
    NEXT;
}
/* The iterator in home OFF0 is of type OP0 and nobody else's. */
STENCIL(guard_own_iterator)
{
    PyObject *iterator = HOME_OBJECT(OFF0);
    if (UNLIKELY(!iterator) || UNLIKELY((int64_t)Py_TYPE(iterator) != OP0) || UNLIKELY(iterator->ob_tid != _Py_ThreadId())
        || UNLIKELY(iterator->ob_ref_local != 1) || UNLIKELY(iterator->ob_ref_shared != 0)) {
        EXIT;
    }
    NEXT;
}
/* The fields of a range iterator in home OFF0: start, length, step by OFF1 (its byte offset in the iterator). */
STENCIL(range_iter_field, A:i)
{
    A = *(int64_t *)((char *)HOME_OBJECT(OFF0) + OFF1);
    NEXT;
}

/* A step of one. */
STENCIL(guard_one, A:i)
{
    if (UNLIKELY(A != 1)) {
        EXIT;
    }
    NEXT;
}

/* Items of a tuple of a known length; borrowed like the tuple. */
STENCIL(guard_length, A:i)
{
    if (UNLIKELY(__atomic_load_n(&((PyVarObject *)A)->ob_size, __ATOMIC_RELAXED) != OFF0)) {
        EXIT;
    }
    NEXT;
}
STENCIL(tuple_item, A:i, B:i, DISTINCT(A, B))
{
    A = *(int64_t *)((char *)B + OFF0);
    NEXT;
}
/* The same of a tuple that may go before the item is used. */
STENCIL(tuple_item_alive, A:i, B:i, DISTINCT(A, B))
{
    PyObject *item = *(PyObject **)((char *)B + OFF0);
    if (UNLIKELY(!is_alive_here(item))) {
        EXIT;
    }
    A = (int64_t)item;
    NEXT;
}
STENCIL(tuple_item_at, A:i, B:i)
{
    int64_t size = ((PyVarObject *)A)->ob_size;
    int64_t index = B;
    if (UNLIKELY((uint64_t)index >= (uint64_t)size)) {
        index += size;
        if ((uint64_t)index >= (uint64_t)size) {
            EXIT;
        }
    }
    A = (int64_t)((PyTupleObject *)A)->ob_item[index];
    NEXT;
}
