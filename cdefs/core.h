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
     helpers   what stencils call out of line
   A unit may use only units above it, but for the door, which everything meets in. */
#ifndef FTJIT_CORE_H
#define FTJIT_CORE_H
#define Py_BUILD_CORE_MODULE 1
#include <Python.h>
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

#ifndef Py_GIL_DISABLED
#error "ftjit's core is for free-threaded builds of CPython (configure --disable-gil)"
#endif
#if PY_VERSION_HEX < 0x030e0000 || PY_VERSION_HEX >= 0x030f0000
#error "ftjit's core knows the internals of CPython 3.14 only"
#endif

/* ---- executors --------------------------------------------------------------------------------------------- */

/* How one value gets back to its home when machine code is left. Python packs these (backend/exits.py). */
enum move_kind { MOVE_INT, MOVE_FLOAT, MOVE_BOOL, MOVE_NEW_REFERENCE, MOVE_LOCAL, MOVE_CONSTANT, MOVE_NULL,
                 MOVE_SAME, MOVE_RANGE_ITERATOR, MOVE_MAYBE };
enum place_kind { PLACE_INT_REGISTER, PLACE_FLOAT_REGISTER, PLACE_SPILL, PLACE_IMMEDIATE };
struct move {
    uint8_t kind, place[3];
    int16_t slot, frame;             /* of localsplus; of the frame that was entered (0), or of an inlined one above it */
    int64_t value[3];
};

/* One way out. `offset` is where the interpreter goes on, in bytes from the start of the bytecode. Out of inlined
   functions it is the CALL, and the frames of the `inners` have to be made. */
struct exit_record {
    int32_t offset;
    int16_t reason, depth;
    int32_t first_move, moves;
    int32_t first_inner, inners;
    _Atomic uint64_t taken;
};
/* The frame of an inlined function, as an exit finds it: at `offset` of `code`, `depth` entries on its stack. `kept`
   entries on the stack of the frame below go when it returns. */
struct inner_frame {
    int64_t function;                /* where the function object is: with `place`, as in a move */
    PyCodeObject *code;              /* the executor keeps it */
    int32_t offset;
    int16_t depth;
    uint8_t place, kept;
};
enum { INLINE_DEPTH = 4 };           /* inlined frames on top of each other, at most */
enum exit_reason { REASON_RETURN, REASON_POLL, REASON_STATUS, REASON_FIRST_DEOPT };

/* Immutable once installed, but for `valid` (1, later 0, never back), the counters, and what reclamation keeps. */
struct executor {
    const void *code;
    _Atomic uint32_t valid;
    uint32_t exit_count;
    struct exit_record *exits;
    struct move *moves;
    struct inner_frame *inner_frames;
    struct keepsakes *keeps;         /* objects that the code refers to */
    struct region *region;
    uint32_t inlines;                /* frames of inlined functions on top of each other, at most */
    uint32_t inline_words;           /* what they take of the data stack */
    uint64_t number;                 /* never reused: names the executor in reports */
    uint64_t code_bytes;
    _Atomic uint32_t used_at;        /* the era (below) in which it was left last, or somebody was seen inside */
    /* reclamation's own, touched by its single driver only */
    uint64_t retired_at;
    uint64_t seen_active;
    struct executor *next_retired;
};

/* ---- epoch ------------------------------------------------------------------------------------------------- */

enum { CHUNK = 30 };
struct active_chunk {
    _Atomic(struct executor *) active[CHUNK];
    _Atomic(struct active_chunk *) next;
};
struct record {
    _Atomic uint64_t epoch;          /* 0, or the epoch this thread is pinned at */
    uint32_t depth;                  /* owner's only: records in use */
    _Atomic uint32_t taken;          /* 1 while a thread owns the record */
    uint64_t entries, exits, deopts; /* owner's counters; read by others for statistics only */
    struct record *next;
    struct active_chunk first;
} __attribute__((aligned(128)));

extern __thread struct record *my_record __attribute__((tls_model("initial-exec")));
extern _Atomic uint64_t global_epoch;
extern bool asymmetric;                  /* readers need no fence: the driver interrupts them instead */
struct record *record_register(void);
static inline struct record *record_self(void) { return my_record ? my_record : record_register(); }
_Atomic(struct executor *) *activation_room(struct record *);
void activation_unwind(struct record *);

/* Partner: driver_fence in epoch.c. Serves step 2 of the proof there. */
static inline void reader_fence(void)
{
    if (asymmetric) atomic_signal_fence(memory_order_seq_cst);
    else atomic_thread_fence(memory_order_seq_cst);
}

/* Enter what `entry` names now (the numbers are those of epoch.c). Returns the activation's place, or NULL when there
   is nothing to enter. */
static inline _Atomic(struct executor *) *activation_enter(struct record *record, _Atomic(struct executor *) *entry,
                                                           struct executor **executor)
{
    _Atomic(struct executor *) *place = record->depth < CHUNK ? &record->first.active[record->depth]
                                                              : activation_room(record);
    if (!place) return NULL;
    atomic_store_explicit(&record->epoch, atomic_load_explicit(&global_epoch, memory_order_relaxed),
                          memory_order_relaxed);                                                    /* (1) */
    reader_fence();
    struct executor *found = atomic_load_explicit(entry, memory_order_acquire);                     /* (2) partner: install */
    if (found) atomic_store_explicit(place, found, memory_order_relaxed);                           /* (3) */
    atomic_store_explicit(&record->epoch, 0, memory_order_release);                                 /* (4) partner: (8) */
    if (!found) return NULL;
    record->depth++;
    *executor = found;
    return place;
}

/* Called when control has left the executor. Out-of-order leaves (greenlets) leave a hole; places never move. */
static inline void activation_leave(struct record *record, _Atomic(struct executor *) *place)
{
    atomic_store_explicit(place, NULL, memory_order_release);                                       /* (5) partner: (9) */
    if (record->depth == 1 && place == &record->first.active[0]) record->depth = 0;
    else activation_unwind(record);
}
void executor_retire(struct executor *);
int reclaim(void);
void epoch_after_fork(void);
int epoch_init(void);

/* ---- heap -------------------------------------------------------------------------------------------------- */

struct region *region_create(uint64_t size);
char *region_base(struct region *);
int region_seal(struct region *, const char *bytes, uint64_t size);
void region_release(struct region *);
void region_hold(struct region *);

/* How recently executors were used, for choosing what goes when the heap is full. An era is 64 ms of the ticker's. */
extern _Atomic uint32_t executor_era;
static inline void executor_used(struct executor *executor)
{
    uint32_t era = atomic_load_explicit(&executor_era, memory_order_relaxed);
    if (atomic_load_explicit(&executor->used_at, memory_order_relaxed) != era)
        atomic_store_explicit(&executor->used_at, era, memory_order_relaxed);
}

/* ---- keepsakes --------------------------------------------------------------------------------------------- */

struct keepsakes {
    struct keepsakes *next;
    int64_t count;
    PyObject *objects[];
};
void keepsakes_drop_later(struct keepsakes *);
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
    uint8_t *entry_of_unit;          /* per code unit: which entry starts there, or NO_ENTRY */
    struct entry entries[];
};
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

/* Does any tool but ours watch this code object (sys.settrace and sys.setprofile are tools 6 and 7)? */
enum { OUR_TOOL = 5 };
static inline bool others_watch(PyCodeObject *code)
{
    _PyCoMonitoringData *monitoring = code->_co_monitoring;
    if (!monitoring) return false;
    /* All tools of all events at once: two overlapping words. */
    uint64_t low, high;
    _Static_assert(_PY_MONITORING_LOCAL_EVENTS > 8 && _PY_MONITORING_LOCAL_EVENTS <= 16, "two words hold the events");
    memcpy(&low, monitoring->active_monitors.tools, 8);
    memcpy(&high, monitoring->active_monitors.tools + _PY_MONITORING_LOCAL_EVENTS - 8, 8);
    return (low | high) & ~(0x0101010101010101ull << OUR_TOOL);
}

/* ---- leave, door, snapshot, sampler, worker ----------------------------------------------------------------- */

int64_t bits_at(struct activation *, int place, int64_t value);
int leave_to_frame(struct activation *, struct exit_record *, _PyInterpreterFrame *);
int leave_to_frames(struct activation *, struct exit_record *, _PyInterpreterFrame **);
int leave_inlined(struct activation *, struct exit_record *, PyThreadState *, _PyInterpreterFrame *);
int unwind_exception(PyThreadState *, _PyInterpreterFrame *);
int exception_handler_of(PyCodeObject *, int unit, int *level, int *handler, int *lasti);

int snapshot_take(struct slot *, struct entry *, int is_start, _PyInterpreterFrame *);

int door_is_enabled(void);
int native_thread_start(unsigned long *thread, void *(*run)(void *), void *argument);
PyObject *sampler_take_hot(void);
void sampler_after_fork(void);
void worker_wake(void);
int worker_is_owed(void);
void worker_after_fork(void);

struct counters {
    _Atomic uint64_t installed, swapped, retired, freed, limbo_bytes, limbo_executors, code_bytes, region_bytes,
        unwinds, samples, ticks, advances, reclaims, snapshots, ticks_unanswered, retired_inside, heap_bytes,
        regions, threads_refused;
};
extern struct counters counters;
#define COUNT(field, n) atomic_fetch_add_explicit(&counters.field, (n), memory_order_relaxed)
#endif
