"""Five floods of events for a whole monitor, the good neighbours beside them, and all that must come of both.

What must come out is counted while events are made: no figure is computed by the monitor's own code. What is resolved
in time is not past its due instant at the moment of sending either, so that nothing can be announced and taken back.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from confluent_kafka import Producer

from monitor.config.settings.settings import Settings
from monitor.core.facts.ledger import MAX_FACTS

HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000
NEIGHBOURS: Final = 10
LINES: Final = 5
ANSWER_S: Final = 5
"""Within so long a neighbour's ticket is to be answered: it is opened a second ago, every other one never is."""

_PARTIES: Final[dict[str, Any]] = {
    "version": 1, "valid_from": "2020-01-01", "form": "service", "provider": "IT", "customer": "everybody",
    "status": "accepted", "accepted_by": "the test", "accepted_on": "2020-01-01", "zone": "UTC",
    "allowed_lateness": "1m",
}  # fmt: skip


def _agreement(name: str, **more: Any) -> dict[str, Any]:
    return {**_PARTIES, "agreement": name, "name": name, "service": name, **more}


AGREEMENTS: Final = [
    _agreement(
        "desk",
        covers={"service": ["mail"]},
        clocks=[{"id": "resolution", "metric": "resolution", "targets": {"*": "4h"}, "by": ["customer"],
                 "windows": ["24h", "month"]}],
        # Not by month: in its first hours the last one may end with a share of the late tickets alone, and be breached.
        objectives=[{"id": "resolved", "of": "resolution", "indicator": "compliance", "target": ">= 50 %",
                     "minimum_sample": 20, "windows": ["24h"]}],
    ),
    _agreement(
        "deadline",
        covers={"service": ["deadline"]},
        clocks=[{"id": "response", "metric": "first_response", "targets": {"*": "1h"}, "by": [], "windows": ["24h"]}],
        notify={"receivers": ["on-call"], "group_wait": "1s", "group_interval": "5s"},
    ),
    _agreement(
        "hotline",
        covers={"queue": ["support"]},
        calls=[{"id": "answer", "answer_within": "20s", "service_level": "SL3", "windows": ["24h", "month"]}],
        objectives=[{"id": "level", "of": "answer", "indicator": "service_level", "target": ">= 80 %",
                     "windows": ["24h"]}],
    ),
    _agreement(
        "neighbours",
        covers={"customer": [f"neighbour-{n}" for n in range(NEIGHBOURS)]},
        clocks=[{"id": "response", "metric": "first_response", "targets": {"*": f"{ANSWER_S}s"}, "by": ["customer"],
                 "windows": ["24h"]}],
        notify={"receivers": ["on-call"], "group_wait": "1s", "group_interval": "5s"},
    ),
    _agreement(
        "small-queue",
        covers={"queue": ["small"]},
        calls=[{"id": "answer", "answer_within": "20s", "service_level": "SL3", "windows": ["24h"]}],
    ),
    _agreement(
        "lines",
        covers={"service": [f"line-{n}" for n in range(LINES)]},
        clocks=[{"id": "restore", "subject": "outage", "metric": "restore", "targets": {"*": "1h"}, "by": ["service"],
                 "windows": ["24h"]}],
        outages=[{"id": "up", "by": ["service"], "windows": ["24h"]}],
        objectives=[{"id": "available", "of": "up", "indicator": "availability", "target": ">= 50 %",
                     "windows": ["24h"]}],
    ),
]  # fmt: skip
"""The first three are flooded, the others belong to the neighbours."""

Sent = tuple[str, str, dict[str, Any]]
"""Topic (by its subject), key and event."""


def _id(number: int) -> str:
    return str(uuid.UUID(int=number << 64 | 7))


def event(subject: str, key: str, kind: str, time_ms: int, **more: Any) -> Sent:
    return subject, key, {"id": f"{kind}-{more.pop('n', key)}", "type": kind, "time": time_ms, subject: key, **more}


@dataclass
class Wanted:
    """What must come of all that was sent so far."""

    figures: Counter[tuple[str, str, tuple[tuple[str, str], ...]]] = field(default_factory=Counter)
    """By metric, agreement and further labels: the sum over the series that have them."""
    alerts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By agreement and state. What is ``resolved`` is not counted."""
    dead_letters: Counter[str] = field(default_factory=Counter)
    """By reason."""

    def add(self, metric: str, agreement: str, number: float = 1, **labels: str) -> None:
        self.figures[metric, agreement, tuple(sorted(labels.items()))] += number  # type: ignore[assignment]


class Floods:
    """Makes the events of all floods of a size, and counts what must come of them.

    ``customers``: so many customers, tickets due in one second, waiting calls and tickets of one customer; ten times
    as many events of one ticket.
    """

    def __init__(self, size: int, wanted: Wanted, mark: str = "") -> None:
        self.size = size
        self.wanted = wanted
        self.mark = mark
        """In front of all ids: floods of other marks are about other subjects."""
        self.events = 0

    def clock(self, *, met: int = 0, missed: int = 0, still_open: int = 0) -> None:
        self.wanted.add("sla_clock_compliance_met", "desk", met, window="24h")
        self.wanted.add("sla_clock_compliance_samples", "desk", met + missed, window="24h")
        self.wanted.add("sla_clocks_open", "desk", still_open)
        self.wanted.alerts["desk", "breached"] += missed

    def customers(self, now_ms: int) -> Iterator[Sent]:
        """One ticket of each customer, opened within an hour: every other one is resolved, some of them too late."""
        for n in range(self.size):
            ticket, told = f"{self.mark}C-{n}", {"customer": f"{self.mark}customer-{n:06d}", "service": "mail"}
            is_late = n % 20 == 0
            opened_ms = now_ms - (7 if is_late else 2) * HOUR_MS - n * HOUR_MS // self.size
            yield event("ticket", ticket, "opened", opened_ms, **told)
            if n % 2 == 0:
                yield event("ticket", ticket, "resolved", opened_ms + (5 if is_late else 1) * HOUR_MS)
            self.clock(met=n % 2 == 0 and not is_late, missed=is_late, still_open=n % 2)

    def due(self, due_ms: int) -> Iterator[Sent]:
        """Tickets that were opened within one second, and are due within one: nobody answers."""
        for n in range(self.size):
            opened_ms = due_ms - HOUR_MS + n * 1_000 // self.size
            yield event("ticket", f"{self.mark}D-{n}", "opened", opened_ms, service="deadline")
        self.wanted.alerts["deadline", "breached"] += self.size
        self.wanted.add("sla_clocks_open", "deadline", self.size)
        self.wanted.add("sla_clocks_overdue", "deadline", self.size)
        self.wanted.add("sla_clock_compliance_samples", "deadline", self.size, window="24h")

    def queue(self, now_ms: int) -> Iterator[Sent]:
        """Calls that came within half an hour, and wait."""
        for n in range(self.size):
            queued_ms = now_ms - 40 * MINUTE_MS + n * 30 * MINUTE_MS // self.size
            yield event("call", self.mark + _id(n), "queued", queued_ms, queue="support", caller=f"caller-{n}")
        self.wanted.add("sla_calls_waiting", "hotline", self.size)
        self.wanted.alerts["hotline", "breached"] = 1  # the objective, once

    def answers(self, now_ms: int) -> Iterator[Sent]:
        """All of them are answered; as is told too late, a tenth after ten seconds."""
        for n in range(self.size):
            queued_ms = now_ms - 40 * MINUTE_MS + n * 30 * MINUTE_MS // self.size
            in_time = n % 10 == 0
            answered_ms = queued_ms + 10_000 if in_time else now_ms - MINUTE_MS
            yield event("call", self.mark + _id(n), "answered", answered_ms)
            self.wanted.add("sla_call_service_level_good", "hotline", in_time, window="24h", formula="SL3")
        self.wanted.add("sla_call_service_level_samples", "hotline", self.size, window="24h", formula="SL3")
        self.wanted.add("sla_calls_waiting", "hotline", -self.size)

    def endless(self, now_ms: int) -> Iterator[Sent]:
        """One ticket with ten events for each customer of the other floods."""
        ticket, count = f"{self.mark}endless", 10 * self.size
        opened_ms = now_ms - HOUR_MS
        yield event("ticket", ticket, "opened", opened_ms, customer=f"{self.mark}endless", service="mail")
        for n in range(count - 1):
            at_ms = opened_ms + 1_000 + n * 50 * MINUTE_MS // count
            yield event("ticket", ticket, "updated", at_ms, n=n, agent=f"agent-{n % 7}", text="x" * 40)
        self.wanted.dead_letters["ledger_full"] += max(0, count - MAX_FACTS)
        self.clock(still_open=1)

    def half(self, now_ms: int) -> Iterator[Sent]:
        """Tickets of which every other one is of one customer; all are resolved, some too late."""
        for n in range(2 * self.size):
            name = f"{self.mark}customer-{n // 2:06d}" if n % 2 else f"{self.mark}large"
            ticket, is_late = f"{self.mark}H-{n}", n % 50 == 0
            opened_ms = now_ms - (7 if is_late else 2) * HOUR_MS - n * HOUR_MS // (2 * self.size)
            yield event("ticket", ticket, "opened", opened_ms, customer=name, service="mail")
            yield event("ticket", ticket, "resolved", opened_ms + (5 if is_late else 1) * HOUR_MS)
            self.clock(met=not is_late, missed=is_late)

    def neighbours(self, now_ms: int, since: int, until: int) -> Iterator[Sent]:
        """Tickets that were opened a second ago, by their numbers; every other one is answered at once."""
        for n in range(since, until):
            ticket, customer = f"{self.mark}N-{n}", f"neighbour-{n // 2 % NEIGHBOURS}"
            yield event("ticket", ticket, "opened", now_ms - 1_000, customer=customer)
            if n % 2 == 0:
                yield event("ticket", ticket, "responded", now_ms)
            self.wanted.add("sla_clock_compliance_samples", "neighbours", customer=customer, window="24h")
            kept = n % 2 == 0
            self.wanted.add("sla_clock_compliance_met", "neighbours", kept, customer=customer, window="24h")
            self.wanted.add("sla_clocks_overdue", "neighbours", not kept, customer=customer)
            self.wanted.alerts["neighbours", "breached"] += not kept

    def few(self, now_ms: int, round_of: int) -> Iterator[Sent]:
        """A hundred calls of a small queue and some outages, each round of them an hour further back."""
        for n in range(100):
            call, queued_ms = f"{self.mark}small-{round_of}-{n}", now_ms - 10 * MINUTE_MS + n * 1_000
            yield event("call", call, "queued", queued_ms, queue="small")
            yield event("call", call, "answered", queued_ms + (10_000 if n % 4 else 40_000))
        self.wanted.add("sla_call_service_level_samples", "small-queue", 100, window="24h", formula="SL3")
        self.wanted.add("sla_call_service_level_good", "small-queue", 75, window="24h", formula="SL3")
        for n in range(LINES):
            outage, line = f"{self.mark}outage-{round_of}-{n}", f"line-{n}"
            started_ms = now_ms - 2 * HOUR_MS - round_of * HOUR_MS
            yield event("outage", outage, "started", started_ms, service=line)
            yield event("outage", outage, "restored", started_ms + (n + 1) * MINUTE_MS)
            self.wanted.add("sla_outage_failures", "lines", service=line, window="24h")
            self.wanted.add("sla_outage_downtime_seconds", "lines", 60 * (n + 1), service=line, window="24h")
            self.wanted.add("sla_clock_compliance_met", "lines", service=line, window="24h")


class Sender:
    """Writes events to the topics of an installation."""

    def __init__(self, settings: Settings) -> None:
        topics = settings.topics
        self._topics = {"ticket": topics.tickets, "call": topics.calls, "outage": topics.outages}
        self._producer = Producer(
            {"bootstrap.servers": settings.bootstrap, "linger.ms": 20, "partitioner": "murmur2_random",
             "queue.buffering.max.messages": 200_000, "acks": "all", "enable.idempotence": True}
        )  # fmt: skip
        self._failed: list[str] = []
        self.sent = 0

    def send(self, events: Iterable[Sent]) -> int:
        """Send events and wait until the broker has them; return how many."""
        count = 0
        for subject, key, one in events:
            value = orjson.dumps(one)
            while True:
                try:
                    self._producer.produce(self._topics[subject], value, key, on_delivery=self._delivered)
                    break
                except BufferError:
                    self._producer.poll(0.1)
            count += 1
            if count % 1_000 == 0:
                self._producer.poll(0)
        self._producer.flush(120)
        if self._failed:
            raise AssertionError(f"not written: {self._failed[0]}")
        self.sent += count
        return count

    def _delivered(self, error: Any, _message: Any) -> None:
        if error is not None:
            self._failed.append(str(error))


def wall_ms() -> int:
    return int(time.time() * 1000)
