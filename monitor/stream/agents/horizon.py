"""Up to when a partition may be judged: what its sources say of how far they are, kept over restarts.

Partials have the partitions of tickets, calls … as their sources, and those may have foreign topics as theirs. Below it
is told of partials and their windows; of deadlines the same holds, but for the short stop.

A source that catches up says so in markers; until it has, no window is judged beyond
its watermark: what it still has to read would be missing from a statement for ever. After a stop the backlog is as old
as the stop was long, and sources may take a while to be opened. So after a restart no window is judged beyond the last
look of before until each source has been heard of, which it is as soon as anybody has opened it. After a short stop
nothing is held back: periods wait longer than that for late events.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from math import inf
from typing import Final, NamedTuple

from monitor.core.time.units import MINUTE_MS
from monitor.stream.partitions.partition import PartitionState
from monitor.wire.partials import Marker
from monitor.wire.rows import LookRow

log = logging.getLogger(__name__)

SHORT_MS: Final = MINUTE_MS
"""After a stop shorter than this, no source can be far behind."""
SILENCE_S: Final = 60.0
"""How long sources are waited for (real seconds); then somebody has to look why they are not opened."""
LOOKS_MS: Final = 10_000
"""How often the last look is written down if nothing else is."""

LOOK_KEY: Final = b"l"
MARKER: Final = b"m"
"""The first byte of the keys of what sources said last."""


def marker_key(source: str) -> bytes:
    """Return the row key of what a source said last."""
    return MARKER + source.encode()


class Memory(NamedTuple):
    """What a `Horizon` holds in memory at one moment."""

    behind: dict[str, int]
    unheard: frozenset[str]
    looked_ms: int
    stored_ms: int
    let_go: frozenset[str]


class Horizon:
    """What one partition knows of its sources. Its rows are those of the partition's state.

    ``short_ms``: after a stop shorter than this nobody is waited for. ``silence_s``: nor longer than this.
    ``longest_s``: a source that catches up without getting further for so long (real seconds) holds nothing back any
    more; it is told in the log, and counted in ``let_go``.
    """

    def __init__(
        self,
        state: PartitionState,
        sources: Iterable[str],
        *,
        short_ms: int = SHORT_MS,
        silence_s: float = SILENCE_S,
        longest_s: float = inf,
    ) -> None:
        self._state = state
        self._short_ms = short_ms
        self._silence_s = silence_s
        self._longest_s = longest_s
        self.let_go: set[str] = set()
        """The sources that were behind for too long without getting further."""
        self._held: dict[str, float] = {}
        """Since when (monotonic seconds) each source that is behind has not got further."""
        self._held_since: float | None = None
        self._behind: dict[str, int] = {}
        self._unheard = set(sources)
        look = state.get(LOOK_KEY)
        self._looked_ms = self._stored_ms = look.as_of_ms if isinstance(look, LookRow) else 0
        self._waits_since: float | None = None

    def restore(self, keys: Iterable[bytes]) -> None:
        """Find again which sources were behind. Give the keys of all rows of markers; others are passed over."""
        for key in keys:
            marker = self._state.get(key) if key[:1] == MARKER else None
            if isinstance(marker, Marker) and marker.behind:
                self._behind[marker.source] = marker.watermark_ms

    def hear(self, marker: Marker) -> None:
        """Take over what a source says."""
        self._unheard.discard(marker.source)
        if not marker.behind or self._behind.get(marker.source) != marker.watermark_ms:
            self._held.pop(marker.source, None)  # it gets further
            self.let_go.discard(marker.source)
        if marker.behind:
            self._behind[marker.source] = marker.watermark_ms
        elif self._behind.pop(marker.source, None) is None:
            return
        self._state.put(marker_key(marker.source), marker if marker.behind else None)

    def remember(self) -> Memory:
        """Return what stands in memory, for `recall`."""
        return Memory(
            dict(self._behind), frozenset(self._unheard), self._looked_ms, self._stored_ms, frozenset(self.let_go)
        )

    def recall(self, memory: Memory) -> None:
        """Go back to what `remember` returned: what was heard since was taken back."""
        self._behind, self._unheard = dict(memory.behind), set(memory.unheard)
        self._looked_ms, self._stored_ms = memory.looked_ms, memory.stored_ms
        self.let_go = set(memory.let_go)

    @property
    def is_held(self) -> bool:
        """Whether windows may be judged up to an earlier instant than now."""
        return bool(self._behind.keys() - self.let_go or self._unheard)

    def held_s(self) -> float:
        """Return for how long (real seconds) it has been held back, 0 if it is not."""
        now = time.monotonic()
        if not self.is_held:
            self._held_since = None
        elif self._held_since is None:
            self._held_since = now
        return 0.0 if self._held_since is None else now - self._held_since

    def as_of_ms(self, now_ms: int) -> int | None:
        """Return up to when windows may be judged, never earlier than before; None while nothing is known yet."""
        # A source that has just been opened does not know its watermark yet.
        self._let_go()
        limits = [
            watermark_ms or self._looked_ms
            for source, watermark_ms in self._behind.items()
            if source not in self.let_go
        ]
        if self._unheard and self._waits(now_ms):
            limits.append(self._looked_ms)
        as_of_ms = max(self._looked_ms, min([now_ms, *limits]))
        return as_of_ms or None

    def looked(self, as_of_ms: int) -> None:
        """Note that windows were judged, and write it down with what was found, or every now and then."""
        self._looked_ms = as_of_ms
        if self._stored_ms < as_of_ms and (self._state.dirty or as_of_ms - self._stored_ms >= LOOKS_MS):
            self._stored_ms = as_of_ms
            self._state.put(LOOK_KEY, LookRow(as_of_ms))

    def _let_go(self) -> None:
        """Let go of sources that have been behind for too long without getting further."""
        now = time.monotonic()
        for source in self._behind:
            since = self._held.setdefault(source, now)
            if now - since > self._longest_s and source not in self.let_go:
                self.let_go.add(source)
                log.error(
                    "%s: %s catches up and has not got further for %g s: it holds nothing back any more. Look why it "
                    "is not read; what it still holds may disprove what is announced from now on",
                    self._state.name, source, self._longest_s,
                )  # fmt: skip

    def _waits(self, now_ms: int) -> bool:
        """Return whether sources that have not been heard of are waited for."""
        if self._waits_since is None:
            self._waits_since = time.monotonic()
            if self._looked_ms and now_ms - self._looked_ms < self._short_ms:
                self._unheard.clear()
        elif time.monotonic() - self._waits_since > self._silence_s:
            log.warning(
                "%s: nobody has opened %s for %g s: it is judged without them",
                self._state.name, ", ".join(sorted(self._unheard)), self._silence_s,
            )  # fmt: skip
            self._unheard.clear()
        return bool(self._unheard)
