/* What stencils call out of line: boxing, numbers, slow paths of containers. Found by name through symbols.c.
   "In place of the interpreter" helpers that work on the frame's stack are in callouts.c. */
#include "core.h"
#include <math.h>
#include "internal/pycore_dict.h"
#include "internal/pycore_list.h"
#include "internal/pycore_pymem.h"

__thread struct activation *current_activation __attribute__((tls_model("initial-exec")));
void ftjit_give_back(struct activation *act) { give_back(act); }

/* ---- numbers -------------------------------------------------------------------------------------------------- */

/* The value of an exact int that fits 64 bits; 0 when it is something else. */
int64_t ftjit_long_value(PyObject *object, int64_t *value)
{
    if (Py_TYPE(object) != &PyLong_Type) return 0;
    int overflow;
    *value = PyLong_AsLongLongAndOverflow(object, &overflow);
    return !overflow;
}

/* A new box into a home; a local's old number goes. -1 without memory: nothing changed, and the interpreter meets
   the MemoryError when it does the bytecode again. */
static int64_t into_home(PyObject *box, _PyStackRef *home, int64_t is_local)
{
    if (!box) {
        PyErr_Clear();
        return -1;
    }
    _PyStackRef old = *home;
    *home = PyStackRef_FromPyObjectSteal(box);
    if (is_local) PyStackRef_XCLOSE(old);
    return 0;
}
int64_t ftjit_box_int(int64_t value, _PyStackRef *home, int64_t is_local) { return into_home(PyLong_FromLongLong(value), home, is_local); }
int64_t ftjit_box_float(double value, _PyStackRef *home, int64_t is_local) { return into_home(PyFloat_FromDouble(value), home, is_local); }

/* A number that may be unboxed: tag 1 int, 2 float, 3 bool. */
int64_t ftjit_box_maybe(int64_t value, double number, int64_t tag, _PyStackRef *home)
{
    if (tag == 3) return into_home(PyBool_FromLong(value), home, 1);
    return tag == 2 ? ftjit_box_float(number, home, 1) : ftjit_box_int(value, home, 1);
}

/* ---- the end of a reference ------------------------------------------------------------------------------------- */

static bool plain(PyObject *old)
{
    if (_Py_IsImmortal(old) || Py_TYPE(old) == &PyFloat_Type || Py_TYPE(old) == &PyLong_Type) return true;
    if (_Py_IsOwnedByCurrentThread(old) && old->ob_ref_local > 1) return true;
    if (Py_TYPE(old) == &PyListIter_Type) {
        PyObject *list = (PyObject *)((_PyListIterObject *)old)->it_seq;
        return !list || plain(list);
    }
    return Py_TYPE(old) == &PyUnicode_Type || Py_TYPE(old) == &PyRangeIter_Type;
}

static int64_t is_plain(_PyStackRef *home) { return (home->bits & Py_TAG_REFCNT) || plain((PyObject *)home->bits); }
/* Beside others that go with it: what it holds itself may be held by one of those only. */
int64_t ftjit_is_plain_beside_others(_PyStackRef *home)
{
    if (home->bits & Py_TAG_REFCNT) return 1;
    return Py_TYPE((PyObject *)home->bits) != &PyListIter_Type && plain((PyObject *)home->bits);
}
void ftjit_replace_late(_PyStackRef *home, uintptr_t bits)
{
    struct activation *act = current_activation;
    give_back(act);                      /* the list itself may go */
    _PyStackRef old = *home;
    home->bits = bits;
    PyStackRef_XCLOSE(old);
    current_activation = act;            /* as after a call out: a finaliser may have switched greenlets */
}
int64_t ftjit_replace(_PyStackRef *home, uintptr_t bits)
{
    if (!is_plain(home)) return 0;
    ftjit_replace_late(home, bits);
    return 1;
}
int64_t ftjit_replace_object(_PyStackRef *home, PyObject *object)
{
    if (!is_plain(home)) return 0;
    ftjit_replace_late(home, _Py_IsImmortal(object) ? (uintptr_t)object | Py_TAG_REFCNT : (uintptr_t)Py_NewRef(object));
    return 1;
}
void ftjit_unlock(PyMutex *mutex) { PyMutex_Unlock(mutex); }

/* x ** y where Python's answer is plainly libm's: positive finite base, finite exponent, finite result that did not
   vanish. */
double ftjit_float_power(double base, double exponent, int64_t *known)
{
    double result = pow(base, exponent);
    *known = base > 0.0 && isfinite(base) && isfinite(exponent) && isfinite(result) && result != 0.0;
    return result;
}

/* float_rem and float_floor_div of the interpreter: fmod's remainder, with the divisor's sign. */
double ftjit_float_modulo(double a, double b)
{
    double remainder = fmod(a, b);
    if (remainder) {
        if ((b < 0) != (remainder < 0)) remainder += b;
    }
    else remainder = copysign(0.0, b);
    return remainder;
}
double ftjit_float_floor_divide(double a, double b)
{
    double remainder = fmod(a, b), quotient = (a - remainder) / b;
    if (remainder && (b < 0) != (remainder < 0)) quotient -= 1.0;
    if (quotient) {
        double rounded = floor(quotient);
        return quotient - rounded > 0.5 ? rounded + 1.0 : rounded;
    }
    return copysign(0.0, a / b);
}

/* ---- lists and attributes --------------------------------------------------------------------------------------- */

static bool alive_here(PyObject *object)
{
    return _Py_IsOwnedByCurrentThread(object) || _Py_IsImmortal(object) || _PyObject_HasDeferredRefcount(object);
}

/* A count to give back that must not be given back yet: homes are not up to date, and pointers are borrowed up to the exit
   that comes next. It may be the last one, if somebody has taken the item out meanwhile. */
__thread PyObject *after_exit __attribute__((tls_model("initial-exec")));
static void let_go_after_exit(PyObject *item)
{
    if (after_exit) _PyObject_XDecRefDelayed(item);          /* never so far: an exit comes next */
    else after_exit = item;
}
void release_after_exit(void)
{
    PyObject *item = after_exit;
    after_exit = NULL;
    Py_DECREF(item);
}

/* What machine code held goes, where code may run: at the end of a stay, and before a call out that may take long. */
void release_held(struct activation *act)
{
    for (int i = 0; i < HELD; i++) {
        PyObject *object = act->held[i];
        act->held[i] = NULL;
        Py_XDECREF(object);
    }
}

/* PyList_GetItemRef without waiting: pointers are borrowed, and a thread that waits lets a collection merge away the counts
   they rest on. The lock is needed for what another thread made and nobody has shared yet. NULL: no such item, or the lock
   is busy: then the interpreter reads it, and waits. */
static PyObject *list_item_ref(PyObject *list, int64_t index)
{
    give_back(current_activation);       /* it may be this list's */
    if (index < 0) index += PyList_GET_SIZE(list);
    if (_Py_IsOwnedByCurrentThread(list) || _PyObject_GC_IS_SHARED(list)) {
        /* partner: the release store of a new array (list_resize); its size and its items are read behind it (rule 6) */
        PyObject **items = _Py_atomic_load_ptr_acquire(&((PyListObject *)list)->ob_item);
        bool inside = items && (size_t)index < (size_t)PyList_GET_SIZE(list) && index < ((Py_ssize_t *)items)[-1];
        PyObject *item = inside ? _Py_TryXGetRef(&items[index]) : NULL;      /* [-1]: the array's own size */
        if (item) return item;
    }
    if (!PyMutex_LockFast(&list->ob_mutex)) return NULL;
    bool inside = (size_t)index < (size_t)PyList_GET_SIZE(list);
    PyObject *item = inside ? _Py_NewRefWithLock(((PyListObject *)list)->ob_item[index]) : NULL;
    if (!_Py_IsOwnedByCurrentThread(list)) _PyObject_GC_SET_SHARED(list);
    PyMutex_Unlock(&list->ob_mutex);
    return item;
}

/* The item only if it is alive without the count. */
PyObject *ftjit_list_item(PyObject *list, int64_t index)
{
    PyObject *item = list_item_ref(list, index);
    if (!item) return NULL;
    if (!alive_here(item)) {
        let_go_after_exit(item);
        return NULL;
    }
    Py_DECREF(item);                     /* its owner, this thread, has a count left, or it is not counted */
    return item;
}

/* The number in an item, counted meanwhile; 0 when it is another type's, or not to be had. One that another thread owns
   stays counted until the next such: a list that starts as so many times one number would have all its readers write that
   number's count, once an item. It has no finaliser, so nobody sees that. */
static void keep_number(PyObject *item)
{
    struct activation *act = current_activation;
    PyObject *before = item;
    if (!_Py_IsOwnedByCurrentThread(item)) {
        before = act->number;
        act->number = item;
    }
    Py_XDECREF(before);
}
int64_t ftjit_list_item_float(PyObject *list, int64_t index, double *value)
{
    PyObject *item = list_item_ref(list, index);
    bool known = item && Py_TYPE(item) == &PyFloat_Type;
    if (!known) {
        if (item) let_go_after_exit(item);
        return 0;
    }
    *value = ((PyFloatObject *)item)->ob_fval;
    keep_number(item);
    return 1;
}
int64_t ftjit_list_item_int(PyObject *list, int64_t index, int64_t *value)
{
    PyObject *item = list_item_ref(list, index);
    if (!item || !ftjit_long_value(item, value)) {
        if (item) let_go_after_exit(item);
        return 0;
    }
    keep_number(item);
    return 1;
}

int64_t ftjit_list_item_owned(PyObject *list, int64_t index, _PyStackRef *home)
{
    PyObject *item = list_item_ref(list, index);
    if (!item) return 0;
    *home = PyStackRef_FromPyObjectSteal(item);
    return (int64_t)item;
}

/* 0 says that there is none: it waits for the lock if it must. The compiler has settled all pointers. */
int64_t ftjit_list_iter_next(PyObject *iterator, _PyStackRef *home)
{
    _PyListIterObject *it = (_PyListIterObject *)iterator;
    give_back(current_activation);
    PyObject *item = it->it_seq ? PyList_GetItemRef((PyObject *)it->it_seq, it->it_index) : NULL;
    if (!item) {
        PyErr_Clear();
        return 0;
    }
    it->it_index++;
    *home = PyStackRef_FromPyObjectSteal(item);
    return (int64_t)item;
}

/* A first value: inline values, which lie behind the slots, know the order in which they came. */
static void note_order(PyObject *instance, PyObject **place)
{
    if (!(Py_TYPE(instance)->tp_flags & Py_TPFLAGS_INLINE_VALUES)) return;
    PyDictValues *values = _PyObject_InlineValues(instance);
    if (place >= values->values) _PyDictValues_AddToInsertionOrder(values, place - values->values);
}

/* Store a new box at a place inside `container`, whose lock is held and is given back. -1: nothing was stored. */
static int64_t store_box(PyObject *container, PyObject **place, PyObject *box)
{
    PyObject *old = *place;
    if (!box || (old && !plain(old))) {
        PyMutex_Unlock(&container->ob_mutex);
        PyErr_Clear();
        Py_XDECREF(box);
        return -1;
    }
    _Py_atomic_store_ptr_release(place, box);
    if (!old) note_order(container, place);
    PyMutex_Unlock(&container->ob_mutex);
    Py_XDECREF(old);
    return 0;
}

/* For instances: locked for one store. */
int64_t ftjit_store_locked(PyObject *container, PyObject **place, PyObject *object)
{
    return store_box(container, place, Py_NewRef(object)) == 0;
}

/* The place in a list to write to, with the list's lock kept from here on; NULL when the index is out of range or the
   lock is somebody else's (then the interpreter does the store, and waits if it must). */
static PyObject **keep_place(PyObject *list, int64_t index)
{
    struct activation *act = current_activation;
    if (act->kept != list) {
        give_back(act);
        if (!PyMutex_LockFast(&list->ob_mutex)) return NULL;
        act->kept = list;
    }
    Py_ssize_t size = PyList_GET_SIZE(list);
    if (index < 0) index += size;
    return (size_t)index < (size_t)size ? &((PyListObject *)list)->ob_item[index] : NULL;
}

/* Store under the kept lock. 0: nothing was stored (no memory, or the old item's end would run code). Steals. */
static int64_t store_kept(PyObject *list, int64_t index, PyObject *item)
{
    PyObject **place = item ? keep_place(list, index) : NULL;
    if (!place || !*place || !plain(*place)) {
        PyErr_Clear();
        Py_XDECREF(item);
        return 0;
    }
    PyObject *old = *place;
    _Py_atomic_store_ptr_release(place, item);
    Py_DECREF(old);                      /* a number, or something is left of it: no code runs under the lock */
    return 1;
}
int64_t ftjit_list_store_float(PyObject *list, int64_t index, double value) { return store_kept(list, index, PyFloat_FromDouble(value)); }
int64_t ftjit_list_store_int(PyObject *list, int64_t index, int64_t value) { return store_kept(list, index, PyLong_FromLongLong(value)); }
int64_t ftjit_list_store_object(PyObject *list, int64_t index, PyObject *item) { return store_kept(list, index, Py_NewRef(item)); }

/* Append under the kept lock. 0: nothing was appended. Steals. */
static int64_t append_kept(PyObject *list, PyObject *item)
{
    struct activation *act = current_activation;
    if (!item) goto failed;
    if (act->kept != list) {
        give_back(act);
        if (!PyMutex_LockFast(&list->ob_mutex)) goto failed;
        act->kept = list;
    }
    /* Another thread may read the array it grows out of: that goes later, in a call that lets other things go as well, and
       their ends may run code. */
    bool shared = !_Py_IsOwnedByCurrentThread(list) || _PyObject_GC_IS_SHARED(list);
    if (shared && PyList_GET_SIZE(list) >= ((PyListObject *)list)->allocated) goto failed;
    if (_PyList_AppendTakeRef((PyListObject *)list, item) == 0) return 1;
    PyErr_Clear();                       /* no memory, and the reference is gone */
    return 0;
failed:
    PyErr_Clear();
    Py_XDECREF(item);
    return 0;
}
int64_t ftjit_list_append_float(PyObject *list, double value) { return append_kept(list, PyFloat_FromDouble(value)); }
int64_t ftjit_list_append_int(PyObject *list, int64_t value) { return append_kept(list, PyLong_FromLongLong(value)); }
/* `item` was counted for the list. */
int64_t ftjit_list_append_object(PyObject *list, PyObject *item) { return append_kept(list, item); }
int64_t ftjit_attr_store_float(PyObject *object, int64_t offset, double value)
{
    return store_box(object, (PyObject **)((char *)object + offset), PyFloat_FromDouble(value));
}
int64_t ftjit_attr_store_int(PyObject *object, int64_t offset, int64_t value)
{
    return store_box(object, (PyObject **)((char *)object + offset), PyLong_FromLongLong(value));
}
