"""The open clocks that are due next, at risk or not yet, from the state that the workers have committed.

No topic of announcements holds clocks that are not at risk, so the changelogs are read, from their beginnings. Of more
than `KEPT` subjects those that are due last are let go on the way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, NamedTuple

from monitor.config.settings.settings import Settings
from monitor.core.agreements.clock_metrics import METRICS
from monitor.core.facts.events import Subject
from monitor.core.subjects.rows import SUBJECT, SubjectRow
from monitor.installation import topic_of
from monitor.read_model.topics import committed
from monitor.stream.kafka.topics import changelog_of
from monitor.wire.rows import SOURCE_ROWS

KEPT: Final = 5_000
"""So many subjects are kept: far more than a page shows, as some of them end while the rest is read."""
TURN: Final = 200
"""After so many records others have their turn."""
ABOUT: Final = ("priority", "customer", "service", "queue", "team")
_Key = tuple[str, bytes]


class DueClock(NamedTuple):
    """A running clock that is not missed. ``about``: those of the subject's attributes by which people know it."""

    subject: Subject
    subject_id: str
    agreement: str
    version: int
    promise: str
    cycle: int
    due_ms: int
    budget_ms: int
    calendar: str
    at_risk: bool
    about: Mapping[str, str]


class DueNext:
    """The clocks that are due next, of all rows that were taken."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._clocks: dict[_Key, tuple[DueClock, ...]] = {}

    def take(self, subject: Subject, key: bytes, row: SubjectRow | None) -> None:
        """Take over the newest row of a subject; None: it is gone."""
        clocks = () if row is None else clocks_of(subject, key, row)
        if not clocks:
            self._clocks.pop((subject, key), None)
            return
        self._clocks[subject, key] = clocks
        if len(self._clocks) > 2 * self._kept:
            self._clocks = dict(sorted(self._clocks.items(), key=_first_due_ms)[: self._kept])

    def clocks(self) -> list[DueClock]:
        """Return the clocks, the one that is due first first."""
        found = [clock for clocks in self._clocks.values() for clock in clocks]
        return sorted(found, key=lambda one: (one.due_ms, one.subject_id, one.promise))


def _first_due_ms(found: tuple[_Key, tuple[DueClock, ...]]) -> int:
    return min(clock.due_ms for clock in found[1])


def clocks_of(subject: Subject, key: bytes, row: SubjectRow) -> tuple[DueClock, ...]:
    """Return the clocks of a subject that run and are not missed."""
    known = row.known()
    about: dict[str, str] = {name: str(known[name]) for name in ABOUT if name in known}
    return tuple(
        DueClock(
            subject, key[len(SUBJECT) :].decode(), clock.series.agreement, clock.version, clock.series.measure,
            clock.cycle, clock.due_ms, clock.budget_ms, clock.calendar, clock.told > 0, about,
        )
        for clock in row.clocks
        if clock.due_ms and clock.state == "running" and not clock.breached_ms
    )  # fmt: skip


async def due_next(settings: Settings) -> list[DueClock]:
    """Return the clocks that are due next, the first one first.

    Raises:
        BrokerError: a changelog does not exist, or Kafka does not answer.
    """
    subject_of: dict[str, Subject] = {
        changelog_of(settings.app_id, topic_of(settings, subject)): subject
        for subject, metrics in METRICS.items()
        if metrics
    }
    found, taken = DueNext(), 0
    async for records in committed(settings, list(subject_of)):
        for record in records:
            taken += 1
            if taken % TURN == 0:
                await asyncio.sleep(0)
            if record.key is None or not record.key.startswith(SUBJECT):
                continue
            row = None if record.value is None else SOURCE_ROWS.decode(record.key, record.value)
            found.take(subject_of[record.topic], record.key, row if isinstance(row, SubjectRow) else None)
    return found.clocks()
