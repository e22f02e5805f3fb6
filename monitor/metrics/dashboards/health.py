"""The monitor itself: can its figures be trusted now?"""

from __future__ import annotations

from monitor.metrics import catalogue as m
from monitor.metrics.dashboards.dashboard import Row, dashboard
from monitor.metrics.dashboards.panels import (
    ANY_IS_BAD,
    ANY_IS_WARNING,
    COUNT,
    EACH_MINUTE,
    GREEN,
    ORANGE,
    QUIET,
    RED,
    SECONDS,
    Json,
    Query,
    bars,
    heatmap,
    lines,
    newest,
    stat,
    states,
    steps,
    timeline,
)
from monitor.metrics.dashboards.promql import age_of, select
from monitor.metrics.dashboards.scopes import last_event
from monitor.metrics.dashboards.tables import Column, table
from monitor.metrics.declaring import Metric

_OPEN = states(closed=(0, "not open", RED), open=(1, "catching up", ORANGE), ready=(2, "caught up", GREEN))
_PARTITION = "topic, partition"


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
                    (3, _closed()),
                    (3, _lag()),
                    (3, _silence()),
                    (3, _unsaid()),
                    (3, _letters()),
                    (3, _lost()),
                    (3, _pages()),
                    (3, _workers()),
                ],
            ),
            Row(8, [(12, _partitions()), (12, _table())]),
            Row(8, [(12, _events()), (12, _delay())]),
            Row(8, [(5, _durations()), (5, _deliveries()), (5, _reasons()), (5, _trouble()), (4, _series())]),
        ],
    )


def _total(metric: Metric) -> str:
    return f"sum({select(metric, {})})"


def _closed() -> Json:
    text = "Source partitions that a worker owns and that are not open: what arrives there waits."
    query = f"count({select(m.PARTITION_OPEN, {})}) - {_total(m.PARTITION_OPEN)}"
    return stat("Partitions not open", text, Query(query), thresholds=ANY_IS_BAD)


def _lag() -> Json:
    text = "Records that still have to be read, over all source partitions. Figures lack them."
    return stat("Lag", text, Query(_total(m.LAG)), COUNT, steps(GREEN, (1_000, ORANGE), (100_000, RED)))


def _silence() -> Json:
    text = "Event time of the newest event of any source, measured by the monitor's clock."
    return stat("Since the last event", text, Query(age_of(last_event())), SECONDS, QUIET, decimals=0)


def _unsaid() -> Json:
    text = "Age of the oldest notice to on-call staff that waits for its delivery: who should know, does not."
    query = Query(f"max({select(m.DELIVERIES_OLDEST, {})}) or vector(0)")
    return stat("Oldest unsent notice", text, query, SECONDS, steps(GREEN, (60, ORANGE), (300, RED)), decimals=0)


def _pages() -> Json:
    text = "Pages that are out: of all that it was told, what a receiver was not told the end of."
    return stat("Pages out", text, Query(f"{_total(m.PAGES_OPEN)} or vector(0)"))


def _letters() -> Json:
    text = "Records that were no events, since the workers started: sla-monitor dead-letters shows and replays them."
    return stat("Dead letters", text, Query(f"{_total(m.DEAD_LETTERS)} or vector(0)"), thresholds=ANY_IS_WARNING)


def _lost() -> Json:
    text = "Records that retention removed before they were read, since the workers started: no figure holds them."
    return stat("Lost records", text, Query(_total(m.RECORDS_LOST)), thresholds=ANY_IS_BAD)


def _workers() -> Json:
    return stat("Workers", "Workers that answer scrapes.", Query(f"count({select(m.BUILD_INFO, {})})"))


def _partitions() -> Json:
    text = "Each source partition over time: open and caught up, catching up, or not open."
    opened, caught_up = select(m.PARTITION_OPEN, {}), select(m.PARTITION_CAUGHT_UP, {})
    query = f"max by ({_PARTITION}) ({opened} + {opened} * {caught_up})"
    return timeline("Partitions", text, Query(query, "{{topic}}/{{partition}}"), _OPEN, linked=False)


def _table() -> Json:
    text = "Each source partition: how far it is behind, how long ago its newest event happened, the size of its state."

    def each(metric: Metric) -> str:
        return f"max by ({_PARTITION}) ({select(metric, {})})"

    age = age_of(f"max by ({_PARTITION}) ({select(m.LAST_EVENT, {})})")
    return table(
        "Sources",
        text,
        [
            Query(each(m.LAG), ref="L"),
            Query(age, ref="E"),
            Query(each(m.EVENTS), ref="N"),
            Query(each(m.PARTITION_ROWS), ref="R"),
            Query(each(m.PARTITION_RESTORE), ref="D"),
        ],
        [
            Column("Topic", label="topic"),
            Column("Partition", label="partition", width=90),
            Column("Lag", value="L", unit=COUNT, width=80),
            Column("Since the last event", value="E", unit=SECONDS, width=150, decimals=0),
            Column("Records", value="N", unit=COUNT, width=90),
            Column("Rows", value="R", unit=COUNT, width=80),
            Column("Last restore", value="D", unit=SECONDS, width=110, decimals=2),
        ],
        sort=["Lag"],
    )


def _events() -> Json:
    text = "Records taken from each topic, each second."
    rate = f"sum by (topic) (rate({select(m.EVENTS, {})}[$__rate_interval]))"
    return lines("Events", text, [Query(rate, "{{topic}}")], "ops", linked=False)


def _delay() -> Json:
    text = (
        "How long after its instant a clock's warning or breach was announced, in the seconds of the monitor's clock "
        "(of a demonstration that runs faster, its seconds)."
    )
    buckets = select(m.DETECTION_DELAY, {}, bucket=True)
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
        Query(within(m.BATCH_DURATION), "batch"),
        Query(within(m.COMMIT_DURATION), "transaction", "C"),
        Query(within(m.TICK_DELAY), "timer", "T"),
        Query(f"max({select(m.HELD_BACK, {})})", "held back by sources", "H"),
    ]
    return lines("99 of 100 within", text, queries, SECONDS, linked=False)


def _reasons() -> Json:
    text = "Records that were no events by topic and reason, since the workers started."
    query = f"sum by (topic, reason) ({select(m.DEAD_LETTERS, {})}) or on () vector(0)"
    return newest(bars("Dead letters by reason", text, Query(query, "{{topic}} {{reason}}"), COUNT, linked=False))


def _deliveries() -> Json:
    text = (
        "Attempts to tell receivers by outcome, and alerts that nobody is told of by reason, since the workers "
        "started: sla-monitor deliveries (--not-told) shows each."
    )
    query = f"sum by (receiver, outcome) ({select(m.DELIVERIES, {})}) or on () vector(0)"
    not_told = f"sum by (reason) ({select(m.NOT_TOLD, {})})"
    queries = [Query(query, "{{receiver}} {{outcome}}"), Query(not_told, "nobody told: {{reason}}", "B")]
    return newest(bars("Deliveries", text, queries, COUNT, linked=False))


def _trouble() -> Json:
    text = (
        "What costs time: rebalances, restored partitions, how often a worker stood still for over half a second or "
        "its clock was set, and how often a source was read again, as its records had not come. What the monitor "
        "failed on by a fault of its own, and what it could not use. Parts of panes that outgrew a row: a flood. "
        "Dead letters and connections to its pages that were cut."
    )
    queries = [
        Query(_total(m.REBALANCES), "rebalances"),
        Query(_total(m.RESTORES), "restored partitions", "R"),
        Query(_total(m.STALLS), "stalls", "S"),
        Query(_total(m.CLOCK_STEPS), "clock set", "C"),
        Query(_total(m.SOURCE_REREADS), "sources read again", "X"),
        Query(_total(m.LET_GO), "sources let go", "G"),
        Query(_total(m.EVENTS_TOLD_TOGETHER), "late events told together", "T"),
        Query(_total(m.FAULTS), "faults", "F"),
        Query(_total(m.ROWS_SET_ASIDE), "rows set aside", "A"),
        Query(_total(m.RECORDS_REFUSED), "records refused", "U"),
        Query(_total(m.PANES_DIVIDED), "parts of panes", "P"),
        Query(_total(m.DEAD_LETTERS_CUT), "dead letters cut", "D"),
        Query(_total(m.CUT_OFF), "connections cut off", "W"),
    ]
    return lines("Rebalances, restores and stalls", text, queries, COUNT, linked=False)


def _series() -> Json:
    text = "Series of each measure: those shown one by one, and those beyond max_series, counted together as other."

    def each(metric: Metric) -> str:
        return f"max by (agreement, measure) ({select(metric, {})}) or on () vector(0)"

    queries = [
        Query(each(m.SERIES_SHOWN), "{{agreement}} {{measure}}"),
        Query(each(m.SERIES_IN_REST), "{{agreement}} {{measure}} in the rest", "R"),
    ]
    return lines("Series", text, queries, COUNT, linked=False)
