/* Bytecodes done by a C function on the frame: 0 done, < 0 an exception is set, 2 done and the answer is no. */
#ifndef FTJIT_CALLOUTS_H
#define FTJIT_CALLOUTS_H
#include "core.h"

typedef int64_t (*callout_t)(_PyInterpreterFrame *frame, int64_t argument);

#define CALLOUTS(X)                                                                                                   \
    X(binary_op) X(compare_op) X(to_bool) X(contains_op) X(is_op) X(unary_negative) X(unary_invert) X(load_attr)      \
    X(store_attr) X(store_subscr) X(binary_slice) X(store_slice) X(call) X(call_kw) X(call_class) X(get_iter) X(for_iter)           \
    X(unpack_sequence) X(build_list) X(build_tuple) X(build_map) X(build_slice) X(build_string) X(format_simple)      \
    X(format_with_spec) X(list_append) X(call_list_append) X(load_global) X(store_global) X(load_deref) X(store_deref) X(store_fast)  \
    X(store_fast_store_fast) X(store_fast_load_fast) X(pop_top)    \
    X(pop_jump_none)
#define DECLARE(name) int64_t callout_##name(_PyInterpreterFrame *, int64_t);
CALLOUTS(DECLARE)
#undef DECLARE
#endif
