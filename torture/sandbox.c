/* A sandbox that comes after the start and forbids membarrier: then the driver has no barrier, and must free nothing. */
#include "torture.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { RETIRED = 10 };

static int forbid_membarrier(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof program[0], .filter = program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

/* 0: as it should be; 77: no membarrier or no seccomp here, so there is nothing to see. */
int sandbox(void)
{
    if (!asymmetric || !forbid_membarrier()) return 77;
    struct region *region = region_create(0);
    for (int i = 0; i < RETIRED; i++) executor_retire(executor_make(region, 0));
    for (int turn = 0; turn < 5; turn++)
        if (reclaim() != RETIRED) caught("something freed without a barrier", atomic_load(&counters.freed));
    if (!atomic_load(&counters.barriers_refused)) caught("a refused barrier that nobody counted", 0);
    region_release(region);
    puts("{\"barriers_refused\": true}");
    return 0;
}
