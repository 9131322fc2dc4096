/* What a round of reclamation costs its driver: one executor retired, then reclaim(), which advances twice, scans every
   record and frees. With 2, 16 and 64 threads registered, all asleep or two of them entering and leaving all the time. */
#include "torture.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 4000, MOST = 64 };
static pthread_barrier_t registered, over;
static _Atomic uint32_t busy_until_set;
static struct slot slot;

static void *sleeper(void *unused)
{
    record_self();
    pthread_barrier_wait(&registered);
    pthread_barrier_wait(&over);
    return unused;
}

static void *busy(void *unused)
{
    struct record *record = record_self();
    struct executor *executor;
    pthread_barrier_wait(&registered);
    while (!atomic_load_explicit(&busy_until_set, memory_order_relaxed)) {
        _Atomic(struct executor *) *place = activation_enter(record, &slot.entry[0], &executor);
        if (place) activation_leave(record, place);
    }
    pthread_barrier_wait(&over);
    return unused;
}

static int by_size(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

static void measure(int threads, int running)
{
    static uint64_t ns[ROUNDS];
    pthread_t handles[MOST];
    struct region *region = region_create(0);
    pthread_barrier_init(&registered, NULL, (unsigned)threads + 1);
    pthread_barrier_init(&over, NULL, (unsigned)threads + 1);
    atomic_store(&busy_until_set, 0);
    entry_exchange(&slot.entry[0], executor_make(region, 0));
    for (int i = 0; i < threads; i++)
        if (pthread_create(&handles[i], NULL, i < running ? busy : sleeper, NULL) != 0) exit(1);
    pthread_barrier_wait(&registered);
    for (int i = 0; i < ROUNDS; i++) {
        executor_retire(executor_make(region, 0));
        uint64_t start = now_ns();
        reclaim();
        ns[i] = now_ns() - start;
        usleep(20);
    }
    atomic_store(&busy_until_set, 1);
    pthread_barrier_wait(&over);
    for (int i = 0; i < threads; i++) pthread_join(handles[i], NULL);
    executor_retire(entry_exchange(&slot.entry[0], NULL));
    while (reclaim() > 0) {}
    region_release(region);
    qsort(ns, ROUNDS, sizeof ns[0], by_size);
    printf("{\"threads\": %d, \"running\": %d, \"asymmetric\": %s, \"median_us\": %.2f, \"p99_us\": %.2f}\n", threads, running,
           asymmetric ? "true" : "false", (double)ns[ROUNDS / 2] / 1e3, (double)ns[ROUNDS * 99 / 100] / 1e3);
}

int cost(void)
{
    static const int threads[] = {2, 16, 64};
    for (int i = 0; i < 3; i++) {
        measure(threads[i], 0);
        measure(threads[i], 2);
    }
    return 0;
}
