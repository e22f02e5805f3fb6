"""The overview: each objective with its verdict, and all clocks and objectives at risk or breached, worst first.

It is folded from the topics of agreements, status, alerts and markers, of which the newest record of each key counts;
nothing here reads or prints.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import orjson
from aiokafka.structs import ConsumerRecord

from monitor.config.agreements.checking import parse_document
from monitor.config.agreements.document import AgreementDocument
from monitor.config.settings.settings import TopicSettings
from monitor.core.agreements.agreement import Agreement, Origin
from monitor.core.agreements.measures import ANY
from monitor.core.alerts.alert import OF_SERIES, Alert, AlertKey
from monitor.core.objectives.status import ObjectiveVerdict, WindowStatus, judged_figure
from monitor.core.time.units import MINUTE_MS, SECOND_MS
from monitor.errors import ConfigError, DecodeError
from monitor.read_model.agreements import texts_of
from monitor.read_model.terms import term_json
from monitor.wire.announcements import decode_alert, decode_status
from monitor.wire.markers import CLOCK_KEY, REAL_TIME, decode_clock_marker
from monitor.wire.outcome_words import lacking, value_and_target

_WORST_FIRST: Final = ("breached", "at_risk", "low_sample", "no_data", "provisional", "on_track", "met")
OLD_MS: Final = 10 * MINUTE_MS
"""If nothing was judged for so long, maybe nobody judges."""
OLD_S: Final = 15
"""The same in real seconds, for a clock that runs faster than real time."""


class Line(NamedTuple):
    """One objective of one series in one window, with its verdict."""

    status: WindowStatus
    verdict: ObjectiveVerdict

    @property
    def about(self) -> str:
        """Whom it is about: ``queue support``; "" for all."""
        return ", ".join(f"{name} {value}" for name, value in self.status.labels.items() if value)

    @property
    def figures(self) -> tuple[str, str]:
        """The value and the target with its comparison, told apart if they differ. Without a value it is ``–``."""
        value, target = value_and_target(self.verdict)
        return value or "–", target

    @property
    def lacking(self) -> str:
        """What the judged figure leaves out, in words; "" for nothing."""
        return lacking(judged_figure(self.status, self.verdict))


class Out(NamedTuple):
    """An alert that is out: at risk or broken, and not yet resolved.

    ``remaining_ms`` is the time to the due instant, below zero once it is past; None: it has none.
    """

    alert: Alert
    remaining_ms: int | None


class Overview(NamedTuple):
    """How things stand at an instant.

    ``as_of_ms``: when the monitor judged last; None: never. ``speed``: how fast the clock of the installation runs.
    """

    now_ms: int
    as_of_ms: int | None
    agreements: tuple[Agreement, ...]
    lines: tuple[Line, ...]
    out: tuple[Out, ...]
    speed: float = 1.0

    @property
    def late_ms(self) -> int | None:
        """For how long nothing was judged, if that is too long; None if it is not, or nothing was judged ever."""
        if self.as_of_ms is None:
            return None
        since_ms = self.now_ms - self.as_of_ms
        return since_ms if since_ms > max(OLD_MS, OLD_S * SECOND_MS * self.speed) else None

    @property
    def has_levels(self) -> bool:
        """Whether any agreement inherits from another one."""
        return any(one.lineage for one in self.agreements)

    def origin(self, agreement_id: str, *path: str) -> Origin | None:
        """Return the level that a value of an agreement was inherited from; None where the agreement itself says it."""
        found = next((one for one in self.agreements if one.id == agreement_id), None)
        return found.origin(*path) if found is not None and found.lineage else None

    def origin_of(self, one: Line | Out) -> Origin | None:
        """Return which level says the target of a line or an alert; None where that is the agreement itself."""
        if isinstance(one, Line):
            return self.origin(one.status.series.agreement, "objectives", one.verdict.objective)
        key = one.alert.key
        if key.kind in OF_SERIES:
            return self.origin(key.agreement, "objectives", key.promise)
        found = next((other for other in self.agreements if other.id == key.agreement), None)
        rule = found.measure(key.promise) if found else None
        # The priority may change during an alert's life: it is a detail, not a label.
        priority = dict(one.alert.details).get("priority", "")
        if rule is not None and priority not in rule.priorities:
            priority = ANY
        return self.origin(key.agreement, "clocks", key.promise, "targets", priority)

    @property
    def breached(self) -> int:
        """How many objectives and clocks are broken now."""
        return self._count("breached")

    @property
    def at_risk(self) -> int:
        """How many objectives and clocks are at risk now."""
        return self._count("at_risk")

    def _said_by(self, one: Line | Out) -> dict[str, Any] | None:
        origin = self.origin_of(one)
        return None if origin is None else origin._asdict()

    def _count(self, state: str) -> int:
        clocks = [one for one in self.out if one.alert.key.kind not in OF_SERIES]
        return sum(one.verdict.verdict == state for one in self.lines) + sum(one.alert.state == state for one in clocks)

    def as_json(self) -> dict[str, Any]:
        """Return it as an object for JSON; durations and instants are milliseconds."""
        return {
            "now_ms": self.now_ms,
            "as_of_ms": self.as_of_ms,
            "breached": self.breached,
            "at_risk": self.at_risk,
            "agreements": [
                {
                    "agreement": one.id, "version": one.version, "name": one.name, "customer": one.customer,
                    "service": one.service, "status": one.status, "term": term_json(one, self.now_ms),
                }
                for one in self.agreements
            ],
            "objectives": [
                {
                    "agreement": one.status.series.agreement, "version": one.status.version,
                    "measure": one.status.series.measure, "labels": one.status.labels, "window": one.status.window,
                    "as_of_ms": one.status.as_of_ms, **one.verdict._asdict(), "origin": self._said_by(one),
                }
                for one in self.lines
            ],
            "alerts": [
                {
                    "key": one.alert.key.text(), **one.alert.key._asdict(), "state": one.alert.state,
                    "since_ms": one.alert.at_ms, "due_ms": one.alert.due_ms,
                    "remaining_ms": one.remaining_ms, "labels": one.alert.labels | dict(one.alert.details),
                    "origin": self._said_by(one),
                }
                for one in self.out
            ],
        }  # fmt: skip


class Seen:
    """The newest record of each key, as far as the topics were read. ``unreadable`` counts records of others."""

    def __init__(self, topics: TopicSettings) -> None:
        self._topics = topics
        self._agreements: dict[bytes, AgreementDocument] = {}
        self._texts: tuple[Agreement, ...] | None = None
        self._statuses: dict[bytes, WindowStatus] = {}
        self._alerts: dict[AlertKey, Alert] = {}
        self.unreadable = 0
        self.clock = REAL_TIME
        """The clock of the installation."""

    def take(self, records: Iterable[ConsumerRecord]) -> None:
        """Take over records of the topics, in the order in which they were written."""
        for record in records:
            try:
                self._take(record)
            except (DecodeError, ConfigError, orjson.JSONDecodeError):
                self.unreadable += 1

    def _take(self, record: ConsumerRecord) -> None:
        key, value = record.key or b"", record.value
        if record.topic == self._topics.alerts:
            alert = decode_alert(value)
            if alert.state in ("at_risk", "breached"):
                self._alerts[alert.key] = alert
            else:
                self._alerts.pop(alert.key, None)
        elif record.topic == self._topics.status:
            self._statuses.pop(key, None)
            if value is not None:
                self._statuses[key] = decode_status(value)
        elif record.topic == self._topics.markers:
            if key == CLOCK_KEY:
                self.clock = decode_clock_marker(value)
        else:
            self._texts = None
            self._agreements.pop(key, None)
            if value is not None:
                self._agreements[key] = parse_document(orjson.loads(value), "published")

    def _effective(self) -> tuple[Agreement, ...]:
        """Return all texts with their inherited values, those of an agreement in the order in which they hold."""
        if self._texts is None:
            found = texts_of(self._agreements.values())
            self._texts = tuple(sorted(found, key=lambda one: (one.id, one.version, one.valid_from_ms)))
        return self._texts

    def status(self, key: bytes) -> WindowStatus | None:
        """Return the newest status of a record's key; None if its window is over."""
        return self._statuses.get(key)

    def documents(self) -> list[AgreementDocument]:
        """Return the published documents."""
        return list(self._agreements.values())

    def texts(self, agreement_id: str) -> list[Agreement]:
        """Return the published versions of an agreement in the order in which they hold."""
        return [one for one in self._effective() if one.id == agreement_id]

    def overview(self, now_ms: int, only: str | None = None, *, in_order: bool = True) -> Overview:
        """Return how things stand, of one agreement or of all. Not ``in_order`` the lines are not sorted."""
        agreements: dict[str, Agreement] = {}
        for one in self._effective():
            # Of versions to come people are told once they hold; the first one is told before, too.
            if only in (None, one.id) and (one.valid_from_ms <= now_ms or one.id not in agreements):
                agreements[one.id] = one
        lines = [
            Line(status, verdict)
            for status in self._statuses.values()
            if only in (None, status.series.agreement)
            for verdict in status.verdicts
        ]
        out = [
            Out(alert, None if alert.due_ms is None else alert.due_ms - now_ms)
            for alert in self._alerts.values()
            if only in (None, alert.key.agreement)
        ]
        return Overview(
            now_ms,
            max((one.as_of_ms for one in self._statuses.values()), default=None),
            tuple(agreements.values()),
            tuple(sorted(lines, key=_line_order) if in_order else lines),
            tuple(sorted(out, key=_out_order)),
            self.clock.speed,
        )


def _line_order(line: Line) -> tuple[int, str, str, str, str]:
    place = _WORST_FIRST.index(line.verdict.verdict)
    return place, line.status.series.agreement, line.verdict.objective, line.about, line.status.window


def _out_order(out: Out) -> tuple[bool, bool, int, str]:
    """Broken ones first, of each kind the one with the least time left; objectives, which have none, at its end."""
    known = out.remaining_ms is not None
    return out.alert.state != "breached", not known, out.remaining_ms or 0, out.alert.key.text()
