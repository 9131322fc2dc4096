/* Executors and code bytes that say whether they are alive, and a stand-in for the code heap. What is freed is
   overwritten and kept for a while (quarantine), so that a late reader finds the mark; with AddressSanitizer it is really
   freed, so that it finds the late reader. */
#include "torture.h"
#include <stdlib.h>

enum { MOVES = 4, WORDS = 4 };
static const uint64_t DEAD = 0xdeaddeaddeaddeadull;
static _Atomic uint64_t numbers = 1;
_Atomic uint64_t watched_number, watched_freed_at;

static uint64_t mix(uint64_t number, uint64_t index) { return (number + index) * 0x9e3779b97f4a7c15ull; }

/* Keep `memory` for a while; returns what has been kept longest, to be freed, or NULL. No lock: a forked child could
   inherit it taken. */
void *quarantine(struct quarantine *ring, void *memory)
{
    uint32_t at = atomic_fetch_add_explicit(&ring->next, 1, memory_order_relaxed) % QUARANTINE;
    return atomic_exchange_explicit(&ring->kept[at], memory, memory_order_acq_rel);
}

/* ---- code bytes: the stand-in for heap.c ------------------------------------------------------------------------------ */

struct region {
    _Atomic uint32_t users;
    uint32_t gone;
    uint64_t number;
    uint64_t words[BATCH][WORDS];        /* each member's machine code */
};

struct region *region_create(uint64_t size)
{
    (void)size;
    struct region *region = calloc(1, sizeof *region);
    if (!region) abort();
    region->number = atomic_fetch_add_explicit(&numbers, 1, memory_order_relaxed);
    for (int i = 0; i < BATCH * WORDS; i++) region->words[i / WORDS][i % WORDS] = mix(region->number, i);
    atomic_store_explicit(&region->users, 1, memory_order_relaxed);
    return region;
}

void region_hold(struct region *region) { atomic_fetch_add_explicit(&region->users, 1, memory_order_relaxed); }

/* The last user frees; acquire and release, so that everybody's use comes before. */
void region_release(struct region *region)
{
    static struct quarantine ring;
    uint32_t before = atomic_fetch_sub_explicit(&region->users, 1, memory_order_acq_rel);
    if (BROKEN(batch_member) ? region->gone++ != 1 : before != 1) return;    /* broken: at the first executor's end */
    if (!REALLY_FREE || BROKEN(batch_member)) {
        for (int i = 0; i < BATCH * WORDS; i++) region->words[i / WORDS][i % WORDS] = 0xccccccccccccccccull;
        region = quarantine(&ring, region);
    }
    free(region);
}

/* ---- executors --------------------------------------------------------------------------------------------------------- */

/* A whole executor, member `member` of its batch, not yet installed. */
struct executor *executor_make(struct region *region, int member)
{
    struct executor *executor = calloc(1, sizeof *executor);
    if (!executor) abort();
    executor->number = atomic_fetch_add_explicit(&numbers, 1, memory_order_relaxed);
    executor->exits = malloc(sizeof *executor->exits);
    executor->moves = malloc(MOVES * sizeof *executor->moves);
    if (!executor->exits || !executor->moves) abort();
    executor->exits->first_move = (int32_t)(executor->number & 0xffff);
    for (int i = 0; i < MOVES; i++) executor->moves[i].value[0] = (int64_t)mix(executor->number, i);
    executor->region = region;
    executor->code = region->words[member];
    executor->code_bytes = sizeof region->words[member];
    executor->exit_count = member;
    atomic_store_explicit(&executor->valid, 1, memory_order_relaxed);
    region_hold(region);
    COUNT(code_bytes, executor->code_bytes);
    COUNT(installed, 1);
    return executor;
}

/* What machine code, the door and leaving do: read everything of it, again and again. */
void executor_use(struct executor *executor, int rounds)
{
    for (int round = 0; round < rounds; round++) {
        uint64_t number = *(volatile uint64_t *)&executor->number;
        if (number == DEAD || !number) caught("a thread inside a freed executor", number);
        if (executor->exits->first_move != (int32_t)(number & 0xffff)) caught("exits of a freed executor", number);
        for (int i = 0; i < MOVES; i++)
            if (executor->moves[i].value[0] != (int64_t)mix(number, i)) caught("moves of a freed executor", number);
        const uint64_t *code = executor->code;
        for (int i = 0; i < WORDS; i++)
            if (code[i] != mix(executor->region->number, executor->exit_count * WORDS + i)) caught("freed machine code", number);
        torture_point(0);
    }
}

/* executor_free's last step, in the one driver. */
void torture_free(struct executor *executor)
{
    static struct quarantine ring;
    if (executor->number == DEAD) caught("an executor freed twice", 0);
    if (executor->number == atomic_load_explicit(&watched_number, memory_order_relaxed))
        atomic_store_explicit(&watched_freed_at, now_ns(), memory_order_relaxed);
    region_release(executor->region);
    if (!REALLY_FREE) {
        executor->number = DEAD;
        executor->exits->first_move = -1;
        for (int i = 0; i < MOVES; i++) executor->moves[i].value[0] = (int64_t)DEAD;
        executor = quarantine(&ring, executor);
        if (!executor) return;
    }
    free(executor->exits);
    free(executor->moves);
    free(executor);
}
