"""Which agreement, period and customer a report is about, and what its reader may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.book import Book
from monitor.core.objectives.status import WindowStatus
from monitor.core.time.periods import CALENDAR_KINDS
from monitor.core.time.windows import COHORT, WindowKind
from monitor.errors import ReportError
from monitor.reports.period import Period, parse_period, period_at
from monitor.reports.sources import Sources
from monitor.reports.words import shown

_PREFERRED: Final[tuple[WindowKind, ...]] = ("month", "quarter", "year", "week", "day")
"""The kinds of periods of which the newest is reported, if nothing else is asked for and agreed."""
_LISTED: Final = 24
"""Periods that an error lists, the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The scope of a report. ``customer`` "": it shows the series of all customers, and what is internal.

    ``agreement`` is the version that held at the end of the period. ``closed``: the period's statements stand; else
    the figures are those of a running period. ``readers`` are the names by which the agreement's reporting rights let
    the reader see statistics; None: the reader is one of those who measure, and sees all.
    """

    agreement: Agreement
    period: Period
    customer: str = ""
    closed: bool = True
    readers: frozenset[str] | None = None

    def has(self, status: WindowStatus) -> bool:
        """Return whether a statement or status is about the agreement, and shown to the reader."""
        return status.series.agreement == self.agreement.id and self.shows(status.series.measure, status.labels)

    def shows(self, measure_id: str, labels: Mapping[str, str]) -> bool:
        """Return whether the reader sees a series: of what is split by customer, a customer sees its own alone."""
        if not self.may_see(measure_id):
            return False
        return not self.customer or labels.get("customer", self.customer) == self.customer

    def is_own(self, labels: Mapping[str, str]) -> bool:
        """Return whether attributes are those of the customer alone."""
        if "customer" in labels:
            return labels["customer"] == self.customer
        return dict(self.agreement.covers.any_of).get("customer") == frozenset({self.customer})

    def may_see(self, measure_id: str) -> bool:
        """Return whether the reader has a right to the statements of a measure in this kind of period."""
        if self.readers is None:
            return True
        return not self.readers.isdisjoint(self.agreement.audience(measure_id, self.period.window))


def names_of_customer(agreement: Agreement, customer: str = "") -> frozenset[str]:
    """Return the names and roles that the customer's side has in an agreement, and the name of one of its customers."""
    names = {"customer", agreement.customer, *([customer] if customer else [])}
    names |= {one.name for one in agreement.parties if one.role == "customer"}
    names |= {one.name for one in agreement.contacts if one.role == "customer"}
    return frozenset(names)


def scope_of(
    sources: Sources,
    agreement_id: str | None,
    period_text: str | None,
    customer: str = "",
    readers: frozenset[str] | None = None,
) -> Scope:
    """Return the scope that was asked for; without an agreement the only one, without a period the newest closed one.

    A customer without ``readers`` sees what is granted to the customer's side.

    Raises:
        ReportError: there is no such agreement, period or customer, or the customer has no right to any of it. The
            message lists those that there are.
    """
    agreement = _agreement(sources, agreement_id)
    own = [one for one in sources.statements if one.series.agreement == agreement.id]
    closed = periods_of(own, agreement.zone)
    if period_text is None:
        period, is_closed = _newest(agreement, closed), True
    else:
        period = parse_period(period_text, agreement.zone)
        is_closed = period in closed
        running = periods_of((one for one in sources.running if one.series.agreement == agreement.id), agreement.zone)
        if not is_closed and period not in running:
            raise ReportError(_no_period(agreement, period.name, closed, running))
    text = sources.book.version(agreement.id, period.to_ms - 1) or agreement
    if customer and readers is None:
        readers = names_of_customer(text, customer)
    scope = Scope(agreement=text, period=period, customer=customer, closed=is_closed, readers=readers)
    if readers is not None and not any(scope.may_see(one.id) for one in text.measures()):
        who = "customer" if customer else shown(", ".join(sorted(readers)))
        raise ReportError(
            f"{text.id} promises no statistics of a {period.window} to {who}: the author of the agreement grants them "
            f"under 'reports' (to: {who}, every: {period.window})"
        )
    if customer:
        _check_customer(scope, [*sources.statements, *sources.running])
    return scope


def _agreement(sources: Sources, agreement_id: str | None) -> Agreement:
    ids = list(dict.fromkeys(one.id for one in sources.book.agreements))
    if agreement_id is not None:
        found = sources.book.latest(agreement_id)
        if found is None:
            raise ReportError(f"there is no agreement {shown(agreement_id)!r}; there are: {', '.join(ids) or 'none'}")
        return found
    measured = {one.series.agreement for one in (*sources.statements, *sources.running)}
    candidates = [one for one in ids if one in measured] or ids
    if len(candidates) != 1:
        if not candidates:
            raise ReportError("there is no agreement to report on: sla-monitor agreements apply, or --agreements")
        told = ", ".join(candidates)
        raise ReportError(f"name the agreement that the report is about; there are: {told}")
    latest = sources.book.latest(candidates[0])
    assert latest is not None
    return latest


def periods_of(statuses: Iterable[WindowStatus], zone: str) -> list[Period]:
    """Return the calendar periods that statuses are about, the oldest first; cohorts are parts of their periods."""
    places = {(one.window.partition(COHORT)[0], one.from_ms) for one in statuses}
    found = {period_at(kind, zone, from_ms) for kind, from_ms in places if kind in CALENDAR_KINDS}
    return sorted(found, key=lambda one: (one.to_ms, one.from_ms))


def _newest(agreement: Agreement, closed: Sequence[Period]) -> Period:
    """Return the newest period of the kind that the agreement wants reported, else of the first kind there is."""
    for kind in (*(one.every for one in agreement.reports), *_PREFERRED):
        own = [one for one in closed if one.window == kind]
        if own:
            return own[-1]
    raise ReportError(f"no period of {agreement.id} is closed yet: there is nothing to report")


def _no_period(agreement: Agreement, name: str, closed: Sequence[Period], running: Sequence[Period]) -> str:
    there = [one.name for one in closed][-_LISTED:]
    told = ", ".join(there) or "none"
    more = "… " if len(closed) > _LISTED else ""
    runs = ", ".join(one.name for one in running)
    return f"{agreement.id} has no period {name}; closed: {more}{told}" + (f"; running: {runs}" if runs else "")


def _check_customer(scope: Scope, statuses: Sequence[WindowStatus]) -> None:
    agreement = scope.agreement
    own = [one for one in statuses if one.series.agreement == agreement.id]
    names = sorted(
        {one.labels["customer"] for one in own if one.labels.get("customer") and scope.may_see(one.series.measure)}
    )
    # Where nothing is split by customer, what is granted to the customer's side is the figures of all its customers.
    if scope.customer in names or (not names and any(scope.has(one) for one in own)):
        return
    told = ", ".join(shown(one) for one in names[:_LISTED])
    hint = f"; there are: {told}" if names else ": nothing that it may see was stated"
    raise ReportError(f"{agreement.id} has no figures of customer {shown(scope.customer)!r} alone{hint}")


def versions(book: Book, agreement_id: str) -> list[Agreement]:
    """Return all versions of an agreement."""
    return [one for one in book.agreements if one.id == agreement_id]
