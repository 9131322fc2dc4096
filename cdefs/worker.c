/* Workers: native threads that attach to the interpreter while there is something to compile and run the compiler,
   which is Python. `threading` does not know them; they keep nothing alive and are gone before fork and exit. */
#include "core.h"
#include <pthread.h>
#include <time.h>

static PyObject *work;                    /* work(hot_code_objects): returns when there is nothing left to do */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;            /* worker_init */
enum { ENDED = 16 };
static pthread_t ended[ENDED];            /* threads on their last instructions: joined, or a fork would find them */
static int alive, most = 1, ended_count;
static _Thread_local int is_worker;       /* 1 in a worker: what it drops may fork */
static bool refused;                      /* before fork and at exit: no new worker */
static bool over;                         /* the interpreter ends: `refused` for good */
static _Atomic uint32_t asked;            /* somebody wanted a worker since the last look */

static void run_once(void)
{
    PyGILState_STATE state = PyGILState_Ensure();
    PyThreadState_EnterTracing(PyThreadState_GetUnchecked());       /* the program's tools do not hear of the compiler */
    keepsakes_drop();
    PyObject *codes = PyList_New(0), *code;
    while (codes && (code = sampler_take_hot())) {
        if (PyList_Append(codes, code) < 0) PyErr_Clear();      /* it gets hot again */
        Py_DECREF(code);
    }
    PyObject *done = codes ? PyObject_CallOneArg(work, codes) : NULL;
    if (!done) PyErr_WriteUnraisable(work);
    Py_XDECREF(done);
    Py_XDECREF(codes);
    PyThreadState_LeaveTracing(PyThreadState_GetUnchecked());
    PyGILState_Release(state);
}

static void *worker(void *unused)
{
    is_worker = 1;
    for (;;) {
        atomic_store(&asked, 0);
        run_once();
        pthread_mutex_lock(&lock);
        if (refused || !atomic_load(&asked)) {
            if (refused) atomic_store(&asked, 1);          /* something may be left to do: worker_allow looks */
            alive--;
            if (ended_count < ENDED) ended[ended_count++] = pthread_self();
            else pthread_detach(pthread_self());
            pthread_cond_broadcast(&changed);
            pthread_mutex_unlock(&lock);
            return unused;
        }
        pthread_mutex_unlock(&lock);
    }
}

/* `lock` is held: they have given it back for the last time. */
static void join_ended(void)
{
    while (ended_count) pthread_join(ended[--ended_count], NULL);
}

/* Something to do: make sure that a worker looks. Callable from any thread, attached or not. */
void worker_wake(void)
{
    sampler_try_again();
    pthread_mutex_lock(&lock);            /* held for a few instructions, or for one thread's start or last ones; never across Python */
    atomic_store(&asked, 1);
    if (work && !refused && alive < most) {
        pthread_t thread;
        join_ended();
        if (native_thread_start(&thread, worker, NULL) == 0) alive++;
        else COUNT(threads_refused, 1);            /* tried again at the next wake */
    }
    pthread_mutex_unlock(&lock);
}

void worker_init(void) { condition_init(&changed); }

void worker_set(uintptr_t callable, int threads)
{
    PyGILState_STATE state = PyGILState_Ensure();
    work = Py_NewRef((PyObject *)callable);
    most = threads;
    PyGILState_Release(state);
}

/* No new workers, and wait for those there are. Returns how many were still at work after `seconds`. */
int worker_stop(double seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)seconds;
    pthread_mutex_lock(&lock);
    refused = true;
    while (alive > is_worker && pthread_cond_timedwait(&changed, &lock, &until) == 0) {}
    int left = alive - is_worker;
    join_ended();
    pthread_mutex_unlock(&lock);
    return left;
}

/* At the interpreter's end: the same, and for good. */
void worker_end(double seconds)
{
    pthread_mutex_lock(&lock);
    over = true;
    pthread_mutex_unlock(&lock);
    worker_stop(seconds);
}

void worker_allow(void)
{
    pthread_mutex_lock(&lock);
    refused = over;
    pthread_mutex_unlock(&lock);
    if (atomic_load(&asked)) worker_wake();
}

/* Somebody wanted a worker and the system gave no thread. */
int worker_is_owed(void)
{
    pthread_mutex_lock(&lock);
    bool owed = !refused && !alive && atomic_load(&asked);
    pthread_mutex_unlock(&lock);
    return owed;
}

int worker_is_stopping(void) { return refused; }

void worker_after_fork(void)
{
    pthread_mutex_init(&lock, NULL);
    condition_init(&changed);
    alive = is_worker;
    ended_count = 0;
}

/* In the forked child, from our after-fork hook. */
void core_after_fork(void)
{
    PyGILState_STATE state = PyGILState_Ensure();
    epoch_after_fork();
    slot_after_fork();
    sampler_after_fork();
    worker_after_fork();
    PyGILState_Release(state);
}
