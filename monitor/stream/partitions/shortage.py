"""Distinguish a process that has no memory left from a record or row that needs too much of it.

`containment` asks. The work that a `MemoryError` interrupts is seldom to blame. Where the process itself has no memory
left, each record would fail in turn and become a dead letter, healthy ones first. So the worker stops, and is started
again from its last commit. (A container's limit ends the process at once; this is for ``ulimit``, ``LimitDATA`` and the
like.)
"""

from __future__ import annotations

import gc
import traceback
from typing import Final

from monitor.errors import StateError

PROBE_BYTES: Final = 16 << 20
"""The memory that a worker needs to go on: some batches and their output."""
NO_MEMORY: Final = (
    "this process has no memory left, and stops so that no record suffers for it: raise its limit, or share its "
    "partitions among more workers (deploy/README.md says what takes how much)"
)


def stop_if_short(error: BaseException) -> None:
    """Return, unless an error was caused by a lack of memory that lasts after the failed work has been released.

    Raises:
        StateError: the process has no memory left.
    """
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, MemoryError):
        cause = cause.__cause__
    if cause is None:
        return
    # The frames of the failed work hold the objects that it made.
    traceback.clear_frames(cause.__traceback__)
    gc.collect()
    if not is_there(PROBE_BYTES):
        raise StateError(NO_MEMORY) from None


def is_there(size: int) -> bool:
    """Return whether ``size`` bytes of memory can be had now."""
    try:
        bytearray(size)
    except MemoryError:
        return False
    return True
