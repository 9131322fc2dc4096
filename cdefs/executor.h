/* Executors: the machine code of one entry, and its ways out. No Python. */
#ifndef FTJIT_EXECUTOR_H
#define FTJIT_EXECUTOR_H
#include <stdatomic.h>
#include <stdint.h>

struct PyCodeObject;

/* How one value gets back to its home when machine code is left. Python packs these (backend/exits.py). */
enum move_kind { MOVE_INT, MOVE_FLOAT, MOVE_BOOL, MOVE_NEW_REFERENCE, MOVE_LOCAL, MOVE_CONSTANT, MOVE_NULL,
                 MOVE_SAME, MOVE_RANGE_ITERATOR, MOVE_MAYBE };
enum place_kind { PLACE_INT_REGISTER, PLACE_FLOAT_REGISTER, PLACE_SPILL, PLACE_IMMEDIATE };
struct move {
    uint8_t kind, place[3];
    int16_t slot, frame;             /* of localsplus; of the frame that was entered (0), or of an inlined one above it */
    int64_t value[3];
};

/* One way out. `offset` is where the interpreter goes on, in bytes from the start of the bytecode. Out of inlined
   functions it is the CALL, and the frames of the `inners` have to be made. */
struct exit_record {
    int32_t offset;
    int16_t reason, depth;
    int32_t first_move, moves;
    int32_t first_inner, inners;
    _Atomic uint64_t taken;
};
/* The frame of an inlined function, as an exit finds it: at `offset` of `code`, `depth` entries on its stack. `kept`
   entries on the stack of the frame below go when it returns. */
struct inner_frame {
    int64_t function;                /* where the function object is: with `place`, as in a move */
    struct PyCodeObject *code;              /* the executor keeps it */
    int32_t offset;
    int16_t depth;
    uint8_t place, kept;
};
enum { INLINE_DEPTH = 4 };           /* inlined frames on top of each other, at most */
enum exit_reason { REASON_RETURN, REASON_POLL, REASON_STATUS, REASON_FIRST_DEOPT };

/* Immutable once installed, but for `valid` (1, later 0, never back), the counters, and what reclamation keeps. */
struct executor {
    const void *code;
    _Atomic uint32_t valid;
    uint32_t exit_count;
    struct exit_record *exits;
    struct move *moves;
    struct inner_frame *inner_frames;
    struct keepsakes *keeps;         /* objects that the code refers to */
    struct region *region;
    uint32_t inlines;                /* frames of inlined functions on top of each other, at most */
    uint32_t inline_words;           /* what they take of the data stack */
    uint32_t holds;                  /* it uses the activation's `held`, and sets it to nothing first */
    uint64_t number;                 /* never reused: names the executor in reports */
    uint64_t code_bytes;
    _Atomic uint32_t used_at;        /* the era (below) in which it was left last, or somebody was seen inside */
    /* reclamation's own, touched by its single driver only */
    uint64_t retired_at;
    uint64_t seen_active;
    struct executor *next_retired;
};

/* How recently executors were used, for choosing what goes when the heap is full. An era is 64 ms of the ticker's. */
extern _Atomic uint32_t executor_era;
static inline void executor_used(struct executor *executor)
{
    uint32_t era = atomic_load_explicit(&executor_era, memory_order_relaxed);
    if (atomic_load_explicit(&executor->used_at, memory_order_relaxed) != era)
        atomic_store_explicit(&executor->used_at, era, memory_order_relaxed);
}

void keepsakes_drop_later(struct keepsakes *);       /* keepsakes.c */
#endif
