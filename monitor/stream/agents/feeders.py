"""The feeders of a partition of events: the foreign partitions from whose records its events are made.

While a feeder catches up, the clock proves nothing here: events made of the records that it still has to read would
come here. Each feeder's reader reports its progress in the topic of markers (`monitor.wire.markers`). "Behind" holds at
once. "Not behind" holds once this partition has been read up to the position that the marker names: by then all events
that were made of the feeder have been read here.

A feeder that holds deadlines back for longer than ``longest_s`` is let go until it has caught up or gets further.
Otherwise a feeder that nobody reads any more, or a marker that is wrong, would silence all deadlines for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from monitor.stream.agents.horizon import Horizon, marker_key
from monitor.stream.agents.horizon import Memory as HorizonMemory
from monitor.stream.agents.markers import Markers
from monitor.stream.partitions.partition import PartitionState
from monitor.wire.rows import HeardRow

HEARD: Final = b"h"
"""The first byte of the keys of rows that hold, by source, the offset up to which its markers were applied."""
SILENCE_S: Final = 15.0
"""How long a foreign topic is waited for after a restart (real seconds): it has few rows, so it opens at once."""
LONGEST_S: Final = 1800.0


def heard_key(source: str) -> bytes:
    """Return the key of the row that holds the offset up to which a source's markers were applied."""
    return HEARD + source.encode()


class Memory(NamedTuple):
    """The fields that `Feeders` holds in memory, at one moment."""

    horizon: HorizonMemory
    heard: dict[str, int]
    listened: int


class Feeders:
    """The feeders of one partition, whose rows stand in its state. Rows of former feeders are dropped."""

    def __init__(
        self, state: PartitionState, sources: Collection[str], markers: Markers, *, longest_s: float = LONGEST_S
    ) -> None:
        # Deadlines do not wait for late events as periods do: even after a short stop they could be announced wrongly.
        self.horizon = Horizon(state, sources, short_ms=0, silence_s=SILENCE_S, longest_s=longest_s)
        self._state = state
        self._sources = frozenset(sources)
        self._markers = markers
        self._heard: dict[str, int] = {}
        for source in self._sources:
            row = state.get(heard_key(source))
            # An offset beyond the end: the topic was deleted and created again.
            known = isinstance(row, HeardRow) and row.offset <= markers.end
            self._heard[source] = row.offset if known and isinstance(row, HeardRow) else 0
        self._listened = -1

    def restore(self, keys: Collection[bytes]) -> None:
        """Find in the rows which feeders were behind, and drop rows of former feeders.

        ``keys`` are those of all rows of both kinds.
        """
        forget(self._state, keys, except_for=self._sources)
        self.horizon.restore(key for key in keys if self._state.get(key) is not None)

    def listen(self) -> None:
        """Apply the feeders' newest markers, each from the position on from which it holds."""
        self._listened = self._markers.end
        for source in self._sources:
            told = self._markers.newest.get(source)
            if told is None or told.offset < self._heard[source]:
                continue
            if self._state.position < told.marker.holds_from(self._state.partition):
                self._listened = -1  # the next tick tries this marker again
                continue
            self.horizon.hear(told.marker.marker())
            self._heard[source] = told.offset + 1
            self._state.put(heard_key(source), HeardRow(told.offset + 1))

    @property
    def has_news(self) -> bool:
        """Whether there are markers that `listen` has not applied."""
        return self._listened != self._markers.end

    def remember(self) -> Memory:
        """Return the fields that stand in memory, for `recall`."""
        return Memory(self.horizon.remember(), dict(self._heard), self._listened)

    def recall(self, memory: Memory) -> None:
        """Go back to the fields that `remember` returned."""
        self.horizon.recall(memory.horizon)
        self._heard, self._listened = dict(memory.heard), memory.listened


def forget(state: PartitionState, keys: Iterable[bytes], *, except_for: Iterable[str] = ()) -> None:
    """Drop the rows of feeders that the settings no longer name. ``keys`` are those of all rows of feeders."""
    kept = {key for source in except_for for key in (heard_key(source), marker_key(source))}
    for key in keys:
        if key not in kept:
            state.put(key, None)
