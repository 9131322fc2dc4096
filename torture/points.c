/* Chance, and what it does to the schedule: torture points stop a thread between two steps of the protocol. */
#include "torture.h"
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

static __thread uint64_t state = 88172645463325252ull;
static __thread uint32_t quiet_for;      /* points to pass without a look: some races want a thread at full speed */

void chance_seed(uint64_t actor)
{
    state = (options.seed * 0x9e3779b97f4a7c15ull) ^ ((actor + 1) * 0xbf58476d1ce4e5b9ull);
    if (!state) state = 1;
    quiet_for = 0;
    for (int i = 0; i < 8; i++) chance();
}

uint64_t chance(void)                    /* xorshift64* */
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1dull >> 16;
}

static void spin(uint64_t turns)
{
    for (volatile uint64_t turn = 0; turn < turns; turn = turn + 1) {}
}

/* How seldom something happens at `place`: a scan (9) has hundreds of them. Often where a control's window is: in the
   middle of a scan, between check and advance (8), before the round (10), after linking a chunk (11). */
static uint64_t sides(int place)
{
    if (place == 9) return BROKEN(moving_records) ? 2048 : 65536;
    if (place == 11 && BROKEN(chunk_release)) return 1;
    return (place == 10 && BROKEN(record_release)) || (place == 8 && BROKEN(two_drivers)) ? 64 : 2048;
}

/* `place`: the number of the step in epoch.c that was just done. */
void torture_point(int place)
{
    if (options.quiet) return;
    if (quiet_for) {
        quiet_for--;
        return;
    }
    uint64_t dice = chance() % sides(place);
    if (dice < 1) usleep(chance() % 300);
    else if (dice < 8) sched_yield();
    else if (dice < 64) spin(chance() % 3000);
    else if (dice < 66) quiet_for = chance() % 20000;
}

/* Stores that miss every cache: on x86 the next store, (1), waits behind them in the store buffer for a microsecond,
   while loads, (2), go ahead. Without this a missing fence hardly ever shows between two threads of one core. */
void drown_stores(void)
{
    enum { BYTES = 64 << 20, LINE = 64, STORES = 48 };
    static __thread volatile char *sea;
    if (options.quiet) return;
    if (!sea) sea = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (sea == MAP_FAILED) return;
    for (int i = 0; i < STORES; i++) sea[chance() % (BYTES / LINE) * LINE] = 1;
}
