"""The events on the topics up to their present ends, for commands that judge them again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.core.facts.events import SUBJECTS, Event
from monitor.core.recompute.causes import Arrived
from monitor.core.time.spans import NEVER_MS
from monitor.errors import DecodeError
from monitor.installation import topic_of
from monitor.read_model.topics import committed
from monitor.wire.deadletters import INTERNAL_ERROR
from monitor.wire.events import decode

if TYPE_CHECKING:
    from monitor.config.settings.settings import Settings


OnProgress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is, and of how much."""


@dataclass(slots=True)
class History:
    """Events in the order of their arrival.

    ``kept_from_ms`` is since when none is missing: where the topics have dropped records, the arrival of the first one
    that is left, else 0. ``rejected`` counts records that are no events, by reason.
    """

    arrived: list[Arrived] = field(default_factory=list)
    kept_from_ms: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def events(self) -> list[Event]:
        """Return the events alone."""
        return [one.event for one in self.arrived]


async def read_history(settings: Settings, on_progress: OnProgress, *, as_of_ms: int = NEVER_MS) -> History:
    """Read the committed events of all subjects that had arrived at an instant.

    Raises:
        BrokerError: a topic does not exist, or Kafka does not answer.
    """
    history = History()
    topics = {topic_of(settings, subject): subject for subject in SUBJECTS}
    first: dict[tuple[str, int], tuple[int, int]] = {}
    lots = committed(settings, list(topics), on_progress=lambda done, total: on_progress("events", done, total))
    async for records in lots:
        for record in records:
            place = record.topic, record.partition
            first[place] = min(first.get(place, (record.offset, record.timestamp)), (record.offset, record.timestamp))
            if record.timestamp > as_of_ms:
                continue
            try:
                limit = settings.max_event_bytes
                event = decode(topics[record.topic], record.key, record.value, record.headers, max_bytes=limit)
            except DecodeError as error:
                history.rejected[error.reason] += 1
                continue
            except Exception:  # noqa: BLE001 - as the workers do, which made a dead letter of it
                history.rejected[INTERNAL_ERROR] += 1
                continue
            history.arrived.append(Arrived(event, record.timestamp))
    history.kept_from_ms = max((at_ms for offset, at_ms in first.values() if offset > 0), default=0)
    return history
