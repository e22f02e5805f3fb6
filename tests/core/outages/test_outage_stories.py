"""Outages, from facts to clocks and series: the restore promise and what the downtime is made of."""

from collections import Counter

from monitor.core.agreements.measures import OutageRule
from monitor.core.time.windows import Window
from tests.core.stories import Story, agreement, clock, event, ms, when

RULES = (
    clock("acknowledge", {"*": "15m"}, subject="outage", by=("service",)),
    clock("restore", {"*": "4h"}, subject="outage", by=("service",)),
    OutageRule(id="network", by=("service",), windows=(Window("month"),)),
)


def outage(subject_id, type, **more):
    return event("outage", subject_id, type, **more)


def test_an_outage_that_nobody_restores_breaches_at_its_due_instant():
    story = Story(agreement(*RULES), subject="outage")

    story.at("Mon 09:00", outage("O-1", "started", service="dsl")).at("Mon 09:05", outage("O-1", "acknowledged"))
    story.until("Tue 00:00")

    assert story.told(promise="acknowledge") == []
    assert story.told(promise="restore") == ["at_risk Mon 12:00", "breached Mon 13:00"]


def test_a_partial_restoration_does_not_stop_the_clock():
    story = Story(agreement(*RULES), subject="outage")

    story.at("Mon 09:00", outage("O-1", "started", service="dsl", customers_affected=800, customers_total=1000))
    story.at("Mon 10:00", outage("O-1", "restored", customers_affected=200))
    story.at("Mon 14:00", outage("O-1", "restored", customers_affected=0))

    assert story.told(promise="restore") == ["at_risk Mon 12:00", "breached Mon 13:00", "resolved Mon 14:00"]
    pane = next(row for key, row in story.rows.items() if key[:1] == b"p" and getattr(row, "outages", None))
    record = pane.outages["O-1"]
    assert record.weights == ((ms("Mon 09:00"), 0.8), (ms("Mon 10:00"), 0.2))
    assert when(record.restored_ms) == "Mon 14:00"


def test_of_a_cancelled_outage_it_is_known_only_how_long_its_clock_was_overdue():
    story = Story(agreement(*RULES), subject="outage")

    story.at("Mon 09:00", outage("O-1", "started", service="dsl")).at("Mon 09:30", outage("O-1", "cancelled"))

    assert story.told(promise="acknowledge") == ["at_risk Mon 09:11:15", "breached Mon 09:15", "voided Mon 09:30"]
    panes = [row for key, row in story.rows.items() if key[:1] == b"p"]
    assert not any(row.outages for row in panes)
    # A statement of 09:20 counted it as overdue then, and one of 09:30 does not: in and out again.
    counted = sum((Counter(row.counts) for row in panes), Counter())
    assert counted == {"overdue_in": 2, "overdue_out": 2}, "in the panes of a quarter and of a day"


# -- outages that last longer than panes are kept

DAY_LONG = OutageRule(id="network", by=("service",), windows=(Window("rolling", 86_400_000),))


def records(story):
    return [one for key, row in story.rows.items() if key[:1] == b"p" for one in row.outages.values()]


def expired(story, time):
    return [when(key.start_ms) for key in story.engine.expire(ms(time)) if key.width != "live"]


def test_an_outage_that_lasts_for_weeks_is_kept_until_its_end_is_in_no_window_any_more():
    story = Story(agreement(DAY_LONG), subject="outage")
    story.at("Mon 09:00", outage("O-1", "started", service="dsl"))

    assert expired(story, "Mon+21 09:00") == []
    story.at("Mon+21 10:00", outage("O-1", "restored"))
    assert expired(story, "Mon+21 11:00") == []
    assert [when(one.restored_ms) for one in records(story)] == ["Mon+21 10:00"]
    assert expired(story, "Fri+21 10:00") == ["Mon 09:00"]
    assert records(story) == []


def test_the_end_of_a_long_outage_is_never_too_late():
    story = Story(agreement(DAY_LONG), subject="outage")
    story.at("Mon 09:00", outage("O-1", "started", service="dsl"))
    effects = []
    story.take = effects.append

    story.at("Mon+21 10:00", outage("O-1", "restored"))

    assert [one.too_late for one in effects] == [0]


def test_an_outage_that_is_reported_weeks_after_it_began_counts_while_it_lasts():
    story = Story(agreement(DAY_LONG), subject="outage")

    story.at("Mon 09:00", outage("O-1", "started", service="dsl"), now="Mon+21 09:00")

    assert [when(one.start_ms) for one in records(story)] == ["Mon 09:00"]


def test_an_outage_that_was_over_weeks_ago_is_too_late():
    story = Story(agreement(DAY_LONG), subject="outage")
    happened = [outage("O-1", "started", service="dsl"), outage("O-1", "restored")]
    story.engine.expire(ms("Mon+21 08:59"))

    effects = story.engine.batch(
        [one._replace(fact=one.fact._replace(time_ms=ms("Mon 09:00") + n)) for n, one in enumerate(happened)],
        ms("Mon+21 09:00"), story.book,
    )  # fmt: skip

    assert (effects.too_late, records(story)) == (1, [])


# -- maintenance that is announced long before


def test_maintenance_in_the_far_future_is_still_known_when_it_begins():
    story = Story(agreement(OutageRule(id="network", by=("service",), windows=(Window("month"),))), subject="outage")
    window = {"starts_at_ms": ms("Mon+70 01:00"), "ends_at_ms": ms("Mon+70 05:00")}

    story.at("Mon 09:00", outage("M-1", "maintenance_announced", service="dsl", **window))
    story.until("Sun+63 00:00")  # far longer after the announcement than finished subjects are kept
    story.at("Mon+70 03:00", outage("M-1", "maintenance_ended"))

    assert [(when(one.start_ms), when(one.restored_ms)) for one in records(story)] == [("Mon+70 01:00", "Mon+70 03:00")]
    assert when(story.row("M-1").wake_ms) == "Mon+84 05:00"


def test_cancelled_maintenance_is_over_with_its_cancellation():
    story = Story(agreement(OutageRule(id="network", by=("service",), windows=(Window("month"),))), subject="outage")
    window = {"starts_at_ms": ms("Mon+70 01:00"), "ends_at_ms": ms("Mon+70 05:00")}

    story.at("Mon 09:00", outage("M-1", "maintenance_announced", service="dsl", **window))
    story.at("Tue 09:00", outage("M-1", "cancelled"))

    assert when(story.row("M-1").wake_ms) == "Tue+14 09:00"


def test_in_a_backlog_of_weeks_the_oldest_outage_is_not_too_late():
    story = Story(agreement(DAY_LONG), subject="outage")
    happened = [
        outage("O-1", "started", service="dsl"),
        outage("O-1", "restored"),
        outage("O-2", "started", service="dsl"),
    ]

    effects = story.engine.batch(
        [
            one._replace(fact=one.fact._replace(time_ms=ms(at)))
            for one, at in zip(happened, ("Mon 09:00", "Mon 10:00", "Mon+21 09:00"), strict=True)
        ],
        ms("Mon+21 09:00"), story.book,
    )  # fmt: skip

    assert (effects.too_late, len(records(story))) == (0, 2)
