/* A thread that drives: reclaim() in cdefs/epoch.c, one round after the other for as long as something is retired. */

#ifdef BREAK_free_early
#define DISTANCE 1
#else
#define DISTANCE 2
#endif

#ifdef BREAK_two_drivers
#define MAY_DRIVE true
#define MY_EPOCH driver_epoch[d]
#else
#define MAY_DRIVE (driving == 0)
#define MY_EPOCH NOW                                     /* only the driver moves G */
#endif

#ifdef RECORDS
#define WALKED(r) (walk & (1 << (r)))                    /* was in the list when this walk began */
#else
#define WALKED(r) true
#endif

#if EXECUTORS == 2
#define RETIRED (where[1] >= PUSHED || where[2] >= PUSHED)
#else
#define RETIRED (where[1] >= PUSHED || where[2] >= PUSHED || where[3] >= PUSHED)
#endif
#ifdef SLOT
#define WORK (RETIRED || slot_where >= PUSHED)
#else
#define WORK RETIRED
#endif

#define OLD_ENOUGH(e) (where[e] == LIMBO && stamp[e] <= NOW - DISTANCE)
#define UNSEEN(e) (!(seen & (1 << (e))))

inline take_the_newly_retired()
{
   driving = 1;
   for (n : 1 .. EXECUTORS) { if :: where[n] == PUSHED -> where[n] = LIMBO :: else fi }
#ifdef SLOT
   if :: slot_where == PUSHED -> slot_where = LIMBO :: else fi;
#endif
   n = 0;
   printf("driver %d | gets to drive and takes what is newly retired\n", d)
}

/* What one walk over the records begins with, as far as the form has it: the barrier, the load of G, the list's head. */
#if defined(MEMBARRIER) && !defined(BREAK_driver_fence)
#define INTERRUPT(r) d_step { drain(r); printf("driver %d | membarrier has interrupted reader %d\n", d, r) }
#else
#define INTERRUPT(r)
#endif
#ifdef BREAK_two_drivers
#define READ_G d_step { driver_epoch[d] = NOW; printf("driver %d | reads G: %d\n", d, shown(NOW)) }
#else
#define READ_G
#endif
#ifdef RECORDS
#define BEGIN_WALK d_step { walk = 0; for (n : 0 .. READERS - 1) { walk = walk | (listed[n] << n) } n = 0 }
#else
#define BEGIN_WALK
#endif

#define CHECK(r) \
   if \
   :: d_step { (!WALKED(r) || epoch[r] == 0 || epoch[r] == MY_EPOCH) -> printf("driver %d | reader %d is not behind (8)\n", d, r) } \
   :: d_step { !(!WALKED(r) || epoch[r] == 0 || epoch[r] == MY_EPOCH) -> printf("driver %d | reader %d is behind: no advance (8)\n", d, r) } -> break \
   fi

#define LOOK(r, place) \
   d_step { \
      if :: WALKED(r) -> seen = seen | (1 << recorded[(r) * PLACES + (place)]); seen = seen & ~1 :: else fi; \
      printf("driver %d | place %d of reader %d holds executor %d (9)\n", d, place, r, recorded[(r) * PLACES + (place)]) }

inline scan()                                            /* mark_active */
{
   BEGIN_WALK
   LOOK(0, 0);
#if PLACES == 2
   LOOK(0, 1);
#endif
#if READERS == 2
   LOOK(1, 0);
#if PLACES == 2
   LOOK(1, 1);
#endif
#endif
}

/* The check loads by no acquire: the scan's loads may be satisfied before it, all of them here, or in their place. Not
   before the barrier: they are the scan's only if no other advance, with a barrier of its own, follows. */
#ifdef BREAK_check_acquire
#define MAY_SCAN_EARLY d_step { seen = 0; scanned = 0 } if :: scan() scanned = 1 :: skip fi;
#else
#define MAY_SCAN_EARLY
#endif

inline free_one(e)
{
   printf("driver %d | frees executor %d, stamped %d (9)\n", d, e, shown(stamp[e]));
   claim_unused(e);
   where[e] = FREE;
   stamp[e] = 0;
#ifdef CONTENTS
   built[e] = 0
#endif
}

inline free_what_is_unused()
{
#ifdef BATCH
   /* The region goes as a unit: when each member is retired, old and in nobody's record. */
#if defined(BREAK_batch_member) && defined(ALL_RETIRED)
   if
   :: OLD_ENOUGH(1) && OLD_ENOUGH(2) && (UNSEEN(1) || UNSEEN(2)) -> free_one(1); free_one(2)
#elif defined(BREAK_batch_member)
   if
   :: (OLD_ENOUGH(1) && UNSEEN(1)) || (OLD_ENOUGH(2) && UNSEEN(2)) -> free_one(1); free_one(2)
#else
   if
   :: OLD_ENOUGH(1) && UNSEEN(1) && OLD_ENOUGH(2) && UNSEEN(2) -> free_one(1); free_one(2)
#endif
   :: else
   fi
#else
   if :: OLD_ENOUGH(1) && UNSEEN(1) -> free_one(1) :: else fi;
   if :: OLD_ENOUGH(2) && UNSEEN(2) -> free_one(2) :: else fi;
#if EXECUTORS == 3
   if :: OLD_ENOUGH(3) && UNSEEN(3) -> free_one(3) :: else fi;
#endif
#ifdef SLOT
   if
   :: slot_where == LIMBO && slot_stamp <= NOW - DISTANCE ->
      printf("driver %d | frees the slot, stamped %d\n", d, shown(slot_stamp));
      claim_slot_unused();
      slot_where = FREE; slot_stamp = 0
   :: else
   fi
#endif
#endif
}

proctype driver(byte d)
{
   byte seen;                                            /* executors found in a record, one bit each */
   bit advanced;                                         /* once already in this round */
#ifdef BREAK_check_acquire
   bit scanned;                                          /* what `seen` says was read before the check */
#endif
#ifdef RECORDS
   byte walk;                                            /* records of this walk, one bit each */
#endif
   do
   :: d_step { MAY_DRIVE && WORK -> take_the_newly_retired() }
#ifdef BREAK_scan_early
      scan();
#endif
      do
      :: INTERRUPT(0)
#if READERS == 2
         INTERRUPT(1)
#endif
         READ_G
         BEGIN_WALK
         MAY_SCAN_EARLY
         CHECK(0);
#if READERS == 2
         CHECK(1);
#endif
         d_step { age(); printf("driver %d | G becomes %d (8)\n", d, shown(NOW)) }
         if
         :: advanced -> break
         :: else -> advanced = 1
         fi
      od;
#if defined(BREAK_scan_early)
      skip;
#elif defined(BREAK_check_acquire)
      if :: !scanned -> scan() :: else fi;
#else
      scan();
#endif
      d_step { free_what_is_unused(); seen = 0; advanced = 0; driving = 0;
#ifdef RECORDS
               walk = 0;
#endif
#ifdef BREAK_two_drivers
               driver_epoch[d] = 0;
#endif
#ifdef BREAK_check_acquire
               scanned = 0;
#endif
               printf("driver %d | ends its round\n", d) }
   od
}
