/* What direct calls need of the door, and what call outs need of direct calls. */
#ifndef FTJIT_DIRECT_H
#define FTJIT_DIRECT_H
#include "core.h"

enum { LEFT = 0, LEFT_BY_RETURN = 1 };
int run_executor(struct record *, _Atomic(struct executor *) *place, struct executor *, PyThreadState *,
                 _PyInterpreterFrame *, struct entry *);
bool stack_is_short(PyThreadState *);
bool other_tool_registered(PyInterpreterState *);
PyObject *direct_call(PyThreadState *, PyObject *callable, _PyStackRef *arguments, Py_ssize_t count, bool *done);
#endif
