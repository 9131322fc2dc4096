/* Executors: the machine code of one entry, and its ways out. No Python. */
#ifndef FTJIT_EXECUTOR_H
#define FTJIT_EXECUTOR_H
#include <stdatomic.h>
#include <stdint.h>

/* How one value gets back to its home when machine code is left. Python packs these (backend/exits.py). */
enum move_kind { MOVE_INT, MOVE_FLOAT, MOVE_BOOL, MOVE_NEW_REFERENCE, MOVE_LOCAL, MOVE_CONSTANT, MOVE_NULL,
                 MOVE_SAME, MOVE_RANGE_ITERATOR, MOVE_MAYBE };
enum place_kind { PLACE_INT_REGISTER, PLACE_FLOAT_REGISTER, PLACE_SPILL, PLACE_IMMEDIATE };
struct move {
    uint8_t kind, place[3];
    int16_t slot, unused;
    int64_t value[3];
};

/* One way out. `offset` is where the interpreter goes on, in bytes from the start of the bytecode. */
struct exit_record {
    int32_t offset;
    int16_t reason, depth;
    int32_t first_move, moves;
    _Atomic uint64_t taken;
};
/* REASON_LIGHT: a return whose one value is in i0 or f0 of the activation, from a frame that nobody looks at. */
enum exit_reason { REASON_RETURN, REASON_POLL, REASON_STATUS, REASON_LIGHT, REASON_FIRST_DEOPT };

/* Immutable once installed, but for `valid` (1, later 0, never back), the counters, and what reclamation keeps. */
struct executor {
    const void *code;
    _Atomic uint32_t valid;
    uint32_t exit_count;
    struct exit_record *exits;
    struct move *moves;
    struct region *region;
    uint32_t inlines;                /* holds the code of other functions, whose monitors count too */
    uint64_t number;                 /* never reused: names the executor in reports */
    uint64_t code_bytes;
    /* reclamation's own, touched by its single driver only */
    uint64_t retired_at;
    uint64_t seen_active;
    struct executor *next_retired;
};
#endif
