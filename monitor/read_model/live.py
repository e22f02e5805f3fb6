"""The live model of the pages: all topics of announcements followed from their beginnings, kept within bounds.

`Live` is pure: records in, questions answered. `Follower` feeds one from Kafka, and begins anew after a failure.
Readers keep the old model until the new one has read up to the ends of the topics.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from typing import Final, NamedTuple

import orjson
from aiokafka.structs import ConsumerRecord

from monitor.config.agreements.document import AgreementDocument
from monitor.config.settings.settings import Settings, TopicSettings
from monitor.core.agreements.agreement import Agreement
from monitor.core.alerts.alert import Alert
from monitor.core.objectives.status import WindowStatus
from monitor.errors import BrokerError, ConfigError, DecodeError
from monitor.read_model.courses import Courses, Point
from monitor.read_model.overview import Overview, Seen
from monitor.read_model.topics import committed
from monitor.wire.announcements import decode_alert, decode_statement
from monitor.wire.markers import ClockMarker
from monitor.wire.responses import Response, decode_response

log = logging.getLogger(__name__)

RETRY_S: Final = 5.0
"""The pause after a failure of Kafka, before all is read anew."""


class Bounds(NamedTuple):
    """The most that is kept: alerts in all, and statements of each series and window. The newest ones stay."""

    alerts: int = 20_000
    statements: int = 36


class Live:
    """What the topics say, as far as they were read. ``version`` rises with every lot of records that was taken."""

    def __init__(self, topics: TopicSettings, bounds: Bounds = Bounds()) -> None:  # noqa: B008 - it never changes
        self._topics = topics
        self._bounds = bounds
        self._seen = Seen(topics)
        self._alerts: deque[Alert] = deque(maxlen=bounds.alerts)
        self._statements: dict[tuple[object, str], OrderedDict[bytes, WindowStatus]] = {}
        self._responses: dict[bytes, Response] = {}
        self._courses = Courses()
        self._overview: tuple[int, Overview] | None = None
        self._unreadable = 0
        self.version = 0

    @property
    def unreadable(self) -> int:
        """How many records are none that this release can read."""
        return self._unreadable + self._seen.unreadable

    @property
    def clock(self) -> ClockMarker:
        """The clock of the installation."""
        return self._seen.clock

    @property
    def topics(self) -> list[str]:
        """The topics that it is made of."""
        one = self._topics
        return [one.agreements, one.status, one.alerts, one.statements, one.responses, one.markers]

    def take(self, records: Iterable[ConsumerRecord]) -> None:
        """Take over records, in the order in which they were written."""
        for record in records:
            try:
                self._take(record)
            except (DecodeError, ConfigError, orjson.JSONDecodeError):
                self._unreadable += 1
        self.version += 1

    def _take(self, record: ConsumerRecord) -> None:
        topics, key = self._topics, record.key or b""
        if record.topic == topics.statements:
            self._state(key, record.value)
        elif record.topic == topics.responses:
            self._responses.pop(key, None)
            if record.value is not None:
                self._responses[key] = decode_response(record.value)
        else:
            if record.topic == topics.alerts:
                self._alerts.append(decode_alert(record.value))
            self._seen.take([record])
            if record.topic == topics.status:
                self._courses.take(key, self._seen.status(key))

    def _state(self, key: bytes, value: bytes | None) -> None:
        if value is None:
            for kept in self._statements.values():
                kept.pop(key, None)
            return
        statement = decode_statement(value)
        kept = self._statements.setdefault((statement.series, statement.window), OrderedDict())
        kept[key] = statement
        if len(kept) > self._bounds.statements:
            del kept[min(kept, key=lambda one: kept[one].from_ms)]

    def overview(self, now_ms: int) -> Overview:
        """Return how all stands, the lines in no order. It is made once for each version of the model."""
        if self._overview is None or self._overview[0] != self.version:
            self._overview = self.version, self._seen.overview(now_ms, in_order=False)
        found = self._overview[1]
        out = tuple(
            one._replace(remaining_ms=None if one.alert.due_ms is None else one.alert.due_ms - now_ms)
            for one in found.out
        )
        return found._replace(now_ms=now_ms, out=out)

    def documents(self) -> list[AgreementDocument]:
        """Return the published documents of all agreements."""
        return self._seen.documents()

    def texts(self, agreement_id: str) -> list[Agreement]:
        """Return the versions of an agreement in the order in which they hold."""
        return self._seen.texts(agreement_id)

    def text_of(self, agreement_id: str, version: int) -> Agreement | None:
        """Return one version of an agreement, the newest edition of it; None if it was not published."""
        return next((one for one in reversed(self.texts(agreement_id)) if one.version == version), None)

    def alerts(self) -> Iterator[Alert]:
        """Yield the kept alerts, the newest first."""
        return reversed(self._alerts)

    def statements(self) -> list[WindowStatus]:
        """Return the kept statements, the newest period first."""
        found = [one for kept in self._statements.values() for one in kept.values()]
        return sorted(found, key=lambda one: (-one.to_ms, one.series, one.window, one.from_ms))

    def course(self, status: WindowStatus, objective: str) -> tuple[Point, ...]:
        """Return how the budget of an objective was used up in a running window, as far as it is known."""
        return self._courses.course(status, objective)

    def responses(self) -> list[Response]:
        """Return the acknowledgements and silences, and whatever else was asked for."""
        return list(self._responses.values())

    def response(self, key: bytes) -> Response | None:
        """Return the response of a record's key; None if there is none."""
        return self._responses.get(key)


class Follower:
    """Keeps ``live`` up to date while `run` runs. ``failure`` says why Kafka cannot be read now; "" if it can."""

    def __init__(self, settings: Settings, bounds: Bounds = Bounds()) -> None:  # noqa: B008 - it never changes
        self._settings = settings
        self._bounds = bounds
        self.live = Live(settings.topics, bounds)
        self.failure = ""
        self.is_complete = False
        """Whether ``live`` holds all that was on the topics when they were first read."""
        self.read_share = 0.0
        """How much of that was read, 0 to 1."""
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Follow the topics for ever; after a failure of Kafka all is read anew."""
        while True:
            try:
                await self._follow()
            except BrokerError as error:
                self.failure = str(error)
                log.warning("the pages stand still: %s", error)
                self._tell()
            await asyncio.sleep(RETRY_S)

    async def _follow(self) -> None:
        fresh, is_first = Live(self._settings.topics, self._bounds), not self.is_complete
        if is_first:
            self.live = fresh
        lots = committed(self._settings, fresh.topics, follow=True, on_progress=self._progressed)
        async with aclosing(lots):
            async for records in lots:
                if records:
                    fresh.take(records)
                # An empty lot means that the ends were reached: until then the old model says more than the new one.
                elif self.live is not fresh or not self.is_complete or self.failure:
                    self.live, self.is_complete, self.failure = fresh, True, ""
                    self._tell()
                if records and self.live is fresh:
                    self._tell()

    def _progressed(self, done: int, total: int) -> None:
        self.read_share = done / total if total else 1.0

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def news(self) -> None:
        """Return when something has changed."""
        await self._news.wait()
