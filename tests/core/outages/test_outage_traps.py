"""Traps and golden values of outages (domain.md §5 and §10, domain.md §11), each by its name."""

from dataclasses import replace

import pytest

from monitor.core.agreements.measures import OutageRule
from monitor.core.agreements.objectives import Objective
from monitor.core.objectives.verdicts import judge
from monitor.core.outages.figures import outage_figures
from monitor.core.outages.outages import BLIND, outage_changes
from monitor.core.series.series import LIVE, Change, OutageRecord, SeriesKey
from monitor.core.time.periods import period
from monitor.core.time.windows import Window
from tests.core.outages.test_outages import RULE, SERIES, at, changes_of, ledger
from tests.core.stage import Stage, figure
from tests.core.stories import DAY_MS, Story, agreement, event, ms, when
from tests.core.windows.test_indicators import HOUR_MS, MINUTE_MS, outage, outages

DAY = Window("day")


# -- golden values


def test_99_895_percent_is_shown_as_99_90_and_is_a_miss_against_99_9():
    found = outages(outage(0, 105), minutes=100_000)
    promise = Objective(
        id="up", measure="outages", indicator="availability", comparison=">=", target=0.999, windows=(DAY,)
    )

    verdict = judge(promise, tuple(found.values()), 0, calendar=True, closed=True)

    assert f"{verdict.value:.1%}" == "99.9%", "rounded, it would be kept"
    assert verdict.verdict == "breached"


@pytest.mark.parametrize(("month", "hours"), [("2026-03", 743), ("2026-10", 745), ("2026-11", 720)])
def test_an_hour_down_in_a_month_is_of_the_hours_that_the_month_has_in_its_zone(month, hours):
    from datetime import UTC, datetime  # noqa: PLC0415 - of this test alone

    noon_ms = int(datetime.fromisoformat(f"{month}-15T12:00").replace(tzinfo=UTC).timestamp()) * 1_000
    span = period("Europe/London", "month", noon_ms)
    one = OutageRecord("outage", noon_ms, restored_ms=noon_ms + HOUR_MS)

    found = outage_figures(OutageRule(id="o"), [("O-1", one)], *span, span.end_ms, None)

    assert found[0].value == (hours - 1) / hours


def test_half_of_the_customers_down_for_two_hours_is_an_hour():
    assert outages(outage(0, 120, weights=[(0, 0.5)]), minutes=240)["downtime"].value == HOUR_MS


# -- weights by severity

BY_SEVERITY = replace(RULE, weights={"sev1": 1.0, "sev2": 0.5, "*": 0.1})


def weights_of(*facts):
    (record,) = [one.outage[1] for one in changes_of(*facts, rule=BY_SEVERITY) if one.outage]
    return [((from_ms - at(0)) / MINUTE_MS, weight) for from_ms, weight in record.weights]


def test_an_outage_weighs_by_its_severity():
    assert weights_of(("started 0", {"severity": "sev2"})) == [(0, 0.5)]
    assert weights_of(("started 0", {"severity": "sev9"})) == [(0, 0.1)], "all the others"
    assert weights_of("started 0") == [(0, 1.0)], "nobody told how bad it is"


def test_a_severity_that_changes_is_a_step_and_one_that_does_not_is_none():
    assert weights_of(
        ("started 0", {"severity": "sev2"}), ("impact_changed 5", {"severity": "sev2"}),
        ("degraded 9", {"severity": "sev1"}), "impact_changed 12",
    ) == [(0, 0.5), (9, 1.0)]  # fmt: skip


def test_a_weight_and_customers_come_before_the_severity():
    assert weights_of(("started 0", {"severity": "sev2", "weight": 0.7})) == [(0, 0.7)]
    told = {"severity": "sev2", "customers_affected": 1, "customers_total": 4}
    assert weights_of(("started 0", told)) == [(0, 0.25)]


# -- child and parent


def test_a_child_of_a_counted_outage_adds_no_failure_and_no_downtime():
    parent = outage(10, 60)
    child = outage(20, 70)._replace(parent="O-0")

    found = outages(parent, child, minutes=600)

    assert (found["failures"].value, found["downtime"].value) == (1, 60 * MINUTE_MS)
    assert found["mttr_restore"].denominator == 2, "both were repaired"


def test_the_parent_that_counts_is_the_newest_that_was_told():
    facts = ledger(("started 0", {"parent": "O-7"}), ("acknowledged 3", {"parent": "O-9"}), "restored 9")

    (change,) = outage_changes("O-1", facts, RULE, SERIES)

    assert change.outage[1].parent == "O-9"


def test_a_parent_that_a_skewed_clock_puts_into_the_future_has_not_happened_yet():
    parent = outage(500, 600)
    child = outage(20, 70)._replace(parent="O-0")

    assert outages(parent, child, minutes=600, now=100)["failures"].value == 1


# -- blind time


def blind(*facts):
    records = [one.outage[1] for one in changes_of(*facts) if one.outage]
    return [((one.start_ms - at(0)) / MINUTE_MS, (one.restored_ms - at(0)) / MINUTE_MS) for one in records]


def test_blind_time_lasts_from_each_loss_to_the_next_return():
    facts = (
        "monitoring_restored 0", "monitoring_lost 5", "monitoring_lost 6", "monitoring_restored 9",
        "monitoring_restored 10", "monitoring_lost 20", "monitoring_restored 30",
    )  # fmt: skip

    assert blind(*facts) == [(5, 9), (20, 30)]


def test_a_monitor_that_is_still_blind_stands_in_the_live_pane():
    record = OutageRecord("blind", at(5))

    assert changes_of("monitoring_lost 5") == [
        Change(SERIES, at(5), (), outage=(f"O-1{BLIND}{at(5)}", record)),
        Change(SERIES, LIVE, (("blind", 1),)),
    ]


def test_a_blind_monitor_is_not_forgotten_and_neither_is_its_return():
    story = Story(agreement(OutageRule(id="outages", by=("service",), windows=(DAY,))), subject="outage")
    story.at("Mon 10:00", event("outage", "probe", "monitoring_lost", service="ring"))
    story.until("Mon+28 00:00")

    story.at("Mon+28 10:00", event("outage", "probe", "monitoring_restored"))

    (change,) = story.row("probe").shown
    assert (when(change.outage[1].start_ms), when(change.outage[1].restored_ms)) == ("Mon 10:00", "Mon+28 10:00")
    assert story.counts("outages", ("ring",)) == {}


RING = SeriesKey("desk", "ring", ())


def unseen(start, end=None):
    record = OutageRecord("blind", ms(start), restored_ms=ms(end) if end else 0)
    return Change(RING, ms(start), (), outage=(f"probe{start}", record))


def down(start, end):
    return Change(RING, ms(start), (), outage=(start, OutageRecord("outage", ms(start), restored_ms=ms(end))))


def test_blind_time_is_neither_up_nor_down_and_what_was_known_in_it_counts():
    stage = Stage(agreement(OutageRule(id="ring", windows=(DAY,))))
    stage.change(unseen("Mon 06:00", "Mon 12:00")).change(down("Mon 11:00", "Mon 13:00")).until("Tue 00:15")

    (statement,) = stage.statements
    assert figure(statement, "coverage") == 19 / 24
    assert figure(statement, "availability") == 17 / 19


def test_a_window_that_nobody_saw_has_no_availability():
    stage = Stage(agreement(OutageRule(id="ring", windows=(DAY,))))
    stage.change(unseen("Mon 00:00")).look("Mon 10:00")

    assert stage.value("coverage", series=RING) == 0
    assert [stage.value(name, series=RING) for name in ("availability", "downtime", "failures")] == [None] * 3


def test_the_coverage_of_a_blind_monitor_is_told_each_minute():
    stage = Stage(agreement(OutageRule(id="ring", windows=(DAY,))))
    stage.change(unseen("Mon 10:00")).change(Change(RING, LIVE, (("blind", 1),)))

    stage.until("Mon 10:03")

    assert [when(one.as_of_ms) for one in stage.statuses][-3:] == ["Mon 10:01", "Mon 10:02", "Mon 10:03"]
    assert stage.latest(series=RING).live["blind"] == 1


def test_blind_time_outside_of_service_hours_takes_nothing_from_the_coverage():
    stage = Stage(agreement(OutageRule(id="ring", windows=(DAY,), service_hours="office")))
    stage.change(unseen("Mon 16:00", "Mon 20:00")).until("Tue 00:15")

    (statement,) = stage.statements
    assert figure(statement, "coverage") == 7 / 8


# -- partial months


def test_a_service_that_began_in_the_middle_of_a_period_has_a_shorter_one():
    rule = OutageRule(id="ring", windows=(DAY,), by=("service",), since_ms={"new": ms("Tue 12:00")})
    stage = Stage(agreement(rule))
    for service in ("new", "old"):
        series = SeriesKey("desk", "ring", (service,))
        record = OutageRecord("outage", ms("Tue 11:00"), restored_ms=ms("Tue 15:00"))
        stage.change(Change(series, ms("Tue 11:00"), (), outage=("O-1", record)))
    stage.until("Wed 00:15")

    found = {one.labels["service"]: one for one in stage.statements if one.to_ms == ms("Wed 00:00")}
    assert (when(found["new"].from_ms), when(found["old"].from_ms)) == ("Tue 12:00", "Tue 00:00")
    assert (figure(found["new"], "availability"), figure(found["old"], "availability")) == (0.75, 20 / 24)


def test_a_period_before_the_service_began_has_no_value():
    rule = OutageRule(id="ring", windows=(DAY,), by=("service",), since_ms={"new": ms("Wed 00:00")})
    stage = Stage(agreement(rule))
    series = SeriesKey("desk", "ring", ("new",))
    record = OutageRecord("outage", ms("Mon 11:00"), restored_ms=ms("Mon 15:00"))
    stage.change(Change(series, ms("Mon 11:00"), (), outage=("O-1", record))).until("Thu 00:15")

    assert [figure(one, "availability") for one in stage.statements] == [None, None, 1.0]


# -- what is long over


def test_an_outage_that_is_repaired_long_after_it_was_restored_counts_in_the_window_of_its_repair():
    stage = Stage(agreement(OutageRule(id="ring", windows=(Window("week"),))))
    record = OutageRecord(
        "outage", ms("Mon 10:00"), restored_ms=ms("Mon 11:00"), resolved_ms=ms("Wed+7 10:00")
    )  # fmt: skip
    stage.change(Change(RING, ms("Mon 10:00"), (), outage=("O-1", record))).look("Thu+7 00:00")

    assert stage.value("mttr_resolve", "week", RING) == 9 * DAY_MS


def test_what_ended_days_before_a_window_is_not_looked_at():
    stage = Stage(agreement(OutageRule(id="ring", windows=(DAY,))))
    stage.change(down("Mon 10:00", "Mon 11:00")).look("Wed 12:00")

    assert stage.value("failures", series=RING) == 0
    stage.change(down("Mon 10:00", "Mon 11:00").undone()).change(down("Mon 10:00", "Wed 06:00")).look("Wed 13:00")
    assert stage.value("downtime", series=RING) == 6 * HOUR_MS, "a correction is seen"
