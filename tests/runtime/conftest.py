"""The scenarios here run as those in tests/threads do, with its helpers."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / "threads")]
