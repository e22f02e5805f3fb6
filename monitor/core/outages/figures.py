"""The figures of outages in a window, from the records of its panes (domain.md §5).

Counters are summed and divided once: no percentage and no percentile is ever averaged. Every outage indicator of
`monitor.core.agreements.indicators.INDICATORS` is returned, in that order. An indicator with nothing to measure has the
value None, never 0 or 100 %. Values are not rounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.agreements.indicators import NAMED
from monitor.core.outages.composite import composing
from monitor.core.outages.customers import customer_figures
from monitor.core.outages.downtime import downtime_of
from monitor.core.outages.failures import failing
from monitor.core.outages.silence import silencing
from monitor.core.pieces import at_once, choosing, lots
from monitor.core.series.figures import Figure, quotient

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.core.agreements.measures import OutageRule
    from monitor.core.outages.customers import Counting
    from monitor.core.pieces import Pieces
    from monitor.core.series.series import OutageRecord
    from monitor.core.time.calendar import Calendar


_OF_FAILURES: Final = frozenset({"failures", "mtbf"})


def outage_figures(
    rule: OutageRule,
    records: Iterable[tuple[str, OutageRecord]],
    from_ms: int,
    to_ms: int,
    now_ms: int,
    hours: Calendar | None,
    counting: Counting | None = None,
) -> tuple[Figure, ...]:
    """Return the figures of an outage measure in the part of ``[from_ms, to_ms)`` that has passed (domain.md §5).

    A running period counts up to now. An open outage lasts until now and is in no MTTR: a mean over unfinished repairs
    would be too short. Each of the four MTTR is over the outages that reached that step in the window. A step later
    than now (a skewed clock) is ignored until then. A consequence of another outage is no failure. Blind time is taken
    out of P before anything else is measured.

    Args:
        rule: how maintenance is excluded, and how overlapping outages add up.
        records: outages, maintenance and stretches of monitoring that touch the window, by id; others do no harm.
        from_ms: the start of the window.
        to_ms: the end of the window.
        now_ms: the instant of the evaluation.
        hours: the service hours; None: around the clock.
        counting: how customers are counted; None: they are not.
    """
    return at_once(measuring(rule, records, from_ms, to_ms, now_ms, hours, counting))


def measuring(
    rule: OutageRule,
    records: Iterable[tuple[str, OutageRecord]],
    from_ms: int,
    to_ms: int,
    now_ms: int,
    hours: Calendar | None,
    counting: Counting | None = None,
    wanted: frozenset[str] | None = None,
) -> Pieces[tuple[Figure, ...]]:
    """Run `outage_figures` in pieces: for 80,000 outages it takes a third of a second.

    If only some indicators are ``wanted``, the others may be missing or wrong.
    """
    records = yield from silencing(rule, records)
    if rule.parts:
        records = yield from composing(rule, records)
    by_kind: dict[str, dict[str, OutageRecord]] = {"outage": {}, "maintenance": {}, "blind": {}}
    for lot in lots(records):
        for name, record in lot:
            by_kind[record.kind][name] = record
        yield
    outages = list(by_kind["outage"].values())
    time = yield from downtime_of(
        rule, outages, by_kind["maintenance"].values(), from_ms, min(to_ms, now_ms), hours,
        list(by_kind["blind"].values()),
    )  # fmt: skip
    down, p_text = time.downtime_ms, "P - B" if time.blind_ms else "P"
    period = time.period_ms - time.blind_ms
    failures = 0
    if outages and (wanted is None or not wanted.isdisjoint(_OF_FAILURES)):
        begun = yield from choosing(by_kind["outage"].items(), lambda item: item[1].start_ms <= now_ms)
        own = yield from failing(dict(begun))
        failures = len((yield from choosing(own.values(), lambda one: from_ms <= one.start_ms < to_ms)))
    d_text = "D" if rule.exclusion == "none" else "D'"
    if rule.exclusion == "both":
        promised = period - time.excluded_ms
        text = f"({p_text} - X - D') / ({p_text} - X)"
    else:
        promised = period
        text = f"({p_text} - {d_text}) / {f'({p_text})' if time.blind_ms else p_text}"
    availability = quotient("availability", promised - down, promised, "ratio", text)
    measured = period > 0
    figures = [
        availability,
        Figure("downtime", down if measured else None, down, period, "ms", f"{d_text}, of P"),
        Figure("failures", float(failures) if measured else None, failures, period, "count", "outages begun, in P"),
        quotient("mtbf", period - down, failures if measured else 0, "ms", f"({p_text} - {d_text}) / failures"),
    ]
    for stage in ("acknowledge", "respond", "restore", "resolve"):
        if wanted is None or f"mttr_{stage}" in wanted:
            mttr = yield from _mttr(stage, outages, from_ms, to_ms, now_ms)
            figures.append(mttr)
    figures.append(quotient("coverage", period, time.period_ms, "ratio", "(P - B) / P"))
    if rule.parts:
        return tuple([one for one in figures if not NAMED[one.indicator].needs])
    if counting is not None and (wanted is None or any(NAMED[one].counts == "customers" for one in wanted)):
        figures += yield from customer_figures(counting, by_kind["outage"], from_ms, to_ms, now_ms)
    return tuple(figures)


def _mttr(stage: str, outages: Iterable[OutageRecord], from_ms: int, to_ms: int, now_ms: int) -> Pieces[Figure]:
    total_ms = reached = 0
    for some in lots(outages):
        for one in some:
            at_ms = _stage_ms(one, stage)
            if at_ms and from_ms <= at_ms < to_ms and at_ms <= now_ms:
                total_ms += max(0, at_ms - one.start_ms)
                reached += 1
        yield
    return quotient(f"mttr_{stage}", total_ms, reached, "ms", f"sum of ({stage} - start) / outages that reached it")


def _stage_ms(record: OutageRecord, stage: str) -> int:
    if stage == "acknowledge":
        return record.acknowledged_ms
    if stage == "respond":
        return record.responded_ms
    return record.restored_ms if stage == "restore" else record.resolved_ms
