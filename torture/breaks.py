"""The negative controls of the reclamation protocol: one tag for each ordering and each condition, and what a build
with `-DFTJIT_BREAK_<tag>` does wrong. (1) to (9) are the steps at the top of cdefs/epoch.c."""

BREAKS = {
    # the barrier between (1) and (2)
    "reader_fence": "no store-load barrier between (1) and (2) in the reader",
    "driver_fence": "no barrier before the driver's check (8)",
    # the orderings of single accesses: relaxed instead
    "pin_acquire": "the epoch is loaded without acquire at (1)",
    "pin_release": "the pin (1) is stored without release",
    "publish_release": "the install (6) without release, the load (2) without acquire",
    "record_release": "the activation (3) is stored without release",
    "unpin_release": "the unpinning (4) is no release: (4) comes before (3)",
    "leave_release": "the leave (5) is stored without release",
    "stamp_order": "the stamp (7) and the advance (8) are not seq_cst",
    "check_acquire": "the check (8) loads without acquire",
    "scan_acquire": "the scan (9) loads without acquire",
    "retire_release": "the push of what is retired without release, the take without acquire",
    "driving_release": "the try-lock of the driver without acquire and release",
    "chunk_release": "a new chunk of places is linked without release",
    "records_release": "a new record is linked without release",
    "taken_release": "a record changes hands without acquire and release",
    # the conditions
    "free_early": "freed one epoch after retiring, not two",
    "scan_early": "the scan comes before the second advance",
    "stamp_early": "the stamp is read before the exchange",
    "two_drivers": "a second driver without the try-lock, advancing blindly by one",
    "reinstall": "an executor is installed again from limbo",
    "nested_pin": "something enters and leaves between (2) and (3)",
    "moving_records": "an out-of-order leave moves the last place into the hole",
    "dead_record_early": "a dying thread's record is emptied before the thread has left",
    "slot_outside_pin": "the slot is loaded with no frame holding the code object",
    "batch_member": "a batch is freed when one of its members is inactive",
    "fork_unpaused": "a fork in the middle of a driver's round",
}
