/* Slots: the record a code object carries (through co_extra), set once and never replaced; only the atomic pointers
   inside it move. Installing is one exchange; whoever takes an executor out of its entry retires it, once. */
#include "core.h"
#include <sched.h>
#include <stdlib.h>
#include <time.h>

Py_ssize_t extra_index = -1;
static _Atomic uint64_t executor_numbers;

static void entry_empty(struct entry *entry)
{
    struct executor *old = entry_exchange(&entry->executor, NULL);                        /* (6) in epoch.c */
    if (old) executor_retire(old);
}

static void slot_free(void *extra)
{
    struct slot *slot = extra;           /* the code object is dead: no frame holds it, nobody can load the slot */
    if (!slot) return;
    for (int i = 0; i < slot->entry_count; i++) entry_empty(&slot->entries[i]);
    free(slot->entry_of_unit);
    free(slot);
}

int slot_init(void)
{
    extra_index = PyUnstable_Eval_RequestCodeExtraIndex(slot_free);
    return extra_index < 0 ? -1 : 0;
}

/* Cells are made, or closures copied, before a RESUME that is not the first bytecode. */
static int32_t arguments_of(PyCodeObject *code, int32_t resume)
{
    int simple = CO_OPTIMIZED | CO_NEWLOCALS;
    int special = CO_VARARGS | CO_VARKEYWORDS | CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR | CO_ITERABLE_COROUTINE;
    bool plain = (code->co_flags & simple) == simple && !(code->co_flags & special) && code->co_kwonlyargcount == 0;
    return plain && resume == 0 ? code->co_argcount : -1;
}

static struct slot *slot_build(PyCodeObject *code, const int32_t *offsets, int count)
{
    struct slot *slot = calloc(1, sizeof *slot + count * sizeof slot->entries[0]);
    if (!slot) return NULL;
    slot->code = code;
    slot->code_units = (int)Py_SIZE(code);
    slot->entry_count = count;
    slot->arguments = arguments_of(code, offsets[0]);
    slot->entry_of_unit = malloc(slot->code_units);
    if (!slot->entry_of_unit) {
        free(slot);
        return NULL;
    }
    memset(slot->entry_of_unit, NO_ENTRY, slot->code_units);
    for (int i = 0; i < count; i++) {
        slot->entries[i].offset = offsets[i];
        slot->entry_of_unit[offsets[i] / 2] = (uint8_t)i;
    }
    return slot;
}

static PyMutex creating, installing;
void slot_after_fork(void) { creating = installing = (PyMutex){0}; }

/* Give `code` a slot with these entries (byte offsets of the RESUME and of loop headers, below 255 of them). 0 when it has
   one now, -1 without memory. The caller keeps the code object alive. */
int slot_create(uintptr_t code_address, const int32_t *offsets, int count)
{
    PyCodeObject *code = (PyCodeObject *)code_address;
    PyGILState_STATE state = PyGILState_Ensure();
    int result = 0;
    PyMutex_Lock(&creating);
    if (!slot_of(code)) {
        struct slot *slot = slot_build(code, offsets, count);
        if (!slot || PyUnstable_Code_SetExtra((PyObject *)code, extra_index, slot) < 0) {
            PyErr_Clear();
            slot_free(slot);
            result = -1;
        }
    }
    PyMutex_Unlock(&creating);
    PyGILState_Release(state);
    return result;
}

/* From a function that cffi calls detached: another tool may be replacing the array that the slot is found in, and the old
   one waits for attached threads only. The slot itself is there as long as the code object, which the caller keeps. */
static struct slot *slot_found(uintptr_t code_address)
{
    PyGILState_STATE state = PyGILState_Ensure();
    struct slot *slot = slot_of((PyCodeObject *)code_address);
    PyGILState_Release(state);
    return slot;
}

static struct entry *entry_of(uintptr_t code_address, int32_t offset)
{
    struct slot *slot = slot_found(code_address);
    if (!slot || offset / 2 >= slot->code_units) return NULL;
    uint8_t index = slot->entry_of_unit[offset / 2];
    return index == NO_ENTRY ? NULL : &slot->entries[index];
}

static bool keeps_what_leads_to(struct record *, struct keepsakes *, PyCodeObject *target, int *budget);

/* Does `code` lead to `target`: is it the same, or does it keep it alive, by its constants or by what its executors inline?
   The executors are entered, so that they stay while we look. Attached, and `installing` is held. True as well where there
   is too much to look at. */
static bool leads_to(struct record *record, PyCodeObject *code, PyCodeObject *target, int *budget)
{
    if (code == target || --*budget < 0) return true;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_consts); i++) {
        PyObject *constant = PyTuple_GET_ITEM(code->co_consts, i);
        if (PyCode_Check(constant) && leads_to(record, (PyCodeObject *)constant, target, budget)) return true;
    }
    struct slot *slot = slot_of(code);
    bool found = false;
    for (int i = 0; slot && i < slot->entry_count && !found; i++) {
        struct executor *executor;
        _Atomic(struct executor *) *place = activation_enter(record, &slot->entries[i].executor, &executor);
        if (place) {
            found = keeps_what_leads_to(record, executor->keeps, target, budget);
            activation_leave(record, place);
        }
    }
    return found;
}
static bool keeps_what_leads_to(struct record *record, struct keepsakes *keeps, PyCodeObject *target, int *budget)
{
    for (int64_t i = 0; keeps && i < keeps->count; i++)
        if (PyCode_Check(keeps->objects[i]) && leads_to(record, (PyCodeObject *)keeps->objects[i], target, budget)) return true;
    return false;
}

/* Its tables, copied. False without memory. */
static bool executor_fill(struct executor *executor, const char *exits, uint32_t exit_count, const char *moves,
                          uint32_t move_count, const char *inner_frames, uint32_t inner_count)
{
    executor->exits = malloc((exit_count + 1) * sizeof(struct exit_record));
    executor->moves = malloc((move_count + 1) * sizeof(struct move));
    executor->inner_frames = malloc((inner_count + 1) * sizeof(struct inner_frame));
    if (!executor->exits || !executor->moves || !executor->inner_frames) return false;
    memcpy(executor->inner_frames, inner_frames, inner_count * sizeof(struct inner_frame));
    memcpy(executor->exits, exits, exit_count * sizeof(struct exit_record));
    memcpy(executor->moves, moves, move_count * sizeof(struct move));
    executor->exit_count = exit_count;
    return true;
}

/* Make an executor of sealed code and swap it in. Exits and moves are packed as executor.h lays them out. Returns the
   executor's number; 0 without memory or entry; KEEPS_ITSELF if the code that it inlines leads back to its own, for then
   nobody would ever free either. Installing is one at a time, so that of two that would keep each other one is seen by
   the other. Once it is in, `owner` holds it no longer: whatever happens to the caller then, nobody discards what threads
   may be inside of. */
uint64_t slot_install(uintptr_t code_address, int32_t offset, struct region *region, struct executor **owner,
                      const void *machine_code, uint64_t code_bytes, const char *exits, uint32_t exit_count,
                      const char *moves, uint32_t move_count, const char *inner_frames, uint32_t inner_count)
{
    struct entry *entry = entry_of(code_address, offset);
    struct executor *executor = *owner;
    struct record *record = record_self();
    if (!entry || !record || !executor_fill(executor, exits, exit_count, moves, move_count, inner_frames, inner_count)) return 0;
    PyGILState_STATE state = PyGILState_Ensure();
    PyMutex_Lock(&installing);
    int budget = 10000;
    if (keeps_what_leads_to(record, executor->keeps, (PyCodeObject *)code_address, &budget)) {
        PyMutex_Unlock(&installing);
        PyGILState_Release(state);
        return KEEPS_ITSELF;
    }
    executor->code = machine_code;
    executor->code_bytes = code_bytes;
    executor->region = region;
    executor->number = 1 + atomic_fetch_add(&executor_numbers, 1);
    uint64_t number = executor->number;
    region_hold(region);
    executor_used(executor);
    COUNT(code_bytes, code_bytes);
    COUNT(installed, 1);
    *owner = NULL;
    struct executor *old = entry_exchange(&entry->executor, executor);      /* (6): publishes it to (2) */
    atomic_store(&entry->state, ENTRY_INSTALLED);
    PyMutex_Unlock(&installing);
    PyGILState_Release(state);
    if (old) {
        COUNT(swapped, 1);
        executor_retire(old);
    }
    return number;
}

/* The executor's own memory is had before its code is made: the code holds the address of `valid`. */
struct executor *executor_new(void)
{
    struct executor *executor = calloc(1, sizeof *executor);
    if (executor) atomic_store(&executor->valid, 1);
    return executor;
}
/* It holds the code of other functions: `depth` on top of each other at most, with `slots` locals and stack entries. */
void executor_set_inlines(struct executor *executor, int depth, int slots, struct keepsakes *keeps)
{
    executor->inlines = depth;
    executor->inline_words = slots + depth * FRAME_SPECIALS_SIZE;
    executor->keeps = keeps;
}
void executor_set_holds(struct executor *executor) { executor->holds = 1; }
void executor_discard(struct executor **owner)
{
    if (!*owner) return;
    keepsakes_drop_later((*owner)->keeps);
    free((*owner)->exits);
    free((*owner)->moves);
    free((*owner)->inner_frames);
    free(*owner);
    *owner = NULL;
}
uintptr_t executor_valid_address(struct executor *executor) { return (uintptr_t)&executor->valid; }

/* Is a thread inside one of its executors at this moment? They are compared, not looked into: no pin. -1: it has none. */
static int is_inside(struct slot *slot)
{
    int result = -1;
    for (int i = 0; slot && i < slot->entry_count; i++) {
        struct executor *executor = atomic_load_explicit(&slot->entries[i].executor, memory_order_relaxed);
        if (executor && somebody_inside(executor)) return 1;
        if (executor) result = 0;
    }
    return result;
}

/* Take every executor of `code` out of its entry, and put the entries into `state`. Returns how many there were. */
int slot_clear(uintptr_t code_address, int state)
{
    struct slot *slot = slot_found(code_address);
    int count = 0;
    if (!slot) return 0;
    for (int i = 0; i < slot->entry_count; i++) {
        count += atomic_load(&slot->entries[i].executor) != NULL;
        atomic_store(&slot->entries[i].state, (uint8_t)state);
        entry_empty(&slot->entries[i]);
    }
    return count;
}

/* The same at a moment when a thread is inside one of them, if there is such a moment within `seconds`: stays can be so
   short that nobody who looks from Python meets one. */
int slot_clear_inside(uintptr_t code_address, int state, double seconds)
{
    struct timespec now, pause = {0, 200000};
    clock_gettime(CLOCK_MONOTONIC, &now);
    double until = now.tv_sec + 1e-9 * now.tv_nsec + seconds;
    do {
        struct slot *slot = slot_found(code_address);
        int inside = 0;
        for (int looks = 0; looks < 200 && inside == 0; looks++) inside = is_inside(slot);
        if (inside > 0) break;
        if (inside < 0) nanosleep(&pause, NULL);
        else sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec + 1e-9 * now.tv_nsec < until);
    return slot_clear(code_address, state);
}

int slot_entry_state(uintptr_t code_address, int32_t offset)
{
    struct entry *entry = entry_of(code_address, offset);
    return entry ? atomic_load(&entry->state) : -1;
}

void slot_set_entry_state(uintptr_t code_address, int32_t offset, int state)
{
    struct entry *entry = entry_of(code_address, offset);
    if (entry) atomic_store(&entry->state, (uint8_t)state);
}

/* Put the executor of one entry out of use, if there is one. */
void slot_clear_entry(uintptr_t code_address, int32_t offset, int state)
{
    struct entry *entry = entry_of(code_address, offset);
    if (!entry) return;
    atomic_store(&entry->state, (uint8_t)state);
    entry_empty(entry);
}

/* How often each exit of the entry's executor was taken; returns the number of exits (at most `room` are written).
   Pinned by an activation of its own, so that the executor cannot go meanwhile. */
int slot_exit_counts(uintptr_t code_address, int32_t offset, uint64_t *number, uint64_t *taken, int room)
{
    struct entry *entry = entry_of(code_address, offset);
    struct record *record = record_self();
    struct executor *executor;
    if (!entry || !record) return 0;
    _Atomic(struct executor *) *place = activation_enter(record, &entry->executor, &executor);
    if (!place) return 0;
    int count = (int)executor->exit_count;
    *number = executor->number;
    for (int i = 0; i < count && i < room; i++) taken[i] = atomic_load_explicit(&executor->exits[i].taken, memory_order_relaxed);
    activation_leave(record, place);
    return count;
}

/* Eras since the entry's executor was used last, -1 when there is none. */
int64_t slot_idle_eras(uintptr_t code_address, int32_t offset)
{
    struct entry *entry = entry_of(code_address, offset);
    struct record *record = record_self();
    struct executor *executor;
    if (!entry || !record) return -1;
    _Atomic(struct executor *) *place = activation_enter(record, &entry->executor, &executor);
    if (!place) return -1;
    uint32_t used_at = atomic_load_explicit(&executor->used_at, memory_order_relaxed);
    activation_leave(record, place);
    return (uint32_t)(atomic_load_explicit(&executor_era, memory_order_relaxed) - used_at);
}

/* The entry is wanted again, after as many events as at first. */
void slot_reopen(uintptr_t code_address, int32_t offset)
{
    struct entry *entry = entry_of(code_address, offset);
    if (!entry) return;
    atomic_store_explicit(&entry->events, 0, memory_order_relaxed);
    atomic_store(&entry->state, ENTRY_WANTED);
}

/* Take the entry's executor out of use if it is still number `number`: 1 when it was. The entry is wanted again, after
   as many events as at first. */
int slot_evict(uintptr_t code_address, int32_t offset, uint64_t number)
{
    struct entry *entry = entry_of(code_address, offset);
    struct record *record = record_self();
    struct executor *executor;
    if (!entry || !record) return 0;
    _Atomic(struct executor *) *place = activation_enter(record, &entry->executor, &executor);
    if (!place) return 0;
    struct executor *expected = executor;                /* we are listed in it: its address cannot be another's */
    bool ours = executor->number == number && atomic_compare_exchange_strong(&entry->executor, &expected, NULL);
    activation_leave(record, place);
    if (!ours) return 0;
    slot_reopen(code_address, offset);
    executor_retire(executor);                                                           /* (6) was the exchange */
    return 1;
}
