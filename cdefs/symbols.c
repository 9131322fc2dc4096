/* Names to addresses, for the patcher; statistics and start-up, for the Python face. */
#include "core.h"
#include "callouts.h"
#include "thunks.h"
#include <dlfcn.h>
#include <stdlib.h>

#define DECLARE(name) extern char name[];
#define DECLARE_THUNK(name) extern char thunk_##name[];
PLAIN_HELPERS(DECLARE)
THUNKS_WITH_RESULT(DECLARE_THUNK)
THUNKS_WITHOUT_RESULT(DECLARE_THUNK)
#define HELPER_ROW(name) {#name, name},
#define THUNK_ROW(name) {#name, thunk_##name},
#define CALLOUT_ROW(name) {"callout_" #name, (void *)callout_##name},
static const struct { const char *name; void *address; } table[] = {
    PLAIN_HELPERS(HELPER_ROW) THUNKS_WITH_RESULT(THUNK_ROW) THUNKS_WITHOUT_RESULT(THUNK_ROW) CALLOUTS(CALLOUT_ROW)};

/* The address of one of our helpers or of what the interpreter exports; 0 when there is no such name. */
uintptr_t symbol_address(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (!strcmp(table[i].name, name)) return (uintptr_t)table[i].address;
    return (uintptr_t)dlsym(RTLD_DEFAULT, name);
}

/* Where things lie that the compiler has to name; -1 for an unknown name. */
int64_t layout(const char *name)
{
    static const struct { const char *name; int64_t value; } known[] = {
        {"frame.localsplus", offsetof(_PyInterpreterFrame, localsplus)},
        {"activation.spill", offsetof(struct activation, spill)},
        {"activation.spill_slots", SPILL_SLOTS},
        {"activation.held", offsetof(struct activation, held)},
        {"activation.held_places", HELD},
        {"tuple.items", offsetof(PyTupleObject, ob_item)},
        {"range_iterator.start", sizeof(PyObject)},
        {"range_iterator.step", sizeof(PyObject) + sizeof(long)},
        {"range_iterator.length", sizeof(PyObject) + 2 * sizeof(long)},
        {"exit_record", sizeof(struct exit_record)},
        {"move", sizeof(struct move)},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!strcmp(known[i].name, name)) return known[i].value;
    return -1;
}

/* A builtin's method table entry (static data of the interpreter), 0 for anything else. */
uintptr_t builtin_method(uintptr_t object)
{
    PyObject *candidate = (PyObject *)object;
    return Py_TYPE(candidate) == &PyCFunction_Type ? (uintptr_t)((PyCFunctionObject *)candidate)->m_ml : 0;
}

/* tp_version_tag of a class: no two classes, and no two states of one, have the same; 0 when it has none. */
uint32_t type_version(uintptr_t type) { return _Py_atomic_load_uint32_relaxed(&((PyTypeObject *)type)->tp_version_tag); }
int is_immortal(uintptr_t object) { return _Py_IsImmortal((PyObject *)object); }

static const char *const counter_names[] = {"installed", "swapped", "retired", "freed", "limbo_bytes", "limbo_executors",
    "code_bytes", "region_bytes", "unwinds", "samples", "ticks", "advances", "reclaims", "snapshots", "snapshots_done",
    "ticks_unanswered", "barriers_refused", "freed_age_2", "freed_age_3", "freed_age_4", "freed_age_8", "freed_age_16", "freed_age_0",
    "retired_inside",
    "heap_bytes", "regions", "threads_refused"};
int64_t counter(const char *name)
{
    for (size_t i = 0; i < sizeof counter_names / sizeof counter_names[0]; i++)
        if (!strcmp(counter_names[i], name)) return (int64_t)((_Atomic uint64_t *)&counters)[i];
    return -1;
}

static const char *failure;
const char *core_failure(void) { return failure; }

/* Once per process, before anything else. 0, or -1 with core_failure() saying what is missing. */
int core_init(void)
{
    PyGILState_STATE state = PyGILState_Ensure();
    /* A second try, after somebody mended what was missing, takes nothing twice. */
    static bool has_key, has_index, has_conditions;
    failure = NULL;
    if (Py_Version >> 16 != PY_VERSION_HEX >> 16) failure = "built for another Python version: reinstall ftjit";
    else if (PyInterpreterState_Get() != PyInterpreterState_Main()) failure = "ftjit runs in the main interpreter only";
    else if (!has_key && !(has_key = epoch_init() == 0)) failure = "no thread-specific storage left in this process";
    else if (!has_index && !(has_index = slot_init() == 0)) failure = "every co_extra index is taken by other tools";
    if (!failure && !has_conditions) {
        sampler_init();
        worker_init();
        has_conditions = true;
    }
    PyGILState_Release(state);
    return failure ? -1 : 0;
}
