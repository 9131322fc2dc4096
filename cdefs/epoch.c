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
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A thread that retires while this many wait drives a round itself, once in so many retirements: limbo stays bounded
   when the ticker does not get a processor. */
enum { LIMBO_MANY = 256, LIMBO_TURN = 64 };

struct counters counters;
#if BROKEN(stamp_early)
__thread uint64_t early_stamp;
#endif

_Atomic uint64_t global_epoch = 1;
_Atomic uint32_t executor_era;                       /* the ticker moves it */
static _Atomic(struct executor *) newly_retired;     /* many push, the driver takes all */
/* The driver's only. `young`: not yet two epochs old when they were last looked at; `ripe`: old enough, and somebody was
   inside. So a round that cannot advance, or finds nothing new, costs no more than what is active. */
static struct executor *young, *ripe;
static uint64_t scan_number, newest_stamp;
static int young_count;
static _Atomic uint32_t driving;
bool asymmetric;

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
    if (somebody_inside(executor)) COUNT(retired_inside, 1);
    COUNT(limbo_bytes, executor->code_bytes);
    uint64_t waiting = COUNT(limbo_executors, 1);
    /* `head` is a local: once the swap has succeeded the executor is the driver's, and may be gone. */
    struct executor *head = atomic_load_explicit(&newly_retired, memory_order_relaxed);
    do executor->next_retired = head;
    while (!atomic_compare_exchange_weak_explicit(&newly_retired, &head, executor, ORDER(release, retire_release),
                                                  memory_order_relaxed));                           /* partner: take */
    if (waiting >= LIMBO_MANY && waiting % LIMBO_TURN == 0) reclaim();
}

uint64_t epoch_now(void) { return atomic_load_explicit(&global_epoch, memory_order_relaxed); }
int epoch_is_asymmetric(void) { return asymmetric; }

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
    uint64_t epoch = epoch_now();                                /* only drivers write it */
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
    COUNT(ages[epochs < 2 ? 5 : epochs >= 16 ? 4 : epochs >= 8 ? 3 : epochs >= 4 ? 2 : epochs == 3], 1);
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
    free(executor->inner_frames);
    keepsakes_drop_later(executor->keeps);
    /* Who still jumps through it jumps to no address at all. */
    if (heap_poisons()) memset(executor, 0xcc, sizeof *executor);
    free(executor);
#endif
}

static void push(struct executor **list, struct executor *executor)
{
    executor->next_retired = *list;
    *list = executor;
}

/* (9) E was retired two epochs ago. */
static bool is_old(struct executor *executor, uint64_t epoch)
{
    return epoch >= executor->retired_at + (BROKEN(free_early) ? 1 : 2);
}

static void take_newly_retired(void)
{
    uint64_t epoch = epoch_now();
    struct executor *fresh = atomic_exchange_explicit(&newly_retired, NULL, ORDER(acquire, retire_release));   /* partner: push */
    while (fresh) {
        struct executor *next = fresh->next_retired;
        if (fresh->retired_at > newest_stamp) newest_stamp = fresh->retired_at;
        if (is_old(fresh, epoch)) push(&ripe, fresh);
        else {
            push(&young, fresh);
            young_count++;
        }
        fresh = next;
    }
}

/* The epoch has moved: what is old enough now goes from the young to the ripe. */
static void sort(uint64_t epoch)
{
    for (struct executor **link = &young, *executor; (executor = *link);) {
        if (!is_old(executor, epoch)) link = &executor->next_retired;
        else {
            *link = executor->next_retired;
            push(&ripe, executor);
            young_count--;
        }
    }
}

/* Free the ripe that the scan did not mark; returns how many stay. */
static int sweep(uint64_t epoch)
{
    int left = 0;
    for (struct executor **link = &ripe, *executor; (executor = *link);) {
        if (executor->seen_active == scan_number) {                                                 /* (9) */
            link = &executor->next_retired;
            left++;
        }
        else {
            *link = executor->next_retired;
            count_age(epoch - executor->retired_at);
            executor_free(executor);
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
    if (young || ripe) {
        COUNT(reclaims, 1);
        uint64_t before = epoch_now();
        if (BROKEN(scan_early)) mark_active();
        FTJIT_TORTURE_POINT(10);
        for (int turn = 0; turn < 2; turn++)
            if (epoch_now() >= newest_stamp + 2 || !try_advance()) break;
        uint64_t epoch = epoch_now();
        if (epoch != before) sort(epoch);
        if (ripe && !BROKEN(scan_early)) mark_active();
        left = sweep(epoch) + young_count;
    }
    atomic_store_explicit(&driving, 0, ORDER(release, driving_release));     /* partner: the next driver's swap */
    return left;
}

/* ---- fork ---------------------------------------------------------------------------------------------------------- */

/* Round a fork: nobody drives meanwhile, so that the child does not inherit a half-changed limbo. */
void reclaim_pause(void)
{
    for (uint32_t idle = 0; !atomic_compare_exchange_weak(&driving, &idle, 1); idle = 0) usleep(50);
}
void reclaim_resume(void) { atomic_store(&driving, 0); }

/* In the child, before reclaim_resume: the others' records are empty. What another thread was just retiring (out of
   its entry, in no list) is lost to the child: the counters are set to what the lists hold. */
void epoch_after_fork(void)
{
    for (struct record *record = atomic_load(&records); record; record = record->next)
        if (record != my_record && atomic_load(&record->taken)) record_empty(record);
    uint64_t waiting = 0, bytes = 0;
    take_newly_retired();
    for (struct executor *executor = ripe; executor; executor = executor->next_retired, waiting++) bytes += executor->code_bytes;
    for (struct executor *executor = young; executor; executor = executor->next_retired, waiting++) bytes += executor->code_bytes;
    atomic_store(&counters.limbo_executors, waiting);
    atomic_store(&counters.limbo_bytes, bytes);
    atomic_store(&counters.retired, atomic_load(&counters.freed) + waiting);
    /* Nobody else is here to miss the change of form. */
    if (asymmetric && syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0) asymmetric = false;
}

int epoch_init(void)
{
    const char *form = getenv("FTJIT_BARRIER");
    asymmetric = !(form && !strcmp(form, "fence"))
        && syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
    return records_init();
}

/* What threads are inside counts as used now. 0, or -1 when another thread drives: only the driver may look into what
   is listed. */
int epoch_mark_used(void)
{
    uint32_t idle = 0;
    if (!atomic_compare_exchange_strong_explicit(&driving, &idle, 1, memory_order_acquire, memory_order_relaxed)) return -1;
    for (struct record *record = atomic_load_explicit(&records, memory_order_acquire); record; record = record->next)
        for (struct active_chunk *chunk = &record->first; chunk;
             chunk = atomic_load_explicit(&chunk->next, memory_order_acquire))
            for (int i = 0; i < CHUNK; i++) {
                struct executor *inside = atomic_load_explicit(&chunk->active[i], memory_order_acquire);
                if (inside) executor_used(inside);
            }
    atomic_store_explicit(&driving, 0, memory_order_release);
    return 0;
}

#ifdef FTJIT_TORTURE
/* What only misuse would do; the actors of the negative controls call these. */
void torture_advance_unlocked(void) { try_advance(); }
#endif
