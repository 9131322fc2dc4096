/* Threads that install, retire and free. */
#include "torture.h"
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

_Atomic uint64_t swaps, forked, slowest_free_ns;

enum { LIMBO_MOST = 100000 };

/* One compile batch: up to BATCH executors in one region, into entries of one code object. */
static void swap_batch(struct slot *slot)
{
    struct region *region = region_create(0);
    int members = 1 + (int)(chance() % BATCH);
    retiring_begins();
    for (int member = 0; member < members; member++) {
        entry_install(slot, pick_entry(), executor_make(region, member));
        atomic_fetch_add_explicit(&swaps, 1, memory_order_relaxed);
    }
    region_release(region);
    if (one_in(8)) entry_install(slot, pick_entry(), NULL);
    retiring_ends();
}

void *swapper(void *number)
{
    chance_seed(200 + (uint64_t)(uintptr_t)number);
    while (!is_stopping()) {
        struct code *code = code_take(pick_code());
        for (int turn = 0; turn < 20 && !is_stopping(); turn++) {
            swap_batch(&code->slot);
            torture_point(0);
        }
        code_drop(code);
        if (one_in(16)) usleep(200);
        /* Where a pinned thread gets no processor, memory would run out. */
        while (atomic_load_explicit(&counters.limbo_executors, memory_order_relaxed) > LIMBO_MOST && !is_stopping()) usleep(1000);
    }
    return NULL;
}

/* The other of two: swaps, and frees what it swapped out before the reader's stores have left its processor. */
void *tight_swapper(void *unused)
{
    chance_seed(3);
    struct code *code = code_take(0);
    while (!is_stopping()) {
        struct region *region = region_create(0);
        entry_install(&code->slot, 0, executor_make(region, 0));
        region_release(region);
        while (reclaim() != 0 && one_in(2)) {}
        atomic_fetch_add_explicit(&swaps, 1, memory_order_relaxed);
    }
    code_drop(code);
    return unused;
}

/* Code objects die, with frames of theirs still running. */
void *replacer(void *unused)
{
    chance_seed(4);
    while (!is_stopping()) {
        code_replace(pick_code());
        if (BROKEN(slot_outside_pin)) sched_yield();
        else usleep(chance() % 2000);
    }
    return unused;
}

/* Half of them as eager as can be, half like the ticker. */
void *driver(void *number)
{
    chance_seed(300 + (uint64_t)(uintptr_t)number);
    while (!is_stopping()) {
        reclaim();
        if ((uintptr_t)number % 2) usleep(1000);
        else if (one_in(4)) sched_yield();
    }
    return NULL;
}

void *advancer(void *unused)
{
    chance_seed(5);
    while (!is_stopping()) torture_advance_unlocked();
    return unused;
}

/* How long from retiring what nobody is inside to its free, driven by others. */
void *prober(void *unused)
{
    chance_seed(6);
    uint64_t slowest = 0;
    while (!is_stopping()) {
        retiring_begins();
        struct region *region = region_create(0);
        struct executor *executor = executor_make(region, 0);
        region_release(region);
        uint64_t number = executor->number, start = now_ns(), end;
        atomic_store(&watched_freed_at, 0);
        atomic_store(&watched_number, number);
        executor_retire(executor);
        retiring_ends();
        while (!(end = atomic_load(&watched_freed_at)) && !is_stopping()) usleep(50);
        if (end && end - start > slowest) slowest = end - start;
        atomic_store(&slowest_free_ns, slowest);
        usleep(5000);
    }
    return unused;
}

/* ---- fork ------------------------------------------------------------------------------------------------------------ */

/* The child: one thread, inside `executor`; goes on swapping and frees everything but that. */
static void child(struct executor *executor, _Atomic(struct executor *) *place)
{
    alarm(20);
    for (int turn = 0; turn < 30; turn++) {
        struct code *code = code_take(pick_code());
        swap_batch(&code->slot);
        code_drop(code);
        if (executor) executor_use(executor, 1);
        reclaim();
    }
    codes_clear();
    for (int turn = 0; reclaim() != (executor != NULL); turn++)
        if (turn > 5) caught("limbo in a forked child that nobody is inside of", atomic_load(&counters.limbo_executors));
    if (executor) {
        executor_use(executor, 1);
        activation_leave(my_record, place);
    }
    if (reclaim() != 0 || atomic_load(&counters.limbo_executors) || atomic_load(&counters.limbo_bytes))
        caught("limbo in a forked child after everything was left", atomic_load(&counters.limbo_executors));
    _exit(0);
}

/* Forks beside everything else. The names are locked, as CPython stops the world; retiring and driving go on. */
void *forker(void *unused)
{
    chance_seed(7);
    struct record *record = record_self();
    while (!is_stopping()) {
        struct executor *executor = NULL;
        _Atomic(struct executor *) *place = NULL;
        struct code *code = code_take(pick_code());
        if (one_in(2)) place = activation_enter(record, &code->slot.entry[0], &executor);
        if (place) entry_install(&code->slot, 0, NULL);
        else executor = NULL;
        code_drop(code);
        int whole = one_in(2);
        codes_lock(whole);
        if (!BROKEN(fork_unpaused)) reclaim_pause();
        pid_t pid = fork();
        if (pid == 0) {
            uint64_t inherited = atomic_load(&counters.limbo_executors);
            codes_in_child();
            epoch_after_fork();
            reclaim_resume();
            if (whole && inherited != atomic_load(&counters.limbo_executors))
                caught("a fork that tore executors out of limbo", inherited - atomic_load(&counters.limbo_executors));
            child(executor, place);
        }
        codes_unlock(whole);
        if (!BROKEN(fork_unpaused)) reclaim_resume();
        int status = 0;
        if (pid > 0 && waitpid(pid, &status, 0) == pid) {
            if (WIFEXITED(status) && WEXITSTATUS(status)) _exit(WEXITSTATUS(status));
            if (WIFSIGNALED(status)) caught("a forked child killed by signal", (uint64_t)WTERMSIG(status));
            atomic_fetch_add_explicit(&forked, 1, memory_order_relaxed);
        }
        if (place) activation_leave(record, place);
        usleep(20000 + chance() % 40000);
    }
    return unused;
}
