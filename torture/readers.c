/* Threads that enter and leave: nested, out of order, deep, first in first out, and one that stays for the whole run. */
#include "torture.h"
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

_Atomic uint64_t entered, deepest;

struct stay {
    struct executor *executor;
    _Atomic(struct executor *) *place;
};
enum { MOST = 600 };
struct inside {
    struct stay stays[MOST];
    int count, most, oldest_first;
};

#define ENTER(record, entry, executor) (BROKEN(nested_pin) ? enter_twice : activation_enter)(record, entry, executor)

/* Misuse: something that enters and leaves itself, between (2) and (3). Its (4) takes our pin away. */
static _Atomic(struct executor *) *enter_twice(struct record *record, _Atomic(struct executor *) *entry, struct executor **executor)
{
    uint32_t depth = atomic_load_explicit(&record->depth, memory_order_relaxed);
    if (depth >= CHUNK) return NULL;
    record_pin(record);
    struct executor *found = atomic_load_explicit(entry, memory_order_acquire);
    record_pin(record);
    record_unpin(record);
    torture_point(2);
    if (found) atomic_store_explicit(&record->first.active[depth], found, memory_order_release);
    record_unpin(record);
    if (!found) return NULL;
    atomic_store_explicit(&record->depth, depth + 1, memory_order_relaxed);
    *executor = found;
    return &record->first.active[depth];
}

/* Misuse: what is inside longest moves into the place that got free, so that there are no holes. */
static void leave_by_moving(struct record *record, struct inside *inside, int which)
{
    struct stay *last = &inside->stays[inside->count - 1];
    if (which != inside->count - 1) {
        atomic_store_explicit(inside->stays[which].place, last->executor, memory_order_release);
        torture_point(5);
        inside->stays[which].executor = last->executor;
    }
    activation_leave(record, last->place);
    inside->count--;
}

static void leave(struct record *record, struct inside *inside, int which)
{
    executor_use(inside->stays[which].executor, 1);
    if (BROKEN(moving_records)) {
        leave_by_moving(record, inside, which);
        return;
    }
    activation_leave(record, inside->stays[which].place);
    inside->stays[which] = inside->stays[--inside->count];
}

static void use_some(struct inside *inside)
{
    if (inside->count) executor_use(inside->stays[chance() % (uint64_t)inside->count].executor, 1);
}

static void leave_some(struct record *record, struct inside *inside)
{
    if (!inside->count) return;
    int which = inside->count - 1;
    if (inside->oldest_first) {
        which = 0;
        for (int i = 1; i < inside->count; i++)
            if (inside->stays[i].place < inside->stays[which].place) which = i;
    }
    else if (one_in(3)) which = (int)(chance() % (uint64_t)inside->count);
    leave(record, inside, which);
}

static void enter_one(struct record *record, struct inside *inside, struct slot *slot)
{
    struct stay *stay = &inside->stays[inside->count];
    if (one_in(8)) drown_stores();
    stay->place = ENTER(record, &slot->entry[pick_entry()], &stay->executor);
    slot_check(slot);
    if (!stay->place) return;
    inside->count++;
    atomic_fetch_add_explicit(&entered, 1, memory_order_relaxed);
    executor_use(stay->executor, 1 + (int)(chance() % 8));
}

/* Reader `number` is one of four kinds: shallow, deep, oldest first (a queue of greenlets), and one that goes deeper and
   deeper, so that its record gets a new chunk now and then. */
void *reader(void *number)
{
    static const struct inside kinds[4] = {{.most = 4}, {.most = 80}, {.most = 40, .oldest_first = 1}, {.most = 20}};
    uint64_t which = (uint64_t)(uintptr_t)number;
    struct inside inside = kinds[which % 4];
    if (BROKEN(nested_pin)) inside.most = 4;
    if (BROKEN(moving_records)) inside.most = CHUNK - 1;
    chance_seed(100 + which);
    struct record *record = record_self();
    while (!is_stopping()) {
        int name = pick_code();
        struct code *code = BROKEN(slot_outside_pin) ? NULL : code_take(name);
        for (int turn = 0; turn < 200 && !is_stopping(); turn++) {
            if (BROKEN(slot_outside_pin)) {
                struct slot *slot = code_peek_slot(name);
                torture_point(0);
                enter_one(record, &inside, slot);
                if (inside.count) leave_some(record, &inside);
                continue;
            }
            if (inside.count < inside.most && (inside.oldest_first || !one_in(3))) enter_one(record, &inside, &code->slot);
            if (inside.count == inside.most || (!inside.oldest_first && one_in(2))) leave_some(record, &inside);
            use_some(&inside);
        }
        if (code) code_drop(code);
        if (which % 4 == 3 && inside.most >= 20 && inside.most < MOST) inside.most += 5;
        uint32_t depth = atomic_load_explicit(&record->depth, memory_order_relaxed);
        if (depth > atomic_load_explicit(&deepest, memory_order_relaxed))
            atomic_store_explicit(&deepest, depth, memory_order_relaxed);
        if (depth > 2u * (unsigned)inside.most + 2 * CHUNK) caught("a record that grows without bound", depth);
    }
    while (inside.count) leave(record, &inside, inside.count - 1);
    if (atomic_load_explicit(&record->depth, memory_order_relaxed)) caught("a depth after everything was left", 0);
    return NULL;
}

/* One thread of two: in and out, as fast as it goes, out of a store buffer that is full. */
void *tight_reader(void *unused)
{
    chance_seed(1);
    struct record *record = record_self();
    struct code *code = code_take(0);
    while (!is_stopping()) {
        struct executor *executor;
        drown_stores();
        _Atomic(struct executor *) *place = ENTER(record, &code->slot.entry[0], &executor);
        if (!place) continue;
        executor_use(executor, 4);
        activation_leave(record, place);
        atomic_fetch_add_explicit(&entered, 1, memory_order_relaxed);
    }
    code_drop(code);
    return unused;
}

/* Inside one executor for the whole run: it costs that executor, and nothing else. */
void *parked_reader(void *unused)
{
    struct executor *executor;
    struct record *record = record_self();
    _Atomic(struct executor *) *place = NULL;
    chance_seed(2);
    while (!place && !is_stopping()) {
        struct code *code = code_take(0);
        place = activation_enter(record, &code->slot.entry[0], &executor);
        code_drop(code);
        sched_yield();
    }
    if (!place) return unused;
    while (atomic_load_explicit(&stopping, memory_order_relaxed) != 2) {
        executor_use(executor, 1);
        usleep(500);
    }
    executor_use(executor, 1);
    activation_leave(record, place);
    return unused;
}

/* ---- threads that come and go ---------------------------------------------------------------------------------------- */

_Atomic uint64_t visits;
static pthread_key_t finaliser;
static __thread struct stay kept;

/* What a thread does while it ends, when its thread state is cleared: finalisers run in machine code. */
static void finalise(void *unused)
{
    (void)unused;
    executor_use(kept.executor, 20);
    if (BROKEN(dead_record_early)) return;
    activation_leave(my_record, kept.place);
}

void visitor_keys(void) { pthread_key_create(&finaliser, finalise); }

static void *visit(void *number)
{
    chance_seed(10000 + (uint64_t)(uintptr_t)number);
    struct record *record = record_self();
    struct code *code = code_take(pick_code());
    for (int turn = 0; turn < 20; turn++) {
        kept.place = activation_enter(record, &code->slot.entry[pick_entry()], &kept.executor);
        if (!kept.place) continue;
        atomic_fetch_add_explicit(&entered, 1, memory_order_relaxed);
        executor_use(kept.executor, 2);
        if (turn == 19) {                /* ends inside: the finaliser leaves */
            pthread_setspecific(finaliser, &kept);
            if (BROKEN(dead_record_early)) torture_empty_record();
            break;
        }
        activation_leave(record, kept.place);
    }
    code_drop(code);
    return NULL;
}

void *visitor(void *number)
{
    for (uint64_t turn = 0; !is_stopping(); turn++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, visit, (void *)(turn * 64 + (uint64_t)(uintptr_t)number)) != 0) continue;
        pthread_join(thread, NULL);
        atomic_fetch_add_explicit(&visits, 1, memory_order_relaxed);
    }
    return NULL;
}
