"""Indicators: the figures of a measure in a window, from the sums of its panes (domain.md §3, §4 and §5).

Counters are summed and divided once: no percentage and no percentile is ever averaged. Every indicator of
`monitor.core.objectives.INDICATORS` comes out, in its order; one without anything to measure has the value None, never
0 or 100 %. Values are not rounded.

Of a percentile the numerator is the rank of the duration and the denominator the number of durations: "9 of 10" is the
ninth in ascending order. Of the longest it is the last one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from monitor.core import sketch
from monitor.core.composite import composing
from monitor.core.conversations import conversation_figures
from monitor.core.downtime import downtime_of
from monitor.core.figures import Figure, quotient
from monitor.core.heard import silencing
from monitor.core.interruptions import customer_figures
from monitor.core.measures import CompositeRule
from monitor.core.objectives import COMPOSITE_INDICATORS, INDICATORS
from monitor.core.parents import failing
from monitor.core.pieces import at_once, choosing, lots
from monitor.core.repeats import NO_TALLY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.core.calendar import Calendar
    from monitor.core.interruptions import Counting
    from monitor.core.measures import CallRule, OutageRule
    from monitor.core.pieces import Pieces
    from monitor.core.repeats import Tally
    from monitor.core.series import OutageRecord, Pane

_QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "longest": 1.0}
_PERCENTILES_OF: Final = {
    kind: [name for name in INDICATORS[kind] if name in _QUANTILES] for kind in ("clock", "call", "lead")
}
_QUANTILES_OF: Final = {kind: [_QUANTILES[name] for name in names] for kind, names in _PERCENTILES_OF.items()}


def clock_figures(pane: Pane, overdue: int) -> tuple[Figure, ...]:
    """Return the figures of a clock measure.

    Args:
        pane: the sum of the window's panes: clocks that stopped in it.
        overdue: how many were past due at the window's end, or are now where it holds the present: they count as
            breached before they stop. 0 for a window that lies in the past.
    """
    counts = pane.counts
    met, stopped = counts.get("met", 0), counts.get("met", 0) + counts.get("breached", 0)
    return (
        quotient("compliance", met, stopped + overdue, "ratio", "met / (met + breached + overdue)"),
        quotient("mean", counts.get("elapsed_ms", 0), stopped, "ms", "sum of elapsed / (met + breached)"),
        *duration_figures("clock", pane.buckets, "elapsed times"),
    )


def call_figures(rule: CallRule, pane: Pane, tally: Tally = NO_TALLY) -> tuple[Figure, ...]:
    """Return the figures of a call measure (domain.md §4).

    All six service levels come from one set of counters; calls that still wait beyond T are in every denominator, as
    the misses that they already are. Lost calls are in none of them, but a figure of their own. Offered, of the
    abandonment rate, are the calls with any outcome: flow-outs and callbacks were offered and not abandoned.

    Args:
        rule: gives T and s to the formulas' texts.
        pane: the sum of the window's panes: calls that were queued in it.
        tally: who called again, of the calls that were queued in the window.
    """
    count = pane.counts.get
    ans, ans_in = count("answered", 0), count("answered_within", 0)
    ab, ab_in, ab_short = count("abandoned", 0), count("abandoned_within", 0), count("abandoned_short", 0)
    beyond = count("waiting_beyond", 0)
    offered = ans + ab + count("callback", 0) + count("transferred", 0)
    lost = count("lost", 0)
    queued = offered + beyond + lost
    text = _call_formulas(rule.answer_within_ms, rule.short_abandon_ms)
    return (
        quotient("SL1", ans_in + ab_in, ans + ab + beyond, "ratio", text["SL1"]),
        quotient("SL2", ans_in, ans + beyond, "ratio", text["SL2"]),
        quotient("SL3", ans_in, ans + ab + beyond, "ratio", text["SL3"]),
        quotient("SL4", ans_in, ans + ab - ab_in + beyond, "ratio", text["SL4"]),
        quotient("SL5", ans_in + ab_short, ans + ab + beyond, "ratio", text["SL5"]),
        quotient("SL6", ans_in, ans + ab - ab_short + beyond, "ratio", text["SL6"]),
        quotient("asa", count("wait_ms", 0), ans, "ms", "sum of waits of answered calls / ans"),
        quotient("abandonment", ab, offered, "ratio", text["abandonment"]),
        quotient("abandonment_net", ab - ab_short, offered - ab_short, "ratio", text["abandonment_net"]),
        *duration_figures("call", pane.buckets, "waits of answered calls"),
        Figure("lost", float(lost) if queued else None, lost, queued, "count", "calls whose end was never told"),
        *conversation_figures(count, tally),
    )


def outage_figures(
    rule: OutageRule,
    records: Iterable[tuple[str, OutageRecord]],
    from_ms: int,
    to_ms: int,
    now_ms: int,
    hours: Calendar | None,
    counting: Counting | None = None,
) -> tuple[Figure, ...]:
    """Return the figures of an outage measure in ``[from_ms, to_ms)``, as far as it has passed (domain.md §5).

    A period that runs counts up to now. An outage that is open lasts until then, and is in no MTTR: a mean of unended
    repairs would be too short. Each of the four MTTR is over the outages that reached that step in the window. What
    happened later than now (a skewed clock) has not happened yet. A consequence of another outage is no failure. Blind
    time leaves P before anything else is measured.

    Args:
        rule: how maintenance is excluded, and how overlapping outages add up.
        records: outages and maintenance that touch the window, by id; others do no harm.
        from_ms: start of the window.
        to_ms: its end.
        now_ms: the instant of the look.
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
) -> Pieces[tuple[Figure, ...]]:
    """Return what `outage_figures` returns, in pieces: of 80,000 outages it takes a third of a second."""
    records = yield from silencing(rule, records)
    if isinstance(rule, CompositeRule):
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
        mttr = yield from _mttr(stage, outages, from_ms, to_ms, now_ms)
        figures.append(mttr)
    figures.append(quotient("coverage", period, time.period_ms, "ratio", "(P - B) / P"))
    if isinstance(rule, CompositeRule):
        return tuple([one for one in figures if one.indicator in COMPOSITE_INDICATORS])
    if counting is not None:
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


def duration_figures(kind: str, buckets: Mapping[int, int], of: str) -> list[Figure]:
    """Return the percentiles and the longest that a kind of measure has."""
    n = sum(buckets.values())
    values = sketch.quantiles(buckets, _QUANTILES_OF[kind])
    figures: list[Figure] = []
    for name, q, value in zip(_PERCENTILES_OF[kind], _QUANTILES_OF[kind], values, strict=True):
        text = f"the longest of the {of}" if q == 1 else f"nearest rank {q:g} of the {of}"
        figures.append(Figure(name, value, sketch.rank_of(q, n), n, "ms", text))
    return figures


@lru_cache(maxsize=256)
def _call_formulas(within_ms: int, short_ms: int) -> dict[str, str]:
    """Return the formulas with their numbers: ans_T is answered within T, ab_s abandoned within s, and so on."""
    t, both = f"T = {within_ms / 1000:g} s", f"T = {within_ms / 1000:g} s, s = {short_ms / 1000:g} s"
    return {
        "SL1": f"SL1: (ans_T + ab_T) / (ans + ab + waiting>T), {t}",
        "SL2": f"SL2: ans_T / (ans + waiting>T), {t}",
        "SL3": f"SL3: ans_T / (ans + ab + waiting>T), {t}",
        "SL4": f"SL4: ans_T / (ans + ab>T + waiting>T), {t}",
        "SL5": f"SL5: (ans_T + ab_s) / (ans + ab + waiting>T), {both}",
        "SL6": f"SL6: ans_T / (ans + ab - ab_s + waiting>T), {both}",
        "abandonment": "ab / (ans + ab + callback + flow-out)",
        "abandonment_net": f"(ab - ab_s) / (ans + ab - ab_s + callback + flow-out), s = {short_ms / 1000:g} s",
    }
