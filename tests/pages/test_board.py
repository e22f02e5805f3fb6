"""The board: the time that is left by the hours of the promise, and objectives counted as objectives."""

from __future__ import annotations

import pytest

from monitor.config.agreements.checking import book_of, parse_document
from monitor.core.alerts.alert import Alert, AlertKey
from monitor.core.time.units import HOUR_MS, MINUTE_MS
from monitor.pages.board import board
from monitor.pages.filters import Filters
from monitor.pages.site import Site
from monitor.pages.viewers import EVERYBODY, NOBODY, View
from monitor.read_model.live import Live
from monitor.read_model.overview import OLD_MS, Out, Overview
from monitor.wire.instants import parse_rfc3339
from monitor.wire.markers import ClockMarker, encode_clock_marker
from tests.pages import records
from tests.pages.conftest import Still

DESK = {
    "agreement": "desk", "version": 1, "valid_from": "2020-01-01", "name": "Desk", "form": "customer",
    "provider": "IT", "customer": "Finance", "service": "Mail", "status": "accepted", "accepted_by": "Dana",
    "accepted_on": "2019-12-01", "zone": "Europe/Berlin", "covers": {"customer": ["finance", "hr"]},
    "contacts": [{"role": "on-call", "name": "Desk", "email": "desk@it.example"}],
    "calendars": {"office": {"hours": {"mon-fri": "09:00-17:00"}}},
    "clocks": [{"id": "fix", "metric": "resolution", "calendar": "office", "targets": {"*": "4h"}}],
}  # fmt: skip
FRIDAY_16 = parse_rfc3339("2026-03-06T16:00:00+01:00")
MONDAY_10 = parse_rfc3339("2026-03-09T10:00:00+01:00")


def agreement(**changes):
    return book_of([parse_document(DESK | changes, "desk")]).agreements[0]


def alert(state="at_risk", due_ms=MONDAY_10, what="T-1", **details):
    return Alert(
        f"{what}-{state}", AlertKey("ticket", what, "desk", "fix", 1), state, FRIDAY_16, "elapsed_75", 1,
        {"agreement": "desk", "promise": "fix", "subject": "ticket"}, due_ms=due_ms, budget_ms=4 * HOUR_MS,
        details=tuple(details.items()),
    )  # fmt: skip


def shown(*alerts, now_ms=FRIDAY_16, as_of_ms=None, filters=Filters(), speed=1.0):  # noqa: B008 - it never changes
    desk = agreement()
    out = tuple(Out(one, None) for one in alerts)
    found = Overview(now_ms, now_ms if as_of_ms is None else as_of_ms, (desk,), (), out, speed)
    return board(found, filters, lambda _id, _version: desk)


def test_time_left_counts_the_open_hours_of_the_promise_not_the_weekend():
    (one,) = shown(alert()).next
    # Friday 16:00 to 17:00, and Monday 9:00 to 10:00.
    assert (one.left_ms, one.runs, one.used) == (2 * HOUR_MS, True, 0.5)


def test_while_the_calendar_is_closed_the_time_left_stands_still():
    evening, night = (shown(alert(), now_ms=FRIDAY_16 + hours * HOUR_MS).next[0] for hours in (2, 9))
    assert (evening.left_ms, evening.runs) == (night.left_ms, night.runs) == (HOUR_MS, False)


def test_what_was_missed_is_late_by_open_hours_too():
    (one,) = shown(alert("breached", due_ms=FRIDAY_16), now_ms=MONDAY_10).missed
    assert one.left_ms == -2 * HOUR_MS


def test_the_one_with_the_least_open_time_left_comes_first():
    # By the wall clock T-2 has a weekend more than T-1, by open hours less of everything.
    soon, later = alert(what="T-1"), alert(what="T-2", due_ms=MONDAY_10 - 30 * MINUTE_MS)
    assert [one.alert.key.what for one in shown(soon, later).next] == ["T-2", "T-1"]


def test_a_clock_at_risk_that_is_past_its_due_instant_and_not_announced_is_paused():
    found = shown(alert(), now_ms=MONDAY_10 + HOUR_MS)
    assert (found.next, [one.is_held for one in found.held]) == ((), [True])


def test_while_the_monitor_is_late_nobody_says_that_a_clock_is_paused():
    found = shown(alert(), now_ms=MONDAY_10 + HOUR_MS, as_of_ms=MONDAY_10 - HOUR_MS)
    assert found.late_ms == 2 * HOUR_MS
    assert (len(found.next), found.held) == (1, ())


@pytest.mark.parametrize(("speed", "is_late"), [(1, True), (3600, False)])
def test_the_monitor_is_late_by_its_own_clock(speed, is_late):
    found = shown(now_ms=FRIDAY_16, as_of_ms=FRIDAY_16 - OLD_MS - 1, speed=speed)
    assert (found.late_ms is not None) == is_late


def test_a_filter_keeps_what_is_not_split_by_it():
    hr, finance, nobody = alert(what="T-1", customer="hr"), alert(what="T-2", customer="finance"), alert(what="T-3")
    found = shown(hr, finance, nobody, filters=Filters(customer="hr"))
    assert [one.alert.key.what for one in found.next] == ["T-1", "T-3"]
    assert shown(nobody, filters=Filters(customer="logistics")).next == ()  # the agreement does not cover it


def test_objectives_are_counted_once_however_many_series_and_windows_miss_them(world, watched):
    overview = world.overview(watched.now_ms)
    found = board(overview, Filters(), world.text_of)
    broken = {
        (one.status.series.agreement, one.verdict.objective)
        for one in overview.lines if one.verdict.verdict == "breached"
    }  # fmt: skip
    assert found.objectives("breached") == len(broken)
    assert sum(one.verdict.verdict == "breached" for one in overview.lines) > len(broken)
    assert len(found.standings) == sum(len(one.objectives) for one in overview.agreements)
    assert [one.verdict for one in found.standings[: len(broken)]] == ["breached"] * len(broken)


def test_the_budget_with_the_least_left_comes_first_each_in_its_longest_window(world, watched):
    found = board(world.overview(watched.now_ms), Filters(), world.text_of).budgets
    assert [one.left for one in found] == sorted(one.left for one in found)
    assert len({(one.status.series, one.figure.objective) for one in found}) == len(found) > 2
    assert {one.status.window for one in found} <= {"month", "30d"}


def test_open_work_is_counted_once_for_each_series_not_for_each_window(world, watched):
    found = board(world.overview(watched.now_ms), Filters(agreement="call-centre"), world.text_of)
    by_series = {
        one.series: one.live["open"] for one in watched.evaluator.latest.values() if one.series.measure == "callback"
    }
    (callback,) = [one for one in found.work if one.measure == "callback"]
    assert callback.gauges["open"] == sum(by_series.values())


def test_open_work_is_that_of_the_window_that_was_judged_last(said, watched):
    month = next(
        one for one in watched.evaluator.latest.values() if (one.series.measure, one.window) == ("all-calls", "month")
    )
    later = month._replace(as_of_ms=month.as_of_ms + 1, live={"waiting": 7, "longest_wait_ms": HOUR_MS})
    live = Live(records.TOPICS)
    live.take([*said, records.status(later)])
    found = board(live.overview(watched.now_ms), Filters(agreement="call-centre"), live.text_of)
    assert (found.most("call", "waiting"), found.longest("call", "longest_wait_ms")) == (7, HOUR_MS)


def test_the_model_keeps_the_newest_of_each_key_and_no_more_than_its_bounds(said):
    live = Live(records.TOPICS)
    live.take(said)
    version, alerts = live.version, len(list(live.alerts()))
    assert (version, alerts > 100, live.unreadable) == (1, True, 0)
    live.take([records.record(records.TOPICS.alerts, b"key", b"not ours")])
    assert (live.version, live.unreadable) == (2, 1)


def test_a_board_is_made_once_for_all_who_ask_for_the_same_and_anew_after_news(said, clock):
    live = Live(records.TOPICS)
    live.take(said)
    site = Site(Still(live), clock)
    first, again = (site.board(View(live, EVERYBODY, clock.now_ms()), Filters()) for _ in range(2))
    assert first is again
    assert site.board(View(live, EVERYBODY, clock.now_ms()), Filters(customer="hr")) is not first
    assert site.board(View(live, NOBODY, clock.now_ms()), Filters()) is not first
    clock.advance(1_000)
    assert site.board(View(live, EVERYBODY, clock.now_ms()), Filters()).now_ms == clock.now_ms()
    later = site.board(View(live, EVERYBODY, clock.now_ms()), Filters())
    live.take([])
    assert site.board(View(live, EVERYBODY, clock.now_ms()), Filters()) is not later


def test_the_time_of_the_pages_is_that_of_the_clock_that_the_topics_tell(clock):
    live = Live(records.TOPICS)
    site = Site(Still(live), clock)
    assert (site.now_ms(), live.overview(site.now_ms()).speed) == (clock.now_ms(), 1.0)

    told = ClockMarker(wall_ms=clock.now_ms(), clock_ms=FRIDAY_16, speed=60)
    live.take([records.record(records.TOPICS.markers, *encode_clock_marker(told))])
    clock.advance(MINUTE_MS)

    assert (site.now_ms(), live.overview(site.now_ms()).speed) == (FRIDAY_16 + HOUR_MS, 60)


def test_progress_of_other_topics_and_strange_records_tell_no_time(clock):
    live = Live(records.TOPICS)
    live.take([
        records.record(records.TOPICS.markers, b"jira/0", b"{}"), records.record(records.TOPICS.markers, b"clock", b"{")
    ])  # fmt: skip
    assert Site(Still(live), clock).now_ms() == clock.now_ms()
    assert live.unreadable == 1
