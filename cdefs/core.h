/* Everything the units of the C core share. One unit, one concern:
     epoch     who is inside which executor, and when retired code may go    (no Python objects)
     heap      where code bytes live                                         (no Python objects)
     keepsakes objects that machine code refers to
     slot      the record each code object carries; install, swap, retire
     door      the monitoring callbacks: enter machine code, leave it
     direct    calls from machine code to Python functions
     leave     put an exit's state back into the frame; unwind an exception
     inlined   exits out of inlined functions: their frames are made, and run to their end
     snapshot  what the first thread through the door sees, for the compiler
     sampler   the native ticker: where it is hot; it also drives reclamation
     worker    native threads that run the compiler written in Python
     forks     hooks round a fork: our threads stop, and go on
     helpers   what stencils call out of line
   A unit may use only units above it, but for the door, which everything meets in; and snapshot and sampler wake workers. */
#ifndef FTJIT_CORE_H
#define FTJIT_CORE_H
#define Py_BUILD_CORE_MODULE 1
#include <Python.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "internal/pycore_code.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_interpframe.h"
#include "internal/pycore_stackref.h"
#include "internal/pycore_tstate.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_instruments.h"
#include "internal/pycore_ceval.h"
#include "internal/pycore_long.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pystate.h"
#include "internal/pycore_critical_section.h"
#include "activation.h"
#include "counters.h"
#include "epoch.h"
#include "executor.h"
#include "heap.h"

#ifndef Py_GIL_DISABLED
#error "ftjit's core is for free-threaded builds of CPython (configure --disable-gil)"
#endif
#if PY_VERSION_HEX < 0x030e0000 || PY_VERSION_HEX >= 0x030f0000
#error "ftjit's core knows the internals of CPython 3.14 only"
#endif

/* ---- keepsakes --------------------------------------------------------------------------------------------- */

struct keepsakes {
    struct keepsakes *next;
    int64_t count;
    PyObject *objects[];
};
bool keepsakes_wait(void);
void keepsakes_drop(void);

/* ---- slot -------------------------------------------------------------------------------------------------- */

enum entry_state { ENTRY_WANTED, ENTRY_PENDING, ENTRY_INSTALLED, ENTRY_REFUSED };
enum { NO_ENTRY = 0xff };
struct entry {
    _Atomic(struct executor *) executor;
    _Atomic uint8_t state;
    int32_t offset;                  /* bytes: of a loop header, or of the RESUME for the function's start */
    _Atomic uint32_t events;
};
struct slot {
    PyCodeObject *code;              /* not owned: the code object owns the slot */
    int32_t code_units, entry_count;
    int32_t arguments;               /* that it takes, where it takes nothing else and starts with its RESUME; or -1 */
    uint8_t *entry_of_unit;          /* per code unit: which entry starts there, or NO_ENTRY */
    struct entry entries[];
};
#define KEEPS_ITSELF 0xffffffffffffffff  /* what slot_install says; in slot.cdef, too */
extern Py_ssize_t extra_index;
/* PyUnstable_Code_GetExtra without its checks: two acquire loads. The struct is codeobject.c's own. */
struct code_extra {
    Py_ssize_t size;
    void *items[1];
};
static inline struct slot *slot_of(PyCodeObject *code)
{
    struct code_extra *extra = _Py_atomic_load_ptr_acquire(&code->co_extra);
    return extra && extra_index < extra->size ? _Py_atomic_load_ptr_acquire(&extra->items[extra_index]) : NULL;
}
int slot_init(void);

/* ---- kept locks (helpers.c) ---------------------------------------------------------------------------------- */

/* The innermost stay in machine code of this thread. Whoever may block, run code, free an object or leave machine code
   gives its kept lock back first: a thread never waits while it keeps one, so keeping cannot deadlock.
   Right only while machine code runs, and set again after whatever may have run other code: greenlets change the C
   stack without telling anybody. */
extern __thread struct activation *current_activation __attribute__((tls_model("initial-exec")));
static inline void give_back(struct activation *act)
{
    if (!act->kept) return;
    PyMutex *mutex = &((PyObject *)act->kept)->ob_mutex;
    act->kept = NULL;
    PyMutex_Unlock(mutex);
}

/* Does any tool but ours watch this code object (sys.settrace and sys.setprofile are tools 6 and 7)? Exceptions have no
   events of a code object's own (RAISE and the four after it): who watches them watches all code. */
enum { OUR_TOOL = 5 };
static inline bool others_watch(PyInterpreterState *interp, PyCodeObject *code)
{
    uint64_t global;
    _Static_assert(_PY_MONITORING_LOCAL_EVENTS == 11 && _PY_MONITORING_UNGROUPED_EVENTS == 16, "five bytes are the global events");
    memcpy(&global, interp->monitors.tools + 8, 8);
    if (global >> 24 & ~(0x0101010101ull << OUR_TOOL)) return true;
    _PyCoMonitoringData *monitoring = code->_co_monitoring;
    if (!monitoring) return false;
    /* All tools of all events at once: two overlapping words. */
    uint64_t low, high;
    _Static_assert(_PY_MONITORING_LOCAL_EVENTS > 8 && _PY_MONITORING_LOCAL_EVENTS <= 16, "two words hold the events");
    memcpy(&low, monitoring->active_monitors.tools, 8);
    memcpy(&high, monitoring->active_monitors.tools + _PY_MONITORING_LOCAL_EVENTS - 8, 8);
    return (low | high) & ~(0x0101010101010101ull << OUR_TOOL);
}

/* Would its end run code? Then nothing of ours may keep it alive. */
static inline bool has_finaliser(PyObject *value) { return Py_TYPE(value)->tp_finalize || Py_TYPE(value)->tp_del; }

/* The exception out of Python code of ours that ran in the program's thread. For lack of memory or stack: forgotten, the
   program goes on without us. Any other is the program's, of a signal handler that ran there: -1, and it is raised. */
static inline int pass_on_exception(void)
{
    if (!PyErr_Occurred()) return 0;
    if (!PyErr_ExceptionMatches(PyExc_MemoryError) && !PyErr_ExceptionMatches(PyExc_RecursionError)) return -1;
    PyErr_Clear();
    return 0;
}

/* ---- leave, door, snapshot, sampler, worker ----------------------------------------------------------------- */

/* How leaving may fail: for lack of memory, and then the frame misses values; by an exception of what is called. */
enum { LEAVE_DAMAGED = -1, LEAVE_RAISED = -2 };
int64_t bits_at(struct activation *, int place, int64_t value);
int leave_to_frame(struct activation *, struct exit_record *, _PyInterpreterFrame *);
int leave_take(struct activation *, struct exit_record *, _PyInterpreterFrame *, _PyStackRef *fresh);
void leave_put(struct activation *, struct exit_record *, _PyInterpreterFrame **, const _PyStackRef *fresh);
int leave_inlined(struct activation *, struct exit_record *, PyThreadState *, _PyInterpreterFrame *);
int unwind_exception(PyThreadState *, _PyInterpreterFrame *, bool damaged);
int tell_tools(PyThreadState *, _PyInterpreterFrame *, int event, int unit);
void add_to_traceback(PyThreadState *);
int exception_handler_of(PyCodeObject *, int unit, int *level, int *handler, int *lasti);

int give_functions(PyObject *give, PyMethodDef *, size_t count);
int snapshot_take(struct slot *, struct entry *, int is_start, _PyInterpreterFrame *);

int door_is_enabled(void);
void door_shut_for_fork(int shut);
PyObject *visit(PyObject *callable, PyObject *argument);
int native_thread_start(unsigned long *thread, void *(*run)(void *), void *argument);
PyObject *sampler_take_hot(void);
void condition_init(pthread_cond_t *);
void sampler_init(void);
void sampler_hold(void);
void sampler_go_on(void);
void sampler_try_again(void);
void sampler_after_fork(void);
void slot_after_fork(void);
void worker_wake(void);
void worker_init(void);
int worker_is_owed(void);
int worker_stop(double seconds);
void worker_allow(void);
void worker_after_fork(void);
void core_after_fork(void);
#endif
