"""The monitor itself: can its figures be trusted now?"""

from __future__ import annotations

from typing import Final

from monitor.metrics import own
from monitor.metrics.dashboards.dashboard import Heading, Row, dashboard
from monitor.metrics.dashboards.panels import (
    ANY_IS_BAD,
    ANY_IS_WARNING,
    BLUE,
    COUNT,
    EACH_MINUTE,
    GREEN,
    ORANGE,
    RED,
    SECONDS,
    Json,
    Query,
    bars,
    lines,
    newest,
    stat,
    steps,
    to_list,
)
from monitor.metrics.dashboards.promql import age_of, any_of, select, worded
from monitor.metrics.dashboards.scopes import silence
from monitor.metrics.dashboards.states import heatmap, states, timeline
from monitor.metrics.dashboards.tables import Column, table
from monitor.metrics.declaring import Metric

_OPEN = states(closed=(0, "not open", RED), open=(1, "catching up", ORANGE), ready=(2, "caught up", GREEN))
_PARTITION = "topic, partition"
_READY: Final = "The least ready partition of each source"
_LATELY: Final = "1d"
"""The time over which what should never happen is counted."""


def health() -> Json:
    """Return the dashboard."""
    return dashboard(
        "sla-monitor",
        "SLA · The monitor itself",
        "Can the figures be trusted now?",
        [],
        [
            Row(
                4,
                [
                    (4, _closed()),
                    (2, _lag()),
                    (3, silence()),
                    (3, _unsaid()),
                    (3, _letters()),
                    (3, _lost()),
                    (3, _pages()),
                    (3, _workers()),
                ],
            ),
            Heading("Where events come from", "Sources, how far the monitor is behind them, and how late it tells."),
            Row(9, [(10, _partitions()), (14, _table())]),
            Row(8, [(12, _events()), (12, _delay())]),
            Heading("People who are told", "Deliveries to receivers, and records that were no events."),
            Row(9, [(14, _deliveries()), (10, _reasons())]),
            Heading("What costs time or figures", "Durations, trouble, and series beyond the limit."),
            Row(8, [(8, _durations()), (8, _trouble()), (8, _series())]),
        ],
    )


def _total(metric: Metric) -> str:
    return f"sum({select(metric, {})})"


def _rise(metric: Metric) -> str:
    """Return by how much a counter rose in the last day."""
    return f"sum(increase({select(metric, {})}[{_LATELY}]))"


def _each_minute(metric: Metric) -> str:
    """Return how often something happened a minute."""
    return f"60 * sum(rate({select(metric, {})}[$__rate_interval]))"


def _closed() -> Json:
    text = "Source partitions that a worker owns and that are not open: what arrives there waits."
    query = f"count({select(own.PARTITION_OPEN, {})}) - {_total(own.PARTITION_OPEN)}"
    return stat("Partitions not open", text, Query(query), thresholds=ANY_IS_BAD, to=to_list(_READY))


def _lag() -> Json:
    text = "Records that still have to be read, over all source partitions. Figures lack them."
    limits = steps(GREEN, (1_000, ORANGE), (100_000, RED))
    return stat("Lag", text, Query(_total(own.LAG)), COUNT, limits, to=to_list("Sources"))


def _unsaid() -> Json:
    text = "Age of the oldest notice to on-call staff that waits for its delivery: who should know, does not."
    query = Query(f"max({select(own.DELIVERIES_OLDEST, {})}) or vector(0)")
    limits = steps(GREEN, (60, ORANGE), (300, RED))
    return stat("Unsent notice", text, query, SECONDS, limits, decimals=0, to=to_list("Deliveries"))


def _pages() -> Json:
    text = "Pages that are out: of all that it was told, what a receiver was not told the end of."
    return stat("Pages out", text, Query(f"{_total(own.PAGES_OPEN)} or vector(0)"), to=to_list("Deliveries"))


def _letters() -> Json:
    text = "Records that were no events, in the last day: sla-monitor dead-letters shows and replays them."
    query = Query(f"{_rise(own.DEAD_LETTERS)} or vector(0)")
    return stat(
        "Dead letters", text, query, thresholds=ANY_IS_WARNING, decimals=0, to=to_list("Dead letters by reason")
    )


def _lost() -> Json:
    text = "Records that retention removed before they were read, in the last day: no figure holds them."
    return stat(
        "Lost records", text, Query(_rise(own.RECORDS_LOST)), thresholds=ANY_IS_BAD, decimals=0, to=to_list("Sources")
    )


def _workers() -> Json:
    return stat("Workers", "Workers that answer scrapes.", Query(f"count({select(own.BUILD_INFO, {})})"))


def _partitions() -> Json:
    text = "The least ready partition of each source over time: open and caught up, catching up, or not open."
    opened, caught_up = select(own.PARTITION_OPEN, {}), select(own.PARTITION_CAUGHT_UP, {})
    each = f"max by ({_PARTITION}) ({opened} + {opened} * {caught_up})"
    query = Query(f"min by (topic) ({each})", "{{topic}}")
    return timeline(_READY, text, query, _OPEN, linked=False)


def _table() -> Json:
    text = "Each source partition: how far it is behind, how long ago its newest event happened, the size of its state."

    def each(metric: Metric) -> str:
        return f"max by ({_PARTITION}) ({select(metric, {})})"

    age = age_of(f"max by ({_PARTITION}) ({select(own.LAST_EVENT, {})})")
    return table(
        "Sources",
        text,
        [
            Query(each(own.LAG), ref="L"),
            Query(age, ref="E"),
            Query(f"sum by ({_PARTITION}) (rate({select(own.EVENTS, {})}[$__rate_interval]))", ref="N"),
            Query(each(own.PARTITION_ROWS), ref="R"),
            Query(each(own.PARTITION_RESTORE), ref="D"),
        ],
        [
            Column("Topic", label="topic"),
            Column("Partition", label="partition", width=95),
            Column("Lag", value="L", unit=COUNT, width=80),
            Column("Last event", value="E", unit=SECONDS, width=105, decimals=0),
            Column("Records/s", value="N", unit=COUNT, width=95, decimals=1),
            Column("Rows", value="R", unit=COUNT, width=80),
            Column("Restored in", value="D", unit=SECONDS, width=115, decimals=1),
        ],
        sort=["Lag"],
    )


def _events() -> Json:
    text = "Records taken from each topic, each second."
    rate = f"sum by (topic) (rate({select(own.EVENTS, {})}[$__rate_interval]))"
    return lines("Events", text, [Query(rate, "{{topic}}")], "recps", linked=False)


def _delay() -> Json:
    text = (
        "How long after its instant a clock's warning or breach was announced, in the seconds of the monitor's clock "
        "(of a demonstration that runs faster, its seconds)."
    )
    buckets = select(own.DETECTION_DELAY, {}, bucket=True)
    query = Query(f"sum by (le) (increase({buckets}[$__rate_interval]))")
    return heatmap("Detection delay", text, query, "announcements") | EACH_MINUTE


def _durations() -> Json:
    text = (
        "99 of 100 batches and their transactions took at most so long; how late timers were; and for how long sources "
        "that catch up have held back deadlines or windows."
    )

    def within(metric: Metric) -> str:
        buckets = select(metric, {}, bucket=True)
        return f"histogram_quantile(0.99, sum by (le) (rate({buckets}[$__rate_interval]))) >= 0"

    queries = [
        Query(within(own.BATCH_DURATION), "batch"),
        Query(within(own.COMMIT_DURATION), "transaction", "C"),
        Query(within(own.TICK_DELAY), "timer", "T"),
        Query(f"max({select(own.HELD_BACK, {})})", "held back by sources", "H"),
    ]
    return lines("99 of 100 within", text, queries, SECONDS, linked=False)


def _reasons() -> Json:
    text = "Records that were no events by topic and reason, in the last day."
    rise = f"sum by (topic, reason) (increase({select(own.DEAD_LETTERS, {})}[{_LATELY}])) >= 0.5"
    query = f'{worded(worded(rise, "reason"), "reason")} or on () label_replace(vector(0), "topic", "none", "", "")'
    queries = Query(query, "{{topic}} {{reason}}")
    return newest(bars("Dead letters by reason", text, queries, COUNT, linked=False, decimals=0))


def _deliveries() -> Json:
    text = (
        "Attempts to tell receivers by outcome, and alerts that nobody is told of by reason, in the last day; "
        "receivers of whom nothing is told are left out. sla-monitor deliveries (--not-told) shows each."
    )
    tried = f"sum by (receiver, outcome) (increase({select(own.DELIVERIES, {})}[{_LATELY}])) >= 0.5"
    none = 'label_replace(vector(0), "receiver", "nobody", "", "")'
    not_told = f"sum by (reason) (increase({select(own.NOT_TOLD, {})}[{_LATELY}])) >= 0.5"
    nothing = 'label_replace(vector(0), "reason", "none", "", "")'
    queries = [
        Query(f"{tried} or on () {none}", "{{receiver}} {{outcome}}"),
        Query(f"{worded(worded(not_told, 'reason'), 'reason')} or on () {nothing}", "nobody told: {{reason}}", "B"),
    ]
    return newest(bars("Deliveries", text, queries, COUNT, linked=False, decimals=0))


def _trouble() -> Json:
    text = (
        "What costs time, each minute: rebalances, restored partitions, how often a worker stood still for over half a "
        "second or its clock was set, and how often a source was read again, as its records had not come. What the "
        "monitor failed on by a fault of its own, and what it could not use. Parts of panes that outgrew a row: a "
        "flood. Dead letters and connections to its pages that were cut. Sources let go and rows set aside: how many."
    )
    counted = {
        "rebalances": own.REBALANCES,
        "restored partitions": own.RESTORES,
        "stalls": own.STALLS,
        "clock set": own.CLOCK_STEPS,
        "sources read again": own.SOURCE_REREADS,
        "late events told together": own.EVENTS_TOLD_TOGETHER,
        "faults": own.FAULTS,
        "records refused": own.RECORDS_REFUSED,
        "parts of panes": own.PANES_DIVIDED,
        "dead letters cut": own.DEAD_LETTERS_CUT,
        "connections cut off": own.CUT_OFF,
    }
    held = {"sources let go": own.LET_GO, "rows set aside": own.ROWS_SET_ASIDE}
    cases = {name: _each_minute(metric) for name, metric in counted.items()}
    cases |= {name: _total(metric) for name, metric in held.items()}
    happened = f"{any_of(cases, 'what')} > 0"
    quiet = 'label_replace(vector(0), "what", "nothing", "", "")'
    query = Query(f"({happened}) or on () {quiet}", "{{what}}")
    return lines("Trouble, a minute", text, [query], COUNT, linked=False, decimals=1)


def _series() -> Json:
    text = "Series of all measures: those shown one by one, and those beyond max_series, counted together as other."

    def all_of(metric: Metric) -> str:
        return f"sum(max by (agreement, measure) ({select(metric, {})})) or on () vector(0)"

    queries = [Query(all_of(own.SERIES_SHOWN), "shown"), Query(all_of(own.SERIES_IN_REST), "together as other", "R")]
    looks = {"shown": BLUE, "together as other": ORANGE}
    return lines("Series", text, queries, COUNT, linked=False, looks=looks, decimals=0)
