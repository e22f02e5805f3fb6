"""The job that every tool is given, what must come out of it, and how it differs from what a tool said."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from tests.benchmarks import job

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TARGET_MS: Final = {priority: hours * 3_600_000 for priority, hours in job.TARGET_H.items()}
USUAL_TICKETS: Final = 150_000
"""So many tickets are opened in `job.SPAN_MS`: jobs of all sizes have the same number of events an hour."""

Records = list[tuple[bytes, bytes]]


class Totals(NamedTuple):
    """The panes of a customer, added up: answered tickets, their times in ms, and the longest of these."""

    count: int
    sum_ms: int
    max_ms: int

    def plus(self, other: Totals) -> Totals:
        return Totals(self.count + other.count, self.sum_ms + other.sum_ms, max(self.max_ms, other.max_ms))


NOTHING: Final = Totals(0, 0, 0)


class Outcome(NamedTuple):
    """The result of the job as a tool left it, or as it must be."""

    breaches: int
    """Tickets that were announced as answered too late."""
    ids_hash: str
    twice: int
    """How many announcements were repetitions."""
    customers: dict[str, Totals]


def records_of(tickets: int, waves: int = 1) -> Records:
    """Return the records of a job with so many tickets in each wave."""
    return job.make(tickets * waves, span_ms=job.SPAN_MS * tickets // USUAL_TICKETS, waves=waves).records


def hash_of(ids: Iterable[str]) -> str:
    """Return a hash of ids, whatever their order and however often each is there."""
    return hashlib.sha256("\n".join(sorted(set(ids))).encode()).hexdigest()[:16]


def outcome(ids: list[str], panes: Iterable[tuple[str, Totals]]) -> Outcome:
    """Return the result that consists of these announcements (tickets' ids) and panes (customer, content)."""
    customers: dict[str, Totals] = {}
    for customer, pane in panes:
        customers[customer] = customers.get(customer, NOTHING).plus(pane)
    return Outcome(len(set(ids)), hash_of(ids), len(ids) - len(set(ids)), customers)


def expected(records: Iterable[tuple[bytes, bytes]]) -> Outcome:
    """Return the result that records must have: a plain walk through them, in their order."""
    opened: dict[str, int] = {}
    late: list[str] = []
    panes: list[tuple[str, Totals]] = []
    for _, value in records:
        event = orjson.loads(value)
        ticket = event["ticket"]
        if event["type"] == "opened":
            opened[ticket] = event["time"]
        else:
            took_ms = event["time"] - opened.pop(ticket)
            if took_ms >= TARGET_MS[event["priority"]]:
                late.append(ticket)
            panes.append((event["customer"], Totals(1, took_ms, took_ms)))
    return outcome(late, panes)


def differences(wanted: Outcome, said: Outcome) -> list[str]:
    """Return in words how a tool's result differs from what it must be; nothing if it does not."""
    found = []
    if said.ids_hash != wanted.ids_hash:
        found.append(f"{said.breaches:,} breaches of {wanted.breaches:,}" + _others(wanted, said))
    if said.twice:
        found.append(f"{said.twice:,} breaches announced twice")
    totals, counted = _all(wanted.customers), _all(said.customers)
    if counted.count != totals.count:
        found.append(f"{counted.count:,} answers in its panes of {totals.count:,}")
    wrong = sum(said.customers.get(name) != one for name, one in wanted.customers.items())
    wrong += len(said.customers.keys() - wanted.customers.keys())
    if wrong:
        found.append(f"the panes of {wrong:,} customers of {len(wanted.customers):,} differ")
    return found


def _others(wanted: Outcome, said: Outcome) -> str:
    return ", other ones" if said.breaches == wanted.breaches else ""


def _all(customers: Mapping[str, Totals]) -> Totals:
    total = NOTHING
    for one in customers.values():
        total = total.plus(one)
    return total


def panes_of(told: Mapping[str, list[Any]]) -> list[tuple[str, Totals]]:
    """Return the panes that a tool printed: by customer, count, sum and maximum."""
    return [(customer, Totals(*(int(one) for one in totals))) for customer, totals in told.items()]
