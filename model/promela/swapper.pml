/* A thread that installs executors and takes them out: slot_install, entry_empty and executor_retire. */

#ifdef SLOT
#define CODE_ALIVE co_extra
#else
#define CODE_ALIVE true
#endif
#if READERS == 2
#define FRAMES (holds_code[0] || holds_code[1])
#else
#define FRAMES holds_code[0]
#endif

/* Where a new executor may come from. The lowest number that is free: they are all alike. */
#ifdef BREAK_reinstall
#define AVAILABLE(e) (where[e] != LIVE)                  /* one that is still in limbo will do */
#define LOWER_ARE_NOT(e) true
#define BECOMES_LIVE(e) if :: where[e] == FREE -> where[e] = LIVE :: else fi
#else
#define BECOMES_LIVE(e) where[e] = LIVE
#define AVAILABLE(e) (where[e] == FREE)
#if EXECUTORS == 2
#define LOWER_ARE_NOT(e) ((e) == 1 || where[1] != FREE)
#else
#define LOWER_ARE_NOT(e) ((e) == 1 || (where[1] != FREE && ((e) == 2 || where[2] != FREE)))
#endif
#endif

inline exchange(new)                                     /* (6) */
{
   old = entry[0];
   entry[0] = new;
   printf("swapper %d | exchanges the entry (6): executor %d for %d\n", w, new, old)
}

inline build(new)                                        /* its code and tables are written */
{
#ifdef CONTENTS
   built[new] = 1;
   printf("swapper %d | the contents of executor %d are visible\n", w, new)
#else
   skip
#endif
}

inline read_stamp()                                      /* (7) */
{
   d_step { swapper_stamp[w] = NOW; printf("swapper %d | reads its stamp (7): %d\n", w, shown(NOW)) }
}

inline push()
{
   if
   :: old -> where[old] = PUSHED; stamp[old] = swapper_stamp[w];
      printf("swapper %d | executor %d, stamped %d, is newly retired\n", w, old, shown(stamp[old]))
   :: else
   fi;
#ifdef SLOT
   if
   :: slot_out -> slot_where = PUSHED; slot_stamp = swapper_stamp[w]; slot_out = 0;
      printf("swapper %d | the slot, stamped %d, is newly retired\n", w, shown(slot_stamp))
   :: else
   fi;
#endif
   swapper_stamp[w] = 0;
   old = 0
}

#ifdef CONTENTS
#define INSTALL(e) \
   d_step { AVAILABLE(e) && LOWER_ARE_NOT(e) -> BECOMES_LIVE(e); fresh = e }
#else
#define INSTALL(e) \
   d_step { AVAILABLE(e) && LOWER_ARE_NOT(e) && CODE_ALIVE -> BECOMES_LIVE(e); exchange(e) }
#endif

proctype swapper(byte w)
{
   byte old;                                             /* what the exchange took out */
#ifdef CONTENTS
   byte fresh;                                           /* what is to be installed */
#endif
#ifdef SLOT
   bit slot_out;                                         /* the code object's death took the slot out too */
#endif
#ifdef SWAPS
   byte swaps;                                           /* done so far; the search is over any number without SWAPS */
#endif
   do
   ::
#ifdef SWAPS
      d_step { swaps < SWAPS -> swaps++ }
#endif
#ifdef BREAK_stamp_early
      read_stamp();
#endif
#ifdef BREAK_stamp_order
      if :: read_stamp() :: skip fi;                     /* (7) may be satisfied before (6) is seen, or in its place */
#endif
      if
      :: INSTALL(1)
      :: INSTALL(2)
#if EXECUTORS == 3
      :: INSTALL(3)
#endif
      :: d_step { entry[0] -> exchange(0) }
#ifdef SLOT
#ifdef FRAMED
      /* The code object dies: no frame holds it. Its slot goes at once. */
      :: d_step { co_extra && !FRAMES -> co_extra = 0; exchange(0); printf("swapper %d | the code object dies; its slot is freed\n", w);
                  claim_slot_unused() }
      :: d_step { !co_extra -> co_extra = 1; printf("swapper %d | a new code object has a slot\n", w) }
#else
      /* The code object dies: its slot is retired with what is in it. */
      :: d_step { co_extra -> co_extra = 0; exchange(0); slot_out = 1; printf("swapper %d | the code object dies\n", w) }
      :: d_step { slot_where == FREE && !co_extra && !slot_out -> co_extra = 1; slot_where = LIVE; printf("swapper %d | a new code object has a slot\n", w) }
#endif
#endif
      fi;
#ifdef CONTENTS
      if
      :: fresh ->
#if defined(BREAK_publish_release) && !defined(READER_SIDE)
         d_step { exchange(fresh) }
         d_step { build(fresh); fresh = 0 }
#else
         d_step { build(fresh) }
         d_step { exchange(fresh); fresh = 0 }
#endif
      :: else
      fi;
#endif
#ifdef SLOT
#define TOOK_OUT (old || slot_out)
#else
#define TOOK_OUT old
#endif
      if
      :: TOOK_OUT ->
#ifdef BREAK_stamp_order
         if :: swapper_stamp[w] == 0 -> read_stamp() :: else fi;
#elif !defined(BREAK_stamp_early)
         read_stamp();
#endif
         d_step { push() }
      :: else
#if defined(BREAK_stamp_early) || defined(BREAK_stamp_order)
         -> swapper_stamp[w] = 0
#endif
      fi
   od
}
