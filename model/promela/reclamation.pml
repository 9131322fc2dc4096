/* The reclamation protocol of cdefs/epoch.c, for Spin. The steps (1) to (9) are numbered as there.

   Nothing here is bounded but the number of threads, executors, nested places and stores in a buffer: readers enter and
   leave, swappers install and retire, drivers drive for ever, through any number of epochs. That is a finite system
   because executors that were freed are made anew under the same number, and because epochs are kept as distances from
   the present one (`age` in memory.pml). A search without truncation therefore covers every run of any length.

   Sizes and forms come from the command line (configurations.py); what the BREAK switches give up is in breaks.py. */

#ifndef READERS
#define READERS 2        /* threads that enter executors */
#endif
#ifndef PLACES
#define PLACES 1         /* how deep one thread nests: places in its record */
#endif
#ifndef EXECUTORS
#define EXECUTORS 2      /* executors that exist at one time, retired ones included */
#endif
#ifndef SWAPPERS
#define SWAPPERS 1       /* threads that install and retire */
#endif
#ifndef DRIVERS
#define DRIVERS 1        /* threads that would drive, under the try-lock */
#endif
#ifndef CAPACITY
#define CAPACITY 4       /* stores that wait in one thread's buffer */
#endif
#ifdef BATCH
#define ENTRIES 2        /* each member of the batch has an entry of its own */
#else
#define ENTRIES 1
#endif

#include "memory.pml"
#include "claims.pml"
#include "reader.pml"
#include "driver.pml"
#ifdef BATCH
#include "batch.pml"
#else
#include "swapper.pml"
#endif

init {
   atomic {
#ifdef BATCH
      entry[0] = 1; where[1] = LIVE;
      entry[1] = 2; where[2] = LIVE;
#else
      entry[0] = 1; where[1] = LIVE;
#endif
#ifdef CONTENTS
      built[1] = 1;
#endif
#ifdef SLOT
      co_extra = 1; slot_where = LIVE;
#endif
      n = 0;
      do
      :: n < READERS ->
#ifdef RECORDS
         taken[n] = 1;
#endif
         run reader(n); run flusher(n); n++
      :: else -> break
      od;
      n = 0;
      do :: n < SWAPPERS -> run swapper(n); n++ :: else -> break od;
      n = 0;
      do :: n < DRIVERS -> run driver(n); n++ :: else -> break od;
      n = 0
   }
}
