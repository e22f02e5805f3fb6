"""The jobs of calls, outages and leads: their events, their agreement, and the figures and breaches that must come out.

Each is like the job of tickets: all of it happened within the last hours, in the order of its events' times.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from monitor.core.time.units import HOUR_MS, MINUTE_MS
from tests.benchmarks import job

if TYPE_CHECKING:
    from collections.abc import Callable

ANSWER_MS: Final = 20_000
FOLLOW_UP_MS: Final = HOUR_MS
WINDOW: Final = "24h"
_HEAD: Final = {name: value for name, value in job.AGREEMENT.items() if name != "clocks"}


class KindJob(NamedTuple):
    """A job on the topic of a subject."""

    topic: str
    records: list[tuple[bytes, bytes]]
    agreement: dict[str, Any]
    breaches: int
    """How many deadlines are announced as broken."""
    figures: dict[str, tuple[int, int]]
    """By indicator: numerator and denominator, summed over the series, in `WINDOW`."""


class _Ledger:
    """Events of a job, under names of their own, until they are put in order."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._events: list[tuple[int, int, dict[str, object]]] = []

    def add(self, subject_id: str, told: dict[str, object], *facts: tuple[int, str]) -> None:
        for at_ms, kind in facts:
            place = len(self._events)
            more = told | {"text": "x" * (50 + place % 70)}
            event = {"id": f"e{place}", "type": kind, self._subject: subject_id, **more}
            self._events.append((at_ms, place, event))

    def records(self) -> list[tuple[bytes, bytes]]:
        """Return the records in the order of their times; the last one is older than the allowed lateness."""
        self._events.sort(key=lambda one: one[:2])
        base = int(time.time() * 1000) - 5 * MINUTE_MS - self._events[-1][0]
        return [
            (str(event[self._subject]).encode(), orjson.dumps({"time": base + at_ms, **event}))
            for at_ms, _, event in self._events
        ]


def calls(number: int) -> KindJob:
    """Return calls in twelve queues: one of ten is abandoned, the others are answered and end three minutes later."""
    rnd, ledger = random.Random(1), _Ledger("call")
    answered = within = abandoned = abandoned_within = wait_ms = 0
    for place in range(number):
        at_ms, took_ms = int(rnd.random() * job.SPAN_MS), int(rnd.expovariate(1 / 15_000))
        told: dict[str, object] = {"queue": f"queue-{rnd.randrange(12):02d}"}
        done_ms = at_ms + took_ms
        if rnd.random() < 0.1:
            abandoned += 1
            abandoned_within += took_ms <= ANSWER_MS
            ledger.add(f"C-{place:06d}", told, (at_ms, "queued"), (done_ms, "abandoned"))
        else:
            answered += 1
            within += took_ms <= ANSWER_MS
            wait_ms += took_ms
            facts = (at_ms, "queued"), (done_ms, "answered"), (done_ms + 3 * MINUTE_MS, "ended")
            ledger.add(f"C-{place:06d}", told, *facts)
    rule = {"id": "hotline", "answer_within": "20s", "by": ["queue"], "windows": ["30m", WINDOW]}
    figures = {
        "SL1": (within + abandoned_within, number),
        "asa": (wait_ms, answered),
        "abandonment": (abandoned, number),
    }
    return KindJob("calls", ledger.records(), _HEAD | {"calls": [rule]}, 0, figures)


def outages(number: int) -> KindJob:
    """Return outages of eighty services, most of them restored within the hour."""
    rnd, ledger = random.Random(1), _Ledger("outage")
    restore_ms = 0
    for place in range(number):
        at_ms, took_ms = int(rnd.random() * job.SPAN_MS), 1_000 + int(rnd.expovariate(1 / (20 * MINUTE_MS)))
        restore_ms += took_ms
        told: dict[str, object] = {"service": f"service-{rnd.randrange(80):02d}"}
        ledger.add(f"O-{place:06d}", told, (at_ms, "started"), (at_ms + took_ms, "resolved"))
    rule = {"id": "up", "by": ["service"], "windows": [WINDOW]}
    figures = {"mttr_resolve": (restore_ms, number)}
    return KindJob("outages", ledger.records(), _HEAD | {"outages": [rule]}, 0, figures)


def leads(number: int) -> KindJob:
    """Return leads of ten sources that are handed over at once; whoever is tried after an hour waited too long."""
    rnd, ledger = random.Random(1), _Ledger("lead")
    late = 0
    for place in range(number):
        at_ms, took_ms = int(rnd.random() * job.SPAN_MS), int(rnd.expovariate(1 / (25 * MINUTE_MS)))
        late += took_ms > FOLLOW_UP_MS
        told: dict[str, object] = {"source": f"source-{rnd.randrange(10)}", "team": f"team-{rnd.randrange(20):02d}"}
        tried_ms = at_ms + took_ms
        facts = (at_ms, "created"), (at_ms, "handed_over"), (tried_ms, "attempted"), (tried_ms + 1_000, "contacted")
        ledger.add(f"L-{place:06d}", told, *facts)
    clock = {
        "id": "follow-up", "subject": "lead", "metric": "follow_up", "targets": {"*": "1h"}, "calendar": "always",
        "by": ["team"], "windows": [WINDOW],
    }  # fmt: skip
    agreement = _HEAD | {"clocks": [clock]}
    return KindJob("leads", ledger.records(), agreement, late, {"compliance": (number - late, number)})


KINDS: Final[dict[str, tuple[Callable[[int], KindJob], int]]] = {
    "calls": (calls, 100_000),
    "outages": (outages, 20_000),
    "leads": (leads, 75_000),
}
"""By subject: its job, and how many subjects it has unless asked."""
