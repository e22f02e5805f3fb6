"""The layers of a partition's rows, for work that reads and puts encoded rows by itself (the native fast path)."""

from __future__ import annotations

from typing import NamedTuple


class Layers(NamedTuple):
    """The layers of a state's rows. Whoever puts an encoded row does all that `PartitionState.pack` does."""

    rows: dict[bytes, bytes]
    """What is committed."""
    packed: dict[bytes, bytes | None]
    """What differs from it, encoded; None: deleted."""
    decoded: dict[bytes, object | None]
    """Rows that were read or put; one that is replaced must go."""
    touched: dict[bytes, None]
    """The keys of decoded rows that were put: these come before `packed`."""
    wakes: dict[bytes, int]
    """Takes the instant (ms) at which each row wakes that is new or wakes at another one than the committed one."""
