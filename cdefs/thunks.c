/* Helpers as stencils call them: under clang's preserve_all convention every register but r11 (and the result's)
   survives the call. The saving and restoring happens here, once per helper, instead of 200 bytes of it in every
   stencil that may have to call. */
#include "thunks.h"

#define SAVE                                                                                                          \
    "push %rbp; mov %rsp, %rbp; push %rax; push %rdi; push %rsi; push %rdx; push %rcx; push %r8; push %r9; push %r10;" \
    "sub $256, %rsp; movups %xmm0, (%rsp); movups %xmm1, 16(%rsp); movups %xmm2, 32(%rsp); movups %xmm3, 48(%rsp);"   \
    "movups %xmm4, 64(%rsp); movups %xmm5, 80(%rsp); movups %xmm6, 96(%rsp); movups %xmm7, 112(%rsp);"                \
    "movups %xmm8, 128(%rsp); movups %xmm9, 144(%rsp); movups %xmm10, 160(%rsp); movups %xmm11, 176(%rsp);"           \
    "movups %xmm12, 192(%rsp); movups %xmm13, 208(%rsp); movups %xmm14, 224(%rsp); movups %xmm15, 240(%rsp);"
#define RESTORE                                                                                                       \
    "movups (%rsp), %xmm0; movups 16(%rsp), %xmm1; movups 32(%rsp), %xmm2; movups 48(%rsp), %xmm3;"                   \
    "movups 64(%rsp), %xmm4; movups 80(%rsp), %xmm5; movups 96(%rsp), %xmm6; movups 112(%rsp), %xmm7;"                \
    "movups 128(%rsp), %xmm8; movups 144(%rsp), %xmm9; movups 160(%rsp), %xmm10; movups 176(%rsp), %xmm11;"           \
    "movups 192(%rsp), %xmm12; movups 208(%rsp), %xmm13; movups 224(%rsp), %xmm14; movups 240(%rsp), %xmm15;"         \
    "add $256, %rsp; pop %r10; pop %r9; pop %r8; pop %rcx; pop %rdx; pop %rsi; pop %rdi;"

/* With a result in rax, and without one (then rax survives too). 9 pushes and 256 bytes keep rsp 16-byte aligned. */
#define THUNK(name, end)                                                                                              \
    __asm__(".text; .p2align 4; .globl thunk_" #name "; .hidden thunk_" #name "; .type thunk_" #name ", @function;"   \
            "thunk_" #name ": " SAVE "call " #name "; " RESTORE end "pop %rbp; ret; .size thunk_" #name ", . - thunk_" #name);
#define RESULT(name) THUNK(name, "add $8, %rsp;")
#define NO_RESULT(name) THUNK(name, "pop %rax;")
THUNKS_WITH_RESULT(RESULT)
THUNKS_WITHOUT_RESULT(NO_RESULT)
