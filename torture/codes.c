/* Code objects: a few names, each of a code object that threads' frames hold and that is replaced by another now and then.
   The last reference takes the slot along, at once, as CPython's code_dealloc does. */
#include "torture.h"
#include <stdlib.h>

static const uint64_t SLOT_ALIVE = 0x510751075107ull;
static pthread_mutex_t names = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct code *) codes[CODES];

/* For a fork: the names; and, as when CPython stops the world, whoever is taking executors out of entries. */
static pthread_rwlock_t world = PTHREAD_RWLOCK_INITIALIZER;
void retiring_begins(void) { pthread_rwlock_rdlock(&world); }
void retiring_ends(void) { pthread_rwlock_unlock(&world); }
void codes_lock(int stop_retiring)
{
    if (stop_retiring) pthread_rwlock_wrlock(&world);
    pthread_mutex_lock(&names);
}
void codes_unlock(int stopped_retiring)
{
    pthread_mutex_unlock(&names);
    if (stopped_retiring) pthread_rwlock_unlock(&world);
}
void codes_in_child(void)
{
    pthread_mutex_init(&names, NULL);
    pthread_rwlock_init(&world, NULL);
}

static struct code *code_new(void)
{
    struct code *code = calloc(1, sizeof *code);
    if (!code) abort();
    code->slot.canary = SLOT_ALIVE;
    code->references = 1;
    return code;
}

/* Few threads meet in one entry, many spread. */
int pick_code(void) { return options.few ? 0 : (int)(chance() % CODES); }
int pick_entry(void) { return options.few ? 0 : (int)(chance() % ENTRIES); }

void codes_init(void)
{
    for (int i = 0; i < CODES; i++) atomic_store(&codes[i], code_new());
}

/* A reference to the code object that has this name now: a frame. */
struct code *code_take(int which)
{
    pthread_mutex_lock(&names);
    struct code *code = atomic_load_explicit(&codes[which], memory_order_relaxed);
    code->references++;
    pthread_mutex_unlock(&names);
    return code;
}

static void code_free(struct code *code)
{
    static struct quarantine ring;
    retiring_begins();
    for (int i = 0; i < ENTRIES; i++) entry_install(&code->slot, i, NULL);
    retiring_ends();
    code->slot.canary = 0;
    if (!REALLY_FREE) code = quarantine(&ring, code);
    free(code);
}

void code_drop(struct code *code)
{
    pthread_mutex_lock(&names);
    int left = --code->references;
    pthread_mutex_unlock(&names);
    if (!left) code_free(code);
}

struct slot *code_peek_slot(int which) { return &atomic_load_explicit(&codes[which], memory_order_acquire)->slot; }

void code_replace(int which)
{
    struct code *code = code_new();
    pthread_mutex_lock(&names);
    struct code *old = atomic_exchange_explicit(&codes[which], code, memory_order_release);
    pthread_mutex_unlock(&names);
    code_drop(old);
}

void slot_check(struct slot *slot)
{
    if (slot->canary != SLOT_ALIVE) caught("a slot whose code object is dead", slot->canary);
}

/* (6) and (7). Under the control `reinstall` an executor may come by twice: it is retired once. */
void entry_install(struct slot *slot, int entry, struct executor *executor)
{
    struct executor *old = entry_exchange(&slot->entry[entry], executor);
    if (!old || (BROKEN(reinstall) && old->inlines)) return;
    if (BROKEN(reinstall)) old->inlines = 1;
    executor_retire(old);
    if (BROKEN(reinstall) && executor && one_in(4)) {
        struct executor *other = entry_exchange(&slot->entry[entry], old);
        if (other && !other->inlines) {
            other->inlines = 1;
            executor_retire(other);
        }
    }
}

void codes_clear(void)
{
    for (int i = 0; i < CODES; i++)
        for (int k = 0; k < ENTRIES; k++) entry_install(&atomic_load(&codes[i])->slot, k, NULL);
}
