"""The first hour of a demonstration, watched by the real core under the example agreements.

At 60 × real time a minute of the simulated world is a second of the person who watches.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from monitor.core.outages.figures import outage_figures
from monitor.core.series.series import Pane
from monitor.core.time.units import MINUTE_MS
from monitor.demo.hours import busy_start_ms
from monitor.demo.view import Counters, DemoView, promises
from monitor.metrics.exporter import page_of
from monitor.metrics.snapshot import Snapshot
from tests.demo.world import Watch

START_MS = busy_start_ms(1_790_000_000_000)
AN_ID = re.compile(r"[TOM]-\d{5,6}|(?:SUPPORT|BILLING|SALES)-\d{6}|caller-\d{4}")


@pytest.fixture(scope="module")
def hour():
    return Watch(1, START_MS).until(START_MS + 60 * MINUTE_MS)


def news(watch):
    """Alerts about what happened since the start, with the minute at which they were known."""
    return [((at - START_MS) / MINUTE_MS, alert) for at, alert in watch.noticed if alert.at_ms >= START_MS]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_first_breach_is_seen_within_ten_seconds_of_the_viewer(seed):
    watch = Watch(seed, START_MS).until(START_MS + 8 * MINUTE_MS)
    assert any(alert.state == "breached" and alert.key.kind == "outage" for _, alert in news(watch))


def test_every_kind_of_alert_is_seen_within_the_minute_of_the_viewer(hour):
    seen = {(alert.key.kind, alert.state) for _, alert in news(hour)}
    assert {"at_risk", "breached", "resolved", "voided", "rearmed"} <= {state for _, state in seen}
    assert {"ticket", "outage", "objective"} <= {kind for kind, state in seen if state == "breached"}


def test_the_flooded_queue_misses_its_service_level(hour):
    hits = [
        minute
        for minute, alert in news(hour)
        if alert.key.promise == "service-level-80-20" and alert.state == "breached" and "support" in alert.key.what
    ]
    assert hits
    assert 5 < hits[0] < 30


def test_the_forgotten_ticket_is_announced_at_its_due_instant_with_no_event_at_all(hour):
    acknowledge = [
        (round(minute, 1), alert)
        for minute, alert in news(hour)
        if alert.state == "breached" and alert.key.promise == "acknowledge" and alert.start_ms == START_MS + MINUTE_MS
    ]
    assert [minute for minute, _ in acknowledge] == [11.2]  # it looks each 10 s: the first look after minute 11


def test_the_core_takes_every_event(hour):
    assert hour.rejected == []
    assert hour.events > 2_000


def test_every_promise_of_the_example_agreements_is_measured(hour):
    view = DemoView(
        start_ms=START_MS, now_ms=hour.now_ms, speed=60, ran_s=60, agreements=hour.book.agreements,
        statuses=list(hour.evaluator.latest.values()), counters=Counters(),
    )  # fmt: skip
    silent = [one.objective.id for one in promises(view) if one.worst is None or one.worst[1].value is None]
    assert silent == []


def test_the_work_that_was_announced_is_left_out_of_the_availability(hour):
    agreement = hour.book.latest("network-operator")
    rule = agreement.measure("access")
    records = dict(  # each stands in one pane of every width
        one
        for pane in hour.rows["outage"].rows.values()
        if isinstance(pane, Pane)
        for one in pane.outages.items()
        if one[1].kind == "maintenance" or one[0] in hour.dsl_outages
    )
    assert [record.kind for record in records.values()].count("maintenance") == 1
    span = (START_MS, hour.now_ms, hour.now_ms, agreement.calendars[rule.service_hours])
    with_work, without = (
        {figure.indicator: figure.value for figure in outage_figures(one, records.items(), *span)}
        for one in (rule, replace(rule, exclusion="none"))
    )
    assert without["downtime"] - with_work["downtime"] > 2 * MINUTE_MS
    assert without["availability"] < with_work["availability"] <= 1


def page(watch):
    snapshot = Snapshot(
        now_ms=watch.now_ms, agreements=watch.book.agreements, statuses=list(watch.evaluator.latest.values())
    )
    return page_of(snapshot, "")[0].decode()


def test_the_metrics_of_it_never_hold_the_id_of_anything(hour):
    text = page(hour)
    assert AN_ID.search("SUPPORT-000012")
    assert not AN_ID.search(text)
    for name in ("sla_clock_compliance_ratio", "sla_call_service_level_ratio", "sla_outage_availability_ratio"):
        assert f"\n{name}{{" in text


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not installed")
def test_promtool_accepts_the_metrics_of_it(hour):
    told = subprocess.run(
        ["promtool", "check", "metrics"], input=page(hour), text=True, capture_output=True, timeout=30, check=False
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
