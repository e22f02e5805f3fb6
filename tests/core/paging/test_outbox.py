"""The outbox: in order for each page, until it arrives, is refused or expires."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.paging.delivery import (
    KEPT_MS,
    LONGEST_PAUSE_MS,
    MOST_REFUSALS,
    SHORTEST_PAUSE_MS,
    FailedRow,
    pause_ms,
)
from monitor.core.paging.notices import Notice, Outcome
from monitor.core.paging.outbox import Outbox
from monitor.core.paging.pages import MAX_ALERTS, hash_of
from tests.core.paging_stage import DAY_MS, Rows, alert

DELIVERED = Outcome("delivered", 202, "")
DOWN = Outcome("retry", 503, "no")
REFUSED = Outcome("rejected", 400, "no such field")
STRANGER = Outcome("misconfigured", 401, "who are you")
GONE = Outcome("gone", 410, "no more")
MINUTE = 60_000


def notice(action="trigger", at_ms=0, *, page="page", alerts=None):
    told = (alert(state={"resolve": "resolved"}.get(action, "breached")),) if alerts is None else alerts
    return Notice(hash_of(page, action, str(at_ms)), page, action, "critical", at_ms, "title", told)


class Desk:
    """An outbox and whoever carries its notices; each call is one commit."""

    def __init__(self, rows=None):
        self.rows = Rows() if rows is None else rows
        self.outbox = Outbox(self.rows, deliver_for_ms=DAY_MS)
        self.outbox.restore(self.rows)
        self.told = []
        self.flying = []
        self.lost = []

    def put(self, told, now_ms=0, receiver="on-call"):
        self._take(self.outbox.put("desk", receiver, told, now_ms))
        return self

    def due(self, now_ms):
        attempts, expired = self.outbox.due(now_ms)
        self.flying += attempts
        for settled in expired:
            self._take(settled.deliveries)
            self.lost += [settled.lost] if settled.lost else []
        return [one.notice.action for one in attempts]

    def settle(self, outcome, now_ms, stamp=""):
        flown = self.flying.pop(0)
        settled = self.outbox.settle(flown.notice, outcome, now_ms, stamp)
        assert (settled.agreement, settled.receiver) == ("desk", flown.receiver)
        self._take(settled.deliveries)
        self.lost += [settled.lost] if settled.lost else []
        return self

    def restart(self):
        """Lose all that is not in the rows."""
        again = Desk(self.rows)
        again.told, again.lost = self.told, self.lost
        return again

    def try_(self, outcome, now_ms):
        """Attempt what is due, with one outcome for all."""
        tried = self.due(now_ms)
        while self.flying:
            self.settle(outcome, now_ms)
        return tried

    def refuse(self, now_ms):
        """Refuse what is due until it is given up."""
        for _ in range(MOST_REFUSALS):
            self.try_(REFUSED, now_ms)
            now_ms += LONGEST_PAUSE_MS
        return self

    def _take(self, deliveries):
        self.told += [(one.notice.action, one.result, one.attempt) for one in deliveries]


def test_a_notice_is_delivered_once():
    desk = Desk().put(notice())

    assert desk.try_(DELIVERED, 0) == ["trigger"]
    assert desk.told == [("trigger", "pending", 0), ("trigger", "delivered", 1)]
    assert desk.rows == {}
    assert (desk.outbox.next_ms(), desk.due(DAY_MS)) == (None, [])


def test_of_a_page_one_notice_is_on_its_way_and_the_next_one_follows_it():
    desk = Desk().put(notice()).put(notice("resolve"))

    assert desk.due(0) == ["trigger"]
    assert desk.due(DAY_MS) == []
    desk.settle(DELIVERED, MINUTE)
    assert desk.due(MINUTE) == ["resolve"]


def test_a_page_that_waits_holds_up_no_other():
    desk = Desk().put(notice(page="a")).put(notice(page="b"))
    desk.due(0)
    desk.settle(DOWN, 0).settle(DELIVERED, 0)

    assert [one[1] for one in desk.told] == ["pending", "pending", "retry", "delivered"]
    assert len(desk.outbox.lines) == 1


def test_what_fails_is_tried_again_under_the_same_id_later_and_later():
    desk = Desk().put(notice())
    waits, now_ms = [], 0
    for _ in range(12):
        assert desk.try_(DOWN, now_ms) == ["trigger"]
        waits.append(desk.outbox.next_ms() - now_ms)
        assert desk.due(desk.outbox.next_ms() - 1) == []
        now_ms = desk.outbox.next_ms()

    assert waits == [pause_ms(notice().id, attempt) for attempt in range(1, 13)]
    assert desk.told[-1] == ("trigger", "retry", 12)


@given(st.text(max_size=40), st.integers(1, 10_000))
def test_a_pause_is_within_its_bounds_and_always_the_same(notice_id, attempts):
    pause = pause_ms(notice_id, attempts)
    assert SHORTEST_PAUSE_MS <= pause <= min(LONGEST_PAUSE_MS, 10_000 * 2 ** (attempts - 1))
    assert pause == pause_ms(notice_id, attempts)


def test_pauses_of_many_notices_are_spread():
    pauses = [pause_ms(str(number), 10) for number in range(200)]
    assert min(pauses) < 60_000
    assert max(pauses) > 540_000


def test_a_receiver_says_when_to_come_again():
    desk = Desk().put(notice())
    desk.try_(Outcome("retry", 429, "slow down", retry_after_ms=3 * 3_600_000), 0)

    assert desk.outbox.next_ms() == 3 * 3_600_000


def test_what_cannot_be_delivered_for_a_day_expires_and_is_kept_for_a_while():
    desk = Desk().put(notice())
    while desk.outbox.next_ms() is not None:
        desk.try_(DOWN, desk.outbox.next_ms())

    assert desk.told[-1][1] == "expired"
    assert desk.lost == ["page"]
    (row,) = desk.rows.values()
    assert isinstance(row, FailedRow)
    assert row.wake_ms > KEPT_MS
    (key,) = desk.rows
    desk.outbox.forget(key)
    desk.outbox.forget(b"fnone")
    assert desk.rows == {}
    assert desk.outbox.resend(notice().id, 0) is None


def test_who_wants_to_be_asked_again_after_the_day_is_over_is_asked_once_more_before_it_is():
    desk = Desk().put(notice())
    desk.try_(Outcome("retry", 429, "", retry_after_ms=DAY_MS + 1), 0)

    assert desk.told[-1] == ("trigger", "retry", 1)
    assert desk.outbox.next_ms() == DAY_MS
    desk.try_(DOWN, DAY_MS)
    assert desk.told[-1] == ("trigger", "expired", 2)


# -- replacing


def test_an_update_that_has_not_arrived_is_replaced_by_the_next_one():
    over, out = alert("T-1", "resolved"), alert("T-2")
    desk = Desk().put(notice()).put(notice("update", 1, alerts=(out, over, alert("T-3"))))
    desk.put(notice("update", 2, alerts=(alert("T-4"), out)))

    assert desk.told[1:] == [("update", "pending", 0), ("update", "replaced", 0), ("update", "pending", 0)]
    desk.try_(DELIVERED, 3)
    desk.due(3)
    # what has ended would be told to nobody otherwise; what is still out is in the newer one if it is in the page
    assert [one.key.what for one in desk.flying[0].notice.alerts] == ["T-4", "T-2", "T-1"]


def test_the_end_of_a_page_replaces_an_update_and_never_the_trigger():
    desk = Desk().put(notice()).put(notice("update", 1)).put(notice("resolve", 2))

    assert [desk.try_(DELIVERED, 3), desk.try_(DELIVERED, 3), desk.try_(DELIVERED, 3)] == [["trigger"], ["resolve"], []]


def test_what_replaces_does_not_grow_beyond_all_bounds():
    def ended(first):
        return tuple(alert(f"T-{n}", "resolved") for n in range(first, first + MAX_ALERTS))

    desk = Desk().put(notice("update", 1, alerts=ended(0))).put(notice("update", 2, alerts=ended(1000)))
    desk.due(2)
    assert len(desk.flying[0].notice.alerts) == MAX_ALERTS


@pytest.mark.parametrize(("outcome", "told"), [(DELIVERED, ["delivered"]), (DOWN, [])])
def test_an_update_that_is_replaced_on_its_way_is_told_if_it_arrives_and_the_newer_one_follows(outcome, told):
    desk = Desk().put(notice("update", 1))
    desk.due(1)
    desk.put(notice("update", 2))
    assert desk.due(2) == []
    before = len(desk.told)
    desk.settle(outcome, 3)

    assert [one[1] for one in desk.told[before:]] == told
    assert desk.due(3) == ["update"]
    assert desk.flying[0].notice.at_ms == 2


# -- refused


def test_what_the_receiver_refuses_is_tried_again_a_few_times_each_told_at_once():
    desk = Desk().put(notice())
    now_ms, waits = 0, []
    for _ in range(MOST_REFUSALS - 1):
        desk.try_(REFUSED, now_ms)
        waits.append(desk.outbox.next_ms() - now_ms)
        now_ms = desk.outbox.next_ms()
        desk = desk.restart()
    desk.try_(REFUSED, now_ms)

    assert waits == [pause_ms(notice().id, attempt) for attempt in range(1, MOST_REFUSALS)]
    assert desk.told[1:] == [("trigger", "rejected", attempt) for attempt in range(1, MOST_REFUSALS + 1)]
    assert (desk.outbox.next_ms(), desk.lost) == (None, ["page"])


def test_a_proxy_that_refuses_for_a_moment_loses_no_page():
    desk = Desk().put(notice())
    for _ in range(2 * MOST_REFUSALS):
        desk.try_(DOWN, desk.outbox.next_ms())
    for _ in range(MOST_REFUSALS - 1):
        desk.try_(REFUSED, desk.outbox.next_ms())
    desk.try_(DELIVERED, desk.outbox.next_ms())

    assert (desk.told[-1][1], desk.rows) == ("delivered", {})


def test_what_wrong_settings_keep_from_arriving_is_tried_for_the_whole_day_and_said_to_wait_for_somebody():
    desk = Desk().put(notice())
    desk.try_(STRANGER, 0)
    desk = desk.restart()
    assert [line.misconfigured for line in desk.outbox.lines.values()] == [True]
    while desk.outbox.next_ms() is not None and desk.outbox.next_ms() < DAY_MS:
        desk.try_(STRANGER, desk.outbox.next_ms())
    assert {one[1] for one in desk.told[1:]} == {"misconfigured"}
    desk.try_(DOWN, DAY_MS - 1)
    desk.try_(DOWN, DAY_MS)
    assert desk.told[-1][1] == "expired"


def test_settings_that_were_mended_are_no_longer_said_to_be_wrong():
    desk = Desk().put(notice())
    desk.try_(STRANGER, 0)
    desk.try_(DOWN, desk.outbox.next_ms())

    assert [line.misconfigured for line in desk.outbox.lines.values()] == [False]


def test_what_still_waits_is_not_told_again_beside_it():
    again = notice("update", 2)._replace(is_repeat=True)
    desk = Desk().put(notice())
    desk.try_(DOWN, 0)
    desk.put(again)
    assert desk.told == [("trigger", "pending", 0), ("trigger", "retry", 1)]
    desk.try_(DELIVERED, desk.outbox.next_ms())
    desk.put(again, DAY_MS)

    assert desk.try_(DELIVERED, DAY_MS) == ["update"]


def test_a_refused_trigger_is_kept_and_the_next_update_begins_the_page():
    desk = Desk().put(notice()).put(notice("update", 1))
    desk.refuse(2)

    assert desk.told[-1] == ("trigger", "rejected", MOST_REFUSALS)
    assert desk.lost == []
    assert desk.due(2) == ["trigger"]
    assert desk.flying[0].notice.at_ms == 1


def test_the_end_of_a_page_whose_trigger_was_refused_is_skipped():
    desk = Desk().put(notice()).put(notice("resolve", 1))
    desk.refuse(2)

    assert desk.told[-2:] == [("trigger", "rejected", MOST_REFUSALS), ("resolve", "skipped", 0)]
    assert desk.lost == ["page"]
    assert desk.due(DAY_MS) == []


def test_a_refused_update_or_end_holds_up_nothing():
    desk = Desk().put(notice("update", 1))
    desk.refuse(2)
    desk.put(notice("resolve", 3))
    desk.refuse(3)

    assert desk.lost == []
    rejected = ["rejected"] * MOST_REFUSALS
    assert [one[1] for one in desk.told] == ["pending", *rejected, "pending", *rejected[1:], "replaced", "rejected"]


def test_what_failed_is_sent_again_with_what_failed_after_it_in_order():
    desk = Desk().put(notice()).put(notice("resolve", 0))
    desk.refuse(2)
    desk = Desk(desk.rows)

    again = desk.outbox.resend(notice().id, 5)
    assert again is not None
    assert [one.result for one in again.deliveries] == ["pending", "pending"]
    assert (again.agreement, again.receiver, again.notice) == ("desk", "on-call", notice())
    assert [desk.try_(DELIVERED, 5), desk.try_(DELIVERED, 5)] == [["trigger"], ["resolve"]]
    assert desk.rows == {}


def test_of_a_page_the_newest_failed_notice_is_worth_sending_again():
    desk = Desk().put(notice("update", 1))
    desk.refuse(2)
    desk.put(notice("update", 3))
    desk.refuse(3)

    assert desk.told[-2:] == [("update", "replaced", MOST_REFUSALS), ("update", "rejected", MOST_REFUSALS)]
    assert desk.outbox.resend(notice("update", 1).id, 5) is None
    assert desk.outbox.resend(notice("update", 3).id, 5) is not None
    assert desk.try_(DELIVERED, 5) == ["update"]
    assert desk.outbox.resend("unknown", 5) is None


def test_what_failed_is_done_with_when_a_newer_notice_of_its_page_arrives():
    desk = Desk().put(notice())
    desk.refuse(2)
    desk.put(notice("trigger", 3))
    desk.try_(DELIVERED, 3)

    assert desk.told[-2:] == [("trigger", "replaced", MOST_REFUSALS), ("trigger", "delivered", 1)]
    assert desk.rows == {}


def test_what_is_sent_again_goes_before_what_waits_but_not_before_what_is_on_its_way():
    desk = Desk().put(notice("update", 1))
    desk.refuse(2)
    desk.put(notice("update", 3))
    desk.due(3)
    desk.outbox.resend(notice("update", 1).id, 4)
    desk.settle(DELIVERED, 5)
    assert desk.due(5) == ["update"]
    assert desk.flying[0].notice.at_ms == 1

    desk = Desk().put(notice("update", 1))
    desk.refuse(2)
    desk.put(notice("update", 3))
    desk.outbox.resend(notice("update", 1).id, 4)
    desk.due(5)
    assert desk.flying[0].notice.at_ms == 1


def test_a_trigger_on_its_way_that_is_refused_begins_with_the_first_update_behind_it():
    desk = Desk().put(notice("update", 1))
    desk.refuse(2)
    desk.put(notice("trigger", 3, alerts=())).put(notice("update", 4))
    desk.due(4)
    desk.outbox.resend(notice("update", 1).id, 5)
    desk.settle(REFUSED, 6)
    for _ in range(MOST_REFUSALS - 1):
        desk.try_(REFUSED, desk.outbox.next_ms())

    assert [desk.try_(DELIVERED, 7), desk.try_(DELIVERED, 7)] == [["trigger"], ["update"]]


def test_a_notice_that_nobody_needs_is_kept_beside_the_one_it_belongs_to():
    desk = Desk()
    (told,) = desk.outbox.skip("desk", "on-call", notice("resolve"), 1)

    assert (told.result, desk.due(DAY_MS)) == ("skipped", [])
    assert desk.outbox.resend(notice("resolve").id, 2) is not None


# -- disabled


def test_a_receiver_that_is_gone_is_attempted_no_more_until_it_is_enabled():
    desk = Desk().put(notice(page="a")).put(notice(page="b"), 1).put(notice(page="c"), 1, receiver="other")
    assert desk.due(0) == ["trigger"]
    desk.settle(GONE, 0, stamp="old")

    assert desk.told[-1] == ("trigger", "gone", 1)
    assert [one.receiver for one in desk.outbox.due(2)[0]] == ["other"]
    assert desk.outbox.disabled["on-call"].stamp == "old"
    # it is remembered
    desk.rows[b"another kind of row"] = object()
    desk = Desk(desk.rows)
    del desk.rows[b"another kind of row"]
    assert desk.due(3) == ["trigger"]
    desk.settle(DELIVERED, 3)
    desk.outbox.enable("on-call", 4)
    desk.outbox.enable("on-call", 4)
    assert desk.due(4) == ["trigger", "trigger"]
    desk.settle(DELIVERED, 4).settle(DELIVERED, 4)
    assert desk.rows == {}


def test_what_waits_for_a_disabled_receiver_expires():
    desk = Desk().put(notice(page="a"))
    desk.try_(GONE, 0)
    desk.put(notice(page="b"), 10)

    assert desk.due(DAY_MS) == []
    assert desk.told[-1] == ("trigger", "expired", 1)
    assert desk.due(DAY_MS + 10) == []
    assert desk.told[-1] == ("trigger", "expired", 0)
    assert desk.lost == ["a", "b"]
    assert desk.outbox.next_ms() is None


def test_enabling_starts_nothing_that_is_on_its_way():
    desk = Desk().put(notice(page="a")).put(notice(page="b"))
    desk.due(0)
    desk.settle(GONE, 0)
    desk.outbox.enable("on-call", 1)

    assert desk.due(1) == ["trigger"]
    assert [one.notice.key for one in desk.flying] == ["b", "a"]


def test_an_update_that_is_replaced_while_the_receiver_goes_disables_it_all_the_same():
    desk = Desk().put(notice("update", 1))
    desk.due(1)
    desk.put(notice("update", 2))
    desk.settle(GONE, 3)

    assert "on-call" in desk.outbox.disabled
    assert desk.due(4) == []


# -- restarts


@given(st.lists(st.sampled_from(["put", "fail", "deliver", "restart"]), max_size=30))
def test_whatever_happens_each_page_is_told_in_order_and_once(steps):
    desk, now_ms, sent = Desk(), 0, 0
    arrived = []
    for step in steps:
        now_ms += LONGEST_PAUSE_MS
        if step == "put":
            desk.put(notice("trigger", sent, page=str(sent // 2)) if sent % 2 == 0
                     else notice("resolve", sent, page=str(sent // 2)), now_ms)  # fmt: skip
            sent += 1
        elif step == "restart":
            desk = Desk(desk.rows)
        else:
            desk.due(now_ms)
            while desk.flying:
                if step == "deliver":
                    arrived.append(desk.flying[0].notice)
                desk.settle(DELIVERED if step == "deliver" else DOWN, now_ms)
    while desk.outbox.next_ms() is not None:
        now_ms = max(now_ms, desk.outbox.next_ms())
        desk.due(now_ms)
        while desk.flying:
            arrived.append(desk.flying[0].notice)
            desk.settle(DELIVERED, now_ms)

    assert len({one.id for one in arrived}) == len(arrived) == sent
    for page in {one.key for one in arrived}:
        assert [one.action for one in arrived if one.key == page] == ["trigger", "resolve"][: sent - 2 * int(page)]
