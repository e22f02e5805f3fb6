"""The kind of outage measures, called by `monitor.core.kinds`: availability and repairs, services that are down.

Their panes hold records, and all figures are computed from the records each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from monitor.core.agreements.indicators import NAMED
from monitor.core.outages.composite import composing
from monitor.core.outages.customers import Counting, served_by_all, served_of, tallied
from monitor.core.outages.figures import measuring, outage_figures
from monitor.core.outages.interruptions import Kept, outlook, tally
from monitor.core.outages.outages import announced_until_ms, outage_changes
from monitor.core.outages.silence import silencing, silent_at
from monitor.core.outages.turning import NEVER, steady_customers_ms, steady_ms
from monitor.core.pieces import gathering, lots
from monitor.core.series.measured import Measured, Panes
from monitor.core.time.spans import NEVER_MS, Span
from monitor.core.time.units import HOUR_MS, MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.measures import CustomerTerms, OutageRule
    from monitor.core.agreements.objectives import Objective
    from monitor.core.facts.events import Fact, Value
    from monitor.core.pieces import Pieces
    from monitor.core.series.figures import Figure
    from monitor.core.series.measured import Stretch, WindowView
    from monitor.core.series.series import Change, OutageRecord, SeriesKey
    from monitor.core.time.windows import Window


class OutagePanes(Panes, Protocol):
    """Panes that hold records of outages."""

    def outages(self, window: Window, span: Span) -> Iterator[tuple[str, OutageRecord]]:
        """Yield the records that began before the end of the span, except old ones that were over long before it."""

    def interruptions(self, window: Window, span: Span, counting: Counting, now_ms: int) -> list[Kept]:
        """Return the outages that began from the first day of a span on, by panes, the sums of those that are over."""

    def restored_ms(self, window: Window, span: Span) -> Pieces[int | None]:
        """Return when all outages that began in a span were over; None: one is open. In pieces."""

    def history(self, terms: CustomerTerms, before_ms: int, now_ms: int) -> Pieces[list[int]]:
        """Return the customer time of each kept day before a day, as of an instant, in pieces."""


def rules(agreement: Agreement) -> Sequence[OutageRule]:
    """Return the measures of outages of an agreement."""
    return agreement.outages


def story_of(facts: Sequence[Fact]) -> None:
    """Return nothing: the rules share no work."""


def changes(
    subject_id: str,
    facts: Sequence[Fact],
    attributes: Mapping[str, Value],  # noqa: ARG001 - outages look for theirs among the facts
    rule: OutageRule,
    agreement: Agreement,  # noqa: ARG001 - outages are counted around the clock; the figures know the hours
    series: SeriesKey,
    now_ms: int,  # noqa: ARG001 - only events change a record
    story: None,  # noqa: ARG001
) -> tuple[list[Change], int]:
    """Return the changes of an outage in its series, and 0: no instant alters them by itself."""
    return outage_changes(subject_id, facts, rule, series), 0


def lasts_until_ms(facts: Sequence[Fact]) -> int:
    """Return the instant of the last fact, or the end of maintenance that was announced, if that is later."""
    return max(facts[-1].time_ms, announced_until_ms(facts))


def measured(rule: OutageRule, of: WindowView[OutagePanes]) -> Pieces[Measured]:
    """Return the figures of a window and the numbers of open outages and blind services, in pieces."""
    live = of.panes.live().counts
    begun = _since(rule, of.values, of.shown)
    if (counting := _counted_alone(rule, of)) is not None:
        panes = of.panes.interruptions(of.window, of.span, counting, of.as_of_ms)
        counted = tally(panes, counting, begun.start_ms, begun.end_ms, of.as_of_ms)
        if counted is not None:
            assert counting.served
            own = yield from tallied(counting, counting.served, counted, begun.start_ms, begun.end_ms, of.as_of_ms)
            return Measured(tuple(own), {name: live.get(name, 0) for name in ("open", "blind")}, 0, begun)
    records = yield from gathering(of.panes.outages(of.window, of.span))
    counts = {"open": live.get("open", 0), "oldest_ms": of.longest_open_ms()}
    silent = 0
    if rule.blind_after_ms:
        silent, _ = yield from silent_at(rule, records, of.as_of_ms)
    if rule.parts:
        counts = yield from _composite_counts(rule, records, of.as_of_ms)
    maintained = sum(one.kind == "maintenance" and one.start_ms <= of.as_of_ms < one.restored_ms for _, one in records)
    if maintained:
        counts["maintenance"] = maintained
    counts["blind"] = live.get("blind", 0) + silent
    counting = _counting(rule, of)
    hours = of.agreement.hours_of(rule)
    figures = yield from measuring(rule, records, begun.start_ms, begun.end_ms, of.as_of_ms, hours, counting, of.wanted)
    return Measured(figures, counts, 0, begun if begun.start_ms < begun.end_ms else of.shown)


def wakes_ms(rule: OutageRule, of: WindowView[OutagePanes], live: Mapping[str, int]) -> Pieces[list[int]]:
    """Return the instants at which time alone changes the figures, because they hold the time that has passed."""
    # Each minute while anything is down or blind; else each hour is enough.
    step_ms = MINUTE_MS if live["open"] or live["blind"] else HOUR_MS
    found = [of.as_of_ms - of.as_of_ms % step_ms + step_ms]
    ahead_ms = yield from _ahead_ms(of)
    if ahead_ms is not None:
        found.append(ahead_ms)
    if rule.blind_after_ms:
        _, silent_ms = yield from silent_at(rule, of.panes.outages(of.window, of.span), of.as_of_ms)
        found += [] if silent_ms is None else [silent_ms]
    return found


def _ahead_ms(of: WindowView[OutagePanes]) -> Pieces[int | None]:
    """Return the first instant after this one of which something is known already; None: nothing is.

    Steps of an outage may be ahead of the instant of the evaluation: a source that is behind holds that instant back
    to its watermark, and clocks are skewed. The figures leave them out until then.
    """
    found: int | None = None
    for some in lots(of.panes.outages(of.window, Span(of.span.start_ms, NEVER_MS))):
        for _, one in some:
            steps_ms = (one.start_ms, one.acknowledged_ms, one.responded_ms, one.restored_ms, one.resolved_ms)
            if max(steps_ms) > of.as_of_ms:
                next_ms = min(at_ms for at_ms in steps_ms if at_ms > of.as_of_ms)
                found = next_ms if found is None else min(found, next_ms)
        yield
    return found


def turns_ms(
    rule: OutageRule,
    of: WindowView[OutagePanes],
    figures: Sequence[Figure],
    live: Mapping[str, int],
    objectives: Sequence[Objective],
) -> Pieces[list[int]]:
    """Return the instants at which time alone may next change a verdict on these objectives."""
    left_ms = None
    counting = _counted_alone(rule, of)
    if counting is not None:
        from_ms = _since(rule, of.values, of.shown).start_ms
        panes = of.panes.interruptions(of.window, of.span, counting, of.as_of_ms)
        ahead = outlook(panes, from_ms, of.as_of_ms)
        left_ms = steady_customers_ms(objectives, figures, ahead, counting, from_ms, of.as_of_ms)
    elif not rule.parts and not rule.blind_after_ms:
        is_open = bool(live["open"] or live["blind"])
        left_ms = steady_ms(objectives, figures, calendar=of.window.kind != "rolling", any_open=is_open)
    if left_ms is None:
        return (yield from wakes_ms(rule, of, live))
    return [] if left_ms == NEVER else [of.as_of_ms + max(1, int(left_ms))]


def is_judged_from_the_start(rule: OutageRule, live: Mapping[str, int]) -> bool:
    """Return whether a new period may begin with a broken promise: something is down, or nobody knows."""
    return bool(rule.parts or rule.blind_after_ms or live["open"] or live["blind"])


def _counting(rule: OutageRule, of: WindowView[OutagePanes]) -> Counting | None:
    """Return how the customers of a series are counted; None: they are not."""
    if rule.customers is None:
        return None
    return Counting(rule.customers, served_of(rule.customers, of.values), of.agreement.zone, of.panes.history)


def _counted_alone(rule: OutageRule, of: WindowView[OutagePanes]) -> Counting | None:
    """Return how customers are counted, if nothing else is wanted of a period and their sums may be kept; else None."""
    if of.wanted is None or of.window.kind == "rolling" or rule.parts or rule.blind_after_ms:
        return None
    counting = _counting(rule, of)
    if counting is None or not counting.served or counting.terms.accrues != "start":
        return None
    return counting if all(NAMED[one].counts == "customers" for one in of.wanted) else None


def budget_figures(rule: OutageRule, of: Stretch) -> Pieces[tuple[Figure, ...]]:
    """Return the figures of an error budget, in pieces. Those of customers are left out."""
    return measuring(
        rule, of.records, of.span.start_ms, of.span.end_ms, of.as_of_ms, of.agreement.hours_of(rule)
    )  # fmt: skip


def whole_figures(rule: OutageRule, of: Stretch, values: Sequence[str] | None) -> tuple[Figure, ...]:
    """Return the figures of all data in one pane: of one series by its values, or of all series together (None)."""
    counting = None
    if rule.customers is not None:
        # The data is the window: there are no days before it.
        served = served_by_all(rule.customers, of.parts) if values is None else served_of(rule.customers, values)
        counting = Counting(rule.customers, served, of.agreement.zone, lambda *_: gathering(()))
    begun = _since(rule, values or (), of.span)
    return outage_figures(
        rule, of.pane.outages.items(), begun.start_ms, begun.end_ms, of.as_of_ms, of.agreement.hours_of(rule), counting
    )


def _since(rule: OutageRule, values: Sequence[str], shown: Span) -> Span:
    """Return the part of a window after the service began; empty, at the window's end, if it had not begun."""
    since_ms = rule.since_ms.get(values[0], 0) if values else 0
    return Span(min(shown.end_ms, max(shown.start_ms, since_ms)), shown.end_ms)


def _composite_counts(
    rule: OutageRule, records: Sequence[tuple[str, OutageRecord]], as_of_ms: int
) -> Pieces[dict[str, int]]:
    """Return the live counts of a composite service: whether it is down now, and for how long."""
    with_silence = yield from silencing(rule, records)
    stretches = yield from composing(rule, with_silence)
    down = [
        one.start_ms
        for _, one in stretches
        if one.kind == "outage" and one.start_ms <= as_of_ms and not one.restored_ms
    ]
    return {"open": len(down), "oldest_ms": as_of_ms - min(down, default=as_of_ms)}
