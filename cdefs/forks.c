/* Round a fork: our threads stop, nobody drives reclamation, the door is shut; then all of it goes on, on both sides. The
   first of several forks at once stops them, the last one lets them go on; none waits for another, which may wait, in
   another module's hook, for what this thread holds.
   CPython counts the process's threads right after a fork and warns of more than one; and what another thread holds at a
   fork is held for ever in the child.

   The hooks are C functions: no bytecode runs in them, so no signal handler can cut one short. */
#include "core.h"

static PyMutex turn;                     /* who stops our threads or starts them, to the end; never held across a fork */
static int forking;                      /* under `turn`: so many forks are under way, in all threads */
static _Thread_local int mine;           /* of these, this thread's: a signal handler may fork in the midst of a fork */
static PyObject *locks;                  /* a tuple of Python's RLocks that are ours, held for ever */

static PyObject *before(PyObject *self, PyObject *unused)
{
    mine++;
    PyMutex_Lock(&turn);
    if (forking++ == 0) {
        Py_BEGIN_ALLOW_THREADS           /* a worker ends its compilation, attached */
        sampler_hold();
        worker_stop(10.0);
        door_fork_begins();
        Py_END_ALLOW_THREADS
    }
    PyMutex_Unlock(&turn);
    Py_RETURN_NONE;
}

static PyObject *after(PyObject *self, PyObject *unused)
{
    if (mine == 0) Py_RETURN_NONE;       /* ftjit was first used in the midst of this fork */
    mine--;
    PyMutex_Lock(&turn);
    if (--forking == 0) {
        door_fork_is_over();
        worker_allow();
        sampler_go_on();
    }
    PyMutex_Unlock(&turn);
    Py_RETURN_NONE;
}

static PyObject *after_in_child(PyObject *self, PyObject *unused)
{
    core_after_fork();
    turn = (PyMutex){0};                 /* whoever had it, or forks as well, is not here */
    forking = mine = mine ? mine : 1;
    for (Py_ssize_t i = 0; locks && i < PyTuple_GET_SIZE(locks); i++) {
        PyObject *lock = PyTuple_GET_ITEM(locks, i), *owned = PyObject_CallMethod(lock, "_is_owned", NULL);
        /* This thread's own, where a signal handler forks: it gives it back itself. */
        PyObject *done = owned == Py_True ? Py_NewRef(owned) : PyObject_CallMethod(lock, "_at_fork_reinit", NULL);
        if (!done || !owned) PyErr_WriteUnraisable(NULL);
        Py_XDECREF(owned);
        Py_XDECREF(done);
    }
    return after(self, unused);
}

static PyMethodDef hooks[] = {
    {"before", before, METH_NOARGS, "Before a fork."},
    {"after_in_parent", after, METH_NOARGS, "After it, in the parent."},
    {"after_in_child", after_in_child, METH_NOARGS, "After it, in the child."},
};

/* Is this thread in the midst of a fork? */
int forks_here(void) { return mine; }

/* Call give(name, hook) for each of the hooks; the child makes `lock_tuple`'s locks anew. Once a process. */
int forks_give(uintptr_t give, uintptr_t lock_tuple)
{
    PyGILState_STATE state = PyGILState_Ensure();
    locks = Py_NewRef((PyObject *)lock_tuple);
    int result = give_functions((PyObject *)give, hooks, sizeof hooks / sizeof hooks[0]);
    PyGILState_Release(state);
    return result;
}
