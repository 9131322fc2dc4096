/* The helpers that stencils call through a thunk (thunks.c). */
#ifndef FTJIT_THUNKS_H
#define FTJIT_THUNKS_H

#define THUNKS_WITH_RESULT(X)                                                                                         \
    X(ftjit_long_value) X(ftjit_box_int) X(ftjit_box_float) X(ftjit_list_item) X(ftjit_list_item_owned)               \
    X(ftjit_list_item_float) X(ftjit_list_item_int)                \
    X(ftjit_list_append_float) X(ftjit_list_append_int) X(ftjit_list_append_object)                                   \
    X(ftjit_list_iter_next) X(ftjit_list_store_float) X(ftjit_list_store_int) X(ftjit_list_store_object) X(ftjit_attr_store_float)               \
    X(ftjit_attr_store_int) X(ftjit_box_maybe) X(ftjit_replace) X(ftjit_replace_object)        \
    X(ftjit_is_plain_beside_others) X(ftjit_store_locked)
#define THUNKS_WITHOUT_RESULT(X) X(ftjit_replace_late) X(ftjit_unlock) X(ftjit_give_back)
/* Called under the C convention: nothing but the call. */
#define PLAIN_HELPERS(X) X(ftjit_float_power) X(ftjit_float_modulo) X(ftjit_float_floor_divide) X(ftjit_call_out) X(ftjit_call_function)
#endif
