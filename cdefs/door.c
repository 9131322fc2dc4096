/* The door: sys.monitoring calls us at a function's start and at each backward jump of a code object whose events
   are on. We enter the executor that is installed for that place, on the live frame, and leave by setting the
   frame's instr_ptr and stackpointer: the interpreter goes on from there. */
#include "core.h"
#include "direct.h"
#include "internal/pycore_frame.h"

typedef int64_t (*shim_t)(const void *code, _PyInterpreterFrame *, PyThreadState *, struct activation *);
static shim_t shim;                       /* the way from the C calling convention into the stencils' */
static _Atomic uint32_t enabled;
static uint32_t start_threshold = 2, jump_threshold = 1, relearn_threshold = 200;

static _Atomic(PyObject *) opener;                  /* eager mode: gives a code object its slot when it is first seen */

/* From now on call `callable(code)` for code without a slot (0: no longer). Held for ever. */
void door_set_opener(uintptr_t callable)
{
    PyGILState_STATE state = PyGILState_Ensure();
    atomic_store(&opener, callable ? Py_NewRef((PyObject *)callable) : NULL);
    PyGILState_Release(state);
}

static struct slot *open_slot(PyCodeObject *code)
{
    PyObject *open = atomic_load_explicit(&opener, memory_order_acquire);      /* partner: door_set_opener */
    if (!open) return NULL;
    PyObject *done = PyObject_CallOneArg(open, (PyObject *)code);
    if (!done) PyErr_WriteUnraisable(open);
    Py_XDECREF(done);
    return slot_of(code);
}

static int trace;                         /* FTJIT_TRACE: every stay in machine code, on stderr */
void door_set_trace(int on) { trace = on; }
void door_set_shim(uintptr_t address) { shim = (shim_t)address; }
void door_enable(int on) { atomic_store(&enabled, on); }
int door_is_enabled(void) { return atomic_load(&enabled); }
void door_set_thresholds(uint32_t starts, uint32_t jumps, uint32_t relearn)
{
    start_threshold = starts;
    jump_threshold = jumps;
    relearn_threshold = relearn;
}

/* Is another monitoring tool registered at all? Local events change no version, so this is asked after calls out. */
bool other_tool_registered(PyInterpreterState *interp)
{
    PyObject *any = NULL;
    for (int i = 0; i < OUR_TOOL; i++) any = any ? any : interp->monitoring_tool_names[i];
    return any != NULL;
}

/* Enough C stack for what we call, leaving the interpreter's own C recursion most of what it had. */
bool stack_is_short(PyThreadState *tstate)
{
    _PyThreadStateImpl *impl = (_PyThreadStateImpl *)tstate;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    uintptr_t room = (impl->c_stack_top - impl->c_stack_soft_limit) / 8;
    if (room > 1 << 20) room = 1 << 20;
    return here < impl->c_stack_soft_limit + room;
}

/* After a call out: may machine code go on? Anything may have happened: tools, another version, a frame object that
   somebody else holds (its f_locals may have been written). */
int may_continue(PyThreadState *tstate, _PyInterpreterFrame *frame, struct activation *act)
{
    if ((atomic_load_explicit((_Atomic uintptr_t *)&tstate->eval_breaker, memory_order_relaxed) ^ act->version) >> 8
        && others_watch(_PyFrame_GetCode(frame)))
        return 0;
    if (other_tool_registered(tstate->interp) && (act->executor->inlines || others_watch(_PyFrame_GetCode(frame)))) return 0;
    /* Somebody holds our frame object, or has written a local through it (the old value is kept there). */
    if (frame->frame_obj && (Py_REFCNT(frame->frame_obj) > 1 || frame->frame_obj->f_overwritten_fast_locals)) return 0;
    return atomic_load_explicit(&act->executor->valid, memory_order_relaxed) != 0;
}

/* Run what is installed for `entry`. LEFT: go on where the frame says; LEFT_BY_RETURN: that is at a RETURN_VALUE with
   the result on the stack; -1: an exception nobody here handles. */
int run_executor(struct record *record, _Atomic(struct executor *) *place, struct executor *executor,
                        PyThreadState *tstate, _PyInterpreterFrame *frame, struct entry *entry)
{
    struct activation act;
    act.executor = executor;
    act.version = atomic_load_explicit((_Atomic uintptr_t *)&tstate->eval_breaker, memory_order_relaxed);
    act.status = 0;
    act.kept = NULL;
    struct activation *outer = current_activation;
    current_activation = &act;
    int tracing = tstate->tracing, what_event = tstate->what_event;
    tstate->tracing = 0;                  /* or nothing that is called from here is monitored or specialised */
    tstate->what_event = -1;              /* or somebody may move our frame with f_lineno */
    count_own(&record->entries);
    int64_t taken = shim(executor->code, frame, tstate, &act);
    give_back(&act);
    current_activation = outer;
    struct exit_record *exit = &executor->exits[taken];
    if (trace)
        fprintf(stderr, "ftjit: %s@%d executor %llu left by exit %lld (reason %d) to %d, depth %d, status %lld\n",
                PyUnicode_AsUTF8(_PyFrame_GetCode(frame)->co_qualname), entry->offset, (unsigned long long)executor->number,
                (long long)taken, exit->reason, exit->offset, exit->depth, (long long)act.status);
    int result = exit->reason == REASON_RETURN || exit->reason == REASON_LIGHT ? LEFT_BY_RETURN : LEFT;
    if (exit->reason == REASON_LIGHT) {
        count_own(&record->exits);
        if (leave_lightly(&act, exit, frame) < 0) result = unwind_exception(tstate, frame);
    }
    else if (exit->reason == REASON_STATUS && act.status < 0) {
        COUNT(unwinds, 1);
        _PyStackRef *stackpointer = frame->stackpointer;
        _Py_CODEUNIT *instruction = frame->instr_ptr;
        PyObject *exception = PyErr_GetRaisedException();
        leave_to_frame(&act, exit, frame);      /* what was virtual on the stack; where we are stays */
        PyErr_SetRaisedException(exception);
        frame->stackpointer = stackpointer;
        frame->instr_ptr = instruction;
        result = unwind_exception(tstate, frame);
    }
    else {
        if (exit->reason >= REASON_FIRST_DEOPT) {
            uint64_t before = atomic_fetch_add_explicit(&exit->taken, 1, memory_order_relaxed);
            if (before == relearn_threshold) {
                uint8_t installed = ENTRY_INSTALLED;
                atomic_compare_exchange_strong(&entry->state, &installed, ENTRY_WANTED);
            }
        }
        count_own(&record->exits);
        if (leave_to_frame(&act, exit, frame) < 0) result = unwind_exception(tstate, frame);
    }
    tstate->tracing = tracing;
    tstate->what_event = what_event;
    activation_leave(record, place);
    return result;
}

static int door(PyThreadState *tstate, PyCodeObject *code, int32_t offset, bool is_start)
{
    struct slot *slot = slot_of(code);
    if (!atomic_load_explicit(&enabled, memory_order_relaxed)) return 0;
    if (!slot && !(slot = open_slot(code))) return 0;
    uint8_t index = slot->entry_of_unit[offset / 2];
    if (index == NO_ENTRY) return 0;
    struct entry *entry = &slot->entries[index];
    _PyInterpreterFrame *frame = tstate->current_frame;
    if (_PyFrame_GetCode(frame) != code || tstate->tracing != 1 || others_watch(code) || stack_is_short(tstate)) return 0;

    if (atomic_load_explicit(&entry->state, memory_order_relaxed) == ENTRY_WANTED) {
        uint32_t events = atomic_fetch_add_explicit(&entry->events, 1, memory_order_relaxed);
        uint8_t wanted = ENTRY_WANTED;
        if (events + 1 >= (is_start ? start_threshold : jump_threshold)
            && atomic_compare_exchange_strong(&entry->state, &wanted, ENTRY_PENDING)) {
            snapshot_take(slot, entry, is_start, frame);
            if (!atomic_load_explicit(&opener, memory_order_relaxed)) return 0;        /* somebody else compiles; eager mode has just done so itself */
        }
    }
    struct record *record = record_self();
    struct executor *executor;
    if (!record) return 0;
    _Atomic(struct executor *) *place = activation_enter(record, &entry->executor, &executor);
    if (!place) return 0;
    if (executor->inlines && other_tool_registered(tstate->interp)) {     /* it may watch what was inlined */
        activation_leave(record, place);
        return 0;
    }
    return run_executor(record, place, executor, tstate, frame, entry) < 0 ? -1 : 0;
}

static inline int32_t offset_argument(PyObject *number) { return (int32_t)_PyLong_CompactValue((PyLongObject *)number); }

static PyObject *on_start(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (door(PyThreadState_GetUnchecked(), (PyCodeObject *)args[0], offset_argument(args[1]), true) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *on_jump(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    int32_t from = offset_argument(args[1]), to = offset_argument(args[2]);
    if (to < from && door(PyThreadState_GetUnchecked(), (PyCodeObject *)args[0], to, false) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef callbacks[] = {
    {"ftjit_on_start", (PyCFunction)(void *)on_start, METH_FASTCALL, "PY_START: enter machine code at a function's start."},
    {"ftjit_on_jump", (PyCFunction)(void *)on_jump, METH_FASTCALL, "JUMP: enter machine code at a loop header."},
};

/* Call register(event_name, callback) for both callbacks; they live for ever: the interpreter does not own a
   callback while it runs. 0, or -1 with the exception printed. */
int door_register(uintptr_t register_callable)
{
    PyGILState_STATE state = PyGILState_Ensure();
    static PyObject *functions[2];
    const char *events[2] = {"PY_START", "JUMP"};
    int result = 0;
    for (int i = 0; i < 2 && result == 0; i++) {
        if (!functions[i]) functions[i] = PyCFunction_New(&callbacks[i], NULL);
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
