/* A thread that enters and leaves executors: activation_enter and activation_leave in cdefs/core.h. */

#define top (r * PLACES + depth)

/* What the steps put into the buffer. */
#define PIN (EPOCH + 8 * load_of_G[r])                   /* (1) */
#define RECORD(place, e) (ACTIVE + (place) + 8 * (e))    /* (3) */
#ifdef BREAK_unpin_release
#define UNPIN EPOCH
#else
#define UNPIN (EPOCH + RELEASE)                          /* (4) */
#endif
#ifdef BREAK_leave_release
#define LEFT(place) (ACTIVE + (place))
#else
#define LEFT(place) (ACTIVE + (place) + RELEASE)         /* (5) */
#endif

/* MERGING: a compiler or a processor may make one store of two to the same word. Then (4) never leaves the buffer: the
   next (1) does, for both, and it must be the release that (4) was. Not merged, it needs to be none (PIN is none): it
   stays behind (4), a store to the same word. Where a fence follows (1), that is one step with it here (`pin`), and all
   before it is seen first. */
#ifdef MERGING
#if !defined(MEMBARRIER) || !defined(WEAK)
#error "stores are merged in the weak buffers of the form without fences"
#endif
#ifdef BREAK_pin_release
#define MERGED_PIN PIN
#else
#define MERGED_PIN (PIN + RELEASE)
#endif
#define waits(k) (buffer[r].store[k] == UNPIN)
#if CAPACITY != 4
#error "write UNPIN_WAITS for a buffer of this size"
#endif
#define UNPIN_WAITS (waits(0) || waits(1) || waits(2) || waits(3))
#endif

/* Steps that touch only the thread's own buffer are one with the step before where nobody can look in between. The
   driver's membarrier can (it empties the buffer), and so can what some breaks put there: then they stay apart. */
#if !defined(MEMBARRIER) && !defined(BREAK_nested_pin) && !defined(BREAK_pin_acquire)
#define JOINED
#endif

/* ---- the steps, each in the middle of something indivisible ---- */

inline pin(store)                                        /* (1), and the fence between it and (2) */
{
#if defined(MEMBARRIER) || defined(BREAK_reader_fence)
   put(r, store);
   printf("reader %d | pins (1) at epoch %d, in its store buffer\n", r, shown(load_of_G[r]));
#else
   drain(r);
   epoch[r] = load_of_G[r];
   printf("reader %d | pins (1) at epoch %d; fence\n", r, shown(load_of_G[r]));
#endif
   load_of_G[r] = 0
}

#ifdef MERGING
inline merge()                                           /* the last (4) that waits never leaves the buffer */
{
   m = CAPACITY - 1;
   do :: !waits(m) -> m-- :: else -> break od;
   remove(r, m);
   m = 0;
   printf("reader %d | its unpin (4) and the next pin are one store\n", r)
}
#endif

#if defined(BREAK_publish_release) && defined(READER_SIDE)
#define LOADED_EARLY                                     /* (2) no acquire: what is read through it was read before it */
#define SEES_BUILT(e) (sight[r] & (1 << (e)))
#else
#define SEES_BUILT(e) built[e]
#endif

inline load()                                            /* (2) */
{
#ifdef SLOT
   inside[top] = (has_slot[r] -> entry[0] : 0);
   has_slot[r] = 0;
#elif defined(BATCH)
   inside[top] = entry[which];
   which = 0;
#else
   inside[top] = entry[0];
#endif
   printf("reader %d | loads the entry (2): executor %d, for place %d\n", r, inside[top], depth);
#ifdef CONTENTS
   contents_visible = (inside[top] == 0 || SEES_BUILT(inside[top]));
   assert(contents_visible)
#endif
}

inline record()                                          /* (3) */
{
   if
   :: inside[top] -> put(r, RECORD(depth, inside[top])); printf("reader %d | records (3), in its store buffer\n", r)
   :: else
   fi
}

inline unpin()                                           /* (4) */
{
#ifdef BREAK_pin_stays
   if :: inside[top] == 0 -> put(r, UNPIN) :: else fi
#else
   put(r, UNPIN);
   printf("reader %d | unpins (4), in its store buffer\n", r)
#endif
}

#ifdef WEAK
#define STORES_OF_LEAVE 2
#else
#define STORES_OF_LEAVE 1                                /* x86 puts no load off beyond a later store: no late use */
#endif

inline leave(place)                                      /* (5): the last of its use of the executor comes before */
{
   printf("reader %d | leaves executor %d: (5), in its store buffer\n", r, inside[r * PLACES + place]);
#ifdef WEAK
   put(r, USE + 8 * inside[r * PLACES + place]);
#endif
   put(r, LEFT(place));
   inside[r * PLACES + place] = 0;
   do                                                    /* activation_unwind */
   :: depth > 0 && inside[r * PLACES + depth - 1] == 0 -> depth--
   :: else -> break
   od;
#ifdef BREAK_pin_stays
   put(r, UNPIN);
#endif
   skip
}

#ifdef SLOT
inline load_slot()
{
   has_slot[r] = co_extra;
   printf("reader %d | loads the slot from co_extra: %d\n", r, has_slot[r])
}
#endif

/* ---- entering ---- */

inline enter()
{
#if defined(FRAMED) && !defined(BREAK_slot_outside_pin)
   d_step { co_extra -> holds_code[r] = 1; printf("reader %d | has a frame of the code object\n", r) }
#endif
#if defined(FRAMED) || defined(BREAK_slot_outside_pin)
   d_step { load_slot() }
#endif
#ifdef LOADED_EARLY
   d_step { for (n : 1 .. EXECUTORS) { sight[r] = sight[r] | (built[n] << n) } n = 0 }
#endif
#ifdef BREAK_pin_acquire
   d_step { load() }
#endif
   d_step { load_of_G[r] = NOW; printf("reader %d | reads G: %d\n", r, shown(NOW)) }
#ifdef MERGING
   if
   :: d_step { room(r, 1) -> pin(PIN) }
   :: d_step { UNPIN_WAITS -> merge(); pin(MERGED_PIN) }
   fi;
#else
   d_step { room(r, 1) -> pin(PIN) }
#endif
#if defined(SLOT) && !defined(FRAMED) && !defined(BREAK_slot_outside_pin)
   d_step { load_slot() }
#endif
#ifdef BATCH
   if :: which = 0 :: which = 1 fi;
#endif
#ifdef JOINED
   d_step { room(r, 2) -> load(); record(); unpin(); if :: inside[top] -> depth++ :: else fi }
#else
#ifndef BREAK_pin_acquire
   d_step { load() }
#endif
#ifdef BREAK_nested_pin
   d_step { room(r, 1) -> put(r, UNPIN); printf("reader %d | an enter in between found nothing, and unpins\n", r) }
#endif
   d_step { room(r, 1) -> record() }
   d_step { room(r, 1) -> unpin(); if :: inside[top] -> depth++ :: else fi }
#endif
}

#ifdef ONE_NESTS
#define NESTING(r) ((r) == 0 -> 1 : PLACES)              /* reader 0 does not nest */
#else
#define NESTING(r) PLACES
#endif

proctype reader(byte r)
{
   byte depth;
#ifdef BATCH
   bit which;
#endif
#ifdef RECORDS
   d_step { drain(r); listed[r] = 1; printf("reader %d | its record is in the list\n", r) }
#endif
   do
   :: depth < NESTING(r) -> enter()
#ifdef RESIDENT
   :: r == 0 && depth > 0 -> false                       /* stays for ever */
   :: d_step { r != 0 && depth > 0 && room(r, STORES_OF_LEAVE) -> leave(depth - 1) }
#else
   :: d_step { depth > 0 && room(r, STORES_OF_LEAVE) -> leave(depth - 1) }
#endif
#if PLACES == 2
   /* out of order, as greenlets do: the place below is left first. That leaves a hole. */
   :: d_step { depth == 2 && inside[r * PLACES] && room(r, STORES_OF_LEAVE) ->
#ifdef BREAK_moving_records
         inside[r * PLACES] = inside[r * PLACES + 1]; inside[r * PLACES + 1] = 0; depth = 1;
         put(r, RECORD(0, inside[r * PLACES])); put(r, LEFT(1));
         printf("reader %d | leaves place 0 and moves place 1 there\n", r)
#else
         leave(0)
#endif
      }
#endif
#ifdef RECORDS
#ifdef BREAK_dead_record_early
   :: d_step { depth > 0 && room(r, 1) -> put(r, LEFT(0)); printf("reader %d | dies: its record is emptied\n", r) }
#endif
   /* The thread ends and another one takes the record. */
   :: d_step { depth == 0 && room(r, 3) -> put(r, LEFT(0)); put(r, EPOCH + RELEASE); put(r, TAKEN + RELEASE);
               printf("reader %d | dies: its record is emptied and given back\n", r) }
      d_step { taken[r] == 0 -> drain(r); taken[r] = 1; printf("reader %d | a new thread takes the record\n", r) }
#endif
#ifdef FRAMED
   :: d_step { depth == 0 && holds_code[r] -> holds_code[r] = 0; printf("reader %d | its frame is gone\n", r) }
#endif
   od
}
