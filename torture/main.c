/* The torture program: threads that do to epoch.c everything at once that the JIT does now and then. Prints one line of
   JSON and ends with 0; ends with 3 and a line "torture: caught: ..." when it finds an error of its own, with 4 when
   something hangs, otherwise as the sanitizer likes. */
#include "torture.h"
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct options options = {.seed = 1, .seconds = 2, .readers = 4, .swappers = 2, .drivers = 2, .visitors = 2, .forks = 1};
_Atomic uint32_t stopping;

enum { PATIENCE = 240, MOST_THREADS = 64 };
static pthread_t threads[MOST_THREADS];
static int thread_count;

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void caught(const char *what, uint64_t number)
{
    char line[200];
    int size = snprintf(line, sizeof line, "torture: caught: %s (%#llx)\n", what, (unsigned long long)number);
    if (write(2, line, (size_t)size) < 0) {}
    _exit(3);
}

static void hangs(int signal)
{
    (void)signal;
    char line[200];
    int size = snprintf(line, sizeof line, "torture: caught: a hang (stopping %u, %llu in limbo, epoch %llu)\n",
                        (unsigned)stopping, (unsigned long long)counters.limbo_executors, (unsigned long long)global_epoch);
    if (write(2, line, (size_t)size) < 0) {}
    _exit(4);
}

static void start(void *(*actor)(void *), int number, int processor)
{
    if (pthread_create(&threads[thread_count], NULL, actor, (void *)(uintptr_t)number) != 0) exit(1);
    if (processor >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(processor, &set);
        pthread_setaffinity_np(threads[thread_count], sizeof set, &set);       /* a wish */
    }
    thread_count++;
}

static void start_all(void)
{
    if (options.tight) {
        start(tight_reader, 0, 0);
        start(tight_swapper, 0, 1);
        return;
    }
    for (int i = 0; i < options.swappers; i++) start(swapper, i, -1);
    start(parked_reader, 0, -1);         /* its number: finish() */
    for (int i = 0; i < options.readers; i++) start(reader, i, -1);
    for (int i = 0; i < options.drivers; i++) start(driver, i, -1);
    if (!options.few) {
        for (int i = 0; i < options.visitors; i++) start(visitor, i, -1);
        start(replacer, 0, -1);
        start(prober, 0, -1);
        if (options.forks) start(forker, 0, -1);
    }
    if (BROKEN(two_drivers)) start(advancer, 0, -1);
}

static int drained(int left)
{
    for (int turn = 0; turn < 20; turn++)
        if (reclaim() == left) return 1;
    return 0;
}

/* Everybody but the parked reader ends: what it is inside stays, all else goes. Then it leaves, and nothing stays. */
static void finish(void)
{
    atomic_store(&stopping, 1);
    int parked = options.tight ? -1 : options.swappers;
    for (int i = 0; i < thread_count; i++)
        if (i != parked) pthread_join(threads[i], NULL);
    codes_clear();
    if (parked >= 0) {
        if (!drained(1) && !drained(0)) caught("limbo beside one parked thread", (uint64_t)reclaim());
        atomic_store(&stopping, 2);
        pthread_join(threads[parked], NULL);
    }
    if (!drained(0)) caught("limbo after everything was left", (uint64_t)reclaim());
    uint64_t installed = atomic_load(&counters.installed), freed = atomic_load(&counters.freed);
    uint64_t young = atomic_load(&counters.ages[5]);
    if (young) caught("executors freed younger than two epochs", young);
    if (installed != freed) caught("executors that are in no list", installed - freed);
    if (atomic_load(&counters.code_bytes)) caught("code bytes of no executor", atomic_load(&counters.code_bytes));
}

static void report(uint64_t limbo_peak, double seconds)
{
    uint64_t entries, exits, inside;
    epoch_totals(&entries, &exits, &inside);
    printf("{\"seconds\": %.2f, \"asymmetric\": %s, \"entered\": %llu, \"swaps\": %llu, \"retired\": %llu, \"freed\": %llu, "
           "\"advances\": %llu, \"rounds\": %llu, \"threads_ended\": %llu, \"forks\": %llu, \"deepest\": %llu, \"limbo_peak\": %llu, "
           "\"slowest_free_ms\": %.2f, \"ages\": {\"0-1\": %llu, \"2\": %llu, \"3\": %llu, \"4-7\": %llu, \"8-15\": %llu, \"16+\": %llu}}\n",
           seconds, asymmetric ? "true" : "false", (unsigned long long)entered, (unsigned long long)swaps,
           (unsigned long long)counters.retired, (unsigned long long)counters.freed, (unsigned long long)counters.advances,
           (unsigned long long)counters.reclaims, (unsigned long long)visits, (unsigned long long)forked, (unsigned long long)deepest,
           (unsigned long long)limbo_peak, (double)slowest_free_ns / 1e6, (unsigned long long)counters.ages[5],
           (unsigned long long)counters.ages[0],
           (unsigned long long)counters.ages[1], (unsigned long long)counters.ages[2], (unsigned long long)counters.ages[3],
           (unsigned long long)counters.ages[4]);
}

static int run(void)
{
    uint64_t begin = now_ns(), limbo_peak = 0;
    alarm((unsigned)options.seconds + PATIENCE);
    start_all();
    while ((double)(now_ns() - begin) < options.seconds * 1e9) {
        usleep(1000);
        uint64_t limbo = atomic_load_explicit(&counters.limbo_executors, memory_order_relaxed), entries, exits, inside;
        if (limbo > limbo_peak) limbo_peak = limbo;
        epoch_totals(&entries, &exits, &inside);
    }
    finish();
    report(limbo_peak, (double)(now_ns() - begin) / 1e9);
    if (!entered || !swaps || !counters.freed) caught("a run in which nothing happened", entered);
    return 0;
}

static double number_after(int *i, int count, char **words)
{
    if (++*i < count) return atof(words[*i]);
    fprintf(stderr, "torture: %s needs a number\n", words[*i - 1]);
    exit(2);
}

int main(int count, char **words)
{
    int (*what)(void) = run;
    for (int i = 1; i < count; i++) {
        const char *word = words[i];
        if (!strcmp(word, "--seed")) options.seed = (uint64_t)number_after(&i, count, words);
        else if (!strcmp(word, "--seconds")) options.seconds = number_after(&i, count, words);
        else if (!strcmp(word, "--readers")) options.readers = (int)number_after(&i, count, words) % 16;
        else if (!strcmp(word, "--forks")) options.forks = (int)number_after(&i, count, words);
        else if (!strcmp(word, "--visitors")) options.visitors = (int)number_after(&i, count, words) % 8;
        else if (!strcmp(word, "--few")) options.few = options.readers = options.drivers = 1;
        else if (!strcmp(word, "--tight")) options.tight = 1;
        else if (!strcmp(word, "--quiet")) options.quiet = 1;
        else if (!strcmp(word, "--cost")) {
            what = cost;
            options.quiet = 1;
        }
        else if (!strcmp(word, "--sandbox")) what = sandbox;
        else {
            fprintf(stderr, "torture: unknown option %s\n", word);
            return 2;
        }
    }
    signal(SIGALRM, hangs);
    visitor_keys();
    if (epoch_init() != 0) return 1;
    codes_init();
    chance_seed(0);
    return what();
}
