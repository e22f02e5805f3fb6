"""The fold of a partition: what time does to rows and panes."""

import pytest

from monitor.core.agreements.agreement import Notify, Step
from monitor.core.agreements.book import Book
from monitor.core.agreements.lead_measure import LeadRule
from monitor.core.agreements.measures import CallRule, OutageRule
from monitor.core.alerts.alert import AlertKey
from monitor.core.clocks import terms as plans
from monitor.core.facts.events import Event, Fact
from monitor.core.paging.pages import fitting
from monitor.core.series.longest import FROM, MOST
from monitor.core.series.series import PaneKey, SeriesKey, decode_pane_key
from monitor.core.subjects.rows import subject_key
from monitor.core.time.units import HOUR_MS
from monitor.core.time.windows import Window
from tests.core.stories import DAY_MS, MONDAY_MS, Story, agreement, clock, ms, ticket

HOUR = Window("rolling", 3_600_000)
DESK = agreement(clock(at_risk=(), windows=(HOUR,)))


def panes(story):
    return [decode_pane_key(key) for key in story.rows if key[:1] == b"p"]


def test_time_passes_over_keys_of_panes_and_over_rows_that_are_gone():
    story = Story(DESK).at("Mon 09:00", ticket("T-1", "opened"))
    keys = [*story.rows, subject_key("nobody")]

    effects = story.engine.due(keys, ms("Mon 10:00"), story.book)

    assert (effects.alerts, effects.panes, list(story.rows)) == ([], {}, keys[:-1])


def test_a_row_that_time_does_not_change_is_not_written():
    story = Story(DESK).at("Mon 09:00", ticket("T-1", "opened"))
    written = []
    story.put = lambda key, row: written.append((key, row))  # the engine asks for it at each use

    story.engine.due([subject_key("T-1")], ms("Mon 10:00"), story.book)
    assert written == []
    story.engine.due([subject_key("T-1")], ms("Mon 13:01"), story.book)
    assert written[0][0] == subject_key("T-1")


def test_panes_go_a_few_at_a_time_when_no_window_needs_them_and_what_comes_after_is_too_late():
    story = Story(DESK, retention="30d")
    assert story.engine.next_expiry_ms() is None
    story.at("Mon 09:00", ticket("T-1", "opened"), ticket("T-2", "opened"))
    story.at("Mon 10:00", ticket("T-1", "resolved"))
    story.at("Mon 10:05", ticket("T-2", "resolved"))
    first_ms = story.engine.next_expiry_ms()
    kept_ms = first_ms - ms("Mon 10:00")
    assert kept_ms > HOUR.length_ms
    assert len(panes(story)) == 3  # of two minutes, and the live one

    assert story.engine.expire(first_ms - 1) == []
    (gone,) = story.engine.expire(first_ms + DAY_MS, limit=1)
    assert gone.start_ms == ms("Mon 10:00")
    (gone,) = story.engine.expire(first_ms + DAY_MS, limit=1)
    assert gone.start_ms == ms("Mon 10:05")
    assert [one.width for one in panes(story)] == ["live"]

    late = ticket("T-1", "reopened"), ticket("T-1", "resolved")
    stamped = [one._replace(fact=one.fact._replace(time_ms=ms("Mon 10:01") + place)) for place, one in enumerate(late)]
    effects = story.engine.batch(stamped, first_ms + DAY_MS, story.book)
    assert effects.too_late
    assert not [one for one in panes(story) if one.width == "minute"]


def test_panes_whose_expiry_was_taken_back_go_an_hour_later():
    """Given panes that expire in a tick that fails, when an hour has passed, then they go: no restart is needed."""
    story = Story(DESK, retention="30d")
    story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "resolved"))
    rows, expiry_ms = dict(story.rows), story.engine.next_expiry_ms()
    story.engine.remember()
    assert story.engine.expire(expiry_ms)

    story.rows = rows
    story.engine.recall()

    assert story.engine.next_expiry_ms() == expiry_ms + HOUR_MS
    assert [key.width for key in story.engine.expire(expiry_ms + HOUR_MS)] == ["minute"]
    assert [one.width for one in panes(story)] == ["live"]


def test_what_was_taken_back_lets_nothing_be_too_late():
    story = Story(DESK, retention="30d").at("Mon 09:00", ticket("T-1", "opened"), ticket("T-2", "opened"))
    story.engine.remember()
    story.engine.expire(ms("Mon+9 00:00"))
    story.engine.recall()

    late = Event("ticket", "T-2", Fact(ms("Mon 10:30"), 0, "late", "resolved", {}))
    assert not story.engine.batch([late], ms("Mon 11:00"), story.book).too_late


def test_a_pane_that_was_never_committed_expires_without_a_word():
    story = Story(DESK, retention="30d").at("Mon 09:00", ticket("T-1", "opened"))
    rows = dict(story.rows)
    story.engine.remember()
    story.at("Mon 10:00", ticket("T-1", "resolved"))
    expiry_ms = story.engine.next_expiry_ms()

    story.rows = rows
    story.engine.recall()

    assert story.engine.expire(expiry_ms) == []
    assert story.engine.next_expiry_ms() is None


def test_what_a_measure_had_is_taken_out_of_no_pane_once_no_agreement_knows_it():
    story = Story(DESK).at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "resolved"))
    before = {key: row for key, row in story.rows.items() if key[:1] == b"p"}
    story.amend(agreement(clock("first_response")))

    effects = story.engine.due([subject_key("T-1")], ms("Mon 11:00"), story.book)

    assert SeriesKey("desk", "resolution", ("",)) not in {key.series for key in effects.panes}
    assert {key: story.rows[key] for key in before} == before


def test_a_restored_engine_lets_the_panes_of_before_expire():
    story = Story(DESK).at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "resolved"))
    expiry_ms = story.engine.next_expiry_ms()

    engine = story.restart().engine
    engine.due([], ms("Mon 10:00"), story.book)  # it learns the book

    assert engine.next_expiry_ms() == expiry_ms
    assert [key.width for key in engine.expire(expiry_ms)] == ["minute"]


def test_a_clock_that_goes_on_past_its_next_instant_is_told_at_once():
    # resumed at 12:00 with 3 h 30 min of 4 h elapsed; it arrives when it is already due
    story = Story(agreement(clock(at_risk=()))).at("Mon 08:00", ticket("T-1", "opened"))
    story.at("Mon 11:30", ticket("T-1", "paused"))
    story.at("Mon 12:00", ticket("T-1", "resumed"), now="Mon 13:00")
    assert story.told() == ["breached Mon 12:30"]


def test_terms_are_not_kept_for_ever(monkeypatch):
    monkeypatch.setattr(plans, "_MOST_TERMS", 2)
    rule = clock(budgets={"P1": "1h", "P2": "2h", "P3": "3h"}, at_risk=())
    desk = agreement(rule)
    plan = plans.Plan(Book((desk,), 1))

    found = [plan.terms_for(desk, rule, priority, MONDAY_MS).budget_ms for priority in ("P1", "P2", "P3", "P1")]

    assert found == [3_600_000, 7_200_000, 10_800_000, 3_600_000]
    assert len(plan._terms) <= 2


def test_the_newest_version_of_an_agreement_is_the_last_that_begins():
    book = Book((agreement(version=2, valid_from=DAY_MS), agreement(version=1)))
    assert book.latest("desk").version == 2
    assert book.latest("nobody") is None


def test_a_measure_says_of_whose_subjects_it_is():
    assert clock(subject="lead", metric="follow_up").subject_kind == "lead"
    assert OutageRule(id="supply").subject_kind == "outage"
    assert CallRule(id="calls", answer_within_ms=20_000).subject_kind == "call"
    assert LeadRule(id="leads").subject_kind == "lead"


def test_everybody_who_is_told_of_alerts_is_named_once():
    notify = Notify(receivers=("desk",), at_risk=("lead", "desk"), escalation=(Step(60_000, ("boss", "desk")),))
    assert notify.everybody() == {"desk", "lead", "boss"}


def test_a_key_tells_its_parts_apart_whatever_they_hold():
    plain = AlertKey("ticket", "T-1", "desk", "resolution", 1)
    assert plain.text() == "ticket/T-1/desk/resolution/1"
    assert plain._replace(what="a/b", agreement="50%").text() == "ticket/a%2Fb/50%25/resolution/1"
    assert plain._replace(what="a", agreement="b/desk").text() != plain._replace(what="a/b").text()


def test_a_notice_holds_as_many_alerts_as_fit_and_at_least_one():
    story = Story(agreement(clock(at_risk=())))
    story.at("Mon 09:00", *(ticket(f"T-{number}", "opened") for number in range(3))).until("Mon 14:00")
    huge = [one._replace(labels={"customer": "x" * 10_000_000}) for one in story.alerts]
    assert fitting(story.alerts) == tuple(story.alerts)
    assert fitting(huge) == (huge[0],)


def test_a_pane_is_found_under_the_key_that_it_was_put_under():
    story = Story(DESK).at("Mon 09:00", ticket("T-1", "opened", priority="P1"))
    assert panes(story) == [PaneKey(SeriesKey("desk", "resolution", ("P1",)), "live", 0)]


@pytest.mark.parametrize("is_turned", [False, True])
def test_what_a_pane_lists_does_not_tell_which_ticket_of_a_batch_came_first(is_turned):
    story = Story(agreement(clock("resolution", {"*": "8h"}, cycles="sum", windows=(Window("day"),))))
    story.at("Mon 08:00", *(ticket(f"T-{number}", "opened") for number in range(MOST + 1)))
    for number in range(MOST):
        story.at(f"Mon 09:{number:02}", ticket(f"T-{number}", "resolved"))

    events = [ticket("T-0", "reopened"), ticket(f"T-{MOST}", "resolved")]
    story.at("Mon 10:00", *(reversed(events) if is_turned else events))

    pane = story.pane(SeriesKey("desk", "resolution", ("",)), "day", ms("Mon 00:00"))
    hour, minute = 3_600_000, 60_000
    expected = {hour + number * minute: 1 for number in range(1, MOST)} | {2 * hour: 1}
    assert pane.longest == expected | {FROM: 1 + hour}
