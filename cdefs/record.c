/* Records: what each thread is inside of, in places that never move. One for each thread, pushed once, recycled when the
   thread ends, never freed: whoever drives may walk them without a lock. */
#include "epoch.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

_Atomic(struct record *) records;                    /* push only */
__thread struct record *my_record __attribute__((tls_model("initial-exec")));
static pthread_key_t thread_end;

/* ---- places in a record ------------------------------------------------------------------------------------------ */

static uint32_t depth_of(struct record *record) { return atomic_load_explicit(&record->depth, memory_order_relaxed); }
static void set_depth(struct record *record, uint32_t depth)
{
    atomic_store_explicit(&record->depth, depth, memory_order_relaxed);
}
static struct active_chunk *chunk_after(struct active_chunk *chunk)
{
    return atomic_load_explicit(&chunk->next, memory_order_relaxed);       /* the owner wrote it */
}

/* Place `number`, near the chunk used last; NULL when no chunk holds it yet. */
static _Atomic(struct executor *) *place_of(struct record *record, uint32_t number)
{
    struct active_chunk *chunk = record->top;
    while (number < chunk->base) chunk = chunk->previous;
    for (; number - chunk->base >= CHUNK; chunk = chunk_after(chunk)) {
        record->top = chunk;
        if (!chunk_after(chunk)) return NULL;
    }
    record->top = chunk;
    return &chunk->active[number - chunk->base];
}

/* A null place below depth; there are many. */
static _Atomic(struct executor *) *hole_of(struct record *record)
{
    for (;;) {
        if (record->look_at == CHUNK || record->look_in->base + record->look_at >= depth_of(record)) {
            struct active_chunk *next = chunk_after(record->look_in);
            record->look_in = record->look_at == CHUNK && next ? next : &record->first;
            record->look_at = 0;
        }
        else {
            _Atomic(struct executor *) *place = &record->look_in->active[record->look_at++];
            if (!atomic_load_explicit(place, memory_order_relaxed)) return place;
        }
    }
}

/* Room for the next activation beyond the first chunk, made before pinning: nothing may allocate while pinned. Where
   threads leave out of order all the time (a queue of greenlets) holes are filled again, so that chunks and scans stay
   within twice what is active. */
_Atomic(struct executor *) *activation_room(struct record *record)
{
    uint32_t depth = depth_of(record);
    if (record->holes > depth / 2) return hole_of(record);
    _Atomic(struct executor *) *place = place_of(record, depth);
    if (place) return place;
    struct active_chunk *next = calloc(1, sizeof *next);
    if (!next) return NULL;
    next->previous = record->top;                                          /* the last one: place_of ended there */
    next->base = record->top->base + CHUNK;
    atomic_store_explicit(&record->top->next, next, ORDER(release, chunk_release));    /* partner: mark_active's acquire */
    FTJIT_TORTURE_POINT(11);
    record->top = next;
    return &next->active[0];
}

/* `place`, from activation_room, now holds an executor. */
void activation_filled(struct record *record, _Atomic(struct executor *) *place)
{
    uint32_t depth = depth_of(record);
    if (place == place_of(record, depth)) set_depth(record, depth + 1);
    else record->holes--;
}

/* One place has become null: lower the depth over what has been left. */
void activation_unwind(struct record *record)
{
    uint32_t depth = depth_of(record);
    record->holes++;
    while (depth && !atomic_load_explicit(place_of(record, depth - 1), memory_order_relaxed)) {
        depth--;
        record->holes--;
    }
    set_depth(record, depth);
}

/* ---- records ------------------------------------------------------------------------------------------------------- */

void record_empty(struct record *record)
{
    for (struct active_chunk *chunk = &record->first; chunk; chunk = chunk_after(chunk))
        for (int i = 0; i < CHUNK; i++) atomic_store_explicit(&chunk->active[i], NULL, memory_order_release);
    set_depth(record, 0);
    record->holes = record->look_at = 0;
    record->top = record->look_in = &record->first;
    atomic_store_explicit(&record->epoch, 0, memory_order_release);
    atomic_store_explicit(&record->taken, 0, ORDER(release, taken_release));     /* partner: the next owner's swap */
}

/* The thread-specific destructor: the thread state is gone. A later destructor that runs Python again registers again. */
static void on_thread_end(void *record)
{
    my_record = NULL;
    record_empty(record);
}

static struct record *record_new(void)
{
    struct record *record;
    if (posix_memalign((void **)&record, 128, sizeof *record)) return NULL;
    memset(record, 0, sizeof *record);
    record->top = record->look_in = &record->first;
    atomic_store_explicit(&record->taken, 1, memory_order_relaxed);
    struct record *head = atomic_load_explicit(&records, memory_order_relaxed);
    do record->next = head;
    while (!atomic_compare_exchange_weak_explicit(&records, &head, record, ORDER(seq_cst, records_release),
                                                  memory_order_relaxed));
    return record;
}

struct record *record_register(void)
{
    struct record *record;
    for (record = atomic_load_explicit(&records, memory_order_acquire); record; record = record->next) {
        uint32_t nobody = 0;
        if (atomic_compare_exchange_strong_explicit(&record->taken, &nobody, 1, ORDER(acquire, taken_release),
                                                    memory_order_relaxed))
            break;
    }
    if (!record && !(record = record_new())) return NULL;
    if (pthread_setspecific(thread_end, record) != 0) {        /* nothing would empty it when this thread ends */
        atomic_store_explicit(&record->taken, 0, memory_order_release);
        return NULL;
    }
    my_record = record;
    return record;
}

void epoch_totals(uint64_t *entries, uint64_t *exits, uint64_t *inside)
{
    *entries = *exits = *inside = 0;
    for (struct record *record = atomic_load_explicit(&records, memory_order_acquire); record; record = record->next) {
        *entries += atomic_load_explicit(&record->entries, memory_order_relaxed);
        *exits += atomic_load_explicit(&record->exits, memory_order_relaxed);
        *inside += depth_of(record);
    }
}

/* The calling thread's own, with what threads had counted that used its record before: how often it entered machine code, left it, and left it because a guess was wrong. */
void epoch_mine(uint64_t *entries, uint64_t *exits, uint64_t *deopts)
{
    struct record *record = my_record;
    *entries = record ? atomic_load_explicit(&record->entries, memory_order_relaxed) : 0;
    *exits = record ? atomic_load_explicit(&record->exits, memory_order_relaxed) : 0;
    *deopts = record ? atomic_load_explicit(&record->deopts, memory_order_relaxed) : 0;
}

/* For statistics and stress runs: is a thread listed inside it? Nothing is read through the pointers. */
bool somebody_inside(const struct executor *executor)
{
    for (struct record *record = atomic_load_explicit(&records, memory_order_acquire); record; record = record->next)
        for (struct active_chunk *chunk = &record->first; chunk;
             chunk = atomic_load_explicit(&chunk->next, memory_order_acquire))
            for (int i = 0; i < CHUNK; i++)
                if (atomic_load_explicit(&chunk->active[i], memory_order_relaxed) == executor) return true;
    return false;
}

int records_init(void) { return pthread_key_create(&thread_end, on_thread_end); }

#ifdef FTJIT_TORTURE
/* What only misuse would do: the control `dead_record_early`. */
void torture_empty_record(void)
{
    for (int i = 0; i < CHUNK; i++) atomic_store(&my_record->first.active[i], NULL);
}
#endif
