/* Shared words, store buffers, epochs as distances.

   A reader's stores wait in its buffer until its flusher makes them visible. x86-TSO: in order. WEAK: in any order that
   keeps stores to one word in order, and a release store behind everything that was put in before it. Everybody else's
   accesses are sequentially consistent in the C core (exchange, compare-and-swap, plain atomic stores), so only readers
   have buffers. Loads happen in program order in both forms, but for the one that a break lets go early. */

#define NOBODY 0

/* ---- epochs ----
   Only two things are ever asked of an epoch: is a pin equal to G, and is G two beyond a stamp. So G is always NOW, an
   epoch that is n behind is NOW - n, and what is older than anyone can tell apart stays at the oldest number. */
#ifdef BREAK_two_drivers
#define NOW 6            /* two threads that advance at will need to tell more epochs apart */
#define OLDEST_PIN 1
#else
#define NOW 3
#define OLDEST_PIN (NOW - 1)
#endif
#define OLDEST_STAMP (NOW - 2)

byte epoch[READERS];                /* R.epoch: 0, or the epoch it is pinned at */
byte recorded[READERS * PLACES];      /* R.active: 0, or an executor */
byte entry[ENTRIES];                /* the slot's pointers: 0, or an executor */
bit driving;                        /* the try-lock */
byte load_of_G[READERS];            /* what a reader read of G and has not stored yet */

/* where an executor is */
#define FREE 0          /* it does not exist */
#define LIVE 1          /* in its entry, or on the way in or out */
#define PUSHED 2        /* newly_retired: the driver has not taken it yet */
#define LIMBO 3
byte where[EXECUTORS + 1];
byte stamp[EXECUTORS + 1];          /* retired_at */
byte swapper_stamp[SWAPPERS];       /* (7) read, not yet written into the executor */
#ifdef RECORDS
bit taken[READERS];                 /* a thread owns the record */
bit listed[READERS];                /* the record is in the list the driver walks */
#endif
#ifdef CONTENTS
bit built[EXECUTORS + 1];           /* the executor's code and tables are visible */
byte sight[READERS];                /* which executors the reader saw built, one bit each */
#endif
#ifdef SLOT
bit co_extra;                       /* the code object is alive and has a slot */
byte slot_where = FREE;
byte slot_stamp;
#endif
#ifdef BREAK_two_drivers
byte driver_epoch[DRIVERS];         /* what a driver read of G; 0 when that can equal no pin any more */
#endif

/* ghosts: what is so, whether or not the record says it */
byte inside[READERS * PLACES];      /* loaded (2), and not left yet */
#ifdef SLOT
bit has_slot[READERS];              /* holds the slot's address */
bit holds_code[READERS];            /* a frame of this thread holds the code object */
#endif

/* Scratch of one indivisible step, and no part of the state. A search for the shortest counterexample knows no hidden
   variables: there they are ordinary ones, which are the same before each step. */
#ifdef SHORTEST
#define scratch
#else
#define scratch hidden
#endif
scratch byte n, m, x;
#ifdef REPLAY
#define TICK 1
#else
#define TICK 0
#endif
scratch int clock;                  /* advances so far: moves only when a counterexample is read to somebody */
#define shown(e) (1 + clock - (NOW - (e)))

/* ---- store buffers ---- */
typedef stores { byte used; byte store[CAPACITY] }
stores buffer[READERS];

#define EPOCH  1                    /* kinds of store */
#define USE    2                    /* a use of an executor's memory that may happen late: the value is the executor */
#define TAKEN  3
#define ACTIVE 4                    /* ACTIVE + place; the last kind, for up to four places */
#define RELEASE 64
#define kind(s) ((s) & 7)
#define value(s) (((s) >> 3) & 7)
#define room(r, stores) (buffer[r].used + (stores) <= CAPACITY)

inline put(r, s)
{
   buffer[r].store[buffer[r].used] = s;
   buffer[r].used++
}

inline remove(r, k)                 /* the k-th store in the buffer is gone */
{
   buffer[r].used--;
   m = k;
   do
   :: m < buffer[r].used -> buffer[r].store[m] = buffer[r].store[m + 1]; m++
   :: else -> break
   od;
   buffer[r].store[m] = 0
}

inline take_out(r, k)               /* the k-th store in the buffer becomes visible */
{
   x = buffer[r].store[k];
   remove(r, k);
   if
   :: kind(x) == EPOCH -> epoch[r] = value(x);
      if
      :: value(x) == 0 -> printf("reader %d | the unpin (4) is visible\n", r)
      :: else -> printf("reader %d | the pin (1) at epoch %d is visible\n", r, shown(value(x)))
      fi
   :: kind(x) == USE -> printf("reader %d | its last use of executor %d happens\n", r, value(x))
#ifdef RECORDS
   :: kind(x) == TAKEN -> taken[r] = value(x); printf("reader %d | gives its record back\n", r)
#endif
   :: kind(x) >= ACTIVE -> recorded[r * PLACES + kind(x) - ACTIVE] = value(x);
      if
      :: value(x) == 0 -> printf("reader %d | place %d seen empty (5)\n", r, kind(x) - ACTIVE)
      :: else -> printf("reader %d | place %d seen to hold executor %d (3)\n", r, kind(x) - ACTIVE, value(x))
      fi
   fi;
   x = 0; m = 0
}

inline drain(r)
{
   do :: buffer[r].used > 0 -> take_out(r, 0) :: else -> break od
}

#ifdef WEAK
#define s(k) buffer[r].store[k]
#define free_to_go(k) (buffer[r].used > k && !(s(k) & RELEASE))
#define passes(k, j) (kind(s(k)) != kind(s(j)))
#endif

proctype flusher(byte r)
{
   do
   :: d_step { buffer[r].used > 0 -> take_out(r, 0) }
#ifdef WEAK
   :: d_step { free_to_go(1) && passes(1, 0) -> take_out(r, 1) }
   :: d_step { free_to_go(2) && passes(2, 0) && passes(2, 1) -> take_out(r, 2) }
   :: d_step { free_to_go(3) && passes(3, 0) && passes(3, 1) && passes(3, 2) -> take_out(r, 3) }
#if CAPACITY > 4
   :: d_step { free_to_go(4) && passes(4, 0) && passes(4, 1) && passes(4, 2) && passes(4, 3) -> take_out(r, 4) }
#endif
#if CAPACITY > 5
   :: d_step { free_to_go(5) && passes(5, 0) && passes(5, 1) && passes(5, 2) && passes(5, 3) && passes(5, 4) ->
         take_out(r, 5) }
#endif
#if CAPACITY > 6
#error "write the lines for a weak buffer of this size"
#endif
#endif
   od
}

/* ---- G moves on: everything that was read of it is one further behind ---- */
inline grow_old(e, oldest) { if :: e > oldest -> e-- :: else fi }

inline age()
{
   clock = clock + TICK;
   for (n : 0 .. READERS - 1) {
      grow_old(load_of_G[n], OLDEST_PIN);
      grow_old(epoch[n], OLDEST_PIN);
      for (m : 0 .. CAPACITY - 1) {
         if
         :: kind(buffer[n].store[m]) == EPOCH && value(buffer[n].store[m]) > OLDEST_PIN ->
            buffer[n].store[m] = buffer[n].store[m] - 8
         :: else
         fi
      }
   }
   for (n : 1 .. EXECUTORS) { grow_old(stamp[n], OLDEST_STAMP) }
   for (n : 0 .. SWAPPERS - 1) { grow_old(swapper_stamp[n], OLDEST_STAMP) }
#ifdef SLOT
   grow_old(slot_stamp, OLDEST_STAMP);
#endif
#ifdef BREAK_two_drivers
   for (n : 0 .. DRIVERS - 1) {
      grow_old(driver_epoch[n], 0);
      if :: driver_epoch[n] == OLDEST_PIN -> driver_epoch[n] = 0 :: else fi
   }
#endif
   n = 0; m = 0
}
