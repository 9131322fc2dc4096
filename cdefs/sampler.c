/* The sampler: a native thread that asks one busy thread after the other where it is. The question is a pending call:
   it runs inside that thread at its next check (RESUME, JUMP_BACKWARD, CALL), looks at its bytecode at most, takes no lock,
   makes no object and never detaches. One question is outstanding at a time, which makes the table below
   single-writer. The same native thread drives reclamation. It has no thread state and blocks all signals. */
#include "core.h"
#include <opcode.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

enum { TABLE = 1024, ERA_MS = 64, REMIND_MS = 250, HOT_ROOM = 16, WINDOW = 1024, CALLERS = 4 };
enum { SHARE = 32, SOON = 3, QUIET = 64, SLOWER = 4, SLOWEST_MS = 16 };           /* see pace_after */
static struct {
    PyCodeObject *code;                                              /* only compared, never followed */
    uint32_t count;
    bool dull;                                                       /* it was not worth compiling: meeting it is no news */
} seen[TABLE];
static uint32_t counted;                                             /* the sum of the counts, more or less */
static _Atomic(PyObject *) hot[HOT_ROOM];                            /* owned, until a worker takes them */
static _Atomic uint32_t hot_waiting, outstanding, news, hot_samples = 6;
static _Atomic uint64_t tick_us = 1000;

static pthread_t ticker;
static pthread_mutex_t control = PTHREAD_MUTEX_INITIALIZER;          /* who starts or stops it, to the end; before ticker_lock */
static pthread_mutex_t ticker_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ticker_wake;                                  /* sampler_init */
static bool running, stopping, paused, over;
static bool owed;                        /* the system refused the thread: it is started when there is something to do */
static bool held, awaited;                                           /* under `control`: see sampler_hold */
static _Atomic uint32_t waiting_for_room;                            /* code that found the heap full: try again */
static uint64_t last_asked;                                          /* thread state id, for taking turns */
static uint64_t quiet = SOON, pace;                                  /* the ticker's; a pause changes neither */

/* ---- the answer, inside a Python thread ------------------------------------------------------------------------ */

static void offer_hot(PyCodeObject *code)
{
    for (int i = 0; i < HOT_ROOM; i++) {
        PyObject *empty = NULL;
        if (atomic_load_explicit(&hot[i], memory_order_relaxed)) continue;
        if (atomic_compare_exchange_strong(&hot[i], &empty, Py_NewRef(code))) {
            atomic_store(&hot_waiting, 1);
            return;
        }
        Py_DECREF(code);                 /* the frame holds it too: never the last reference */
    }
}

/* Is it worth having? A sample answered at a CALL says that the time went into C; without a loop of its own, code that
   calls it from there gains nothing by being compiled. */
static bool worth_compiling(_PyInterpreterFrame *frame, PyCodeObject *code)
{
    int at = frame->instr_ptr->op.code;
    if (at == RESUME || at == RESUME_CHECK || at == INSTRUMENTED_RESUME) return true;
    _Py_CODEUNIT *units = _PyFrame_GetBytecode(frame);
    for (Py_ssize_t i = 0; i < Py_SIZE(code); i++)           /* a cache entry may look like one: then it is compiled */
        if (units[i].op.code == JUMP_BACKWARD || units[i].op.code == JUMP_BACKWARD_NO_JIT
            || units[i].op.code == INSTRUMENTED_JUMP_BACKWARD)
            return true;
    return false;
}

static void count(_PyInterpreterFrame *frame, PyCodeObject *code, bool is_caller)
{
    if (++counted >= WINDOW) {                   /* hot is what takes its share now, not what ran a little for long */
        for (int i = 0; i < TABLE; i++)
            if (!(seen[i].count /= 2)) seen[i].code = NULL, seen[i].dull = false;
        counted /= 2;
    }
    size_t at = ((uintptr_t)code >> 5) % TABLE;
    for (int probe = 0; probe < 8; probe++, at = (at + 1) % TABLE) {
        if (seen[at].code && seen[at].code != code) continue;
        seen[at].code = code;
        if (seen[at].count && !seen[at].dull && (seen[at].count + 1) * SHARE >= counted)
            atomic_store_explicit(&news, 1, memory_order_relaxed);
        if (++seen[at].count == atomic_load_explicit(&hot_samples, memory_order_relaxed)) {
            seen[at].dull = !is_caller && !worth_compiling(frame, code);
            if (!seen[at].dull) offer_hot(code);
            seen[at].count = 0;
        }
        return;
    }
}

static int sample(void *unused)
{
    (void)unused;
    PyThreadState *tstate = PyThreadState_GetUnchecked();
    _PyInterpreterFrame *frame = tstate->current_frame;
    COUNT(samples, 1);
    /* What is hot already says that its callers may be: they would inline it. What stays in the interpreter does not. */
    for (int up = 0; frame && up < CALLERS; up++, frame = frame->previous) {
        if (frame->owner >= FRAME_OWNED_BY_INTERPRETER) continue;
        PyCodeObject *code = _PyFrame_GetCode(frame);
        /* The interpreter's own shims (of `__init__`): static objects that nothing may be hung on. */
        if (code->co_flags & CO_NO_MONITORING_EVENTS) continue;
        struct slot *slot = slot_of(code);
        if (slot && atomic_load_explicit(&slot->entries[0].state, memory_order_relaxed) == ENTRY_REFUSED) break;
        if (slot) continue;
        count(frame, code, up > 0);
        break;
    }
    /* 3.14 strands the main thread's own pending calls when they arrive while another thread is in here. */
    if (_Py_atomic_load_int32_relaxed(&_PyRuntime.ceval.pending_mainthread.npending) && _PyRuntime.main_tstate)
        _Py_set_eval_breaker_bit(_PyRuntime.main_tstate, _PY_CALLS_TO_DO_BIT);
    atomic_store(&outstanding, 0);
    return 0;
}

/* ---- the question, from the native thread ------------------------------------------------------------------------ */

static bool push_pending(PyInterpreterState *interp)
{
    struct _pending_calls *pending = &interp->ceval.pending;
    bool pushed = false;
    /* No waiting with the threads' lock held: who has this one may have to wait for a collection, which needs that one. */
    if (!PyMutex_LockFast(&pending->mutex)) return false;
    if (pending->npending < pending->max / 2) {
        struct _pending_call *call = &pending->calls[pending->next];
        call->func = sample;
        call->arg = NULL;
        call->flags = 0;
        _Py_atomic_add_int32(&pending->npending, 1);
        pending->next = (pending->next + 1) % PENDINGCALLSARRAYSIZE;
        pushed = true;
    }
    PyMutex_Unlock(&pending->mutex);
    return pushed;
}

/* The attached thread after the one asked last, by thread state id. NULL when nobody runs Python. Needs the list lock. */
static PyThreadState *whose_turn(PyInterpreterState *interp)
{
    PyThreadState *next = NULL, *first = NULL;
    for (PyThreadState *tstate = interp->threads.head; tstate; tstate = tstate->next) {
        if (_Py_atomic_load_int_relaxed(&tstate->state) != _Py_THREAD_ATTACHED) continue;
        if (!first || tstate->id < first->id) first = tstate;
        if (tstate->id > last_asked && (!next || tstate->id < next->id)) next = tstate;
    }
    return next ? next : first;
}

static void ask(int push)
{
    PyMutex_Lock(&_PyRuntime.interpreters.mutex);
    PyInterpreterState *interp = _PyRuntime.interpreters.main;       /* NULL once it is finalised */
    PyThreadState *tstate = interp ? whose_turn(interp) : NULL;
    if (tstate) {
        if (push) atomic_store(&outstanding, 1);
        if (!push || push_pending(interp)) {
            last_asked = tstate->id;
            _Py_set_eval_breaker_bit(tstate, _PY_CALLS_TO_DO_BIT);
            COUNT(ticks, 1);
        }
        else atomic_store(&outstanding, 0);
    }
    PyMutex_Unlock(&_PyRuntime.interpreters.mutex);
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

/* Time during which it is paused does not count. */
static bool sleep_or_stop(uint64_t microseconds)
{
    int64_t left = (int64_t)microseconds * 1000;
    pthread_mutex_lock(&ticker_lock);
    while (!stopping && (paused || left > 0)) {
        struct timespec from, until;
        clock_gettime(CLOCK_MONOTONIC, &from);
        until.tv_nsec = from.tv_nsec + left;
        until.tv_sec = from.tv_sec + until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (paused) pthread_cond_wait(&ticker_wake, &ticker_lock);
        else if (pthread_cond_timedwait(&ticker_wake, &ticker_lock, &until)) break;
        else {
            clock_gettime(CLOCK_MONOTONIC, &until);
            left -= (until.tv_sec - from.tv_sec) * 1000000000 + until.tv_nsec - from.tv_nsec;
        }
    }
    bool stop = stopping;
    pthread_mutex_unlock(&ticker_lock);
    return stop;
}

/* Microseconds to the next question, after `quiet` of them that were no news. A question costs its thread some ten
   microseconds, most of it the wake-up: few are asked until something is met again that takes a SHARE of the time, and so
   may be hot. Then SOON of them come quickly, the next SLOWER times as slowly, and after each QUIET of them twice as slowly,
   up to SLOWEST_MS. */
static uint64_t pace_after(uint64_t quiet)
{
    uint64_t fastest = atomic_load(&tick_us), slowest = SLOWEST_MS * 1000, doubled = quiet / QUIET;
    if (quiet < SOON || fastest >= slowest) return fastest;
    uint64_t slower = SLOWER * fastest << (doubled < 4 ? doubled : 4);
    return slower < slowest ? slower : slowest;
}

static void tick(void)
{
    static uint64_t reminded_at;
    int left = reclaim();
    if (atomic_exchange(&hot_waiting, 0) || keepsakes_wait()) worker_wake();
    atomic_store_explicit(&executor_era, (uint32_t)(now_ms() / ERA_MS), memory_order_relaxed);
    if (now_ms() - reminded_at > REMIND_MS) {
        reminded_at = now_ms();
        if (atomic_load_explicit(&waiting_for_room, memory_order_relaxed) || worker_is_owed()) worker_wake();
    }
    if (!door_is_enabled()) return;
    bool waits = atomic_load(&outstanding);
    ask(!waits);                         /* still no answer: that thread has no CPU, or went away; another may do it */
    if (waits) COUNT(ticks_unanswered, 1);
    quiet = atomic_exchange_explicit(&news, 0, memory_order_relaxed) ? 0 : quiet + 1;
    pace = left ? atomic_load(&tick_us) : pace_after(quiet);       /* something waits, or another thread was driving */
}

/* It ticks at once: where forks stop it all the time there might be no later. */
static void *ticking(void *unused)
{
    do tick();
    while (!sleep_or_stop(pace));
    return unused;
}

/* ---- from Python ---------------------------------------------------------------------------------------------- */

int native_thread_start(pthread_t *thread, void *(*run)(void *), void *argument)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);           /* the thread inherits: no signal is ever delivered to it */
    int error = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

/* For waits with a time limit: somebody may set the clock back. */
void condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}
void sampler_init(void) { condition_init(&ticker_wake); }

/* With the pace of before. Nothing starts once it is over. 0, or why there is no thread. `control` is held. */
static int start_ticker(void)
{
    int error = 0;
    if (held) awaited = true;
    else if (!running && !over) {
        stopping = false;
        pace = pace_after(quiet);
        owed = false;                    /* before there is a ticker: it would wait for `control` while it is joined */
        error = native_thread_start(&ticker, ticking, NULL);
        running = !error;
        owed = error != 0;
        if (error) COUNT(threads_refused, 1);
    }
    return error;
}

int sampler_start(uint64_t microseconds, uint32_t samples)
{
    atomic_store(&tick_us, microseconds);
    atomic_store(&hot_samples, samples);
    pthread_mutex_lock(&control);
    int error = start_ticker();
    pthread_mutex_unlock(&control);
    return error;
}

/* `control` is held. */
static void stop_ticker(void)
{
    pthread_mutex_lock(&ticker_lock);
    stopping = true;
    pthread_cond_broadcast(&ticker_wake);
    pthread_mutex_unlock(&ticker_lock);
    if (running) pthread_join(ticker, NULL);
    running = false;
}

void sampler_stop(void)
{
    pthread_mutex_lock(&control);
    awaited = owed = false;
    stop_ticker();
    pthread_mutex_unlock(&control);
}

/* At the interpreter's end. */
void sampler_end(void)
{
    pthread_mutex_lock(&control);
    over = true;
    stop_ticker();
    pthread_mutex_unlock(&control);
}

/* Round a fork: it stops, and whoever starts it meanwhile starts it for afterwards. */
void sampler_hold(void)
{
    pthread_mutex_lock(&control);
    held = true;
    awaited = running || owed;
    stop_ticker();
    pthread_mutex_unlock(&control);
}
void sampler_go_on(void)
{
    pthread_mutex_lock(&control);
    bool start = awaited;
    held = awaited = false;
    if (start) start_ticker();
    pthread_mutex_unlock(&control);
}

/* The system refused it once: perhaps it gives a thread now. */
void sampler_try_again(void)
{
    if (!owed) return;                   /* seen late, another time will do */
    pthread_mutex_lock(&control);
    if (owed) start_ticker();
    pthread_mutex_unlock(&control);
}

/* For measuring what it costs: while it is paused no time passes for it, and it takes none. */
void sampler_pause(int on)
{
    pthread_mutex_lock(&ticker_lock);
    paused = on;
    pthread_cond_broadcast(&ticker_wake);
    pthread_mutex_unlock(&ticker_lock);
}

int sampler_is_running(void) { return running; }
void sampler_remind(int on) { atomic_store(&waiting_for_room, (uint32_t)on); }

/* In the child: the thread that was answering may be gone with its claim on the queue. */
void sampler_after_fork(void)
{
    struct _pending_calls *pending = &_PyRuntime.interpreters.main->ceval.pending;
    if (pending->handling_thread && pending->handling_thread != PyThreadState_GetUnchecked()) pending->handling_thread = NULL;
    pthread_mutex_init(&control, NULL);
    pthread_mutex_init(&ticker_lock, NULL);
    condition_init(&ticker_wake);
    if (!held) awaited = running || owed;    /* ftjit was first used in the midst of this fork */
    held = true;
    running = false;
}

/* The next hot code object, as a new reference, or NULL. Attached threads only. */
PyObject *sampler_take_hot(void)
{
    for (int i = 0; i < HOT_ROOM; i++) {
        PyObject *code = atomic_exchange(&hot[i], NULL);
        if (code) return code;
    }
    return NULL;
}
