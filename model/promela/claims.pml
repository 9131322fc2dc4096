/* The claims. Each is asked at the moment an executor (or a slot) is freed, of everybody who still means to use it: that
   is earlier than any use, and needs no memory of what was freed. The names are what Spin prints when one fails.
   They are worked out in the step that asks, so they are no part of the state. */

scratch byte nobody_inside = true;          /* no thread has loaded it and not left it yet */
scratch byte nobody_uses_it_late = true;    /* no use of it by a thread that has left is still to happen */
scratch byte out_of_every_entry = true;     /* and nobody can get in */
scratch byte contents_visible = true;       /* who loads an executor sees what was written before it was installed */
scratch byte nobody_holds_the_slot = true;  /* no thread has the slot's address and not finished with it */

inline claim_unused(e)
{
   nobody_inside = true; nobody_uses_it_late = true; out_of_every_entry = true;
   for (n : 0 .. READERS * PLACES - 1) { if :: inside[n] == e -> nobody_inside = false :: else fi }
   for (n : 0 .. READERS - 1) {
      for (m : 0 .. CAPACITY - 1) {
         if :: buffer[n].store[m] == USE + 8 * e -> nobody_uses_it_late = false :: else fi
      }
   }
   for (n : 0 .. ENTRIES - 1) { if :: entry[n] == e -> out_of_every_entry = false :: else fi }
   n = 0; m = 0;
   assert(out_of_every_entry);
   assert(nobody_inside);
   assert(nobody_uses_it_late)
}

#ifdef SLOT
inline claim_slot_unused()
{
   nobody_holds_the_slot = true;
   for (n : 0 .. READERS - 1) { if :: has_slot[n] -> nobody_holds_the_slot = false :: else fi }
   n = 0;
   assert(nobody_holds_the_slot)
}
#endif

#ifdef LIVENESS
/* Under weak fairness (nobody who can go on waits for ever): what is retired is freed, unless a thread stays inside it.
   RESIDENT: reader 0 never leaves the first executor it enters. */
#ifdef RESIDENT
#define stays(e) (inside[0] == e)
#else
#define stays(e) false
#endif
#define retired1 (where[1] == PUSHED || where[1] == LIMBO)
#define retired2 (where[2] == PUSHED || where[2] == LIMBO)
ltl freed { [] ((retired1 -> <> (!retired1 || stays(1))) && (retired2 -> <> (!retired2 || stays(2)))) }
#endif
