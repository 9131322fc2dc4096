/* The door: sys.monitoring calls us at a function's start and at each backward jump of a code object whose events
   are on. We enter the executor that is installed for that place, on the live frame, and leave by setting the
   frame's instr_ptr and stackpointer: the interpreter goes on from there. */
#include "core.h"
#include "stay.h"
#include <stddef.h>

shim_t shim;
int trace;
_Atomic uint32_t enabled;
static uint32_t start_threshold = 2, jump_threshold = 1, relearn_threshold = 200;

static _Atomic(PyObject *) opener;                  /* eager mode: gives a code object its slot when it is first seen */

/* From now on call `callable(code)` for code without a slot (0: no longer). Held for ever. */
void door_set_opener(uintptr_t callable)
{
    PyGILState_STATE state = PyGILState_Ensure();
    atomic_store(&opener, callable ? Py_NewRef((PyObject *)callable) : NULL);
    PyGILState_Release(state);
}

/* NULL: there is none, or an exception of the program's. */
static COLD struct slot *open_slot(PyCodeObject *code)
{
    PyObject *open = atomic_load_explicit(&opener, memory_order_acquire);      /* partner: door_set_opener */
    if (!open) return NULL;
    PyObject *done = visit(open, (PyObject *)code);
    Py_XDECREF(done);
    return done || pass_on_exception() == 0 ? slot_of(code) : NULL;
}

void door_set_trace(int on) { trace = on; }
void door_set_shim(uintptr_t address) { shim = (shim_t)address; }
static void set_enabled(uint32_t bit, int on)
{
    if (on) atomic_fetch_or(&enabled, bit);
    else atomic_fetch_and(&enabled, ~bit);
}
void door_enable(int on) { set_enabled(ENABLED, on); }

void door_shut_for_fork(int shut) { set_enabled(FORKING, shut); }
/* seq_cst, for those who have said before that they are here: partner: set_enabled, before wait_for_visitors (forks.c). */
int door_is_enabled(void) { return atomic_load(&enabled) == ENABLED; }
void door_set_thresholds(uint32_t starts, uint32_t jumps, uint32_t relearn)
{
    start_threshold = starts;
    jump_threshold = jumps;
    relearn_threshold = relearn;
}

/* For stack_is_short (stay.h): the thread state has a C stack that the record does not know, or another limit. */
COLD void measure_stack(struct record *record, PyThreadState *tstate)
{
    _PyThreadStateImpl *impl = (_PyThreadStateImpl *)tstate;
    uintptr_t room = (impl->c_stack_top - impl->c_stack_soft_limit) / 8;
    record->stack_limit = impl->c_stack_soft_limit;
    record->stack_floor = impl->c_stack_soft_limit + (room < 1 << 20 ? room : 1 << 20);
}

/* FTJIT_TRACE */
static COLD void trace_exit(struct executor *executor, struct entry *entry, _PyInterpreterFrame *frame,
                            struct activation *act, int64_t number)
{
    struct exit_record *exit = &executor->exits[number];
    fprintf(stderr, "ftjit: %s@%d executor %llu left by exit %lld (reason %d) to %d, depth %d, status %lld\n",
            PyUnicode_AsUTF8(_PyFrame_GetCode(frame)->co_qualname), entry->offset, (unsigned long long)executor->number,
            (long long)number, exit->reason, exit->offset, exit->depth, (long long)act->status);
}
COLD void trace_return(struct executor *executor, struct entry *entry, _PyInterpreterFrame *frame)
{
    fprintf(stderr, "ftjit: %s@%d executor %llu returned\n", PyUnicode_AsUTF8(_PyFrame_GetCode(frame)->co_qualname),
            entry->offset, (unsigned long long)executor->number);
}

/* The result could not be boxed: MemoryError is set, and the frame is at its RETURN_VALUE with nothing on the stack. */
COLD enum outcome leave_without_memory(PyThreadState *tstate, _PyInterpreterFrame *frame)
{
    frame->stackpointer--;
    return unwind_exception(tstate, frame, false) < 0 ? LEFT_BY_ERROR : LEFT;
}

/* Every end of a stay but a light return: the exit says where the interpreter goes on. */
__attribute__((noinline)) enum outcome leave_by_exit(struct record *record, struct entry *entry, PyThreadState *tstate,
                                                     _PyInterpreterFrame *frame, struct activation *act, int64_t number)
{
    struct executor *executor = act->executor;
    struct exit_record *exit = &executor->exits[number];
    if (UNLIKELY(trace)) trace_exit(executor, entry, frame, act, number);
    if (exit->reason == REASON_STATUS && act->status < 0) {
        COUNT(unwinds, 1);
        _PyStackRef *stackpointer = frame->stackpointer;
        _Py_CODEUNIT *instruction = frame->instr_ptr;
        PyObject *exception = PyErr_GetRaisedException();
        bool damaged = leave_to_frame(act, exit, frame) < 0;      /* what was virtual on the stack; where we are stays */
        PyErr_SetRaisedException(exception);
        frame->stackpointer = stackpointer;
        frame->instr_ptr = instruction;
        return unwind_exception(tstate, frame, damaged) < 0 ? LEFT_BY_ERROR : LEFT;
    }
    if (exit->reason >= REASON_FIRST_DEOPT) {
        count_own(&record->deopts);
        uint64_t before = atomic_fetch_add_explicit(&exit->taken, 1, memory_order_relaxed);
        bool again = before > relearn_threshold && (before & (before - 1)) == 0;       /* twice as often as the last time */
        if (UNLIKELY(before == relearn_threshold || again)) {
            uint8_t installed = ENTRY_INSTALLED;
            atomic_compare_exchange_strong(&entry->state, &installed, ENTRY_WANTED);
        }
    }
    count_own(&record->exits);
    int left = exit->inners ? leave_inlined(act, exit, tstate, frame) : leave_to_frame(act, exit, frame);
    if (left < 0) return unwind_exception(tstate, frame, left == LEAVE_DAMAGED) < 0 ? LEFT_BY_ERROR : LEFT;
    return exit->reason == REASON_RETURN ? LEFT_BY_RETURN : LEFT;
}

/* One more start or jump of an entry that is wanted: is it time for a snapshot? Then it is the caller's to take. */
COLD bool is_time(struct entry *entry, bool is_start)
{
    uint32_t events = atomic_fetch_add_explicit(&entry->events, 1, memory_order_relaxed);
    uint8_t wanted = ENTRY_WANTED;
    return events + 1 >= (is_start ? start_threshold : jump_threshold)
        && atomic_compare_exchange_strong(&entry->state, &wanted, ENTRY_PENDING);
}

/* An event of an entry that is wanted. 1 if the thread may go on and enter, 0 if not, -1 with an exception. */
static COLD int take_interest(struct slot *slot, struct entry *entry, bool is_start, _PyInterpreterFrame *frame)
{
    if (!is_time(entry, is_start)) return 1;
    if (snapshot_take(slot, entry, is_start, frame) < 0) return -1;
    /* Somebody else compiles; eager mode has just done so itself. */
    return atomic_load_explicit(&opener, memory_order_relaxed) != NULL;
}

/* May machine code run in this frame now? Not if others hold its frame object: they may write our locals at any moment, of
   which machine code knows the types. */
static ALWAYS_INLINE bool may_enter(PyThreadState *tstate, struct record *record, _PyInterpreterFrame *frame, PyCodeObject *code)
{
    return !UNLIKELY(frame->frame_obj && Py_REFCNT(frame->frame_obj) > 1) && LIKELY(_PyFrame_GetCode(frame) == code)
        && LIKELY(tstate->tracing == 1) && !UNLIKELY(others_watch(tstate->interp, code)) && LIKELY(record != NULL)
        && !UNLIKELY(stack_is_short(record, tstate));
}

/* An event of ours in `code`: at byte `from` of the bytecode, for the entry at byte `to`. NULL: the interpreter raises. */
static ALWAYS_INLINE PyObject *door(PyCodeObject *code, int32_t from, int32_t to, bool is_start)
{
    struct slot *slot = slot_of(code);
    if (UNLIKELY(!is_enabled())) return Py_None;
    if (UNLIKELY(!slot) && !(slot = open_slot(code))) return PyErr_Occurred() ? NULL : Py_None;
    struct entry *entry = &slot->entries[0];           /* the start: slot_create puts it first */
    if (!is_start) {
        uint8_t index = slot->entry_of_unit[to / 2];
        if (UNLIKELY(index == NO_ENTRY)) return Py_None;
        entry = &slot->entries[index];
    }
    PyThreadState *tstate = PyThreadState_GetUnchecked();
    _PyInterpreterFrame *frame = tstate->current_frame;
    struct record *record = record_self();
    if (!may_enter(tstate, record, frame, code)) return Py_None;
    if (UNLIKELY(atomic_load_explicit(&entry->state, memory_order_relaxed) == ENTRY_WANTED)) {
        int interest = take_interest(slot, entry, is_start, frame);
        if (interest < 0) return NULL;
        if (!interest || !may_enter(tstate, record, frame, code)) return Py_None;       /* eager mode compiled: time has passed */
    }
    struct executor *executor;
    _Atomic(struct executor *) *place = activation_enter(record, &entry->executor, &executor);
    if (UNLIKELY(!place)) return Py_None;
    if (UNLIKELY(executor->inlines) && !may_inline(tstate, executor)) {
        activation_leave(record, place);
        return Py_None;
    }
    tstate->tracing = 0;                  /* or nothing that is called from here is monitored or specialised */
    tstate->what_event = -1;              /* or somebody may move our frame with f_lineno */
    /* The interpreter's instr_ptr is at the event: no look at the table of copies. */
    enum outcome outcome = stay(record, place, executor, tstate, frame, entry,
                                (char *)frame->instr_ptr - (is_start ? entry->offset : from));
    /* What they were: `tracing` is looked at above, and each callback has its event. (Not read back: two halves written
       apart and read as one word wait for the store buffer.) */
    tstate->tracing = 1;
    tstate->what_event = is_start ? PY_MONITORING_EVENT_PY_START : PY_MONITORING_EVENT_JUMP;
    return LIKELY(outcome >= 0) ? Py_None : NULL;
}

/* A bytecode offset as the events pass it: no negative ones, and all below 2 ** 30. */
static inline int32_t offset_argument(PyObject *number) { return (int32_t)((PyLongObject *)number)->long_value.ob_digit[0]; }

static PyObject *on_start(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    return door((PyCodeObject *)args[0], 0, 0, true);
}

static PyObject *on_jump(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    int32_t from = offset_argument(args[1]), to = offset_argument(args[2]);
    return to < from ? door((PyCodeObject *)args[0], from, to, false) : Py_None;
}

/* The callbacks have a type of their own: a PyCFunction would come between. */
struct callback {
    PyObject_HEAD
    vectorcallfunc call;
};
static PyTypeObject callback_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "ftjit.callback",
    .tp_doc = "A monitoring callback of ftjit: enters machine code.",
    .tp_basicsize = sizeof(struct callback),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_vectorcall_offset = offsetof(struct callback, call),
    .tp_call = PyVectorcall_Call,
};

static PyObject *callback_new(vectorcallfunc call)
{
    struct callback *callback = PyType_Ready(&callback_type) < 0 ? NULL : PyObject_New(struct callback, &callback_type);
    if (!callback) return NULL;
    callback->call = call;
    return (PyObject *)callback;
}

/* Call register(event_name, callback) for both callbacks; they live for ever: the interpreter does not own a
   callback while it runs. 0, or -1 with the exception printed. */
int door_register(uintptr_t register_callable)
{
    PyGILState_STATE state = PyGILState_Ensure();
    static PyObject *functions[2];
    const char *events[2] = {"PY_START", "JUMP"};
    vectorcallfunc calls[2] = {on_start, on_jump};
    int result = 0;
    for (int i = 0; i < 2 && result == 0; i++) {
        if (!functions[i]) functions[i] = callback_new(calls[i]);
        PyObject *done = functions[i] ? PyObject_CallFunction((PyObject *)register_callable, "sO", events[i], functions[i]) : NULL;
        if (!done) {
            PyErr_WriteUnraisable(NULL);
            result = -1;
        }
        Py_XDECREF(done);
    }
    PyGILState_Release(state);
    return result;
}
