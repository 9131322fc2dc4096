/* What reclamation costs each entry, for `python -m ftjit bench --measure entry`: the same loop of entering and leaving
   a made-up entry with it and without it. Nothing else uses this. */
#include "core.h"
#include <time.h>

enum form { FORM_NONE, FORM_HERE, FORM_FENCE };

/* Not inlined, as one function for all forms: what stands round the entry is the same. */
static __attribute__((noinline)) uint64_t loop(struct record *record, _Atomic(struct executor *) *entry, uint64_t turns,
                                               enum form form)
{
    uint64_t inside = 0;
    for (uint64_t turn = 0; turn < turns; turn++) {
        struct executor *executor = NULL;
        if (form == FORM_NONE) {          /* what an entry would be if nothing were ever freed */
            executor = atomic_load_explicit(entry, memory_order_acquire);
            __asm__ volatile("" : "+r"(executor) : : "memory");
            inside += executor != NULL;
            continue;
        }
        if (form == FORM_FENCE) atomic_thread_fence(memory_order_seq_cst);
        _Atomic(struct executor *) *place = activation_enter(record, entry, &executor);
        __asm__ volatile("" : "+r"(executor) : : "memory");
        if (!place) continue;
        inside += executor != NULL;
        activation_leave(record, place);
    }
    return inside;
}

/* What is entered: never installed, never retired, never freed (the driver writes into what it finds active). */
static struct executor example;
static struct entry example_entry = {.executor = &example};

/* Nanoseconds of CPU time for one turn: 0 without reclamation, 1 as this process enters, 2 the same with a fence more. Negative
   without memory. */
double measure_entering(int form, uint64_t turns)
{
    struct record *record = record_self();
    if (!record) return -1.0;
    struct timespec from, to;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    uint64_t inside = loop(record, &example_entry.executor, turns, (enum form)form);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    if (inside != turns) return -1.0;
    return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / (double)turns;
}
