/* The code heap (cdefs/heap.c) without Python: threads make regions of all sizes, seal them, hand them to one another
   through mailboxes, look whether each byte is what was sealed, and let go of them; children that are forked in the midst do
   the same. With freed code filled with breakpoints, so that bytes that were given out too early are seen. */
#include "../../cdefs/counters.h"
#include "../../cdefs/heap.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void heap_configure(int only_sealed, int fill_freed);
uint64_t heap_pages_in_use(void);

struct counters counters;
enum { THREADS = 4, MAILBOXES = 32, SMALL = 700, LARGE = 20000, CAUGHT = 3 };
struct header { uint32_t size, tag; };       /* what a region begins with; the rest follows from it */
static _Atomic(struct region *) mailbox[MAILBOXES];
static _Atomic uint32_t stopping;
static _Atomic uint64_t made, checked, released;

static void caught(const char *what, uint64_t number)
{
    fprintf(stderr, "torture: caught: %s (%llu)\n", what, (unsigned long long)number);
    _exit(CAUGHT);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static char byte_of(struct header header, uint32_t at) { return (char)(header.tag * 31 + at * 7); }

static void check(struct region *region)
{
    const char *bytes = region_base(region);
    struct header header;
    memcpy(&header, bytes, sizeof header);
    if (header.size < sizeof header || header.size > LARGE) caught("a region without a beginning", header.size);
    for (uint32_t at = sizeof header; at < header.size; at++)
        if (bytes[at] != byte_of(header, at)) caught("a byte that changed", at);
    atomic_fetch_add_explicit(&checked, 1, memory_order_relaxed);
}

static struct region *make(uint64_t *random, char *buffer)
{
    uint32_t most = next_random(random) % 50 ? SMALL : LARGE;
    struct header header = {(uint32_t)(sizeof header + next_random(random) % (most - sizeof header)), (uint32_t)*random};
    memcpy(buffer, &header, sizeof header);
    for (uint32_t at = sizeof header; at < header.size; at++) buffer[at] = byte_of(header, at);
    struct region *region = region_create(header.size);
    if (!region) caught("no region", header.size);
    int sealed = region_seal(region, buffer, header.size);
    if (sealed) caught("a region that was not sealed", (uint64_t)-sealed);
    atomic_fetch_add_explicit(&made, 1, memory_order_relaxed);
    return region;
}

static void let_go(struct region *region)
{
    check(region);
    region_release(region);
    atomic_fetch_add_explicit(&released, 1, memory_order_relaxed);
}

/* Make one, put it into a mailbox, let go of what was there; now and then it has two users for a while. */
static void turn(uint64_t *random, char *buffer)
{
    struct region *region = make(random, buffer);
    bool twice = next_random(random) % 4 == 0;
    if (twice) region_hold(region);
    struct region *old = atomic_exchange(&mailbox[next_random(random) % MAILBOXES], region);
    if (old) let_go(old);
    if (!twice) return;
    check(region);                           /* whoever has taken it out meanwhile was not the last */
    region_release(region);
}

static void *work(void *seed)
{
    uint64_t random = 88172645463325252ull ^ (uint64_t)(uintptr_t)seed;
    char *buffer = malloc(LARGE);
    if (!buffer) abort();
    while (!atomic_load_explicit(&stopping, memory_order_relaxed)) turn(&random, buffer);
    free(buffer);
    return NULL;
}

static void child(uint64_t seed)
{
    static char buffer[LARGE];
    for (int i = 0; i < MAILBOXES; i++) {
        struct region *region = atomic_load(&mailbox[i]);
        if (region) check(region);
    }
    for (int i = 0; i < 50; i++) turn(&seed, buffer);
    _exit(0);
}

int main(int count, char **arguments)
{
    double seconds = 1;
    uint64_t seed = 1, forks = 0;
    int sealed = 0;
    for (int i = 1; i < count; i++) {
        if (!strcmp(arguments[i], "--seconds") && i + 1 < count) seconds = atof(arguments[++i]);
        else if (!strcmp(arguments[i], "--seed") && i + 1 < count) seed = strtoull(arguments[++i], NULL, 10);
        else if (!strcmp(arguments[i], "--sealed")) sealed = 1;
    }
    heap_configure(sealed, 1);
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, (void *)(seed * 1000 + i));
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        usleep(20000);
        pid_t pid = fork();
        if (pid == 0) child(seed * 77777 + forks + 1);
        int status = 0;
        if (pid > 0 && (waitpid(pid, &status, 0) != pid || status != 0)) caught("a forked child that failed", (uint64_t)status);
        forks++;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((double)(now.tv_sec - begin.tv_sec) + 1e-9 * (double)(now.tv_nsec - begin.tv_nsec) < seconds);
    atomic_store(&stopping, 1);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    uint64_t heap_peak = atomic_load(&counters.heap_bytes);
    for (int i = 0; i < MAILBOXES; i++) {
        struct region *region = atomic_exchange(&mailbox[i], NULL);
        if (region) let_go(region);
    }
    if (atomic_load(&counters.regions)) caught("regions that nobody has", atomic_load(&counters.regions));
    if (atomic_load(&counters.region_bytes)) caught("bytes of no region", atomic_load(&counters.region_bytes));
    if (heap_pages_in_use()) caught("pages in use by nothing", heap_pages_in_use());
    if (made != released) caught("regions that were not let go of", made - released);
    printf("{\"entered\": %llu, \"swaps\": %llu, \"freed\": %llu, \"forks\": %llu, \"heap_bytes\": %llu}\n",
           (unsigned long long)checked, (unsigned long long)made, (unsigned long long)released, (unsigned long long)forks,
           (unsigned long long)heap_peak);
    return 0;
}
