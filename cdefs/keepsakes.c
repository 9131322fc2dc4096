/* Objects that machine code refers to: an executor keeps them. It is freed by whoever drives reclamation, a native
   thread; they are let go of by a thread that is attached, a little later, with no lock held. */
#include "core.h"
#include <stdlib.h>

static _Atomic(struct keepsakes *) to_drop;              /* many push, one takes all */

/* References to `count` objects, given by their addresses; the caller keeps them alive meanwhile. NULL without memory. */
struct keepsakes *keepsakes_hold(const uintptr_t *objects, int64_t count)
{
    struct keepsakes *keeps = malloc(sizeof *keeps + count * sizeof keeps->objects[0]);
    if (!keeps) return NULL;
    PyGILState_STATE state = PyGILState_Ensure();
    keeps->count = count;
    for (int64_t i = 0; i < count; i++) keeps->objects[i] = Py_NewRef((PyObject *)objects[i]);
    PyGILState_Release(state);
    return keeps;
}

/* From any thread: they are needed no more. */
void keepsakes_drop_later(struct keepsakes *keeps)
{
    if (!keeps) return;
    keeps->next = atomic_load_explicit(&to_drop, memory_order_relaxed);
    while (!atomic_compare_exchange_weak(&to_drop, &keeps->next, keeps)) {}
}

bool keepsakes_wait(void) { return atomic_load_explicit(&to_drop, memory_order_relaxed) != NULL; }

/* Let go of all that wait. */
void keepsakes_drop(void)
{
    if (!keepsakes_wait()) return;
    PyGILState_STATE state = PyGILState_Ensure();
    struct keepsakes *keeps = atomic_exchange(&to_drop, NULL);
    while (keeps) {
        struct keepsakes *next = keeps->next;
        for (int64_t i = 0; i < keeps->count; i++) Py_DECREF(keeps->objects[i]);
        free(keeps);
        keeps = next;
    }
    PyGILState_Release(state);
}
