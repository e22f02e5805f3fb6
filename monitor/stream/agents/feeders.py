"""What a partition of events knows of the foreign partitions that its events are made of: its feeders.

While one of them catches up, the clock proves nothing here: what it still has to read would come here. What each says
stands in the topic of markers (`monitor.wire.markers`). That it is behind holds at once. That it is not holds from the
position on that it names: by then all events that were made of it have been read here.

A feeder that holds deadlines back for longer than ``longest_s`` is let go until it has caught up or gets further: else
one that nobody reads any more, or that says what is not true, would silence all deadlines for ever.
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
"""The first byte of the keys of offsets up to which sources' markers were heard."""
SILENCE_S: Final = 15.0
"""How long a foreign topic is waited for after a restart (real seconds): it has few rows, so it is open at once."""
LONGEST_S: Final = 1800.0


def heard_key(source: str) -> bytes:
    """Return the row key of the offset up to which a source's markers were heard."""
    return HEARD + source.encode()


class Memory(NamedTuple):
    """What `Feeders` holds in memory at one moment."""

    horizon: HorizonMemory
    heard: dict[str, int]
    listened: int


class Feeders:
    """The feeders of one partition, which keeps their rows in its state. Those of former feeders are dropped."""

    def __init__(
        self, state: PartitionState, sources: Collection[str], markers: Markers, *, longest_s: float = LONGEST_S
    ) -> None:
        # Deadlines do not wait for late events as periods do: even after a short stop they would be told wrongly.
        self.horizon = Horizon(state, sources, short_ms=0, silence_s=SILENCE_S, longest_s=longest_s)
        self._state = state
        self._sources = frozenset(sources)
        self._markers = markers
        self._heard: dict[str, int] = {}
        for source in self._sources:
            row = state.get(heard_key(source))
            # Beyond the end: the topic was made anew.
            known = isinstance(row, HeardRow) and row.offset <= markers.end
            self._heard[source] = row.offset if known and isinstance(row, HeardRow) else 0
        self._listened = -1

    def restore(self, keys: Collection[bytes]) -> None:
        """Find again who was behind, and drop the rows of former feeders. Give the keys of all rows of both kinds."""
        forget(self._state, keys, except_for=self._sources)
        self.horizon.restore(key for key in keys if self._state.get(key) is not None)

    def listen(self) -> None:
        """Take over what the feeders have said and what holds by now."""
        self._listened = self._markers.end
        for source in self._sources:
            told = self._markers.newest.get(source)
            if told is None or told.offset < self._heard[source]:
                continue
            if self._state.position < told.marker.holds_from(self._state.partition):
                self._listened = -1  # ask again with the next tick
                continue
            self.horizon.hear(told.marker.marker())
            self._heard[source] = told.offset + 1
            self._state.put(heard_key(source), HeardRow(told.offset + 1))

    @property
    def has_news(self) -> bool:
        """Whether `listen` should be called."""
        return self._listened != self._markers.end

    def remember(self) -> Memory:
        """Return what stands in memory, for `recall`."""
        return Memory(self.horizon.remember(), dict(self._heard), self._listened)

    def recall(self, memory: Memory) -> None:
        """Go back to what `remember` returned."""
        self.horizon.recall(memory.horizon)
        self._heard, self._listened = dict(memory.heard), memory.listened


def forget(state: PartitionState, keys: Iterable[bytes], *, except_for: Iterable[str] = ()) -> None:
    """Drop what the rows say of feeders that are in the settings no more. ``keys`` are those of all rows of feeders."""
    kept = {key for source in except_for for key in (heard_key(source), marker_key(source))}
    for key in keys:
        if key not in kept:
            state.put(key, None)
