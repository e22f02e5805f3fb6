"""People's responses to pages, as every worker knows them: a read model of the compacted topic of responses.

A silence holds as long as its record stands there. An action that is to be done once (an acknowledgement, sending
again, enabling) is done by each partition of alerts in the order of the offsets. The rows of the partition hold the
offset up to which it has done so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from aiokafka.structs import ConsumerRecord

from monitor.core.paging.mutes import Silences
from monitor.stream.partitions.shortage import stop_if_short
from monitor.stream.partitions.sources import Place
from monitor.wire.responses import Response, SilenceResponse, Skip, decode_response, silence_of

log = logging.getLogger(__name__)


class Responses:
    """The responses that are there now; listeners are called after each change.

    ``silences`` is replaced, never changed.
    """

    def __init__(self) -> None:
        self.silences = Silences()
        self.end = 0
        """The offset after the last record that was read. Compaction may have removed later ones."""
        self.refused = 0
        self.skips: dict[Place, str] = {}
        """Records that operators have asked to skip, with the reason. Replaced, never changed."""
        self._known: dict[bytes, tuple[int, Response]] = {}
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call a listener after each change."""
        self._listeners.append(listener)

    def since(self, offset: int) -> list[Response]:
        """Return the responses that were recorded at or after an offset, in order."""
        return [response for at, response in sorted(self._known.values(), key=lambda one: one[0]) if at >= offset]

    def take(self, records: Sequence[ConsumerRecord]) -> None:
        """Apply records of the topic, in order. A record that is no response is reported and left out."""
        for record in records:
            self.end = record.offset + 1
            key = record.key or b""
            if record.value is None:
                self._known.pop(key, None)
                continue
            try:
                self._known[key] = record.offset, decode_response(record.value)
            except Exception as error:  # noqa: BLE001 - any failure refuses this record only: the others must be read
                stop_if_short(error)
                self._refuse(key, error)
        self.silences = Silences(
            tuple(silence_of(one) for _, one in self._known.values() if isinstance(one, SilenceResponse))
        )
        self.skips = {
            (one.topic, one.partition, one.offset): f"{one.reason} ({one.by or 'somebody'})"
            for _, one in self._known.values()
            if isinstance(one, Skip)
        }
        for listener in tuple(self._listeners):
            listener()

    def _refuse(self, key: bytes, error: Exception) -> None:
        self.refused += 1
        log.error("response %r refused: %s", key.decode(errors="replace"), error)
