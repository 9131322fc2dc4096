"""What the compiler would else take from the standard library, whose Python functions run with the program's builtins
(`own_builtins.py`)."""

from __future__ import annotations

from typing import Any


class Counts[Key](dict[Key, int]):
    """How often each was seen; what was not is 0."""

    def __missing__(self, key: Key) -> int:
        return 0


def changed[Record](record: Record, **fields: Any) -> Record:
    """A dataclass instance like `record` but for these fields, as `dataclasses.replace` makes it."""
    names: dict[str, Any] = record.__dataclass_fields__  # type: ignore[attr-defined]
    return type(record)(**({name: getattr(record, name) for name in names} | fields))
