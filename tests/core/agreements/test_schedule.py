"""When reports of statements are due to those who may see them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.agreement import Rights
from monitor.core.agreements.parties import Party, by_party
from monitor.core.agreements.schedule import Schedule, began_ms, schedule
from tests.core.stories import DAY_MS, agreement, clock

ZONE = "Europe/Berlin"
LATENESS_MS = 15 * 60_000
MONTHLY = Rights(("customer",), "month", (), 5 * DAY_MS)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)


BEGAN = at("2026-01-10")
DESK = agreement(clock(), zone=ZONE, valid_from=BEGAN, allowed_lateness_ms=LATENESS_MS)


def test_the_newest_report_is_that_of_the_last_closed_period_and_the_next_is_due_after_the_running_one():
    last, following = schedule(DESK, MONTHLY, at("2026-04-10T12:00"), BEGAN)
    assert last is not None
    assert following is not None
    assert (last.from_ms, last.to_ms) == (at("2026-03-01"), at("2026-04-01"))
    assert (last.stated_ms, last.due_ms) == (at("2026-04-01") + LATENESS_MS, at("2026-04-06"))
    assert (following.from_ms, following.to_ms, following.due_ms) == (
        at("2026-04-01"), at("2026-05-01"), at("2026-05-06"),
    )  # fmt: skip


def test_a_period_whose_lateness_runs_is_the_next_one():
    just_before = schedule(DESK, MONTHLY, at("2026-04-01") + LATENESS_MS - 1, BEGAN)
    at_close = schedule(DESK, MONTHLY, at("2026-04-01") + LATENESS_MS, BEGAN)
    assert just_before.next == at_close.last
    assert at_close.next is not None
    assert at_close.next.from_ms == at("2026-04-01")


def test_without_a_time_a_report_is_due_when_it_is_stated():
    following = schedule(DESK, Rights(("customer",), "day"), at("2026-03-28T12:00"), BEGAN).next
    assert following is not None
    assert following.due_ms == following.stated_ms == at("2026-03-29") + LATENESS_MS


def test_the_first_period_begins_with_the_agreement_and_the_last_ends_with_it():
    assert schedule(DESK, MONTHLY, BEGAN - DAY_MS, BEGAN).last is None
    first = schedule(DESK, MONTHLY, at("2026-01-20"), BEGAN)
    assert first.last is None
    assert first.next is not None
    assert (first.next.from_ms, first.next.to_ms) == (BEGAN, at("2026-02-01"))

    ending = replace(DESK, status="terminated", terminates_ms=at("2026-03-20"))
    over = schedule(ending, MONTHLY, at("2026-06-01"), BEGAN)
    assert over.next is None
    assert over.last is not None
    assert (over.last.from_ms, over.last.to_ms) == (at("2026-03-01"), at("2026-03-20"))
    running = schedule(ending, MONTHLY, at("2026-03-10"), BEGAN).next
    assert running == over.last


def test_an_amendment_does_not_cut_a_report_in_two():
    amended = replace(DESK, version=2, valid_from_ms=at("2026-03-15"))
    draft = replace(DESK, version=3, status="draft", valid_from_ms=at("2025-01-01"))
    began = began_ms((DESK, amended, draft, replace(DESK, id="other", valid_from_ms=0)), amended)
    assert began == BEGAN
    following = schedule(amended, MONTHLY, at("2026-03-20"), began)
    assert following.next is not None
    assert following.next.from_ms == at("2026-03-01")
    assert following.last is not None
    assert began_ms((draft,), draft) == draft.valid_from_ms


def test_under_a_draft_nothing_is_reported():
    assert schedule(replace(DESK, status="draft"), MONTHLY, BEGAN, BEGAN) == Schedule(None, None)


@given(
    st.integers(BEGAN, BEGAN + 800 * DAY_MS),
    st.sampled_from(["day", "week", "month", "quarter", "year"]),
    st.integers(0, 20 * DAY_MS),
    st.integers(0, 10 * DAY_MS),
)
def test_reports_follow_each_other_without_a_gap_and_the_newest_is_stated(now_ms, every, lateness_ms, within_ms):
    desk = replace(DESK, allowed_lateness_ms=lateness_ms)
    last, following = schedule(desk, Rights(("customer",), every, (), within_ms), now_ms, BEGAN)

    assert following is not None
    assert following.stated_ms > now_ms
    assert following.due_ms >= following.stated_ms
    if last is None:
        assert following.from_ms == BEGAN
    else:
        assert last.stated_ms <= now_ms
        assert last.to_ms == following.from_ms


def test_several_schedules_add_up_to_one_audience():
    rights = (Rights(("board", "customer"), "month"), Rights(("customer", "supplier"), "month", ("resolution",)))
    desk = replace(DESK, reports=(*rights, Rights(("desk",), "day")))
    assert desk.audience("resolution", "month") == ("board", "customer", "supplier")
    assert desk.audience("other", "month") == ("board", "customer")
    assert desk.audience("resolution", "day") == ("desk",)
    assert desk.audience("resolution", "24h") == ()


PARTIES = (
    Party("N", "provider", teams=("noc", "field")),
    Party("C", "supplier", teams=("splicers",)),
    Party("A", "customer"),
)


def test_the_time_of_a_party_is_that_of_its_teams_and_others_keep_their_own():
    teams = {"noc": 5, "field": 7, "splicers": 11, "unassigned": 13}
    assert by_party(PARTIES, teams) == {"N": 12, "C": 11, "unassigned": 13}
    assert by_party(PARTIES, {"desk": 5}) == {}
    assert by_party((), teams) == {}
