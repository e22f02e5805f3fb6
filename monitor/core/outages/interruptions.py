"""The interruptions of customers in a running period, kept by pane: what is over is added up once.

`monitor.core.outages.customers` looks at each outage of a window. A run that judges a period at each step keeps the
sums of the outages that are over instead, and looks only at those that last. That is possible where an interruption
counts as a whole in the period in which it began, and where no outage may be the consequence of another one; elsewhere
all outages are looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from monitor.core.outages.customers import Sums, Tally, add_to, length_ms, over_ms, sum_of
from monitor.core.time.periods import day_start

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monitor.core.agreements.measures import CustomerTerms
    from monitor.core.outages.customers import Counting
    from monitor.core.series.series import OutageRecord


class Kept(NamedTuple):
    """The outages of one pane: the sums of those that were over before an instant, and the others as they are.

    ``over`` holds the sums of the sustained ones by the start of the day on which they began, ``brief`` the number of
    customers of the momentary ones. ``first_ms`` and ``last_ms`` are the first and the last start of any of them.
    ``unknown`` and ``unknown_brief`` are the numbers of sustained and of momentary ones that are over and name no
    customers.
    """

    outages: Mapping[str, OutageRecord]
    terms: CustomerTerms
    over_ms: int
    """The last end of those that are over: as of an instant after it the sums are right."""
    first_ms: int
    last_ms: int
    over: Mapping[int, Sums]
    brief: int
    others: Sequence[OutageRecord]
    are_children: bool
    """Whether one may be the consequence of another one."""
    unknown: int = 0
    unknown_brief: int = 0


class Outlook(NamedTuple):
    """How the customer time of a period may grow without an event.

    ``customer_ms`` is that of all interruptions, sustained or not; in each millisecond it grows by ``customers`` at
    most. It is not ``certain`` if something is known of an instant that is still to come, or if an outage whose
    customers nobody names may still become a sustained one.
    """

    customer_ms: int
    customers: int
    certain: bool


def kept(counting: Counting, outages: Mapping[str, OutageRecord], now_ms: int, known: Kept | None) -> Kept:
    """Return the outages of a pane as of an instant. What is known of them is returned as long as it is right."""
    terms, zone = counting.terms, counting.zone
    if known is not None and known.outages is outages and known.terms is terms and known.over_ms < now_ms:
        return known
    over: dict[int, Sums] = {}
    others: list[OutageRecord] = []
    brief = last_over_ms = unknown = unknown_brief = 0
    are_children = False
    starts_ms = [one.start_ms for one in outages.values() if one.kind == "outage"]
    for one in outages.values():
        if one.kind != "outage":
            continue
        are_children = are_children or bool(one.parent)
        restored_ms = one.restored_ms
        if not _last_change_ms(one) <= restored_ms < now_ms:
            others.append(one)
            continue
        last_over_ms = max(last_over_ms, restored_ms)
        own = sum_of(one, one.start_ms, now_ms)
        if length_ms(one, now_ms) >= terms.momentary_ms:
            add_to(over, day_start(zone, one.start_ms), own)
            unknown += not one.customers
        else:
            brief += own.customers
            unknown_brief += not one.customers
    first_ms, last_ms = min(starts_ms, default=0), max(starts_ms, default=0)
    return Kept(
        outages, terms, last_over_ms, first_ms, last_ms, over, brief, others, are_children, unknown, unknown_brief
    )  # fmt: skip


def _last_change_ms(one: OutageRecord) -> int:
    """Return the last instant before its end of which an outage tells anything."""
    return max(one.start_ms, one.customers[-1][0] if one.customers else 0)


def tally(panes: Sequence[Kept], counting: Counting, from_ms: int, to_ms: int, now_ms: int) -> Tally | None:
    """Return what a period counts as of an instant; None: its outages must be looked at one by one.

    Interruptions that began before its first day count nothing in it.
    """
    terms, zone = counting.terms, counting.zone
    first_ms = day_start(zone, from_ms)
    customer_ms = customers = brief = not_over = unknown = unknown_brief = 0
    days: dict[int, Sums] = {}
    for pane in panes:
        if pane.last_ms < first_ms:
            continue
        if pane.are_children or pane.first_ms < from_ms or pane.last_ms >= to_ms:
            return None
        brief += pane.brief
        unknown += pane.unknown
        unknown_brief += pane.unknown_brief
        for day_ms, own in pane.over.items():
            customer_ms += own.customer_ms
            customers += own.customers
            add_to(days, day_ms, own)
        for one in pane.others:
            if one.start_ms > now_ms:
                continue
            own = sum_of(one, one.start_ms, now_ms)
            is_over = over_ms(one, now_ms)
            not_over += not is_over
            if length_ms(one, now_ms) >= terms.momentary_ms:
                customer_ms += own.customer_ms
                customers += own.customers
                add_to(days, day_start(zone, one.start_ms), own)
                unknown += not one.customers
            elif is_over:
                brief += own.customers
                unknown_brief += not one.customers
    return Tally(Sums(customer_ms, customers), brief, not_over, days, days, unknown, unknown_brief)


def outlook(panes: Iterable[Kept], from_ms: int, now_ms: int) -> Outlook:
    """Return how the customer time of the interruptions that began from an instant on may grow."""
    customer_ms = customers = 0
    certain = True
    for pane in panes:
        if pane.last_ms < from_ms:
            continue
        customer_ms += sum(own.customer_ms for own in pane.over.values())
        for one in pane.others:
            certain = certain and max(_last_change_ms(one), one.restored_ms) <= now_ms
            if not one.customers and not one.restored_ms and length_ms(one, now_ms) < pane.terms.momentary_ms:
                certain = False  # once it is sustained, the figures lack it
            customer_ms += sum_of(one, one.start_ms, now_ms).customer_ms
            if not one.restored_ms and one.customers:
                customers += one.customers[-1][1]
    return Outlook(customer_ms, customers, certain)
