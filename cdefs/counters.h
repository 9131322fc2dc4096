/* What happened so far: statistics only. Nothing decides by them but the limit of the code heap and how early a retiring
   thread drives reclamation itself. */
#ifndef FTJIT_COUNTERS_H
#define FTJIT_COUNTERS_H
#include <stdatomic.h>
#include <stdint.h>

/* `ages`: how many executors were freed 2, 3, 4 to 7, 8 to 15, and 16 or more epochs after they were retired; last, how
   many sooner: none ever. */
enum { AGES = 6 };
struct counters {
    _Atomic uint64_t installed, swapped, retired, freed, limbo_bytes, limbo_executors, code_bytes, region_bytes,
        unwinds, samples, ticks, advances, reclaims, snapshots, snapshots_done, ticks_unanswered, barriers_refused, ages[AGES],
        retired_inside, heap_bytes, regions, threads_refused;
};
extern struct counters counters;
#define COUNT(field, n) atomic_fetch_add_explicit(&counters.field, (n), memory_order_relaxed)
#endif
