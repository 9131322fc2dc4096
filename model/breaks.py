"""What the protocol rests on, one entry for each thing that breaks it when it is given up. Plain data.

A tag is a switch of the model (`-DBREAK_tag`). The same word breaks the C core where `in_c` says so, in a build
with `FTJIT_BREAK=tag`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Break:
    """One thing given up. Numbers in parentheses are the steps of the protocol, cdefs/epoch.c."""

    tag: str
    meaning: str
    claims: tuple[str, ...]  # the claims (CLAIMS) that catch it; the model must fail for one of these
    in_c: bool = True  # the C core has this switch too


# The claims by the names under which Spin reports them, and what it means that one fails.
CLAIMS = {
    "nobody_inside": "an executor is freed while a thread is inside it, or has loaded it and is on its way in",
    "nobody_uses_it_late": "an executor is freed while a use of it by a thread that has left is still to happen",
    "out_of_every_entry": "an executor is freed that an entry still names",
    "contents_visible": "a thread loads an executor and does not see what was written before it was installed",
    "nobody_holds_the_slot": "a slot is freed while a thread that loaded its address has still to read it",
    "freed": "something retired that nobody is inside is never freed",
}

BREAKS = (
    Break("reader_fence", "no barrier between (1) and (2): the load may overtake the store", ("nobody_inside",)),
    Break("driver_fence", "no barrier in the driver before it looks at the records (8)", ("nobody_inside",)),
    Break("unpin_release", "(4) is no release: the pin may be seen gone before (3) is seen", ("nobody_inside",)),
    Break(
        "leave_release",
        "(5) is no release: a use of the executor may happen after the leave is seen",
        ("nobody_uses_it_late",),
    ),
    Break(
        "publish_release",
        "the install is no release, or (2) no acquire: the executor's contents come after its pointer",
        ("contents_visible",),
    ),
    Break("free_early", "(9) frees one epoch after the stamp instead of two", ("nobody_inside",)),
    Break("scan_early", "the records are scanned before the advances, not after the second", ("nobody_inside",)),
    Break("stamp_early", "the stamp (7) is read before the exchange (6)", ("nobody_inside",)),
    Break("two_drivers", "no try-lock: two drivers at once, each adds one to G blindly", ("nobody_inside",)),
    Break(
        "reinstall",
        "an executor is installed again out of limbo: retiring is not final",
        ("out_of_every_entry", "nobody_inside"),
    ),
    Break("nested_pin", "something between (1) and (4) enters: its unpin ends the pin around it", ("nobody_inside",)),
    Break("moving_records", "leaving out of order moves the place above into the hole", ("nobody_inside",)),
    Break("dead_record_early", "a dying thread's record is emptied before it left its executors", ("nobody_inside",)),
    Break(
        "slot_outside_pin",
        "the slot is loaded from co_extra before pinning, and no frame holds the code object",
        ("nobody_holds_the_slot",),
    ),
    Break(
        "batch_member",
        "the region is freed when one retired member is inactive, whatever the other members are",
        ("out_of_every_entry", "nobody_inside"),
    ),
    # Not to be seen on x86-64, which keeps loads in order and stores too: torture/README.md.
    Break(
        "pin_acquire",
        "(1) loads G by no acquire: (2) may overtake it, and the pin be newer than the stamp",
        ("nobody_inside",),
    ),
    Break(
        "pin_release",
        "(1) is no release: merged with the (4) before it, it may be seen before (3)",
        ("nobody_inside",),
    ),
    Break("stamp_order", "(7) is not seq_cst: it may read G before the exchange (6) is seen", ("nobody_inside",)),
    Break(
        "check_acquire",
        "(8) loads R.epoch by no acquire: the scan's loads (9) may come before that",
        ("nobody_inside",),
    ),
    Break(
        "pin_stays",
        "pinned until the leave, as plain epochs do: a thread that stays holds back everything",
        ("freed",),
        in_c=False,  # another protocol, not a mistake in this one
    ),
)

TAGS = tuple(entry.tag for entry in BREAKS)
