"""The one object that stands for: no value here, or none known."""

from __future__ import annotations

from typing import Final


class Missing:
    """MISSING's type."""

    def __repr__(self) -> str:
        return "<missing>"


MISSING: Final = Missing()
