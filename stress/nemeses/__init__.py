"""The nemeses, by name. Each file holds one; `harness/nemesis.py` says what they have in common."""

from __future__ import annotations

from ..harness.nemesis import Nemesis
from .deopt_storm import DeoptStorm
from .fork import Fork
from .gc_storm import GcStorm
from .memory import Memory
from .signals import Signals
from .swap_storm import SwapStorm
from .switch import Switch
from .thread_churn import ThreadChurn
from .tools import Tools

ALL: tuple[Nemesis, ...] = (
    SwapStorm(), Switch(), DeoptStorm(), GcStorm(), ThreadChurn(), Signals(), Tools(), Fork(), Memory(),
)  # fmt: skip
NEMESES: dict[str, Nemesis] = {nemesis.name: nemesis for nemesis in ALL}
