/* Round a fork: our threads stop, nobody drives reclamation, the door is shut; then all of it goes on, on both sides.
   CPython counts the process's threads right after a fork and warns of more than one; and what another thread holds at a
   fork is held for ever in the child.

   The hooks are C functions: no bytecode runs in them, so no signal handler can cut one short. */
#include "core.h"

static PyMutex turn;                     /* one thread at a time stops our threads, forks, and starts them again */
static _Atomic uintptr_t whose;          /* the thread that has it, 0 for none: only that one finds itself here */
static int depth;                        /* under `turn`: a signal handler may fork in the midst of a fork */
static bool was_sampling;                /* under `turn` */
static PyObject *locks;                  /* a tuple of Python's RLocks that are ours, held for ever */

static bool is_my_turn(void) { return atomic_load_explicit(&whose, memory_order_relaxed) == PyThread_get_thread_ident(); }

static PyObject *before(PyObject *self, PyObject *unused)
{
    if (is_my_turn()) {
        depth++;
        Py_RETURN_NONE;
    }
    PyMutex_Lock(&turn);
    atomic_store_explicit(&whose, PyThread_get_thread_ident(), memory_order_relaxed);
    depth = 1;
    was_sampling = sampler_is_running();
    Py_BEGIN_ALLOW_THREADS               /* a worker ends its compilation, attached */
    sampler_stop();
    worker_stop(10.0);
    door_fork_begins();
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *after(PyObject *self, PyObject *unused)
{
    if (!is_my_turn() || --depth > 0) Py_RETURN_NONE;
    door_fork_is_over();
    worker_allow();
    if (was_sampling) sampler_restart();
    atomic_store_explicit(&whose, 0, memory_order_relaxed);
    PyMutex_Unlock(&turn);
    Py_RETURN_NONE;
}

static PyObject *after_in_child(PyObject *self, PyObject *unused)
{
    core_after_fork();
    turn = (PyMutex){_Py_LOCKED};        /* ours; whoever waited for it is not here */
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

/* Call give(name, hook) for each of the hooks; the child makes `lock_tuple`'s locks anew. Once a process. */
int forks_give(uintptr_t give, uintptr_t lock_tuple)
{
    PyGILState_STATE state = PyGILState_Ensure();
    locks = Py_NewRef((PyObject *)lock_tuple);
    int result = give_functions((PyObject *)give, hooks, sizeof hooks / sizeof hooks[0]);
    PyGILState_Release(state);
    return result;
}
