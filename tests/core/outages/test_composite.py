"""Composite services: down where a part is, redundant services where all of them are (domain.md §5).

A portal needs the web server, the database, and one of two application servers.
"""

import pytest

from monitor.core.agreements.indicators import INDICATORS
from monitor.core.agreements.measures import CompositeRule
from monitor.core.outages.composite import composite_records
from monitor.core.outages.figures import outage_figures
from monitor.core.series.panes import apply
from monitor.core.series.series import LIVE, OutageRecord, SeriesKey
from monitor.core.time.windows import Window
from tests.core.stage import Stage
from tests.core.stories import Story, agreement, event, ms, when

MINUTE_MS = 60_000
DAY = Window("day")
PARTS = (("web",), ("db",), ("app-1", "app-2"))


def rule(**more):
    return CompositeRule(id="portal", windows=(DAY,), **{"parts": PARTS, **more})


def down(component, start, end=None, weight=1.0, kind="outage", announced=0):
    ended_ms = 0 if end is None else ms(end)
    weights = ((ms(start), weight),) if kind == "outage" else ()
    return OutageRecord(
        kind, ms(start), restored_ms=ended_ms, weights=weights, component=component, announced_ms=announced
    )


def stretches(*records, kind="outage", **more):
    found = composite_records(rule(**more), [(f"O-{number}", one) for number, one in enumerate(records)])
    return [
        (when(one.start_ms), when(one.restored_ms) if one.restored_ms else "", [weight for _, weight in one.weights])
        for _, one in found if one.kind == kind
    ]  # fmt: skip


def figures(*records, until="Mon 10:00", **more):
    found = outage_figures(
        rule(**more), [(f"O-{number}", one) for number, one in enumerate(records)],
        ms("Mon 00:00"), ms(until), ms(until), None,
    )  # fmt: skip
    return {one.indicator: one for one in found}


def test_a_series_part_takes_the_service_down():
    assert stretches(down("web", "Mon 01:00", "Mon 02:00")) == [("Mon 01:00", "Mon 02:00", [1.0])]


def test_one_of_two_redundant_services_does_not():
    assert stretches(down("app-1", "Mon 01:00", "Mon 02:00")) == []


def test_redundant_services_take_it_down_while_both_are_down():
    #  app-1  ──01──────────03
    #  app-2        02──────────04
    both = down("app-1", "Mon 01:00", "Mon 03:00"), down("app-2", "Mon 02:00", "Mon 04:00")

    assert stretches(*both) == [("Mon 02:00", "Mon 03:00", [1.0])]


def test_the_least_of_redundant_weights_and_the_largest_of_the_parts_count():
    weights = (
        down("app-1", "Mon 01:00", "Mon 03:00", 0.5), down("app-2", "Mon 01:00", "Mon 03:00", 0.8),
        down("web", "Mon 02:00", "Mon 04:00", 0.2),
    )  # fmt: skip

    assert stretches(*weights) == [("Mon 01:00", "Mon 04:00", [0.5, 0.2])]
    assert stretches(*weights, overlap="sum") == [("Mon 01:00", "Mon 04:00", [0.5, 0.7, 0.2])]


def test_parts_that_fail_one_after_the_other_without_a_gap_are_one_failure():
    both = down("web", "Mon 01:00", "Mon 02:00"), down("db", "Mon 02:00", "Mon 03:00")

    assert stretches(*both) == [("Mon 01:00", "Mon 03:00", [1.0])]
    assert figures(*both)["failures"].value == 1


def test_redundant_services_that_take_turns_do_not_take_it_down():
    turns = (
        down("app-1", "Mon 01:00", "Mon 02:00"), down("app-2", "Mon 02:00", "Mon 03:00"),
        down("app-1", "Mon 03:00", "Mon 04:00"),
    )  # fmt: skip

    assert stretches(*turns) == []


def test_it_is_open_while_a_part_is():
    assert stretches(down("web", "Mon 01:00")) == [("Mon 01:00", "", [1.0])]
    assert stretches(down("app-1", "Mon 01:00"), down("app-2", "Mon 02:00")) == [("Mon 02:00", "", [1.0])]
    assert stretches(down("app-1", "Mon 01:00"), down("app-2", "Mon 02:00", "Mon 02:30")) == [
        ("Mon 02:00", "Mon 02:30", [1.0])
    ]


def test_its_figures_are_those_of_any_other_service():
    #  10 h: web 1 h, both app servers 30 min of which 10 in web's
    found = figures(
        down("web", "Mon 01:00", "Mon 02:00"), down("app-1", "Mon 01:50", "Mon 05:00"),
        down("app-2", "Mon 00:30", "Mon 02:20"), down("db", "Mon 09:30"),
    )  # fmt: skip

    assert found.keys() == {name for name, one in INDICATORS["outage"].items() if not one.needs}
    assert found["downtime"].value == 110 * MINUTE_MS
    assert found["availability"].value == pytest.approx(490 / 600)
    assert (found["failures"].value, found["mtbf"].value) == (2, 245 * MINUTE_MS)


def test_maintenance_excuses_it_where_it_concerns_a_whole_part():
    work = (
        down("app-1", "Mon 01:00", "Mon 03:00", kind="maintenance", announced=1),
        down("app-2", "Mon 02:00", "Mon 04:00", kind="maintenance", announced=1),
        down("db", "Mon 06:00", "Mon 06:30", kind="maintenance", announced=1),
    )

    assert stretches(*work, kind="maintenance") == [
        ("Mon 02:00", "Mon 03:00", []), ("Mon 06:00", "Mon 06:30", []),
    ]  # fmt: skip
    found = figures(*work, down("web", "Mon 02:30", "Mon 03:30"), notice_ms=MINUTE_MS)
    assert found["availability"].denominator == (600 - 90) * MINUTE_MS
    assert found["downtime"].value == 30 * MINUTE_MS, "the half hour in the announced window is excused"


def test_blind_time_counts_where_a_whole_part_is_unseen():
    blind = (
        down("app-1", "Mon 01:00", "Mon 03:00", kind="blind"), down("app-2", "Mon 02:00", kind="blind"),
        down("db", "Mon 09:00", kind="blind"),
    )  # fmt: skip

    assert stretches(*blind, kind="blind") == [("Mon 02:00", "Mon 03:00", []), ("Mon 09:00", "", [])]
    assert figures(*blind)["coverage"].value == pytest.approx(8 / 10)


# -- from events to the windows


def changes(*told):
    """The changes of the composite series that these events make, as (subject, time, type, service)."""
    story = Story(agreement(rule()), subject="outage")
    for subject, time, kind, service in told:
        story.at(time, event("outage", subject, kind, service=service))
    return [change for key, row in story.rows.items() if key[:1] == b"s" for change in row.shown]


def test_an_outage_of_a_component_stands_in_the_series_of_the_composite_service():
    found = changes(("O-1", "Mon 01:00", "started", "web"), ("O-1", "Mon 02:00", "restored", "web"))

    assert [(one.series, one.outage[1].component) for one in found] == [(SeriesKey("desk", "portal", ()), "web")]


def test_the_window_shows_whether_the_composite_service_is_down_and_not_whether_anything_is():
    stage = Stage(agreement(rule()))
    key = SeriesKey("desk", "portal", ())
    for one in changes(("O-1", "Mon 01:00", "started", "app-1")):
        stage.change(one, source="outages/0")
    stage.look("Mon 02:00")
    assert stage.latest(series=key).live == {"open": 0, "oldest_ms": 0, "blind": 0}
    assert stage.value("availability", series=key) == 1

    # The other one is known from another partition: the series is made of all of them.
    for one in changes(("O-2", "Mon 02:00", "started", "app-2")):
        stage.change(one, source="outages/1")
    stage.look("Mon 04:00")
    assert stage.latest(series=key).live == {"open": 1, "oldest_ms": 120 * MINUTE_MS, "blind": 0}
    assert stage.value("availability", series=key) == 0.5


def test_a_composite_service_that_never_failed_is_shown_from_the_beginning():
    stage = Stage(agreement(rule()), owns=lambda _: True)

    stage.look("Mon 04:00")

    assert stage.value("availability", series=SeriesKey("desk", "portal", ())) == 1


def test_what_is_taken_out_leaves_nothing_behind():
    from monitor.core.series.series import empty_pane  # noqa: PLC0415 - of this test alone

    made = changes(("O-1", "Mon 01:00", "started", "web"), ("O-2", "Mon 01:00", "monitoring_lost", "db"))
    live, sliced = empty_pane(), empty_pane()
    for one in (*made, *(change.undone() for change in made)):
        apply([live if one.at_ms == LIVE else sliced], one)
    assert live == sliced == empty_pane()
