/* Two executors compiled in one batch share a region of code. Executor 1 may call executor 2 directly, without entering
   through its entry, so that only 1 stands in the record: whoever is in 1 may be in 2. One member may be retired alone,
   or both together (one depends on the other); the region goes as a unit. */

inline retire_one(which)
{
   d_step { entry[which - 1] -> entry[which - 1] = 0; out = out | which;
            printf("swapper %d | takes executor %d out of its entry (6)\n", w, which) }
}

proctype swapper(byte w)
{
   byte out;                                             /* members taken out and not pushed yet, one bit each */
   do
   :: if
      :: retire_one(1)
      :: retire_one(2)
      :: retire_one(1); if :: retire_one(2) :: d_step { entry[1] == 0 -> skip } fi
      :: d_step { where[1] == FREE && where[2] == FREE -> where[1] = LIVE; where[2] = LIVE; entry[0] = 1 }
         d_step { entry[1] = 2; printf("swapper %d | installs both executors of a new region\n", w) }
      fi;
      if
      :: out ->
         d_step { swapper_stamp[w] = NOW; printf("swapper %d | reads its stamp (7): %d\n", w, shown(NOW)) }
         d_step {
            if :: out & 1 -> where[1] = PUSHED; stamp[1] = swapper_stamp[w] :: else fi;
            if :: out & 2 -> where[2] = PUSHED; stamp[2] = swapper_stamp[w] :: else fi;
            printf("swapper %d | newly retired: %d (1: the first, 2: the second, 3: both)\n", w, out);
            out = 0; swapper_stamp[w] = 0 }
      :: else
      fi
   od
}
