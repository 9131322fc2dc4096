/* Who is inside which executor, and when retired code may go: the protocol and its proof are at the top of epoch.c, and
   the numbers here are theirs; record.c has the records. Includes C11 only, so that torture/ runs exactly this code without Python. */
#ifndef FTJIT_EPOCH_H
#define FTJIT_EPOCH_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "breaks.h"
#include "executor.h"

/* ---- records (record.c): one a thread, recycled, never freed ------------------------------------------------------------------ */

enum { CHUNK = 30 };
struct active_chunk {
    _Atomic(struct executor *) active[CHUNK];
    _Atomic(struct active_chunk *) next;
    struct active_chunk *previous;   /* set before the chunk is linked, like `base` */
    uint32_t base;                   /* the number of its first place */
};
/* What the owner writes and others only add up is relaxed; what is the owner's alone is plain. */
struct record {
    _Atomic uint64_t epoch;          /* 0, or the epoch this thread is pinned at */
    _Atomic uint32_t taken;          /* 1 while a thread owns the record */
    _Atomic uint32_t depth;          /* every place from here on is null, the one below is not */
    _Atomic uint64_t entries, exits, deopts;
    struct record *next;             /* set before the record is linked */
    uint32_t holes;                  /* owner: null places below depth, left out of order */
    uint32_t look_at;                /* owner: where in `look_in` to look for the next hole */
    struct active_chunk *top;        /* owner: the chunk that was used last */
    struct active_chunk *look_in;
    struct active_chunk first;
    uintptr_t stack_limit, stack_floor;  /* owner: what is known of its C stack (stay.h) */
} __attribute__((aligned(128)));

extern __thread struct record *my_record __attribute__((tls_model("initial-exec")));
extern _Atomic uint64_t global_epoch;  /* epoch.c */
extern bool asymmetric;              /* readers need no fence: the driver interrupts them instead */

extern _Atomic(struct record *) records;
int records_init(void);
void record_empty(struct record *);
void epoch_totals(uint64_t *entries, uint64_t *exits, uint64_t *inside);
void epoch_mine(uint64_t *entries, uint64_t *exits, uint64_t *deopts);
bool somebody_inside(const struct executor *);
struct record *record_register(void);
static inline struct record *record_self(void) { return my_record ? my_record : record_register(); }
_Atomic(struct executor *) *activation_room(struct record *);
void activation_filled(struct record *, _Atomic(struct executor *) *place);
void activation_unwind(struct record *);

/* One more, by the only thread that writes here. */
static inline void count_own(_Atomic uint64_t *counter)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1, memory_order_relaxed);
}

/* ---- readers: (1) to (5) ------------------------------------------------------------------------------------------- */

/* Partner: driver_fence in epoch.c. Serves step 3 of the proof there. */
static inline void reader_fence(void)
{
    if (asymmetric || BROKEN(reader_fence)) atomic_signal_fence(memory_order_seq_cst);
    else atomic_thread_fence(memory_order_seq_cst);
}

/* (1) The epoch is loaded with acquire: who is pinned at an epoch has seen every exchange (6) stamped two before it (step
   2 of the proof). It is stored with release: who sees this pin instead of the unpinning (4) before it sees no less. */
static inline void record_pin(struct record *record)
{
    uint64_t now = atomic_load_explicit(&global_epoch, ORDER(acquire, pin_acquire));                /* partner: (8) */
    atomic_store_explicit(&record->epoch, now, ORDER(release, pin_release));                        /* partner: (8) */
    FTJIT_TORTURE_POINT(1);
    reader_fence();
}
static inline void record_unpin(struct record *record)
{
    atomic_store_explicit(&record->epoch, 0, ORDER(release, unpin_release));                        /* (4) partner: (8) */
}

/* Enter what `entry` names now. Returns the activation's place, or NULL when there is nothing to enter. Room for (3) is
   made first: nothing between (1) and (4) allocates, calls or enters. */
static inline _Atomic(struct executor *) *activation_enter(struct record *record, _Atomic(struct executor *) *entry,
                                                           struct executor **executor)
{
    uint32_t depth = atomic_load_explicit(&record->depth, memory_order_relaxed);
    _Atomic(struct executor *) *place = depth < CHUNK ? &record->first.active[depth] : activation_room(record);
    if (!place) return NULL;
    record_pin(record);                                                                             /* (1) */
    struct executor *found = atomic_load_explicit(entry, ORDER(acquire, publish_release));          /* (2) partner: (6) */
    FTJIT_TORTURE_POINT(2);
    if (BROKEN(unpin_release)) {         /* what a relaxed (4) permits, done by hand: x86 and compilers seldom do it */
        record_unpin(record);
        FTJIT_TORTURE_POINT(3);
    }
    /* release: the place may have held another executor before (5) */
    if (found) atomic_store_explicit(place, found, ORDER(release, record_release));                 /* (3) partner: (9) */
    FTJIT_TORTURE_POINT(3);
    record_unpin(record);                                                                           /* (4) */
    if (!found) return NULL;
    if (depth < CHUNK) atomic_store_explicit(&record->depth, depth + 1, memory_order_relaxed);
    else activation_filled(record, place);
    *executor = found;
    return place;
}

/* Called when control has left the executor. Out-of-order leaves (greenlets) leave a hole; places never move. */
static inline void activation_leave(struct record *record, _Atomic(struct executor *) *place)
{
    atomic_store_explicit(place, NULL, ORDER(release, leave_release));                              /* (5) partner: (9) */
    uint32_t depth;
    if (place == &record->first.active[0] && atomic_load_explicit(&record->depth, memory_order_relaxed) == 1)
        atomic_store_explicit(&record->depth, 0, memory_order_relaxed);
    else if ((depth = atomic_load_explicit(&record->depth, memory_order_relaxed)) <= CHUNK
             && place == &record->first.active[depth - 1] && !record->holes)        /* the top, and nothing null below */
        atomic_store_explicit(&record->depth, depth - 1, memory_order_relaxed);
    else activation_unwind(record);
}

/* ---- installing and retiring: (6), (7) ------------------------------------------------------------------------------ */

#if BROKEN(stamp_early)
extern __thread uint64_t early_stamp;
#endif

/* (6) Put `next` (or NULL) where `entry` names an executor; who gets the old one retires it. seq_cst: its release
   publishes the executor and its code to (2), its place in the one order of all is what the proof counts from. */
static inline struct executor *entry_exchange(_Atomic(struct executor *) *entry, struct executor *next)
{
#if BROKEN(stamp_early)
    early_stamp = atomic_load(&global_epoch);
    FTJIT_TORTURE_POINT(6);
#endif
    return atomic_exchange_explicit(entry, next, ORDER(seq_cst, publish_release));
}

void executor_retire(struct executor *);
int reclaim(void);
void reclaim_pause(void);
void reclaim_resume(void);
uint64_t epoch_now(void);
void epoch_after_fork(void);
int epoch_init(void);

/* Torture only: what frees an executor's memory there (it keeps it for a while), and the ends of the driver's list. */
#ifdef FTJIT_TORTURE
void torture_free(struct executor *);
void torture_advance_unlocked(void);
void torture_empty_record(void);
#endif
#endif
