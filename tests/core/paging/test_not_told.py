"""Whoever is not told of an alert: every decision not to tell has a reason, which is reported once."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.paging.not_told import MEANINGS, NotToldReason
from tests.core.paging_stage import OnCall, alert, desk, notify
from tests.core.stories import ms

LADDER = notify(ladder=[("15m", "second-line")])


def test_every_reason_is_explained():
    assert set(MEANINGS) == set(get_args(NotToldReason))


def test_no_version_of_the_agreement_is_in_force():
    on_call = OnCall().at("Mon 09:00", ("T-1", "breached")).until("Mon 12:00")

    assert on_call.told() == []
    assert on_call.reasons() == ["T-1 breached no_agreement Mon 09:00"]


def test_the_agreement_names_nobody_at_all_whatever_is_announced_of_it():
    on_call = OnCall(desk(notify(""))).at("Mon 09:00", ("T-1", "breached"), ("T-2", "resolved"))
    on_call.at("Mon 09:30", ("T-3", "breached"), backfill=True).until("Mon 12:00")

    assert on_call.told() == []
    assert {one.reason for one in on_call.not_told} == {"no_on_call"}
    assert len(on_call.not_told) == 3


def test_the_agreement_names_nobody_for_what_is_only_at_risk():
    on_call = OnCall(desk()).at("Mon 09:00", ("T-1", "at_risk")).at("Mon 10:00", ("T-1", "breached"))

    assert on_call.until("Mon 12:00").told() == ["on-call trigger Mon 10:00:10 T-1=breached"]
    assert on_call.reasons() == ["T-1 at_risk nobody_named Mon 09:00"]


@pytest.mark.parametrize(
    ("happened", "more", "reason"),
    [("Mon 09:00", {"backfill": True}, "backfill"), ("Wed 09:00", {}, "too_old"), ("Fri 09:00", {}, None)],
)
def test_what_comes_late_pages_nobody(happened, more, reason):
    # read on Friday; notices are tried for a day
    on_call = OnCall(desk()).at("Fri 09:00", ("T-1", "breached"), happened=happened, **more).until("Fri 12:00")

    assert on_call.reasons() == ([f"T-1 breached {reason} Fri 09:00"] if reason else [])
    assert len(on_call.told()) == (0 if reason else 1)


def test_a_warning_that_comes_after_its_breach():
    on_call = OnCall(desk()).at("Mon 09:00", ("T-1", "breached")).at("Mon 09:30", ("T-1", "at_risk"))

    assert on_call.until("Mon 12:00").told() == ["on-call trigger Mon 09:00:10 T-1=breached"]
    assert on_call.reasons() == ["T-1 at_risk superseded Mon 09:30"]


def test_a_silence_is_reported_when_it_begins_for_an_alert_with_its_end_and_not_at_every_look():
    on_call = OnCall(desk()).silence("Mon 08:00", "2h").at("Mon 09:00", ("T-1", "breached"))
    on_call.sweep("Mon 09:10").sweep("Mon 09:20").restart().sweep("Mon 09:30").until("Mon 12:00")

    assert on_call.told() == ["on-call trigger Mon 10:00:10 T-1=breached"]
    assert on_call.reasons() == ["T-1 breached silenced Mon 09:00"]
    assert on_call.not_told[0].until_ms == ms("Mon 10:00")


def test_a_silence_withholds_what_is_news_of_an_alert_that_is_out():
    on_call = OnCall(desk(notify(at_risk="on-call"))).at("Mon 09:00", ("T-1", "at_risk")).silence("Mon 09:30", "2h")
    on_call.at("Mon 10:00", ("T-1", "breached")).until("Mon 12:00")

    assert on_call.told()[0] == "on-call trigger Mon 09:00:10 T-1=at_risk"
    assert on_call.reasons() == ["T-1 at_risk silenced Mon 09:30", "T-1 breached silenced Mon 10:00"]


def test_whoever_is_named_no_more_when_the_silence_ends():
    on_call = OnCall(desk()).silence("Mon 08:00", "2h").at("Mon 09:00", ("T-1", "breached"))
    on_call.amend(desk(notify("", at_risk="chat"))).until("Mon 10:30").sweep("Mon 11:00")

    assert on_call.told() == []
    assert on_call.reasons() == ["T-1 breached silenced Mon 09:00", "T-1 breached nobody_named Mon 10:00"]


def test_what_was_silenced_and_is_announced_anew_as_backfill():
    on_call = OnCall(desk()).silence("Mon 08:00", "2h").at("Mon 09:00", ("T-1", "breached"))
    on_call.at("Mon 09:30", ("T-1", "breached"), backfill=True).until("Mon 12:00")

    assert on_call.told() == []
    assert on_call.reasons() == ["T-1 breached silenced Mon 09:00", "T-1 breached backfill Mon 09:30"]
    assert on_call.rows == {}


def test_an_acknowledgement_withholds_the_ladder_and_repeats_and_is_reported_once():
    on_call = OnCall(desk(LADDER)).at("Mon 09:00", ("T-1", "breached")).until("Mon 09:05")
    for _ in range(2):
        assert on_call.paging.acknowledge(alert().key.text(), ms("Mon 09:05")) == 1

    assert on_call.until("Mon 12:00").told() == ["on-call trigger Mon 09:00:10 T-1=breached"]
    assert on_call.reasons() == ["T-1 breached acknowledged Mon 09:05"]


def test_an_acknowledgement_of_what_is_only_at_risk_withholds_nothing():
    on_call = OnCall(desk(notify(at_risk="on-call"))).at("Mon 09:00", ("T-1", "at_risk")).until("Mon 09:05")

    assert on_call.paging.acknowledge(alert().key.text(), ms("Mon 09:05")) == 1
    assert on_call.reasons() == []


def test_what_is_over_before_its_first_notice():
    on_call = OnCall(desk()).at("Mon 09:00", ("T-1", "breached")).at("Mon 09:00:09", ("T-1", "rearmed"))

    assert on_call.until("Mon 12:00").told() == []
    assert on_call.reasons() == ["T-1 rearmed ended_before_notice Mon 09:00:09"]


def test_the_end_of_what_nobody_was_told_of():
    on_call = OnCall(desk()).at("Mon 09:00", ("T-1", "resolved"))
    on_call.silence("Mon 09:30", "2h").at("Mon 10:00", ("T-2", "breached")).at("Mon 10:30", ("T-2", "resolved"))

    assert on_call.until("Mon 12:00").told() == []
    assert on_call.reasons() == [
        "T-1 resolved never_told Mon 09:00",
        "T-2 breached silenced Mon 10:00",
        "T-2 resolved never_told Mon 10:30",
    ]


def test_who_is_told_leaves_no_reason():
    on_call = OnCall(desk()).at("Mon 09:00", ("T-1", "breached")).at("Mon 09:30", ("T-1", "resolved"))

    assert len(on_call.until("Mon 12:00").told()) == 2
    assert on_call.reasons() == []


announcements = st.tuples(
    st.sampled_from(["T-1", "T-2"]),
    st.sampled_from(["at_risk", "breached", "resolved", "voided", "rearmed"]),
    st.booleans(),
    st.integers(0, 90),
)


@given(st.lists(announcements, max_size=12), st.sampled_from(["", "on-call"]), st.booleans())
def test_the_last_announcement_of_every_alert_is_told_or_has_a_reason(said, at_risk, silenced):
    on_call = OnCall(desk(notify(at_risk=at_risk)))
    if silenced:
        on_call.silence("Mon 08:00", "70m")
    second = 0
    last = {}
    for ticket, state, backfill, pause in said:
        second += pause
        time = f"Mon 09:{second // 60:02}:{second % 60:02}"
        on_call.at(time, (ticket, state), backfill=backfill)
        last[ticket] = state, ms(time)
    on_call.until("Mon 12:00")

    for ticket, (state, at_ms) in last.items():
        told = any(
            one.key.what == ticket and one.state == state and notice.at_ms >= at_ms
            for _, notice in on_call.notices
            for one in notice.alerts
        )
        reasons = [one.reason for one in on_call.not_told if one.alert.key.what == ticket and one.at_ms >= at_ms]
        assert told or reasons
