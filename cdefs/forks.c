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
static PyObject *shared;                 /* a dict that the program's threads reach at any moment, held for ever */

/* The program's threads that are in Python code of ours, for which the forking thread waits: an object's mutex is handed
   to the thread that waits for it, and if that one is not in the child, the child waits for ever. */
static _Atomic uint32_t visitors;
static _Thread_local uint32_t my_visits;

/* callable(argument). NULL without an exception while a fork is under way, or when ftjit is off. */
PyObject *visit(PyObject *callable, PyObject *argument)
{
    atomic_fetch_add(&visitors, 1);      /* partner: wait_for_visitors, which shuts the door first. It sees us, or we that */
    my_visits++;
    PyThreadState *tstate = PyThreadState_GetUnchecked();
    PyThreadState_EnterTracing(tstate);                  /* the program's tools do not hear of the compiler */
    PyObject *result = door_is_enabled() ? PyObject_CallOneArg(callable, argument) : NULL;
    PyThreadState_LeaveTracing(tstate);
    my_visits--;
    atomic_fetch_sub(&visitors, 1);
    return result;
}

static void wait_for_visitors(time_t seconds)
{
    struct timespec now, until, pause = {0, 100000};
    clock_gettime(CLOCK_MONOTONIC, &until);
    do {
        if (!atomic_load(&visitors)) return;
        nanosleep(&pause, NULL);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec < until.tv_sec + seconds);
}

static PyObject *before(PyObject *self, PyObject *unused)
{
    if (mine++ == 0) atomic_fetch_sub(&visitors, my_visits);       /* nobody waits for who forks */
    PyMutex_Lock(&turn);
    if (forking++ == 0) {
        Py_BEGIN_ALLOW_THREADS           /* a worker ends its compilation, attached */
        sampler_hold();
        worker_stop(10.0);
        door_shut_for_fork(1);
        wait_for_visitors(10);
        reclaim_pause();
        Py_END_ALLOW_THREADS
    }
    PyMutex_Unlock(&turn);
    Py_RETURN_NONE;
}

static PyObject *after(PyObject *self, PyObject *unused)
{
    if (mine == 0) Py_RETURN_NONE;       /* ftjit was first used in the midst of this fork */
    if (--mine == 0) atomic_fetch_add(&visitors, my_visits);
    PyMutex_Lock(&turn);
    if (--forking == 0) {
        door_shut_for_fork(0);
        reclaim_resume();
        worker_allow();
        sampler_go_on();
    }
    PyMutex_Unlock(&turn);
    Py_RETURN_NONE;
}

/* In the child, before anything runs. No thread stopped in the midst of a change: that happens where Python code runs, and
   the keys are ints. */
static void first_in_child(void) { shared->ob_mutex = (PyMutex){0}; }

static PyObject *after_in_child(PyObject *self, PyObject *unused)
{
    core_after_fork();
    turn = (PyMutex){0};                 /* whoever had it, or forks as well, is not here */
    forking = mine = mine ? mine : 1;
    visitors = 0;                        /* this thread's come with `after` */
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

/* Call give(name, hook) for each of the hooks; the child makes `lock_tuple`'s locks anew, and `dict`'s own. Once a
   process. */
int forks_give(uintptr_t give, uintptr_t lock_tuple, uintptr_t dict)
{
    PyGILState_STATE state = PyGILState_Ensure();
    locks = Py_NewRef((PyObject *)lock_tuple);
    shared = Py_NewRef((PyObject *)dict);
    int result = give_functions((PyObject *)give, hooks, sizeof hooks / sizeof hooks[0]);
    if (pthread_atfork(NULL, NULL, first_in_child) != 0) result = -1;
    PyGILState_Release(state);
    return result;
}
