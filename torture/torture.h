/* What the parts of the torture program share: executors whose contents say whether they are alive, code objects whose
   slots name them, and the actors that enter, swap, free, end and fork. Everything an actor reads of an executor is plain
   memory, so that ThreadSanitizer sees an ordering that is missing. */
#ifndef FTJIT_TORTURE_H
#define FTJIT_TORTURE_H
#include <pthread.h>
#include "../cdefs/counters.h"
#include "../cdefs/epoch.h"
#include "../cdefs/heap.h"

enum { CODES = 4, ENTRIES = 3, BATCH = 3 };

/* Freed memory: really freed for AddressSanitizer to watch, elsewhere marked and kept for a while. */
#if defined(__SANITIZE_ADDRESS__)
#define REALLY_FREE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define REALLY_FREE 1
#endif
#endif
#ifndef REALLY_FREE
#define REALLY_FREE 0
#endif

/* ---- options and the run (main.c) ------------------------------------------------------------------------------------ */

struct options {
    uint64_t seed;
    double seconds;
    int readers, swappers, drivers, visitors, forks;
    int few;                     /* no more threads than make epochs go by fast: see start_all() */
    int tight;                   /* two threads only: one enters, one swaps and drives at once */
    int quiet;                   /* no torture points, no drowned stores */
};
extern struct options options;
extern _Atomic uint32_t stopping;       /* actors end; the parked reader waits for 2 */
static inline int is_stopping(void) { return atomic_load_explicit(&stopping, memory_order_relaxed) != 0; }

/* Print "torture: caught: ..." and end the process with status 3. */
void caught(const char *what, uint64_t number) __attribute__((noreturn));
uint64_t now_ns(void);

/* ---- chance (points.c): one seeded sequence for each thread ----------------------------------------------------------- */

void chance_seed(uint64_t actor);
uint64_t chance(void);
static inline int one_in(uint64_t n) { return chance() % n == 0; }
void drown_stores(void);

/* ---- memory (memory.c) ------------------------------------------------------------------------------------------------- */

struct executor *executor_make(struct region *, int member);
void executor_use(struct executor *, int rounds);        /* caught() when it is not alive and whole */
enum { QUARANTINE = 2048 };
struct quarantine {
    _Atomic uint32_t next;
    _Atomic(void *) kept[QUARANTINE];
};
void *quarantine(struct quarantine *, void *memory);
extern _Atomic uint64_t watched_number, watched_freed_at;  /* the executor whose free is timed */

/* ---- code objects (codes.c) ---------------------------------------------------------------------------------------------- */

struct slot {
    uint64_t canary;
    _Atomic(struct executor *) entry[ENTRIES];
};
struct code {
    int references;              /* under one lock for all, taken seldom so that it orders little */
    struct slot slot;            /* goes with the last reference, at once */
};
void codes_init(void);
struct code *code_take(int which);
void code_drop(struct code *);
struct slot *code_peek_slot(int which);  /* without a reference: misuse */
void code_replace(int which);            /* the old one dies when its last frame does */
void retiring_begins(void);              /* round whatever retires, so that a fork can wait for it */
void retiring_ends(void);
void codes_lock(int stop_retiring);
void codes_unlock(int stopped_retiring);
void codes_in_child(void);
int pick_code(void);
int pick_entry(void);
void slot_check(struct slot *);
void entry_install(struct slot *, int entry, struct executor *);
void codes_clear(void);

/* ---- actors ---------------------------------------------------------------------------------------------------------------- */

void *reader(void *number);
void *tight_reader(void *);
void *parked_reader(void *);
void *swapper(void *number);
void *tight_swapper(void *);
void *replacer(void *);
void *driver(void *number);
void *visitor(void *number);
void visitor_keys(void);                 /* made before epoch_init: their destructors run before the record's */
void *forker(void *);
void *prober(void *);
void *advancer(void *);                  /* misuse: advances without the try-lock */
extern _Atomic uint64_t entered, deepest, swaps, visits, forked, slowest_free_ns;

int cost(void);
int sandbox(void);
#endif
