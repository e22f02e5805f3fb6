"""The layers of a partition's rows, for work that reads and puts encoded rows by itself (the native fast path)."""

from __future__ import annotations

from typing import NamedTuple

from monitor.stream.partitions.wakes import Wake


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
    wakes: list[Wake]
    """Takes the wake of each row that is new or wakes at another instant than the committed one."""
