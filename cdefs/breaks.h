/* Negative controls: one tag for each ordering and each condition of the reclamation protocol. A build with
   -DFTJIT_BREAK_<tag> weakens that one place, and torture/ must then find an error. In a normal build BROKEN(tag) is the
   constant 0 and leaves nothing behind. torture/breaks.py lists the tags and what each means. */
#ifndef FTJIT_BREAKS_H
#define FTJIT_BREAKS_H

/* BROKEN(tag): 1 when FTJIT_BREAK_tag is defined as 1, else 0 (the trick of Linux's IS_ENABLED: "0," shifts the 1). */
#define FTJIT_SHIFT_1 0,
#define FTJIT_SECOND(first, second, ...) second
#define FTJIT_DEFINED(macro) FTJIT_DEFINED_VALUE(macro)
#define FTJIT_DEFINED_VALUE(value) FTJIT_DEFINED_SHIFT(FTJIT_SHIFT_##value)
#define FTJIT_DEFINED_SHIFT(maybe_shift) FTJIT_SECOND(maybe_shift 1, 0, 0)
#define BROKEN(tag) FTJIT_DEFINED(FTJIT_BREAK_##tag)

/* The memory order `order` (release, acquire, seq_cst), or relaxed in the build that breaks `tag`. */
#define ORDER(order, tag) (BROKEN(tag) ? memory_order_relaxed : memory_order_##order)

/* A place between two steps of the protocol where the torture program may stop this thread for a while. */
#ifdef FTJIT_TORTURE
void torture_point(int place);
#define FTJIT_TORTURE_POINT(place) torture_point(place)
#else
#define FTJIT_TORTURE_POINT(place) ((void)0)
#endif
#endif
