/* What call outs need of direct calls. */
#ifndef FTJIT_DIRECT_H
#define FTJIT_DIRECT_H
#include "core.h"

bool may_call_directly(PyThreadState *, PyObject *callable);
PyObject *direct_call(PyThreadState *, PyObject *callable, _PyStackRef *arguments, Py_ssize_t count, PyObject *names);
void frame_abandon(PyThreadState *, _PyInterpreterFrame *, _PyInterpreterFrame *caller);
#endif
