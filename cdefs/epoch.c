/* Reclamation: when may the memory of a retired executor go?

   Plain epoch-based reclamation pins a thread for as long as it is inside. A Python main() loop is inside for ever,
   so nothing would ever be freed. Here the epoch covers only the short window between loading a pointer and
   recording the activation; long stays are covered by the record.

     enter:    R.epoch <- G               (1)   before (2) in the eyes of a reclaimer: see `reader_fence`
               E = load entry             (2)
               if E: R.active[i] <- E     (3)
               R.epoch <- 0               (4)   release: (3) before (4)
     leave:    R.active[i] <- null        (5)   release: everything done inside E before (5)
     retire:   E = exchange entry         (6)   by whoever swaps
               E.retired_at = G           (7)   read after (6)
     advance:  every R.epoch is 0 or G => G += 1        (8)   one driver at a time
     free(E):  G >= E.retired_at + 2, and a scan after the second advance finds E in no R.active   (9)

   Claim. When (9) frees E, no thread is inside E and none can get in.
   Proof. 1. After (6) no load (2) returns E again: retiring is final, an executor is never installed twice.
   2. A thread whose load (2) returned E did (1) before it. Had the thread's (1) not been visible to the driver's
      check (8), then by the store-load fence its (2) came after the driver's own barrier, which came after (6): it
      would not have returned E. So it was seen pinned, at an epoch <= retired_at + 1 (G moves at most once past a
      pinned thread), and the second advance after (7) waited until it did (4).
   3. (4) is a release and the driver's check an acquire, so the scan after the second advance sees (3), unless (5)
      has happened: and then the thread has left E.
   4. By 1 nobody else enters, so a scan that misses E stays right.
   Conditions that are part of the protocol: retiring is final; nothing between (1) and (4) allocates, calls or
   enters; activation records never move; (7) follows (6); a dead thread's record is emptied only after its thread
   state is gone. Retired code that nobody is inside is freed as soon as every pinned thread has run. */
#include "core.h"
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct counters counters;
__thread struct record *my_record __attribute__((tls_model("initial-exec")));

_Atomic uint64_t global_epoch = 1;
static _Atomic(struct record *) records;             /* push only; records are recycled, never freed */
static _Atomic(struct executor *) newly_retired;     /* many push, the driver takes all */
static struct executor *limbo;                       /* the driver's only */
static uint64_t scan_number;
static _Atomic uint32_t driving;
bool asymmetric;
static pthread_key_t thread_end;

/* ---- readers ------------------------------------------------------------------------------------------------ */

/* The readers' side, (1) to (5), is inline in core.h. Partner of driver_fence: reader_fence there. */
static void driver_fence(void)
{
    if (asymmetric) syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    else atomic_thread_fence(memory_order_seq_cst);
}

static _Atomic(struct executor *) *activation_place(struct record *record, uint32_t depth)
{
    struct active_chunk *chunk = &record->first;
    for (; depth >= CHUNK; depth -= CHUNK) {
        struct active_chunk *next = atomic_load_explicit(&chunk->next, memory_order_relaxed);
        if (!next) return NULL;
        chunk = next;
    }
    return &chunk->active[depth];
}

/* Room for the next activation, made before pinning: nothing may allocate while pinned. */
_Atomic(struct executor *) *activation_room(struct record *record)
{
    _Atomic(struct executor *) *place = activation_place(record, record->depth);
    if (place) return place;
    struct active_chunk *chunk = &record->first, *next;
    while ((next = atomic_load_explicit(&chunk->next, memory_order_relaxed))) chunk = next;
    next = calloc(1, sizeof *next);
    if (!next) return NULL;
    atomic_store_explicit(&chunk->next, next, memory_order_release);   /* partner: mark_active's acquire */
    return activation_place(record, record->depth);
}

/* Lower the depth over what has been left. */
void activation_unwind(struct record *record)
{
    while (record->depth) {
        _Atomic(struct executor *) *top = activation_place(record, record->depth - 1);
        if (atomic_load_explicit(top, memory_order_relaxed)) break;
        record->depth--;
    }
}

/* ---- records ------------------------------------------------------------------------------------------------ */

static void record_empty(struct record *record)
{
    for (struct active_chunk *chunk = &record->first; chunk;
         chunk = atomic_load_explicit(&chunk->next, memory_order_relaxed))
        for (int i = 0; i < CHUNK; i++) atomic_store_explicit(&chunk->active[i], NULL, memory_order_release);
    record->depth = 0;
    atomic_store_explicit(&record->epoch, 0, memory_order_release);
    atomic_store_explicit(&record->taken, 0, memory_order_release);
}

static void on_thread_end(void *record)
{
    my_record = NULL;
    record_empty(record);
}

struct record *record_register(void)
{
    struct record *record;
    for (record = atomic_load_explicit(&records, memory_order_acquire); record; record = record->next) {
        uint32_t free = 0;
        if (atomic_compare_exchange_strong(&record->taken, &free, 1)) break;
    }
    if (!record) {
        if (posix_memalign((void **)&record, 128, sizeof *record)) return NULL;
        memset(record, 0, sizeof *record);
        atomic_store_explicit(&record->taken, 1, memory_order_relaxed);
        record->next = atomic_load_explicit(&records, memory_order_relaxed);
        while (!atomic_compare_exchange_weak(&records, &record->next, record)) {}
    }
    pthread_setspecific(thread_end, record);
    my_record = record;
    return record;
}

void epoch_totals(uint64_t *entries, uint64_t *exits, uint64_t *inside)
{
    *entries = *exits = *inside = 0;
    for (struct record *record = atomic_load(&records); record; record = record->next) {
        *entries += record->entries;
        *exits += record->exits;
        *inside += record->depth;
    }
}

/* The calling thread's own: how often it entered machine code, left it, and left it because a guess was wrong. */
void epoch_mine(uint64_t *entries, uint64_t *exits, uint64_t *deopts)
{
    struct record *record = my_record;
    *entries = record ? record->entries : 0;
    *exits = record ? record->exits : 0;
    *deopts = record ? record->deopts : 0;
}

/* ---- the driver --------------------------------------------------------------------------------------------- */

/* For statistics: is a thread listed inside it? Nothing is read through the pointers. */
static bool somebody_inside(const struct executor *executor)
{
    for (struct record *record = atomic_load_explicit(&records, memory_order_acquire); record; record = record->next)
        for (struct active_chunk *chunk = &record->first; chunk;
             chunk = atomic_load_explicit(&chunk->next, memory_order_acquire))
            for (int i = 0; i < CHUNK; i++)
                if (atomic_load_explicit(&chunk->active[i], memory_order_relaxed) == executor) return true;
    return false;
}

/* E is out of every slot (6); hand it to the driver. */
void executor_retire(struct executor *executor)
{
    atomic_store_explicit(&executor->valid, 0, memory_order_release);     /* partner: the poll's load */
    COUNT(retired, 1);
    if (somebody_inside(executor)) COUNT(retired_inside, 1);
    COUNT(limbo_executors, 1);
    COUNT(limbo_bytes, executor->code_bytes);
    executor->retired_at = atomic_load(&global_epoch);                                              /* (7) */
    executor->next_retired = atomic_load_explicit(&newly_retired, memory_order_relaxed);
    while (!atomic_compare_exchange_weak(&newly_retired, &executor->next_retired, executor)) {}
}

static bool try_advance(void)
{
    driver_fence();
    uint64_t epoch = atomic_load(&global_epoch);
    for (struct record *record = atomic_load_explicit(&records, memory_order_acquire); record; record = record->next) {
        uint64_t pinned = atomic_load_explicit(&record->epoch, memory_order_acquire);               /* (8) partner: (4) */
        if (pinned && pinned != epoch) return false;
    }
    atomic_store(&global_epoch, epoch + 1);
    COUNT(advances, 1);
    return true;
}

static void mark_active(void)
{
    scan_number++;
    for (struct record *record = atomic_load_explicit(&records, memory_order_acquire); record; record = record->next)
        for (struct active_chunk *chunk = &record->first; chunk;
             chunk = atomic_load_explicit(&chunk->next, memory_order_acquire))
            for (int i = 0; i < CHUNK; i++) {
                /* acquire: partner (5), so that all use of E precedes its free. Writing to E is safe: it is listed,
                   and only this driver frees. */
                struct executor *inside = atomic_load_explicit(&chunk->active[i], memory_order_acquire);
                if (inside) inside->seen_active = scan_number;
            }
}

static void executor_free(struct executor *executor)
{
    atomic_fetch_sub(&counters.limbo_executors, 1);
    atomic_fetch_sub(&counters.limbo_bytes, executor->code_bytes);
    atomic_fetch_sub(&counters.code_bytes, executor->code_bytes);
    COUNT(freed, 1);
    region_release(executor->region);
    free(executor->exits);
    free(executor->moves);
    free(executor->inner_frames);
    keepsakes_drop_later(executor->keeps);
    free(executor);
}

/* One round by whoever gets to be the driver: take what is newly retired, advance twice if nobody holds the epoch
   back, free what nobody is inside. Returns how many executors stay in limbo, or -1 when another thread drives. */
int reclaim(void)
{
    uint32_t idle = 0;
    if (!atomic_compare_exchange_strong(&driving, &idle, 1)) return -1;
    struct executor *fresh = atomic_exchange(&newly_retired, NULL);
    while (fresh) {
        struct executor *next = fresh->next_retired;
        fresh->next_retired = limbo;
        limbo = fresh;
        fresh = next;
    }
    int left = 0;
    if (limbo) {
        COUNT(reclaims, 1);
        if (try_advance()) try_advance();
        uint64_t epoch = atomic_load(&global_epoch);
        mark_active();
        for (struct executor **link = &limbo, *executor; (executor = *link);) {
            if (epoch >= executor->retired_at + 2 && executor->seen_active != scan_number) {        /* (9) */
                *link = executor->next_retired;
                executor_free(executor);
            }
            else {
                link = &executor->next_retired;
                left++;
            }
        }
    }
    atomic_store(&driving, 0);
    return left;
}

/* Round a fork: nobody drives meanwhile, so that the child does not inherit a half-changed limbo. */
void reclaim_pause(void)
{
    for (uint32_t idle = 0; !atomic_compare_exchange_weak(&driving, &idle, 1); idle = 0) usleep(50);
}
void reclaim_resume(void) { atomic_store(&driving, 0); }

uint64_t epoch_now(void) { return atomic_load(&global_epoch); }
int epoch_is_asymmetric(void) { return asymmetric; }

/* The child has one thread: the others' records are empty, and no driver is at work. */
void epoch_after_fork(void)
{
    for (struct record *record = atomic_load(&records); record; record = record->next)
        if (record != my_record && atomic_load(&record->taken)) record_empty(record);
    atomic_store(&driving, 0);
    if (asymmetric && syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0) asymmetric = false;
}

int epoch_init(void)
{
    const char *form = getenv("FTJIT_BARRIER");
    asymmetric = !(form && !strcmp(form, "fence"))
        && syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
    return pthread_key_create(&thread_end, on_thread_end);
}

/* What threads are inside counts as used now. 0, or -1 when another thread drives: only the driver may look into what
   is listed. */
int epoch_mark_used(void)
{
    uint32_t idle = 0;
    if (!atomic_compare_exchange_strong(&driving, &idle, 1)) return -1;
    for (struct record *record = atomic_load_explicit(&records, memory_order_acquire); record; record = record->next)
        for (struct active_chunk *chunk = &record->first; chunk;
             chunk = atomic_load_explicit(&chunk->next, memory_order_acquire))
            for (int i = 0; i < CHUNK; i++) {
                struct executor *inside = atomic_load_explicit(&chunk->active[i], memory_order_acquire);
                if (inside) executor_used(inside);
            }
    atomic_store(&driving, 0);
    return 0;
}
