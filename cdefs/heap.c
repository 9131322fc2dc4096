/* The code heap: where code bytes live. Design, measurements and what was not chosen: docs/code-heap.md.

   Arenas of private anonymous memory, each cut into grains; a region is a run of grains and holds one executor. Two
   forms, told apart by the grain:
     dense    64-byte grains. The arena is mapped read-execute and never anything else. Bytes come in through
              /proc/self/mem: the kernel writes them, with copy-on-write, so a forked child keeps what it had.
     sealed   grains of one page, where the kernel refuses such writes. A region is read-write while it is filled, then
              read-execute, and no access at all once it is free.
   Invariants. No mapping is ever writable and executable. The bytes of a region do not change from region_seal until
   its last user has gone. Nobody waits here: an arena is claimed by a try-lock, and who finds it claimed takes another
   (so a child forked while some thread held a claim loses that arena's free room, nothing else). */
#define _FILE_OFFSET_BITS 64              /* as Python.h has it for the other units */
#include "counters.h"
#include "heap.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096, ARENA_BYTES = 256 << 10, DENSE_GRAIN = 64, GRAINS_PER_WORD = 64 };
enum { SEALED_NOW = 0, SEAL_REFUSED = -1, SEAL_ELSEWHERE = -2 };        /* what region_seal returns */
_Static_assert(DENSE_GRAIN * GRAINS_PER_WORD == PAGE, "a word of `taken` is a page: pages in use are non-zero words");

struct arena {
    struct arena *next;
    _Atomic uint32_t claimed;               /* 1 while a thread works on what follows */
    _Atomic(struct region *) returned;      /* free regions whose grains are not given back yet */
    char *base;                             /* NULL: unmapped, the struct waits for its next use */
    uint64_t size, grain, regions, vacant;  /* bytes; bytes; how many; grains that are free */
    uint64_t words;                         /* length of `taken` */
    uint64_t *taken;                        /* one bit a grain */
};
struct region {
    struct arena *arena;
    uint64_t first, grains;
    char *base;
    _Atomic uint32_t users;
    struct region *next;                    /* in `returned` */
};

static _Atomic(struct arena *) arenas;      /* push only; the structs are used again, never freed */
static _Atomic uint32_t sealed_only;        /* the dense form was refused, or is not wanted */
static _Atomic uintptr_t near_hint;
static _Atomic uint32_t mapped;              /* arenas that have memory */
static bool poison;

/* ---- writing ------------------------------------------------------------------------------------------------- */

/* Write into memory that is mapped read-execute. The file is opened anew each time: a descriptor kept over a fork would
   still write into the parent, and one that somebody else closed may be a file of theirs. */
static bool write_through_kernel(char *at, const char *bytes, uint64_t size)
{
    int file = open("/proc/self/mem", O_WRONLY | O_CLOEXEC);
    if (file < 0) return false;
    uint64_t done = 0;
    while (done < size) {
        ssize_t wrote = pwrite(file, bytes + done, size - done, (off_t)(uintptr_t)at + (off_t)done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) break;
        done += (uint64_t)wrote;
    }
    close(file);
    return done == size && memcmp(at, bytes, size) == 0;    /* whatever is mounted there: the bytes count */
}

static bool write_then_seal(char *at, const char *bytes, uint64_t size, uint64_t room)
{
    if (mprotect(at, room, PROT_READ | PROT_WRITE) != 0) return false;
    memcpy(at, bytes, size);
    memset(at + size, 0xcc, room - size);
    return mprotect(at, room, PROT_READ | PROT_EXEC) == 0;
}

static void fill_with_breakpoints(char *at, uint64_t size)
{
    char block[PAGE];
    memset(block, 0xcc, sizeof block);
    for (uint64_t done = 0; done < size; done += PAGE)
        if (!write_through_kernel(at + done, block, size - done < PAGE ? size - done : PAGE)) return;
}

/* The addresses may have held other code before: make every core forget what it fetched from there. */
static void forget_fetched(char *from, char *to)
{
    __builtin___clear_cache(from, to);
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) == 0 || errno != EPERM) return;
    syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
}

/* ---- arenas: everything here needs the claim ------------------------------------------------------------------ */

static bool claim(struct arena *arena)
{
    uint32_t free = 0;
    return atomic_compare_exchange_strong(&arena->claimed, &free, 1);
}
static void give_up(struct arena *arena) { atomic_store(&arena->claimed, 0); }

/* Somewhere a rel32 call can reach this library from; the kernel takes the hint if the place is free. */
static char *map_near(uint64_t size, int protection)
{
    uintptr_t home = (uintptr_t)&region_create & ~(uintptr_t)0xfffff;
    uintptr_t hint = atomic_load(&near_hint);
    if (!hint) hint = home - (256u << 20);
    for (int tries = 0; tries < 16; tries++, hint -= 64u << 20) {
        char *base = mmap((void *)hint, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (base == MAP_FAILED) return NULL;
        int64_t distance = (int64_t)((uintptr_t)base - home);
        if (distance > -(1ll << 30) && distance < (1ll << 30)) {
            atomic_store(&near_hint, (uintptr_t)base - ((size + 0xffff) & ~(uint64_t)0xffff));
            return base;
        }
        munmap(base, size);
        atomic_store(&near_hint, 0);                        /* used up: begin anew, there may be gaps by now */
    }
    /* Nothing near is free: anywhere will do, the patcher goes through stubs. */
    char *base = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return base == MAP_FAILED ? NULL : base;
}

static bool arena_map(struct arena *arena, uint64_t least, uint64_t grain)
{
    uint64_t size = least > ARENA_BYTES ? (least + PAGE - 1) / PAGE * PAGE : ARENA_BYTES;
    uint64_t words = (size / grain + GRAINS_PER_WORD - 1) / GRAINS_PER_WORD;
    uint64_t *taken = calloc(words, sizeof *taken);
    if (!taken) return false;
    char *base = map_near(size, grain == PAGE ? PROT_NONE : PROT_READ | PROT_EXEC);
    if (!base) {
        free(taken);
        return false;
    }
    arena->base = base;
    arena->size = size;
    arena->grain = grain;
    arena->regions = 0;
    arena->vacant = size / grain;
    arena->words = words;
    arena->taken = taken;
    atomic_fetch_add(&mapped, 1);
    COUNT(heap_bytes, size);
    return true;
}

static void arena_unmap(struct arena *arena)
{
    munmap(arena->base, arena->size);
    free(arena->taken);
    arena->base = NULL;
    atomic_fetch_sub(&mapped, 1);
    atomic_fetch_sub(&counters.heap_bytes, arena->size);
}

static bool is_taken(struct arena *arena, uint64_t grain)
{
    return arena->taken[grain / GRAINS_PER_WORD] >> grain % GRAINS_PER_WORD & 1;
}

static void mark(struct arena *arena, uint64_t first, uint64_t grains, bool take)
{
    for (uint64_t grain = first; grain < first + grains; grain++) {
        uint64_t bit = 1ull << grain % GRAINS_PER_WORD, *word = &arena->taken[grain / GRAINS_PER_WORD];
        *word = take ? *word | bit : *word & ~bit;
    }
}

/* The smallest run of free grains that holds so many, or -1: holes that frees have left are filled before new pages. */
static int64_t find_room(struct arena *arena, uint64_t grains)
{
    uint64_t count = arena->size / arena->grain, run = 0, best = UINT64_MAX;
    int64_t found = -1;
    for (uint64_t at = 0; at <= count; at++) {
        if (at < count && !is_taken(arena, at)) {
            bool page_free = at % GRAINS_PER_WORD == 0 && at + GRAINS_PER_WORD <= count && !arena->taken[at / GRAINS_PER_WORD];
            uint64_t step = page_free ? GRAINS_PER_WORD : 1;
            run += step;
            at += step - 1;
            continue;
        }
        if (run >= grains && run < best) {
            best = run;
            found = (int64_t)(at - run);
        }
        run = 0;
        if (at % GRAINS_PER_WORD == 0 && at < count && arena->taken[at / GRAINS_PER_WORD] == ~0ull) at += GRAINS_PER_WORD - 1;
    }
    return found;
}

/* Memory of whole free pages goes back to the system; in the sealed form nobody can run there any more. */
static void let_pages_go(struct arena *arena, struct region *region)
{
    if (arena->grain == PAGE) {
        madvise(region->base, region->grains * PAGE, MADV_DONTNEED);
        mprotect(region->base, region->grains * PAGE, PROT_NONE);
    }
    else if (!poison)
        for (uint64_t page = region->first / GRAINS_PER_WORD; page <= (region->first + region->grains - 1) / GRAINS_PER_WORD; page++)
            if (!arena->taken[page]) madvise(arena->base + page * PAGE, PAGE, MADV_DONTNEED);
}

/* Give back the grains of what was returned. An arena that is empty now goes, unless it is the last. */
static void take_back(struct arena *arena)
{
    struct region *region = atomic_exchange(&arena->returned, NULL), *next;
    if (!region) return;
    for (; region; region = next) {
        next = region->next;
        mark(arena, region->first, region->grains, false);
        arena->vacant += region->grains;
        let_pages_go(arena, region);
        arena->regions--;
        free(region);
    }
    if (arena->regions == 0 && atomic_load(&mapped) > 1) arena_unmap(arena);
}

static bool region_place(struct arena *arena, struct region *region, uint64_t size, uint64_t grain)
{
    uint64_t grains = (size + grain - 1) / grain;
    if (!arena->base && !arena_map(arena, size, grain)) return false;
    if (arena->grain != grain || arena->vacant < grains) return false;
    int64_t first = find_room(arena, grains);
    if (first < 0) return false;
    mark(arena, (uint64_t)first, grains, true);
    arena->vacant -= grains;
    arena->regions++;
    region->arena = arena;
    region->first = (uint64_t)first;
    region->grains = grains;
    region->base = arena->base + first * grain;
    return true;
}

/* ---- regions -------------------------------------------------------------------------------------------------- */

static bool region_find(struct region *region, uint64_t size, uint64_t grain)
{
    struct arena *empty = NULL;
    for (struct arena *arena = atomic_load(&arenas); arena; arena = arena->next) {
        if (!claim(arena)) continue;                        /* another thread is at it: it stays with this one */
        take_back(arena);
        if (!arena->base && !empty) {
            empty = arena;                                  /* kept claimed, in case no other has room */
            continue;
        }
        bool placed = arena->base && region_place(arena, region, size, grain);
        give_up(arena);
        if (!placed) continue;
        if (empty) give_up(empty);
        return true;
    }
    struct arena *arena = empty;
    if (!arena) {
        arena = calloc(1, sizeof *arena);
        if (!arena) return false;
        atomic_store(&arena->claimed, 1);
        arena->next = atomic_load(&arenas);
        while (!atomic_compare_exchange_weak(&arenas, &arena->next, arena)) {}
    }
    bool placed = region_place(arena, region, size, grain);
    give_up(arena);
    return placed;
}

/* Room for `size` bytes of code, held once by the caller; NULL when memory is refused. */
struct region *region_create(uint64_t size)
{
    struct region *region = calloc(1, sizeof *region);
    if (!region) return NULL;
    if (!size) size = 1;
    atomic_init(&region->users, 1);
    if ((!atomic_load(&sealed_only) && region_find(region, size, DENSE_GRAIN)) || region_find(region, size, PAGE)) {
        COUNT(region_bytes, region->grains * region->arena->grain);
        COUNT(regions, 1);
        return region;
    }
    free(region);
    return NULL;
}

char *region_base(struct region *region) { return region->base; }

/* Write the code; from here on no byte changes. SEAL_REFUSED where executable memory is forbidden or the code is larger
   than the region. SEAL_ELSEWHERE: this form is refused, a region made from now on has the other one. */
int region_seal(struct region *region, const char *bytes, uint64_t size)
{
    uint64_t grain = region->arena->grain, room = region->grains * grain;     /* both fixed while a region is there */
    if (size > room) return SEAL_REFUSED;
    if (grain == PAGE) {
        if (!write_then_seal(region->base, bytes, size, room)) return SEAL_REFUSED;
    }
    else if (!write_through_kernel(region->base, bytes, size)) {
        atomic_store(&sealed_only, 1);
        return SEAL_ELSEWHERE;
    }
    forget_fetched(region->base, region->base + size);
    return SEALED_NOW;
}

void region_hold(struct region *region) { atomic_fetch_add(&region->users, 1); }

void region_release(struct region *region)
{
    if (atomic_fetch_sub(&region->users, 1) != 1) return;      /* seq_cst: the last user's use precedes the next's bytes */
    struct arena *arena = region->arena;
    uint64_t room = region->grains * arena->grain;
    if (poison && arena->grain == DENSE_GRAIN) fill_with_breakpoints(region->base, room);
    atomic_fetch_sub(&counters.region_bytes, room);
    atomic_fetch_sub(&counters.regions, 1);
    region->next = atomic_load_explicit(&arena->returned, memory_order_relaxed);
    while (!atomic_compare_exchange_weak(&arena->returned, &region->next, region)) {}
    if (!claim(arena)) return;                              /* who holds the claim, or comes next, takes it back */
    take_back(arena);
    give_up(arena);
}

/* ---- from Python ---------------------------------------------------------------------------------------------- */

/* The form to try first, and whether freed code is filled with breakpoints. */
void heap_configure(int only_sealed, int fill_freed)
{
    atomic_store(&sealed_only, (uint32_t)only_sealed);
    poison = fill_freed;
}
bool heap_poisons(void) { return poison; }

int heap_is_dense(void) { return !atomic_load(&sealed_only); }

/* Bytes of pages that hold a region; what another thread is changing at this moment is left out. */
uint64_t heap_pages_in_use(void)
{
    uint64_t pages = 0;
    for (struct arena *arena = atomic_load(&arenas); arena; arena = arena->next) {
        if (!claim(arena)) continue;
        take_back(arena);
        for (uint64_t word = 0; arena->base && word < arena->words; word++)
            pages += arena->grain == PAGE ? (uint64_t)__builtin_popcountll(arena->taken[word]) : arena->taken[word] != 0;
        give_up(arena);
    }
    return pages * PAGE;
}

/* About where regions will be: for knowing what a rel32 reaches from there. */
uintptr_t heap_near(void) { return (uintptr_t)&region_create & ~(uintptr_t)(PAGE - 1); }
