/* Bytecodes done by a C function on the live frame, with the interpreter's semantics: arguments are on the frame's
   stack, counted; the result goes there. The generic form of every operation that has no stencil of its own. */
#include "core.h"
#include <opcode.h>
#include "callouts.h"
#include "direct.h"
#include "stay.h"
#include "internal/pycore_list.h"
#include "internal/pycore_tuple.h"
#include "internal/pycore_unicodeobject.h"

static const int64_t QUIET = 1ll << 48;

/* Which objects the locals' homes hold, in one word. Whoever ran may have written them through our frame object and let go
   of that: an immortal old value leaves no other trace. Asked only where there is a frame object already; one that was
   made meanwhile is reason enough to leave. */
static COLD uint64_t homes_digest(_PyInterpreterFrame *frame)
{
    uint64_t digest = 0;
    for (int i = 0; i < _PyFrame_GetCode(frame)->co_nlocalsplus; i++) digest += frame->localsplus[i].bits * (2 * (uint64_t)i + 1);
    return digest;
}

/* By how much a helper that stores into locals changes it itself. */
static inline uint64_t change(_PyInterpreterFrame *frame, int64_t slot, _PyStackRef value)
{
    return (value.bits - frame->localsplus[slot].bits) * (2 * (uint64_t)slot + 1);
}
static uint64_t own_change(_PyInterpreterFrame *frame, callout_t helper, int64_t argument)
{
    _PyStackRef *top = frame->stackpointer - 1;
    if (helper == callout_store_fast) return change(frame, argument, top[0]);
    int64_t first = argument >> 4, second = argument & 15;
    if (helper == callout_store_fast_load_fast) return change(frame, first, top[0]);
    if (helper != callout_store_fast_store_fast) return 0;
    return (first == second ? 0 : change(frame, first, top[0])) + change(frame, second, top[-1]);
}

/* 0: go on; < 0: an exception is set; 1: done, but leave; 2: done, and the answer is no (for_iter: exhausted); 3: no, and
   leave. `place` is code unit + (end of the stack, in localsplus, << 32), as before the bytecode, and QUIET where nobody's
   code runs: then the locals need not be home. */
int64_t ftjit_call_out(_PyInterpreterFrame *frame, PyThreadState *tstate, struct activation *act, callout_t helper,
                       int64_t argument, int64_t place)
{
    give_back(act);
    frame->instr_ptr = (_Py_CODEUNIT *)act->bytecode + (int32_t)place;
    frame->stackpointer = frame->localsplus + (uint16_t)(place >> 32);
    PyFrameObject *before = frame->frame_obj;
    uint64_t homes = UNLIKELY(before) ? homes_digest(frame) + own_change(frame, helper, argument) : 0;
    if (act->executor->holds && !(place & QUIET)) release_held(act);
    int64_t status = helper(frame, argument);
    current_activation = act;            /* a greenlet may have run and left: it does not know of our thread-local */
    bool may_go_on = frame->frame_obj == before && !(before && homes != homes_digest(frame))
                     && may_continue(tstate, frame, act);
    if (status >= 0 && !may_go_on) status |= 1;
    act->status = status;
    return status;
}

#define TOP(n) (frame->stackpointer[-(n)])
#define OBJECT(n) PyStackRef_AsPyObjectBorrow(TOP(n))

static PyObject *name_of(_PyInterpreterFrame *frame, int64_t index)
{
    return PyTuple_GET_ITEM(_PyFrame_GetCode(frame)->co_names, index);
}

/* Pop `count`, push `result` (stolen); an error leaves the arguments for the unwinder, which cuts the stack. */
static int64_t replace(_PyInterpreterFrame *frame, int count, PyObject *result)
{
    if (!result) return -1;
    for (int i = 0; i < count; i++) {
        _PyStackRef old = *--frame->stackpointer;
        PyStackRef_XCLOSE(old);
    }
    *frame->stackpointer++ = handed_over(result);
    return 0;
}

static int64_t pop(_PyInterpreterFrame *frame, int count)
{
    while (count--) {
        _PyStackRef old = *--frame->stackpointer;
        PyStackRef_XCLOSE(old);
    }
    return 0;
}

typedef PyObject *(*binary_t)(PyObject *, PyObject *);
static PyObject *power(PyObject *a, PyObject *b) { return PyNumber_Power(a, b, Py_None); }
static PyObject *in_place_power(PyObject *a, PyObject *b) { return PyNumber_InPlacePower(a, b, Py_None); }

/* By NB_ number (opcode.h). */
static const binary_t binary_operations[] = {
    PyNumber_Add, PyNumber_And, PyNumber_FloorDivide, PyNumber_Lshift, PyNumber_MatrixMultiply, PyNumber_Multiply,
    PyNumber_Remainder, PyNumber_Or, power, PyNumber_Rshift, PyNumber_Subtract, PyNumber_TrueDivide, PyNumber_Xor,
    PyNumber_InPlaceAdd, PyNumber_InPlaceAnd, PyNumber_InPlaceFloorDivide, PyNumber_InPlaceLshift,
    PyNumber_InPlaceMatrixMultiply, PyNumber_InPlaceMultiply, PyNumber_InPlaceRemainder, PyNumber_InPlaceOr,
    in_place_power, PyNumber_InPlaceRshift, PyNumber_InPlaceSubtract, PyNumber_InPlaceTrueDivide, PyNumber_InPlaceXor,
    PyObject_GetItem,
};
int64_t callout_binary_op(_PyInterpreterFrame *frame, int64_t oparg)
{
    PyObject *result = binary_operations[oparg](OBJECT(2), OBJECT(1));
    if (!result) return -1;
    _PyStackRef left = TOP(2);                   /* the first to go, as in the interpreter before it specialises */
    TOP(2) = handed_over(result);
    PyStackRef_CLOSE(left);
    return pop(frame, 1);
}

/* oparg as COMPARE_OP has it: bit 4 asks for a bool, the operator is above. */
int64_t callout_compare_op(_PyInterpreterFrame *frame, int64_t oparg)
{
    PyObject *result = PyObject_RichCompare(OBJECT(2), OBJECT(1), (int)(oparg >> 5));
    if (!result || !(oparg & 16)) return replace(frame, 2, result);
    pop(frame, 2);                               /* before anybody asks the result */
    int truth = PyObject_IsTrue(result);
    Py_DECREF(result);
    return replace(frame, 0, truth < 0 ? NULL : PyBool_FromLong(truth));
}

int64_t callout_to_bool(_PyInterpreterFrame *frame, int64_t oparg)
{
    int truth = PyObject_IsTrue(OBJECT(1));
    return replace(frame, 1, truth < 0 ? NULL : PyBool_FromLong(truth));
}

int64_t callout_contains_op(_PyInterpreterFrame *frame, int64_t invert)
{
    int found = PySequence_Contains(OBJECT(1), OBJECT(2));
    return replace(frame, 2, found < 0 ? NULL : PyBool_FromLong(found ^ (int)invert));
}

int64_t callout_is_op(_PyInterpreterFrame *frame, int64_t invert)
{
    return replace(frame, 2, PyBool_FromLong((OBJECT(2) == OBJECT(1)) ^ (int)invert));
}

int64_t callout_unary_negative(_PyInterpreterFrame *frame, int64_t oparg) { return replace(frame, 1, PyNumber_Negative(OBJECT(1))); }
int64_t callout_unary_invert(_PyInterpreterFrame *frame, int64_t oparg) { return replace(frame, 1, PyNumber_Invert(OBJECT(1))); }

/* oparg as LOAD_ATTR has it: bit 0 asks for a method and its self (or the attribute and a null). */
int64_t callout_load_attr(_PyInterpreterFrame *frame, int64_t oparg)
{
    PyObject *name = name_of(frame, oparg >> 1), *owner = OBJECT(1);
    if (!(oparg & 1)) return replace(frame, 1, PyObject_GetAttr(owner, name));
    PyObject *attribute = NULL;
    int is_method = _PyObject_GetMethod(owner, name, &attribute);
    if (!attribute) return -1;
    if (is_method) {                     /* the owner stays, above the method, as its self */
        _PyStackRef self = TOP(1);
        TOP(1) = PyStackRef_FromPyObjectSteal(attribute);
        *frame->stackpointer++ = self;
        return 0;
    }
    replace(frame, 1, attribute);
    *frame->stackpointer++ = PyStackRef_NULL;
    return 0;
}

/* value, owner -> */
int64_t callout_store_attr(_PyInterpreterFrame *frame, int64_t index)
{
    if (PyObject_SetAttr(OBJECT(1), name_of(frame, index), OBJECT(2)) < 0) return -1;
    return pop(frame, 2);
}

/* value, container, key -> */
int64_t callout_store_subscr(_PyInterpreterFrame *frame, int64_t oparg)
{
    if (PyObject_SetItem(OBJECT(2), OBJECT(1), OBJECT(3)) < 0) return -1;
    return pop(frame, 3);
}

/* start, stop -> nothing; they go when the slice does. */
static PyObject *take_slice(_PyInterpreterFrame *frame)
{
    PyObject *slice = PySlice_New(OBJECT(2), OBJECT(1), NULL);
    if (slice) pop(frame, 2);
    return slice;
}

/* An exact list, from and to places that count from its start: no slice object is needed. */
static bool plain_bound(PyObject *bound, Py_ssize_t otherwise, Py_ssize_t *place)
{
    bool is_place = PyLong_CheckExact(bound) && _PyLong_IsCompact((PyLongObject *)bound)
                    && !_PyLong_IsNegative((PyLongObject *)bound);
    *place = is_place ? _PyLong_CompactValue((PyLongObject *)bound) : otherwise;
    return is_place || bound == Py_None;
}
static bool plain_slice(PyObject *container, PyObject *start, PyObject *stop, Py_ssize_t *low, Py_ssize_t *high)
{
    return PyList_CheckExact(container) && plain_bound(start, 0, low) && plain_bound(stop, PY_SSIZE_T_MAX, high);
}

/* container, start, stop -> item */
int64_t callout_binary_slice(_PyInterpreterFrame *frame, int64_t oparg)
{
    Py_ssize_t low, high;
    if (plain_slice(OBJECT(3), OBJECT(2), OBJECT(1), &low, &high)) return replace(frame, 3, PyList_GetSlice(OBJECT(3), low, high));
    PyObject *slice = take_slice(frame);
    if (!slice) return -1;
    PyObject *result = PyObject_GetItem(OBJECT(1), slice);
    Py_DECREF(slice);
    return replace(frame, 1, result);
}

/* value, container, start, stop -> */
int64_t callout_store_slice(_PyInterpreterFrame *frame, int64_t oparg)
{
    Py_ssize_t low, high;
    if (plain_slice(OBJECT(3), OBJECT(2), OBJECT(1), &low, &high) && (PyList_CheckExact(OBJECT(4)) || PyTuple_CheckExact(OBJECT(4))))
        return PyList_SetSlice(OBJECT(3), low, high, OBJECT(4)) < 0 ? -1 : pop(frame, 4);
    PyObject *slice = take_slice(frame);
    if (!slice) return -1;
    int error = PyObject_SetItem(OBJECT(1), slice, OBJECT(2));
    Py_DECREF(slice);
    return error < 0 ? -1 : pop(frame, 2);
}

/* callable, self or null, arguments... -> result */
static int64_t call(_PyInterpreterFrame *frame, int64_t count, PyObject *names)
{
    int slots = (int)count + 2 + (names != NULL);
    PyThreadState *tstate = PyThreadState_GetUnchecked();
    if (PyMethod_Check(OBJECT(slots)) && PyStackRef_IsNull(TOP(slots - 1))) {
        _PyStackRef method = TOP(slots);
        TOP(slots - 1) = PyStackRef_FromPyObjectNew(PyMethod_GET_SELF(OBJECT(slots)));
        TOP(slots) = PyStackRef_FromPyObjectNew(PyMethod_GET_FUNCTION(OBJECT(slots)));
        PyStackRef_CLOSE(method);
    }
    PyObject *callable = OBJECT(slots), *buffer[16], **arguments = buffer;
    int has_self = !PyStackRef_IsNull(TOP(slots - 1));
    if (may_call_directly(tstate, callable))
        return replace(frame, slots, direct_call(tstate, &TOP(slots), frame->stackpointer - (slots - 1) + !has_self,
                                                 count + has_self, names));
    if (count + 2 > 16 && !(arguments = PyMem_Malloc((count + 2) * sizeof *arguments))) {
        PyErr_NoMemory();
        return -1;
    }
    for (int64_t i = 0; i < count + has_self; i++) {
        _PyStackRef ref = frame->stackpointer[-(slots - 1) + !has_self + i];
        arguments[1 + i] = PyStackRef_AsPyObjectBorrow(ref);
    }
    size_t positional = (size_t)(count + has_self - (names ? PyTuple_GET_SIZE(names) : 0));
    PyObject *result = PyObject_Vectorcall(callable, arguments + 1, positional | PY_VECTORCALL_ARGUMENTS_OFFSET, names);
    if (arguments != buffer) PyMem_Free(arguments);
    return replace(frame, slots, result);
}

/* class, null, arguments... -> instance, as CALL_ALLOC_AND_ENTER_INIT does it: a class with this version makes its instances
   as `object` does, and the function that is its `__init__` is known. */
int64_t callout_call_class(_PyInterpreterFrame *frame, int64_t version_and_count)
{
    int64_t count = version_and_count & 0xff;
    int slots = (int)count + 2;
    PyThreadState *tstate = PyThreadState_GetUnchecked();
    PyTypeObject *class = (PyTypeObject *)OBJECT(slots);
    if (!PyType_Check(class) || !PyStackRef_IsNull(TOP(slots - 1))
        || _Py_atomic_load_uint32_relaxed(&class->tp_version_tag) != version_and_count >> 8)
        return callout_call(frame, count);
    /* Acquire: partner: _PyType_CacheInitForSpecialization's release. It keeps only what the collector alone frees. */
    PyObject *init = _Py_atomic_load_ptr_acquire(&((PyHeapTypeObject *)class)->_spec_cache.init);
    if (!init || !may_call_directly(tstate, init)) return callout_call(frame, count);
    PyObject *self = PyType_GenericAlloc(class, 0);
    if (!self) return -1;
    _PyStackRef class_ref = TOP(slots);
    TOP(slots) = PyStackRef_FromPyObjectNew(init);
    TOP(slots - 1) = PyStackRef_FromPyObjectNew(self);
    PyStackRef_CLOSE(class_ref);                 /* its instance keeps it */
    PyObject *result = direct_call(tstate, &TOP(slots), &TOP(slots - 1), count + 1, NULL);
    if (result && result != Py_None) {
        PyErr_Format(PyExc_TypeError, "__init__() should return None, not '%.200s'", Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    if (!result) {
        Py_DECREF(self);
        return -1;
    }
    return with_a_look(tstate, replace(frame, slots, self));
}

int64_t callout_call(_PyInterpreterFrame *frame, int64_t count)
{
    return with_a_look(PyThreadState_GetUnchecked(), call(frame, count, NULL));
}
int64_t callout_call_kw(_PyInterpreterFrame *frame, int64_t count)
{
    PyObject *names = OBJECT(1);
    return with_a_look(PyThreadState_GetUnchecked(), call(frame, count, names));
}

int64_t callout_get_iter(_PyInterpreterFrame *frame, int64_t oparg) { return replace(frame, 1, PyObject_GetIter(OBJECT(1))); }

/* iterator -> iterator, item; status 2 when there is none */
int64_t callout_for_iter(_PyInterpreterFrame *frame, int64_t oparg)
{
    PyObject *iterator = OBJECT(1);
    PyObject *item = Py_TYPE(iterator)->tp_iternext(iterator);
    if (!item) {
        if (PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return -1;
            PyErr_Clear();
        }
        return 2;
    }
    *frame->stackpointer++ = handed_over(item);
    return 0;
}

/* value -> nothing; status 2 when the jump is taken: is it None? (`if_none`), is it not? */
int64_t callout_pop_jump_none(_PyInterpreterFrame *frame, int64_t if_none)
{
    bool is_none = OBJECT(1) == Py_None;
    pop(frame, 1);
    return is_none == (bool)if_none ? 2 : 0;
}

/* sequence -> items, the first on top */
int64_t callout_unpack_sequence(_PyInterpreterFrame *frame, int64_t count)
{
    PyObject *sequence = OBJECT(1);
    if (!PyTuple_CheckExact(sequence) && !PyList_CheckExact(sequence)) {
        PyErr_SetString(PyExc_SystemError, "ftjit: unpack_sequence is for exact tuples and lists");
        return -1;
    }
    PyObject *items = PySequence_Tuple(sequence);
    if (!items) return -1;
    if (PyTuple_GET_SIZE(items) != count) {
        Py_ssize_t found = PyTuple_GET_SIZE(items);
        if (found < count) PyErr_Format(PyExc_ValueError, "not enough values to unpack (expected %d, got %zd)", (int)count, found);
        else PyErr_Format(PyExc_ValueError, "too many values to unpack (expected %d, got %zd)", (int)count, found);
        Py_DECREF(items);
        return -1;
    }
    pop(frame, 1);
    for (int64_t i = count; i-- > 0;) *frame->stackpointer++ = PyStackRef_FromPyObjectNew(PyTuple_GET_ITEM(items, i));
    Py_DECREF(items);
    return 0;
}

/* `sequence` is made of the items on the stack, and has their references. */
static int64_t built(_PyInterpreterFrame *frame, int64_t count, PyObject *sequence)
{
    if (!sequence) return -1;
    frame->stackpointer -= count;
    *frame->stackpointer++ = handed_over(sequence);
    return 0;
}
int64_t callout_build_list(_PyInterpreterFrame *frame, int64_t count)
{
    return built(frame, count, _PyList_FromStackRefStealOnSuccess(frame->stackpointer - count, count));
}
int64_t callout_build_tuple(_PyInterpreterFrame *frame, int64_t count)
{
    return built(frame, count, _PyTuple_FromStackRefStealOnSuccess(frame->stackpointer - count, count));
}
int64_t callout_build_map(_PyInterpreterFrame *frame, int64_t count)
{
    PyObject *dict = PyDict_New();
    if (!dict) return -1;
    for (int64_t i = 0; i < count; i++) {
        int64_t at = 2 * (count - i);
        if (PyDict_SetItem(dict, OBJECT(at), OBJECT(at - 1)) < 0) {
            Py_DECREF(dict);
            return -1;
        }
    }
    return replace(frame, (int)(2 * count), dict);
}
int64_t callout_build_slice(_PyInterpreterFrame *frame, int64_t count)
{
    return replace(frame, (int)count, PySlice_New(OBJECT(count), OBJECT(count - 1), count == 3 ? OBJECT(1) : NULL));
}
int64_t callout_build_string(_PyInterpreterFrame *frame, int64_t count)
{
    PyObject *items[count + 1];
    for (int64_t i = 0; i < count; i++) items[i] = OBJECT(count - i);
    PyObject *empty = PyUnicode_New(0, 0);
    PyObject *result = empty ? _PyUnicode_JoinArray(empty, items, count) : NULL;
    Py_XDECREF(empty);
    return replace(frame, (int)count, result);
}
int64_t callout_format_simple(_PyInterpreterFrame *frame, int64_t oparg)
{
    if (PyUnicode_CheckExact(OBJECT(1))) return 0;
    return replace(frame, 1, PyObject_Format(OBJECT(1), NULL));
}
int64_t callout_format_with_spec(_PyInterpreterFrame *frame, int64_t oparg)
{
    return replace(frame, 2, PyObject_Format(OBJECT(2), OBJECT(1)));
}

/* oparg: how far below the item the list is */
int64_t callout_list_append(_PyInterpreterFrame *frame, int64_t oparg)
{
    if (PyList_Append(OBJECT(oparg + 1), OBJECT(1)) < 0) return -1;
    return pop(frame, 1);
}

/* callable list.append, self, item -> None, in one; anything else is a plain call */
int64_t callout_call_list_append(_PyInterpreterFrame *frame, int64_t oparg)
{
    static PyObject *append;
    if (!append) append = PyObject_GetAttrString((PyObject *)&PyList_Type, "append");
    if (PyStackRef_IsNull(TOP(2)) || OBJECT(3) != append || !PyList_CheckExact(OBJECT(2))) return callout_call(frame, 1);
    if (PyList_Append(OBJECT(2), OBJECT(1)) < 0) return -1;
    pop(frame, 3);
    *frame->stackpointer++ = PyStackRef_None;
    return 0;
}

/* Both are exact dicts: guard_plain_globals. */
int64_t callout_load_global(_PyInterpreterFrame *frame, int64_t index)
{
    PyObject *name = name_of(frame, index), *value = NULL;
    if (PyDict_GetItemRef(frame->f_globals, name, &value) < 0) return -1;
    if (!value && PyDict_GetItemRef(frame->f_builtins, name, &value) < 0) return -1;
    if (!value) {
        _PyEval_FormatExcCheckArg(PyThreadState_GetUnchecked(), PyExc_NameError, "name '%.200s' is not defined", name);
        return -1;
    }
    *frame->stackpointer++ = PyStackRef_FromPyObjectSteal(value);
    return 0;
}

int64_t callout_store_global(_PyInterpreterFrame *frame, int64_t index)
{
    if (PyDict_SetItem(frame->f_globals, name_of(frame, index), OBJECT(1)) < 0) return -1;
    return pop(frame, 1);
}

/* The cell of a local: its content, counted. */
int64_t callout_load_deref(_PyInterpreterFrame *frame, int64_t slot)
{
    PyObject *value = PyCell_Get(PyStackRef_AsPyObjectBorrow(frame->localsplus[slot]));
    if (!value) {
        _PyEval_FormatExcUnbound(PyThreadState_GetUnchecked(), _PyFrame_GetCode(frame), (int)slot);
        return -1;
    }
    *frame->stackpointer++ = PyStackRef_FromPyObjectSteal(value);
    return 0;
}
int64_t callout_store_deref(_PyInterpreterFrame *frame, int64_t slot)
{
    PyCell_Set(PyStackRef_AsPyObjectBorrow(frame->localsplus[slot]), OBJECT(1));
    return pop(frame, 1);
}

/* The value on top goes into a local whose old value may have a finaliser. */
int64_t callout_store_fast(_PyInterpreterFrame *frame, int64_t slot)
{
    _PyStackRef old = frame->localsplus[slot];
    frame->localsplus[slot] = *--frame->stackpointer;
    PyStackRef_XCLOSE(old);
    return 0;
}
/* Two in one bytecode: the interpreter cannot go on between them. */
int64_t callout_store_fast_store_fast(_PyInterpreterFrame *frame, int64_t slots)
{
    callout_store_fast(frame, slots >> 4);
    return callout_store_fast(frame, slots & 15);
}
int64_t callout_store_fast_load_fast(_PyInterpreterFrame *frame, int64_t slots)
{
    _PyStackRef old = frame->localsplus[slots >> 4];
    frame->localsplus[slots >> 4] = TOP(1);
    TOP(1) = PyStackRef_DUP(frame->localsplus[slots & 15]);         /* before the old value goes: its end may run code */
    PyStackRef_XCLOSE(old);
    return 0;
}
int64_t callout_pop_top(_PyInterpreterFrame *frame, int64_t oparg) { return pop(frame, 1); }
