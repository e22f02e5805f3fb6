"""Snapshots to tell stories about: a window of each kind of measure, and a worker's own figures."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from prometheus_client.parser import text_string_to_metric_families

from monitor.core.agreements.indicators import INDICATORS
from monitor.core.objectives.budget import BudgetFigure, Burn
from monitor.core.objectives.consequence import Consequence, Evidence
from monitor.core.objectives.status import ObjectiveVerdict, Verdict, WindowStatus
from monitor.core.series.figures import Figure
from monitor.core.series.series import SeriesKey
from monitor.core.series.sketch import add
from monitor.counters import DELAY_BOUNDS, Durations, PartitionStats
from monitor.metrics.exporter import page_of
from monitor.metrics.snapshot import ReceiverStats, Snapshot, SourcePartition

NOW_MS = 1_790_000_000_000

VALUES = {"ratio": 0.95, "ms": 12_500.0, "count": 3.0, "amount": 4_000.0}


def figures(kind, **values):
    """Every indicator of a kind, 19/20 or 12.5 s or 3, unless told otherwise (None: nothing was offered)."""
    return tuple(
        Figure(
            name, values.get(name, VALUES[one.unit]), 19.0, 0.0 if values.get(name, 1) is None else 20.0, one.unit, name
        )
        for name, one in INDICATORS[kind].items()
    )


def verdict(word: Verdict = "on_track", **changes):
    one = ObjectiveVerdict("responded-in-time", "compliance", ">=", 0.9, 0.93, 0.95, 20, 10, word)
    return one._replace(**changes)


def status(
    kind="clock", *, agreement="desk", measure=None, labels=None, window="24h", verdicts=(), live=None, **values
):
    labels = {"priority": "P1"} if labels is None else labels
    return WindowStatus(
        series=SeriesKey(agreement, measure or kind, tuple(labels.values())),
        labels=labels,
        window=window,
        from_ms=NOW_MS - 86_400_000,
        to_ms=NOW_MS,
        as_of_ms=NOW_MS,
        version=1,
        figures=figures(kind, **values),
        verdicts=tuple(verdicts),
        live=live or {},
    )


def measured(*seconds, bounds=DELAY_BOUNDS):
    seen = Durations(bounds)
    for one in seconds:
        seen.add(one)
    return seen


def durations(*seconds):
    return measured(*seconds).histogram()


def partition(topic="tickets", number=0, **changes):
    stats = PartitionStats(
        events=1_200,
        batches=30,
        position=93,
        highwater=100,
        open=True,
        caught_up=True,
        skipped=2,
        holes=3,
        rereads=1,
        faults=2,
        set_aside=1,
        lost=0,
        rows=400,
        restored_rows=390,
        restore_seconds=0.25,
        batch_seconds=measured(0.003, 0.02),
        commit_seconds=measured(0.004),
        tick_delay_seconds=measured(0.03),
    )
    shown = SourcePartition(
        topic=topic,
        partition=number,
        stats=stats,
        held_seconds=12.5,
        let_go=1,
        kind="ticket" if topic == "tickets" else "call",
        last_event_ms=NOW_MS - 1_500,
    )
    return replace(shown, **changes)


def sketch(*durations_ms):
    buckets = {}
    for one in durations_ms:
        add(buckets, one)
    return buckets


def outcomes(of):
    """A status with a budget that burns, credits and damages to claim, and a right to terminate."""
    evidence = Evidence("availability", 0.99, 0.9995, 99.0, 100.0, "(P - D) / P", (NOW_MS - 9, NOW_MS - 5))
    right = Consequence(
        of.series.agreement, 1, "up", of.series, of.window, of.from_ms, of.to_ms, "termination_right", evidence
    )
    credit = right._replace(
        kind="credit", amount=Decimal("1800.00"), currency="GBP", claim_until_ms=NOW_MS + 86_400_000
    )
    damages = credit._replace(kind="damages", amount=Decimal("75.50"), claim_until_ms=NOW_MS + 3_600_000)
    burns = (Burn("5m", 20.0, 1.0, 10.0), Burn("1h", None, 0.0, 0.0))
    budget = BudgetFigure("up", "events", "ms", 60_000.0, 90_000.0, -30_000.0, 1.5, True, burns)
    none = BudgetFigure("never", "events", "count", 0.0, 1.0, -1.0, None, True, (Burn("1h", None, 1.0, 5.0),))
    return of._replace(budgets=(budget, none), consequences=(right, credit, credit._replace(claim_until_ms=0), damages))


def everything():
    """A snapshot in which every metric has something to show."""
    desk = status("clock", verdicts=[verdict()], live={"open": 4, "paused": 1, "at_risk": 1, "overdue": 1})
    desk = desk._replace(before=((verdict().objective, 0.9),))
    hotline = status("call", labels={"queue": "support"}, live={"waiting": 2, "longest_wait_ms": 41_000})
    sales = status(
        "lead", labels={"team": "field"}, window="month",
        live={"open": 5, "waiting": 2, "late": 1, "following": 3, "longest_wait_ms": 60_000},
    )  # fmt: skip
    return Snapshot(
        now_ms=NOW_MS,
        spreads={
            (desk.series, "24h"): sketch(30_000, 400_000, 400_000, 500_000_000),
            (hotline.series, "24h"): sketch(1_000, 20_000, 700_000),
            (sales.series, "month"): sketch(600_000, 7_200_000),
        },
        statuses=[
            desk,
            hotline,
            sales,
            status("ticket", labels={"team": "desk"}, window="month"),
            outcomes(
                status(
                    "outage",
                    labels={"service": "vpn"},
                    window="30d",
                    live={"open": 1, "oldest_ms": 600_000, "maintenance": 1},
                )
            ),
        ],
        partitions=[partition(), partition("calls", 1)],
        dead_letters={("tickets", "bad_json"): 3},
        alerts={("ticket", "breached"): 5},
        deliveries={("on-call", "delivered"): 6, ("on-call", "retry"): 2},
        not_told={"silenced": 4},
        receivers=[
            ReceiverStats(receiver="on-call", pending=2, oldest_pending_ms=NOW_MS - 90_000, pages=3),
            ReceiverStats(receiver="chat", disabled=True, misconfigured=1),
        ],
        ways={("tickets", "native"): 90, ("tickets", "python"): 10},
        merged={"native": 70, "python": 7},
        native_faults={"tickets": 1},
        repeats={"tickets": 9},
        late={"calls": 1},
        divided={"calls": 3},
        together={"tickets": 3},
        refused={"agreements": 1},
        mapped={"jira-webhooks": 12},
        unmapped={"jira-webhooks": 3},
        due={(desk.series, 2): [NOW_MS + 60_000, NOW_MS + 3_600_000, NOW_MS + 3_600_001]},
        series={("desk", "clock"): (1_000, 29_000)},
        evaluation_seconds={0: 1.5},
        detection_delay=durations(0.02, 0.04, 70.0),
        rebalances=2,
        restores=4,
        stalls=1,
        clock_steps=1,
        cut={"calls": 1},
        cut_off={"no_request": 3, "scrapes": 0},
        unexpected_partitions={"jira-webhooks": 1},
    )


def exposition(snapshot, accept="", **options):
    return page_of(snapshot, accept, **options)[0].decode()


def samples(snapshot, **options):
    """What a scraper reads: ``{(name, labels that are not empty): value}``."""
    found = {}
    for family in text_string_to_metric_families(exposition(snapshot, **options)):
        for sample in family.samples:
            key = sample.name, frozenset((name, value) for name, value in sample.labels.items() if value)
            assert key not in found, f"two samples of {key}: Prometheus refuses the whole scrape"
            found[key] = sample.value
    return found


def value_of(snapshot, name, **labels):
    """The one sample of that name with these labels among its own, or None."""
    wanted = set(labels.items())
    hits = [value for (found, have), value in samples(snapshot).items() if found == name and wanted <= have]
    assert len(hits) <= 1, f"{name} {labels} is not told apart"
    return hits[0] if hits else None
