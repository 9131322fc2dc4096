/* Reclamation: when may the memory of a retired executor go?

   Plain epoch-based reclamation pins a thread for as long as it is inside. A Python main() loop is inside for ever,
   so nothing would ever be freed. Here the epoch covers only the short window between loading a pointer and
   recording the activation; long stays are covered by the record.

     enter:    R.epoch <- G               (1)   G by acquire, R.epoch by release; then reader_fence
               E = load entry             (2)   acquire
               if E: R.active[i] <- E     (3)   release
               R.epoch <- 0               (4)   release
     leave:    R.active[i] <- null        (5)   release
     retire:   E = exchange entry         (6)   seq_cst, by whoever swaps
               E.retired_at = G           (7)   seq_cst, after (6)
     advance:  driver_fence; every R.epoch is 0 or G (acquire) => G += 1, seq_cst     (8)   one driver at a time
     free(E):  G >= E.retired_at + 2, and then a scan (acquire) that finds E in no R.active     (9)

   Claim. When (9) frees E, no thread is inside E and none can get in; all use of E happens before.
   Proof. Let s be the stamp of E, T a thread whose load (2) returned E, F the driver's fence before the check that took
   G from s+1 to s+2. "<" is the one order of all seq_cst operations.
   1. (6) < (7) < the store of s+1 < F: a load that reads s comes before the store of s+1. So F comes after (6) whoever
      retired E and whenever the driver learnt of it. After (6) no load returns E again that is ordered after it:
      retiring is final, an executor is never installed twice.
   2. T is not pinned at s+1 or later: its acquire (1) would have read the store of s+1 or a later one, so its (2) would
      come after (6). That is why (1) loads by acquire: readers have no fence in the asymmetric form.
   3. Either T's fence < F: the check after F sees T's pin, or something T stored there later. Or F < T's fence: then (2)
      comes after (6) and does not return E. In the asymmetric form the kernel puts a barrier into T somewhere, and before
      that barrier is T's fence < F, after it F < T's fence. Records: T linked its record before (1), so the check
      that sees the pin finds the record.
   4. Seen pinned, T is at s or before, the check fails and G stays at s+1. So the check that passed saw (4), or a later
      pin by T; both are releases, so the scan that follows sees (3), or what T stored in that place after it: (5), a
      release, or a later (3), which is one too: then T has left, and its use of E happens before the free.
   5. By 1 nobody else enters: a scan that misses E stays right.
   Conditions that are part of the protocol: retiring is final; nothing between (1) and (4) allocates, calls or
   enters (no signal handler of ours, Python's run at a poll); places never move; (7) follows (6); the slot that holds
   `entry` is alive up to (2), a frame or reference sees to that; a record is emptied only after its thread has left
   everything, by a thread-specific destructor, or in a forked child, where the thread is not.
   The driver: if the barrier fails (a sandbox that came later forbids it), G does not move.
   Each ordering has a tag that weakens it (breaks.h); what catches it is listed in torture/README.md. */
#include "epoch.h"
#include "counters.h"
#include "heap.h"
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A thread that retires while this many wait drives a round itself, once in so many retirements: limbo stays bounded
   when the ticker does not get a processor. */
enum { LIMBO_MANY = 256, LIMBO_TURN = 64 };

struct counters counters;
__thread struct record *my_record __attribute__((tls_model("initial-exec")));
#if BROKEN(stamp_early)
__thread uint64_t early_stamp;
#endif

_Atomic uint64_t global_epoch = 1;
static _Atomic(struct record *) records;             /* push only; records are recycled, never freed */
static _Atomic(struct executor *) newly_retired;     /* many push, the driver takes all */
static struct executor *limbo;                       /* these three: the driver's only */
static uint64_t scan_number, newest_stamp;
static _Atomic uint32_t driving;
bool asymmetric;
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

static void record_empty(struct record *record)
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

/* ---- retiring ------------------------------------------------------------------------------------------------------ */

/* E is out of every slot (6); hand it to the driver. */
void executor_retire(struct executor *executor)
{
    FTJIT_TORTURE_POINT(7);
#if BROKEN(stamp_early)
    executor->retired_at = early_stamp;
#else
    executor->retired_at = atomic_load_explicit(&global_epoch, ORDER(seq_cst, stamp_order));        /* (7) */
#endif
    atomic_store_explicit(&executor->valid, 0, memory_order_relaxed);     /* a hint to leave: nothing rests on it */
    COUNT(retired, 1);
    COUNT(limbo_bytes, executor->code_bytes);
    uint64_t waiting = COUNT(limbo_executors, 1);
    /* `head` is a local: once the swap has succeeded the executor is the driver's, and may be gone. */
    struct executor *head = atomic_load_explicit(&newly_retired, memory_order_relaxed);
    do executor->next_retired = head;
    while (!atomic_compare_exchange_weak_explicit(&newly_retired, &head, executor, ORDER(release, retire_release),
                                                  memory_order_relaxed));                           /* partner: take */
    if (waiting >= LIMBO_MANY && waiting % LIMBO_TURN == 0) reclaim();
}

/* ---- the driver ---------------------------------------------------------------------------------------------------- */

/* Partner: reader_fence. False when the kernel refused, which it did not when we registered. */
static bool driver_fence(void)
{
    if (BROKEN(driver_fence)) return true;
    if (!asymmetric) atomic_thread_fence(memory_order_seq_cst);
    else if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0) {
        COUNT(barriers_refused, 1);
        return false;
    }
    return true;
}

static bool try_advance(void)
{
    uint64_t epoch = atomic_load_explicit(&global_epoch, memory_order_relaxed);    /* only drivers write it */
    if (!driver_fence()) return false;
    for (struct record *record = atomic_load_explicit(&records, memory_order_acquire); record; record = record->next) {
        uint64_t pinned = atomic_load_explicit(&record->epoch, ORDER(acquire, check_acquire));      /* (8) partners: (4), (1) */
        if (pinned && pinned != epoch) return false;
    }
    FTJIT_TORTURE_POINT(8);
    if (BROKEN(two_drivers)) atomic_fetch_add(&global_epoch, 1);
    else atomic_store_explicit(&global_epoch, epoch + 1, ORDER(seq_cst, stamp_order));              /* partners: (1), (7) */
    COUNT(advances, 1);
    return true;
}

static void mark_active(void)
{
    scan_number++;
    for (struct record *record = atomic_load_explicit(&records, memory_order_acquire); record; record = record->next)
        for (struct active_chunk *chunk = &record->first; chunk;
             chunk = atomic_load_explicit(&chunk->next, ORDER(acquire, chunk_release)))
            for (int i = 0; i < CHUNK; i++) {
                /* (9) partners (5), (3): all use of E precedes its free. Writing to E is safe: it is listed, and
                   only this driver frees. */
                struct executor *inside = atomic_load_explicit(&chunk->active[i], ORDER(acquire, scan_acquire));
                if (inside) inside->seen_active = scan_number;
                FTJIT_TORTURE_POINT(9);
            }
}

static void count_age(uint64_t epochs)
{
    COUNT(ages[epochs >= 16 ? 4 : epochs >= 8 ? 3 : epochs >= 4 ? 2 : epochs == 3], 1);
}

static void executor_free(struct executor *executor)
{
    COUNT(limbo_executors, -1);
    COUNT(limbo_bytes, -executor->code_bytes);
    COUNT(code_bytes, -executor->code_bytes);
    COUNT(freed, 1);
#ifdef FTJIT_TORTURE
    torture_free(executor);
#else
    region_release(executor->region);
    free(executor->exits);
    free(executor->moves);
#ifdef FTJIT_DEBUG
    memset(executor, 0xcc, sizeof *executor);      /* who still jumps through it jumps to no address at all */
#endif
    free(executor);
#endif
}

static void take_newly_retired(void)
{
    struct executor *fresh = atomic_exchange_explicit(&newly_retired, NULL, ORDER(acquire, retire_release));   /* partner: push */
    while (fresh) {
        struct executor *next = fresh->next_retired;
        if (fresh->retired_at > newest_stamp) newest_stamp = fresh->retired_at;
        fresh->next_retired = limbo;
        limbo = fresh;
        fresh = next;
    }
}

/* Free what is old enough and not marked; returns how many stay. */
static int sweep(void)
{
    uint64_t epoch = atomic_load_explicit(&global_epoch, memory_order_relaxed), distance = BROKEN(free_early) ? 1 : 2;
    int left = 0;
    for (struct executor **link = &limbo, *executor; (executor = *link);) {
        if (epoch >= executor->retired_at + distance && executor->seen_active != scan_number) {     /* (9) */
            *link = executor->next_retired;
            count_age(epoch - executor->retired_at);
            executor_free(executor);
        }
        else {
            link = &executor->next_retired;
            left++;
        }
    }
    return left;
}

/* One round by whoever gets to be the driver: take what is newly retired, advance as far as the newest of it needs if
   nobody holds the epoch back, free what nobody is inside. What is left because a thread stays inside costs a scan, no
   barrier. Returns how many executors stay in limbo, or -1 when another thread drives. */
int reclaim(void)
{
    uint32_t idle = 0;
    if (!atomic_compare_exchange_strong_explicit(&driving, &idle, 1, ORDER(acquire, driving_release),
                                                 memory_order_relaxed))
        return -1;
    int left = 0;
    take_newly_retired();
    if (limbo) {
        COUNT(reclaims, 1);
        if (BROKEN(scan_early)) mark_active();
        FTJIT_TORTURE_POINT(10);
        for (int turn = 0; turn < 2; turn++)
            if (atomic_load_explicit(&global_epoch, memory_order_relaxed) >= newest_stamp + 2 || !try_advance()) break;
        if (!BROKEN(scan_early)) mark_active();
        left = sweep();
    }
    atomic_store_explicit(&driving, 0, ORDER(release, driving_release));     /* partner: the next driver's swap */
    return left;
}

uint64_t epoch_now(void) { return atomic_load_explicit(&global_epoch, memory_order_relaxed); }
int epoch_is_asymmetric(void) { return asymmetric; }

/* ---- fork ---------------------------------------------------------------------------------------------------------- */

/* Round a fork: nobody drives meanwhile, so that the child does not inherit a half-changed limbo. */
void reclaim_pause(void)
{
    for (uint32_t idle = 0; !atomic_compare_exchange_weak(&driving, &idle, 1); idle = 0) usleep(50);
}
void reclaim_resume(void) { atomic_store(&driving, 0); }

/* In the child: the others' records are empty, and no driver is at work. What another thread was just retiring (out of
   its entry, in no list) is lost to the child: the counters are set to what the lists hold. */
void epoch_after_fork(void)
{
    for (struct record *record = atomic_load(&records); record; record = record->next)
        if (record != my_record && atomic_load(&record->taken)) record_empty(record);
    uint64_t waiting = 0, bytes = 0;
    take_newly_retired();
    for (struct executor *executor = limbo; executor; executor = executor->next_retired) {
        waiting++;
        bytes += executor->code_bytes;
    }
    atomic_store(&counters.limbo_executors, waiting);
    atomic_store(&counters.limbo_bytes, bytes);
    atomic_store(&counters.retired, atomic_load(&counters.freed) + waiting);
    /* Nobody else is here to miss the change of form. */
    if (asymmetric && syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0) asymmetric = false;
    atomic_store(&driving, 0);
}

int epoch_init(void)
{
    const char *form = getenv("FTJIT_BARRIER");
    asymmetric = !(form && !strcmp(form, "fence"))
        && syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
    return pthread_key_create(&thread_end, on_thread_end);
}

#ifdef FTJIT_TORTURE
/* What only misuse would do; the actors of the negative controls call these. */
void torture_advance_unlocked(void) { try_advance(); }
void torture_empty_record(void)
{
    for (int i = 0; i < CHUNK; i++) atomic_store(&my_record->first.active[i], NULL);
}
#endif
