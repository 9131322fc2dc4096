/* The code heap. Code is written into a private anonymous region while that is read-write, sealed read-execute, and
   never written again: no mapping is ever both, and fork separates parent and child by copy-on-write. A region holds
   one compile batch and goes when the last executor in it goes. */
#include "counters.h"
#include "heap.h"
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct region {
    char *base;
    uint64_t size;
    _Atomic uint32_t users;
};

/* Somewhere a rel32 call can reach this library from; the kernel takes the hint if the place is free. */
static _Atomic uintptr_t near_hint;

static char *map_near(uint64_t size)
{
    uintptr_t home = (uintptr_t)&region_create & ~(uintptr_t)0xfffff;
    uintptr_t hint = atomic_load(&near_hint);
    if (!hint) hint = home - (256u << 20);
    for (int tries = 0; tries < 16; tries++, hint -= 64u << 20) {
        char *base = mmap((void *)hint, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (base == MAP_FAILED) return NULL;
        int64_t distance = (int64_t)((uintptr_t)base - home);
        if (distance > -(1ll << 30) && distance < (1ll << 30)) {
            atomic_store(&near_hint, (uintptr_t)base - ((size + 0xffff) & ~(uint64_t)0xffff));
            return base;
        }
        munmap(base, size);
    }
    /* Nothing near is free: anywhere will do, the patcher goes through stubs. */
    char *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return base == MAP_FAILED ? NULL : base;
}

/* A writable region of `size` bytes, held once by the caller; NULL when memory is refused. */
struct region *region_create(uint64_t size)
{
    struct region *region = malloc(sizeof *region);
    if (!region) return NULL;
    long page = sysconf(_SC_PAGESIZE);
    region->size = (size + page - 1) & ~(uint64_t)(page - 1);
    region->base = map_near(region->size);
    atomic_init(&region->users, 1);
    if (!region->base) {
        free(region);
        return NULL;
    }
    COUNT(region_bytes, region->size);
    return region;
}

char *region_base(struct region *region) { return region->base; }

/* Write the batch and seal it. From here on no byte changes. 0, or -1 where executable memory is forbidden. */
int region_seal(struct region *region, const char *bytes, uint64_t size)
{
    if (size > region->size) return -1;
    memcpy(region->base, bytes, size);
    memset(region->base + size, 0xcc, region->size - size);
    if (mprotect(region->base, region->size, PROT_READ | PROT_EXEC) != 0) return -1;
    __builtin___clear_cache(region->base, region->base + region->size);
    /* The addresses may have held other code before: make every core forget what it fetched from there. */
    static _Atomic int registered;
    if (!atomic_exchange(&registered, 1)) syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
    return 0;
}

void region_hold(struct region *region) { atomic_fetch_add(&region->users, 1); }

void region_release(struct region *region)
{
    if (atomic_fetch_sub(&region->users, 1) != 1) return;      /* seq_cst: the last user's use precedes the unmapping */
    munmap(region->base, region->size);
    atomic_fetch_sub(&counters.region_bytes, region->size);
    free(region);
}
