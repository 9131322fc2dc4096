/* Makes calls of the C library fail that come from one shared library: the test preloads this file, says where ftjit's
   core is mapped, which function is to fail, and from which call on for how many. Nothing else in the process notices. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { MEMORY, MMAP, MPROTECT, MADVISE, MEMBARRIER, THREAD, KEY, OPEN, PWRITE, KINDS };
static uintptr_t from, to;
static _Atomic int armed = -1;
static _Atomic long calls, first, last, fired;

static int fails(enum kind kind, void *caller)
{
    if (atomic_load_explicit(&armed, memory_order_relaxed) != (int)kind) return 0;
    if ((uintptr_t)caller < from || (uintptr_t)caller >= to) return 0;
    long call = atomic_fetch_add(&calls, 1) + 1;
    if (call < first || call > last) return 0;
    atomic_fetch_add(&fired, 1);
    return 1;
}
#define FAILS(kind) fails(kind, __builtin_return_address(0))

/* Let calls number `nth` to `nth + count - 1` of this kind fail, from code between `start` and `end`. */
void faults_arm(int kind, long nth, long count, uintptr_t start, uintptr_t end)
{
    from = start;
    to = end;
    first = nth;
    last = nth + count - 1;
    calls = fired = 0;
    armed = kind;
}
long faults_fired(void) { return fired; }
long faults_calls(void) { return calls; }

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_memalign(size_t, size_t);

void *malloc(size_t size) { return FAILS(MEMORY) ? (errno = ENOMEM, NULL) : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return FAILS(MEMORY) ? (errno = ENOMEM, NULL) : __libc_calloc(count, size); }
int posix_memalign(void **result, size_t alignment, size_t size)
{
    if (FAILS(MEMORY)) return ENOMEM;
    *result = __libc_memalign(alignment, size);
    return *result ? 0 : ENOMEM;
}

#define REAL(name) ({ static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); real; })

void *mmap64(void *at, size_t size, int protection, int flags, int file, off_t offset)
{
    return FAILS(MMAP) ? (errno = ENOMEM, MAP_FAILED) : REAL(mmap64)(at, size, protection, flags, file, offset);
}
int mprotect(void *at, size_t size, int protection)
{
    return FAILS(MPROTECT) ? (errno = EACCES, -1) : REAL(mprotect)(at, size, protection);
}
int madvise(void *at, size_t size, int advice)
{
    return FAILS(MADVISE) ? (errno = EINVAL, -1) : REAL(madvise)(at, size, advice);
}
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    return FAILS(THREAD) ? EAGAIN : REAL(pthread_create)(thread, attributes, run, argument);
}
int pthread_key_create(pthread_key_t *key, void (*destroy)(void *))
{
    return FAILS(KEY) ? EAGAIN : REAL(pthread_key_create)(key, destroy);
}
int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    int mode = va_arg(more, int);
    va_end(more);
    return FAILS(OPEN) ? (errno = EMFILE, -1) : REAL(open64)(path, flags, mode);
}
ssize_t pwrite64(int file, const void *bytes, size_t size, off_t offset)
{
    return FAILS(PWRITE) ? (errno = EIO, -1) : REAL(pwrite64)(file, bytes, size, offset);
}
long syscall(long number, ...)
{
    va_list more;
    va_start(more, number);
    long a = va_arg(more, long), b = va_arg(more, long), c = va_arg(more, long), d = va_arg(more, long),
         e = va_arg(more, long), f = va_arg(more, long);
    va_end(more);
    if (number == SYS_membarrier && FAILS(MEMBARRIER)) {
        errno = EPERM;
        return -1;
    }
    return REAL(syscall)(number, a, b, c, d, e, f);
}
