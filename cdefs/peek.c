/* What the compiler may look at: objects that the program holds, one load further than the snapshot. Nothing runs, and
   what has a finaliser is not held, not even for a moment: its end is the program's to see, in the program's thread.
   Whoever takes something out of a container has the container's lock: here it is held over the look. */
#include "core.h"
#include "internal/pycore_dict.h"

/* A number that no other thread may count, as then its owner could no longer write into its box: one of the same type
   will do for a guess. */
static PyObject *like(PyObject *value)
{
    static PyObject *some_float;
    if (PyLong_CheckExact(value)) return PyLong_FromLong(0);
    if (!PyFloat_CheckExact(value)) return NULL;
    if (!some_float && (some_float = PyFloat_FromDouble(0.5))) _Py_SetImmortal(some_float);
    return some_float;
}

/* A reference to the value at `place`, or to one like it, or NULL. The container's lock is held. */
static PyObject *look(PyObject **place)
{
    PyObject *value = _Py_atomic_load_ptr_acquire(place);
    if (!value || has_finaliser(value)) return NULL;
    PyObject *other = _Py_TryIncrefCompare(place, value) ? value : like(value);
    return other ? other : Py_NewRef(value);
}

static PyObject *managed_dict(PyObject *object)
{
    return Py_TYPE(object)->tp_flags & Py_TPFLAGS_MANAGED_DICT ? (PyObject *)_PyObject_GetManagedDict(object) : NULL;
}

/* A reference to the number at `place`, or NULL: for code that is to know it again. Its box is written by nobody from now
   on. The container's lock is held. */
static PyObject *number_itself(PyObject **place)
{
    PyObject *value = _Py_atomic_load_ptr_acquire(place);
    return value && (PyLong_CheckExact(value) || PyFloat_CheckExact(value)) ? Py_NewRef(value) : NULL;
}

/* (object, type version, byte offset, otherwise) */
static PyObject *attribute(PyObject *const *args, PyObject *(*look)(PyObject **))
{
    long version = PyLong_AsLong(args[1]), offset = PyLong_AsLong(args[2]);
    PyObject *object = args[0], *dict, *found = NULL;
    Py_BEGIN_CRITICAL_SECTION(object);
    dict = Py_XNewRef(managed_dict(object));
    Py_END_CRITICAL_SECTION();
    Py_BEGIN_CRITICAL_SECTION2(object, dict ? dict : object);      /* once there is a dict, its lock guards the values */
    if (Py_TYPE(object)->tp_version_tag == (unsigned int)version && managed_dict(object) == dict)
        found = look((PyObject **)((char *)object + offset));
    Py_END_CRITICAL_SECTION2();
    Py_XDECREF(dict);
    return found ? found : Py_NewRef(args[3]);
}

static PyObject *peek_attribute(PyObject *self, PyObject *const *args, Py_ssize_t nargs) { return attribute(args, look); }
static PyObject *peek_number(PyObject *self, PyObject *const *args, Py_ssize_t nargs) { return attribute(args, number_itself); }

/* item(sequence, index, otherwise): of an exact list or tuple; anything else has none. */
static PyObject *peek_item(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *sequence = args[0], *found = NULL;
    Py_ssize_t index = PyLong_AsSsize_t(args[1]);
    Py_BEGIN_CRITICAL_SECTION(sequence);
    if (PyList_CheckExact(sequence) && (size_t)index < (size_t)PyList_GET_SIZE(sequence))
        found = look(&((PyListObject *)sequence)->ob_item[index]);
    else if (PyTuple_CheckExact(sequence) && (size_t)index < (size_t)PyTuple_GET_SIZE(sequence))
        found = look(&((PyTupleObject *)sequence)->ob_item[index]);
    Py_END_CRITICAL_SECTION();
    return found ? found : Py_NewRef(args[2]);
}

/* value(dict, name, otherwise): of an exact dict, by a str. Not where keys may be no strings: they compare by code of their own. */
static PyObject *peek_value(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *found = NULL;
    if (PyDict_CheckExact(args[0])) {
        Py_BEGIN_CRITICAL_SECTION(args[0]);
        if (((PyDictObject *)args[0])->ma_keys->dk_kind != DICT_KEYS_GENERAL) found = PyDict_GetItemWithError(args[0], args[1]);
        found = found && !has_finaliser(found) ? Py_NewRef(found) : NULL;
        Py_END_CRITICAL_SECTION();
    }
    return found ? found : PyErr_Occurred() ? NULL : Py_NewRef(args[2]);
}

static PyMethodDef methods[] = {
    {"attribute", (PyCFunction)(void *)peek_attribute, METH_FASTCALL, "What an instance holds at an offset."},
    {"number", (PyCFunction)(void *)peek_number, METH_FASTCALL, "The very number that an instance holds at an offset."},
    {"item", (PyCFunction)(void *)peek_item, METH_FASTCALL, "What a list or a tuple holds at an index."},
    {"value", (PyCFunction)(void *)peek_value, METH_FASTCALL, "What a dict holds under a name."},
};

/* Call give(name, function) for each of `count` functions. 0, or -1 with the exception printed. Attached threads only. */
int give_functions(PyObject *give, PyMethodDef *definitions, size_t count)
{
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++) {
        PyObject *function = PyCFunction_New(&definitions[i], NULL);
        PyObject *done = function ? PyObject_CallFunction(give, "sO", definitions[i].ml_name, function) : NULL;
        if (!done) {
            PyErr_WriteUnraisable(NULL);
            result = -1;
        }
        Py_XDECREF(function);
        Py_XDECREF(done);
    }
    return result;
}

int peek_give(uintptr_t give)
{
    PyGILState_STATE state = PyGILState_Ensure();
    int result = give_functions((PyObject *)give, methods, sizeof methods / sizeof methods[0]);
    PyGILState_Release(state);
    return result;
}
