"""Reports from the topics: statements, status and alerts as judged, outages and leads as they came."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from monitor.config.agreements.checking import book_of
from monitor.core.facts.events import Event, Subject
from monitor.errors import DecodeError
from monitor.installation import topic_of
from monitor.read_model.agreements import read_published
from monitor.read_model.present import present_ms
from monitor.read_model.topics import committed
from monitor.reports.contributions import add_contributions
from monitor.reports.model import Report, make_report
from monitor.reports.scope import Scope
from monitor.reports.sources import Excluded, Sources, contributed
from monitor.wire.announcements import decode_alert, decode_statement, decode_status
from monitor.wire.deadletters import decode_dead_letter
from monitor.wire.events import decode
from monitor.wire.times import instant

if TYPE_CHECKING:
    from aiokafka.structs import ConsumerRecord

    from monitor.config.settings.settings import Settings
    from monitor.core.alerts.alert import Alert
    from monitor.core.objectives.status import WindowStatus

OnProgress = Callable[[str, int, int], None]
"""Told what is being read, how much of it is, and of how much."""
DRAWN: Final[tuple[Subject, ...]] = ("outage", "lead")
"""The subjects whose events a report needs beside their figures: for the time axis, and for speed and depth."""


async def read_report(
    settings: Settings, choose: Callable[[Sources], Scope], on_progress: OnProgress = lambda *_: None
) -> Report:
    """Make a report of what is on the topics; ``choose`` returns its scope, and may take material out before.

    Raises:
        ReportError: there is no such report.
        BrokerError: a topic does not exist, or Kafka does not answer.
    """
    sources = await from_topics(settings, on_progress)
    scope = choose(sources)
    await add_contributions(settings, sources, [scope], on_progress)
    return await asyncio.to_thread(make_report, sources, scope)


async def from_topics(settings: Settings, on_progress: OnProgress) -> Sources:
    """Read the material of reports up to the present ends of the topics.

    It stands as of the newest status or statement, which is the monitor's own time, or as of the present without any.

    Raises:
        BrokerError: a topic does not exist, or Kafka does not answer.
    """
    published = await read_published(settings)
    reader = _Reader(settings)
    topics = settings.topics
    names = [topics.statements, topics.status, topics.alerts, topics.dead_letters]
    names += [topic_of(settings, subject) for subject in DRAWN]
    lots = committed(settings, names, on_progress=lambda done, total: on_progress("topics", done, total))
    async for records in lots:
        for record in records:
            reader.take(record)
    book = book_of(published.documents.values())
    judged = [one.as_of_ms for one in (*reader.statements.values(), *reader.statuses.values())]
    as_of_ms = max(judged) if judged else await present_ms(settings)
    found = Sources(
        book=book,
        statements=sorted(reader.statements.values(), key=lambda one: (one.to_ms, one.series, one.window)),
        running=sorted(reader.statuses.values(), key=lambda one: (one.series, one.window)),
        alerts=reader.alerts,
        changes=contributed((one for one in reader.events if one.fact.time_ms < as_of_ms), book, as_of_ms),
        as_of_ms=as_of_ms,
        origin=f"the topics of {settings.bootstrap}",
        excluded=[Excluded(count, "records refused", reason) for reason, count in reader.refused.most_common()],
        warnings=list(reader.gaps()),
    )
    found.warnings += [f"a published agreement cannot be read: {reason}" for reason in published.unreadable.values()]
    return found


class _Reader:
    """What records of the topics say: of statements and statuses the newest of each key, all of the others."""

    def __init__(self, settings: Settings) -> None:
        self._topics = settings.topics
        self._most = settings.max_event_bytes
        self._subjects = {topic_of(settings, subject): subject for subject in DRAWN}
        self._first: dict[tuple[str, int], tuple[int, int]] = {}
        self.statements: dict[bytes, WindowStatus] = {}
        self.statuses: dict[bytes, WindowStatus] = {}
        self.alerts: list[Alert] = []
        self.events: list[Event] = []
        self.refused: Counter[str] = Counter()

    def take(self, record: ConsumerRecord) -> None:
        """Take one record; what is not ours is passed over."""
        place = record.topic, record.partition
        offset, at_ms = self._first.get(place, (record.offset, record.timestamp))
        self._first[place] = min((offset, at_ms), (record.offset, record.timestamp))
        try:
            self._decode(record)
        except DecodeError:
            if record.topic not in self._subjects:  # a refused event is among the dead letters
                self.refused[f"unreadable on {record.topic}"] += 1

    def _decode(self, record: ConsumerRecord) -> None:
        key: bytes = record.key or b""
        if record.topic == self._topics.alerts:
            self.alerts.append(decode_alert(record.value))
        elif record.topic == self._topics.dead_letters:
            self.refused[decode_dead_letter(record.value, record.headers).reason.replace("_", " ")] += 1
        elif record.topic in self._subjects:
            subject = self._subjects[record.topic]
            self.events.append(decode(subject, record.key, record.value, record.headers, max_bytes=self._most))
        else:
            of = self.statements if record.topic == self._topics.statements else self.statuses
            if record.value is None:
                of.pop(key, None)
            else:
                one = decode_statement(record.value) if of is self.statements else decode_status(record.value)
                of[key] = one

    def gaps(self) -> Iterable[str]:
        """Return a sentence for each topic that has dropped records: earlier ones are not in the report."""
        kept: dict[str, int] = {}
        for (topic, _), (offset, at_ms) in self._first.items():
            if offset > 0 and topic not in (self._topics.statements, self._topics.status):  # those are compacted
                kept[topic] = max(kept.get(topic, 0), at_ms)
        for topic, at_ms in sorted(kept.items()):
            yield f"the topic {topic} keeps nothing from before {instant(at_ms)}: what it held is not listed here"
