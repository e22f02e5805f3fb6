"""The horizon: the latest instant up to which windows or deadlines of a partition may be judged.

It is kept over restarts. The sources of a partition of partials are the partitions of tickets, calls … The sources of a
partition of events are those of foreign topics. The text below speaks of partials and their windows. For events and
their deadlines it holds too, but for the exception after a short stop.

A source that catches up says so in markers. Until it has caught up, no window is judged beyond its watermark: records
that it still has to read would be missing from a statement for ever.

After a stop the backlog is as old as the stop was long, and sources may take a while to be opened. So after a restart
no window is judged beyond the instant of the last evaluation before the stop, until each source has sent a marker. A
source sends one as soon as a worker has opened it. After a short stop nothing is held back: periods wait longer than
that for late events.
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
"""How long sources are waited for (real seconds). After that a warning asks people to find out why none opened them."""
LOOKS_MS: Final = 10_000
"""How often the instant of the last evaluation is stored if nothing else is stored."""

LOOK_KEY: Final = b"l"
MARKER: Final = b"m"
"""The first byte of the keys of sources' newest markers."""


def marker_key(source: str) -> bytes:
    """Return the row key of a source's newest marker."""
    return MARKER + source.encode()


class Memory(NamedTuple):
    """The fields that a `Horizon` holds in memory, at one moment."""

    behind: dict[str, int]
    unheard: frozenset[str]
    looked_ms: int
    stored_ms: int
    let_go: frozenset[str]


class Horizon:
    """The progress of one partition's sources, as known from their markers. Its rows stand in the partition's state.

    ``short_ms``: after a stop shorter than this no source is waited for. ``silence_s``: a source that sends no marker
    is waited for no longer than this (real seconds). ``longest_s``: a source that catches up without getting further
    for so long (real seconds) holds nothing back any more. That is logged, and the source is listed in ``let_go``.
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
        """For each source that is behind: since when it has not got further (monotonic seconds)."""
        self._held_since: float | None = None
        self._behind: dict[str, int] = {}
        self._unheard = set(sources)
        look = state.get(LOOK_KEY)
        self._looked_ms = self._stored_ms = look.as_of_ms if isinstance(look, LookRow) else 0
        self._waits_since: float | None = None

    def restore(self, keys: Iterable[bytes]) -> None:
        """Find in the rows which sources were behind.

        Give the keys of all rows of markers; other keys are passed over.
        """
        for key in keys:
            marker = self._state.get(key) if key[:1] == MARKER else None
            if isinstance(marker, Marker) and marker.behind:
                self._behind[marker.source] = marker.watermark_ms

    def hear(self, marker: Marker) -> None:
        """Apply a source's marker."""
        self._unheard.discard(marker.source)
        if not marker.behind or self._behind.get(marker.source) != marker.watermark_ms:
            self._held.pop(marker.source, None)  # the source gets further
            self.let_go.discard(marker.source)
        if marker.behind:
            self._behind[marker.source] = marker.watermark_ms
        elif self._behind.pop(marker.source, None) is None:
            return
        self._state.put(marker_key(marker.source), marker if marker.behind else None)

    def remember(self) -> Memory:
        """Return the fields that stand in memory, for `recall`."""
        return Memory(
            dict(self._behind), frozenset(self._unheard), self._looked_ms, self._stored_ms, frozenset(self.let_go)
        )

    def recall(self, memory: Memory) -> None:
        """Go back to the fields that `remember` returned: the markers applied since then were taken back."""
        self._behind, self._unheard = dict(memory.behind), set(memory.unheard)
        self._looked_ms, self._stored_ms = memory.looked_ms, memory.stored_ms
        self.let_go = set(memory.let_go)

    @property
    def is_held(self) -> bool:
        """Whether some source holds the horizon back: it is behind, or has sent no marker yet."""
        return bool(self._behind.keys() - self.let_go or self._unheard)

    def held_s(self) -> float:
        """Return for how long (real seconds) the horizon has been held back; 0 if it is not."""
        now = time.monotonic()
        if not self.is_held:
            self._held_since = None
        elif self._held_since is None:
            self._held_since = now
        return 0.0 if self._held_since is None else now - self._held_since

    def as_of_ms(self, now_ms: int) -> int | None:
        """Return the latest instant up to which windows may be judged; None while nothing is known yet.

        It never goes back.
        """
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
        """Note that windows were judged as of an instant. Store it together with other changes, or every `LOOKS_MS`."""
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
        """Return whether sources that have sent no marker are still waited for."""
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
