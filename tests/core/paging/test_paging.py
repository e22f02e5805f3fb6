"""Who is told of an alert, when, and again."""

from __future__ import annotations

from monitor.core.paging.mutes import Silence, Silences
from monitor.core.paging.pages import MAX_ALERTS, alert_row_key, page_key
from tests.core.paging_stage import OnCall, alert, desk, notify
from tests.core.stories import ms

LADDER = notify(ladder=[("15m", "second-line"), ("45m", "head")])


# -- pages


def test_a_breach_is_told_after_a_short_wait_and_its_end_at_once():
    on_call = (
        OnCall(desk()).at("Mon 09:00", ("T-1", "breached")).at("Mon 09:30", ("T-1", "resolved")).until("Mon 10:00")
    )

    assert on_call.told() == [
        "on-call trigger Mon 09:00:10 T-1=breached",
        "on-call resolve Mon 09:30 T-1=resolved",
    ]
    assert len(on_call.keys) == 1
    assert len({one.id for _, one in on_call.notices}) == 2
    assert on_call.rows == {}


def test_the_alerts_of_a_storm_are_one_page():
    # 09:00:00 T-1 ┐               09:00:30 T-3 ┐
    # 09:00:05 T-2 ┴► 09:00:10     09:00:40 T-4 ┴► 09:01:10
    on_call = OnCall(desk())
    on_call.at("Mon 09:00", ("T-1", "breached")).at("Mon 09:00:05", ("T-2", "breached"))
    on_call.at("Mon 09:00:30", ("T-3", "breached")).at("Mon 09:00:40", ("T-4", "breached")).until("Mon 10:00")

    assert on_call.told() == [
        "on-call trigger Mon 09:00:10 T-1=breached T-2=breached",
        "on-call update Mon 09:01:10 T-1=breached T-2=breached T-3=breached T-4=breached",
    ]
    assert len(on_call.keys) == 1
    assert [one.title for _, one in on_call.notices] == ["desk: 2 breached", "desk: 4 breached"]


def test_a_page_ends_with_its_last_alert_and_tells_each_end_once():
    on_call = OnCall(desk()).at("Mon 09:00", ("T-1", "breached"), ("T-2", "breached"))
    on_call.at("Mon 09:10", ("T-1", "resolved")).at("Mon 09:20", ("T-2", "voided")).until("Mon 10:00")

    assert on_call.told() == [
        "on-call trigger Mon 09:00:10 T-1=breached T-2=breached",
        "on-call update Mon 09:10 T-2=breached T-1=resolved",
        "on-call resolve Mon 09:20 T-2=voided",
    ]


def test_what_is_over_before_anybody_was_told_is_told_to_nobody():
    on_call = (
        OnCall(desk()).at("Mon 09:00", ("T-1", "breached")).at("Mon 09:00:09", ("T-1", "rearmed")).until("Mon 10:00")
    )

    assert on_call.told() == []
    assert on_call.rows == {}


def test_the_next_storm_of_an_agreement_is_a_page_of_its_own():
    on_call = OnCall(desk()).at("Mon 09:00", ("T-1", "breached")).at("Mon 09:30", ("T-1", "resolved"))
    on_call.at("Mon 09:31", ("T-2", "breached")).until("Mon 10:00")

    assert len(on_call.keys) == 2


def test_an_alert_that_is_out_again_before_its_end_was_told_is_still_the_same_page():
    on_call = OnCall(desk()).at("Mon 09:00", ("T-1", "breached"), ("T-2", "breached")).until("Mon 09:00:10")
    on_call.at("Mon 09:00:20", ("T-1", "rearmed")).at("Mon 09:00:30", ("T-1", "breached")).until("Mon 10:00")

    assert on_call.told()[1:] == ["on-call update Mon 09:01:10 T-2=breached T-1=breached"]


def test_every_receiver_has_a_page_of_its_own():
    on_call = OnCall(desk(notify("on-call manager"))).at("Mon 09:00", ("T-1", "breached")).until("Mon 10:00")

    assert sorted(on_call.told(), reverse=True) == [
        "on-call trigger Mon 09:00:10 T-1=breached",
        "manager trigger Mon 09:00:10 T-1=breached",
    ]
    assert len(on_call.keys) == 2


def test_agreements_share_no_page():
    on_call = OnCall(desk(), desk(id="network")).at("Mon 09:00", ("T-1", "breached"))
    on_call.at("Mon 09:00", ("O-1", "breached"), agreement="network").until("Mon 10:00")

    assert [len(one.alerts) for _, one in on_call.notices] == [1, 1]
    assert len(on_call.keys) == 2


def test_a_notice_tells_of_the_most_urgent_alerts_and_counts_all():
    on_call = OnCall(desk(notify(at_risk="on-call")))
    on_call.at("Mon 09:00", *[(f"T-{n}", "at_risk") for n in range(MAX_ALERTS)], ("T-X", "breached")).until("Mon 10:00")

    ((_, notice),) = on_call.notices
    assert len(notice.alerts) == MAX_ALERTS
    assert notice.alerts[0].key.what == "T-X"
    assert notice.title == f"desk: 1 breached, {MAX_ALERTS} at risk"


def test_every_end_of_a_storm_is_told_though_no_notice_holds_them_all():
    storm = [f"T-{n}" for n in range(3 * MAX_ALERTS)]
    on_call = OnCall(desk()).at("Mon 09:00", *[(one, "breached") for one in storm]).until("Mon 09:05")
    on_call = on_call.at("Mon 10:00", *[(one, "resolved") for one in storm[1:]]).restart().until("Mon 11:00")

    ends = [alert.key.what for _, one in on_call.notices for alert in one.alerts if alert.state == "resolved"]
    assert sorted(ends) == sorted(storm[1:])
    assert {one.action for _, one in on_call.notices[1:]} == {"update"}

    on_call.at("Mon 12:00", (storm[0], "resolved")).until("Mon 13:00")
    assert on_call.told()[-1] == "on-call resolve Mon 12:00 T-0=resolved"
    assert not on_call.rows


def test_a_notice_of_endless_texts_holds_as_many_alerts_as_a_record_can():
    on_call = OnCall(desk())
    on_call.at("Mon 09:00", *[(f"T-{n}", "breached") for n in range(20)], labels={"queue": "q" * 50_000})
    on_call.at("Mon 09:00", ("O-1", "breached"), labels={"queue": "q" * 500_000}).until("Mon 10:00")

    ((_, notice),) = on_call.notices
    assert [one.key.what for one in notice.alerts] == ["O-1"]
    on_call.at("Mon 10:00", ("O-1", "resolved")).until("Mon 11:00")
    assert [one.key.what for one in on_call.notices[1][1].alerts] == ["T-0", "T-1", "O-1"]
    assert on_call.notices[1][1].title == "desk: 20 breached, 1 over"


def test_a_key_is_never_too_long():
    name = "x" * 100
    assert page_key("prod", "desk", "on-call", alert()) == f"prod/desk/on-call/{alert().id}"
    assert page_key("prod", name, name, alert()) != page_key("prod", name, name, alert("T-2"))
    assert len(page_key("prod", name * 2, name, alert())) == 32
    assert page_key("prod", name * 2, name, alert()) != page_key("staging", name * 2, name, alert())


def test_two_installations_behind_one_receiver_tell_of_the_same_ticket_under_keys_and_ids_of_their_own():
    def told(installation):
        return (
            OnCall(desk(), installation=installation)
            .at("Mon 09:00", ("T-1", "breached"))
            .at("Mon 09:30", ("T-1", "resolved"))
            .until("Mon 10:00")
            .notices
        )

    notices = [one for installation in ("prod", "staging") for _, one in told(installation)]
    assert [one.action for one in notices] == ["trigger", "resolve"] * 2
    assert len({one.id for one in notices}) == 4
    assert [one.key.split("/")[0] for one in notices] == ["prod", "prod", "staging", "staging"]
    assert [one.installation for one in notices] == ["prod", "prod", "staging", "staging"]


def test_a_page_that_is_out_keeps_its_key_when_the_keys_of_new_ones_are_made_otherwise():
    on_call = OnCall(desk(), installation="").at("Mon 09:00", ("T-1", "breached")).until("Mon 09:01")
    on_call.installation = "prod"
    on_call = on_call.restart().at("Mon 09:30", ("T-1", "resolved")).until("Mon 10:00")

    assert [(one.action, one.installation) for _, one in on_call.notices] == [("trigger", ""), ("resolve", "")]
    assert len(on_call.keys) == 1


def test_a_long_subject_is_cut_in_the_title():
    on_call = OnCall(desk()).at("Mon 09:00", ("T" * 200, "breached")).until("Mon 10:00")

    assert on_call.notices[0][1].title == f"desk: resolution of ticket {'T' * 80}… is breached"


# -- what pages


def test_a_risk_is_told_only_where_the_agreement_says_so_and_as_a_warning():
    assert OnCall(desk()).at("Mon 09:00", ("T-1", "at_risk")).until("Mon 10:00").told() == []

    on_call = OnCall(desk(notify(at_risk="chat"))).at("Mon 09:00", ("T-1", "at_risk")).until("Mon 10:00")
    assert on_call.told() == ["chat trigger Mon 09:00:10 T-1=at_risk"]
    assert on_call.notices[0][1].severity == "warning"


def test_who_heard_of_the_risk_hears_of_the_breach_and_of_the_end():
    on_call = OnCall(desk(notify(at_risk="chat"))).at("Mon 09:00", ("T-1", "at_risk"))
    on_call.at("Mon 09:30", ("T-1", "breached")).at("Mon 10:00", ("T-1", "resolved")).until("Mon 11:00")

    assert on_call.told("chat") == [
        "chat trigger Mon 09:00:10 T-1=at_risk",
        "chat update Mon 09:30 T-1=breached",
        "chat resolve Mon 10:00 T-1=resolved",
    ]
    assert on_call.told("on-call") == [
        "on-call trigger Mon 09:30:10 T-1=breached",
        "on-call resolve Mon 10:00 T-1=resolved",
    ]
    assert [one.severity for who, one in on_call.notices if who == "chat"] == ["warning", "critical", "critical"]


def test_a_further_threshold_of_a_risk_is_an_update():
    on_call = OnCall(desk(notify(at_risk="chat"))).at("Mon 09:00", ("T-1", "at_risk"))
    on_call.at("Mon 09:30", ("T-1", "at_risk")).until("Mon 11:00")

    assert [one.split()[1] for one in on_call.told()] == ["trigger", "update"]


def test_a_risk_that_is_told_after_the_breach_changes_nothing():
    on_call = OnCall(desk(notify(at_risk="chat"))).at("Mon 09:00", ("T-1", "breached"))
    on_call.at("Mon 09:01", ("T-1", "at_risk")).until("Mon 10:00")

    assert on_call.told() == ["on-call trigger Mon 09:00:10 T-1=breached"]


def test_what_is_marked_backfill_pages_nobody():
    on_call = OnCall(desk(notify(at_risk="chat"))).at(
        "Mon 09:00", ("T-1", "breached"), ("T-2", "at_risk"), backfill=True
    )

    assert on_call.until("Mon 12:00").told() == []
    assert on_call.rows == {}


def test_nor_does_what_happened_longer_ago_than_a_notice_is_tried():
    on_call = OnCall(desk()).until("Wed 09:00").at("Wed 09:00", ("T-1", "breached"), happened="Mon 09:00")

    assert on_call.until("Wed 12:00").told() == []


def test_a_page_that_is_out_is_ended_by_what_is_marked_backfill():
    on_call = OnCall(desk()).at("Mon 09:00", ("T-1", "breached")).until("Mon 09:01")
    on_call.at("Mon 12:00", ("T-1", "resolved"), happened="Mon 09:05", backfill=True).until("Mon 13:00")

    assert on_call.told()[1:] == ["on-call resolve Mon 12:00 T-1=resolved"]


def test_a_breach_in_the_backfill_of_a_risk_that_was_told_is_an_update_and_reaches_nobody_else():
    on_call = OnCall(desk(notify(at_risk="chat", ladder=[("15m", "head")]))).at("Mon 09:00", ("T-1", "at_risk"))
    on_call.at("Mon 12:00", ("T-1", "breached"), backfill=True).until("Mon 23:00")

    assert on_call.told() == ["chat trigger Mon 09:00:10 T-1=at_risk", "chat update Mon 12:00 T-1=breached"]


def test_alerts_of_agreements_that_name_nobody_or_are_unknown_are_told_to_nobody():
    on_call = OnCall(desk(notify("")), desk(id="other"))
    on_call.at("Mon 09:00", ("T-1", "breached")).at("Mon 09:00", ("T-1", "breached"), agreement="gone").until(
        "Mon 10:00"
    )

    assert on_call.told() == []
    assert on_call.rows == {}


def test_an_end_of_which_nothing_is_known_is_nothing():
    on_call = OnCall(desk()).at("Mon 09:00", ("T-1", "resolved")).until("Mon 10:00")

    assert (on_call.told(), on_call.rows) == ([], {})


def test_an_agreement_that_is_taken_back_still_ends_its_pages():
    on_call = OnCall(desk(LADDER)).at("Mon 09:00", ("T-1", "breached")).until("Mon 09:01")
    on_call.amend().sweep("Mon 09:02").at("Mon 10:00", ("T-1", "voided")).until("Mon 12:00")

    assert [one.split()[1] for one in on_call.told()] == ["trigger", "resolve"]


def test_after_an_amendment_its_receivers_are_told_of_what_is_out():
    on_call = OnCall(desk()).at("Mon 09:00", ("T-1", "breached")).until("Mon 09:01")
    on_call.amend(desk(notify("on-call manager"))).sweep("Mon 09:02").until("Mon 10:00")

    assert on_call.told("manager") == ["manager trigger Mon 09:02:10 T-1=breached"]
    assert len(on_call.told("on-call")) == 1


# -- the ladder


def test_nobody_acknowledges_and_the_next_contacts_are_told_at_once():
    on_call = OnCall(desk(LADDER)).at("Mon 09:00", ("T-1", "breached")).until("Mon 12:00")

    assert on_call.told() == [
        "on-call trigger Mon 09:00:10 T-1=breached",
        "second-line trigger Mon 09:15 T-1=breached",
        "head trigger Mon 09:45 T-1=breached",
    ]
    assert [one.step for _, one in on_call.notices] == [0, 1, 2]


def test_the_end_stops_the_ladder_and_everybody_who_was_told_hears_of_it():
    on_call = (
        OnCall(desk(LADDER))
        .at("Mon 09:00", ("T-1", "breached"))
        .at("Mon 09:20", ("T-1", "resolved"))
        .until("Mon 12:00")
    )

    assert on_call.told()[2:] == [
        "on-call resolve Mon 09:20 T-1=resolved",
        "second-line resolve Mon 09:20 T-1=resolved",
    ]


def test_each_alert_climbs_its_own_ladder_into_the_same_pages():
    on_call = (
        OnCall(desk(LADDER))
        .at("Mon 09:00", ("T-1", "breached"))
        .at("Mon 09:10", ("T-2", "breached"))
        .until("Mon 09:40")
    )

    assert on_call.told("second-line") == [
        "second-line trigger Mon 09:15 T-1=breached",
        "second-line update Mon 09:25 T-1=breached T-2=breached",
    ]


def test_a_risk_climbs_no_ladder():
    on_call = OnCall(desk(notify(at_risk="chat", ladder=[("15m", "head")]))).at("Mon 09:00", ("T-1", "at_risk"))

    assert on_call.until("Mon 23:00").told("head") == []


def test_a_contact_with_hours_is_told_when_they_open_and_holds_up_nobody():
    ladder = notify(ladder=[("15m", "head", "office"), ("45m", "night-watch")])
    on_call = OnCall(desk(ladder)).at("Mon 20:00", ("T-1", "breached")).until("Wed 00:00")

    assert on_call.told()[1:] == [
        "night-watch trigger Mon 20:45 T-1=breached",
        "head trigger Tue 09:00 T-1=breached",
    ]


def test_a_step_that_is_noticed_after_its_hours_waits_for_the_next_ones():
    on_call = OnCall(desk(notify(ladder=[("15m", "head", "office")]))).at("Mon 16:40", ("T-1", "breached"))
    on_call.until("Mon 16:50")
    on_call.paging.look(alert_row_key(alert().key), ms("Mon 17:30"))

    assert on_call.until("Tue 10:00").told("head") == ["head trigger Tue 09:00 T-1=breached"]


def test_a_receiver_on_two_steps_has_one_page_and_is_reminded():
    on_call = OnCall(desk(notify(ladder=[("15m", "on-call")]))).at("Mon 09:00", ("T-1", "breached")).until("Mon 12:00")

    assert on_call.told() == ["on-call trigger Mon 09:00:10 T-1=breached", "on-call update Mon 09:15 T-1=breached"]
    assert on_call.notices[1][1].step == 1


# -- acknowledgements


def test_an_acknowledged_alert_climbs_no_further():
    on_call = OnCall(desk(LADDER)).at("Mon 09:00", ("T-1", "breached")).until("Mon 09:20")

    assert on_call.paging.acknowledge(alert().key.text(), ms("Mon 14:00")) == 1
    on_call.sweep("Mon 09:21").at("Mon 11:00", ("T-1", "resolved")).until("Mon 12:00")
    assert on_call.told("head") == []
    assert len(on_call.told("second-line")) == 2


def test_a_page_s_key_acknowledges_what_is_in_it_and_what_breaks_later_climbs():
    on_call = OnCall(desk(LADDER)).at("Mon 09:00", ("T-1", "breached"), ("T-2", "breached")).until("Mon 09:05")

    assert on_call.paging.acknowledge(on_call.notices[0][1].key, ms("Mon 14:00")) == 2
    on_call.at("Mon 09:10", ("T-3", "breached")).until("Mon 09:40")
    assert on_call.told("second-line") == ["second-line trigger Mon 09:25 T-3=breached"]


def test_a_breach_is_not_acknowledged_by_the_word_on_its_risk():
    on_call = OnCall(desk(notify(at_risk="chat", ladder=[("15m", "head")]))).at("Mon 09:00", ("T-1", "at_risk"))
    on_call.paging.acknowledge(alert().key.text(), ms("Mon 14:00"))

    assert on_call.at("Mon 09:30", ("T-1", "breached")).until("Mon 10:00").told("head")


def test_acknowledging_what_is_not_there_or_over_does_nothing():
    on_call = OnCall(desk(LADDER)).at("Mon 09:00", ("T-1", "breached"), ("T-2", "breached"))
    on_call.at("Mon 09:00:20", ("T-1", "resolved"))

    assert on_call.paging.acknowledge(alert("T-1").key.text(), ms("Mon 14:00")) == 0
    assert on_call.paging.acknowledge("T-9", ms("Mon 14:00")) == 0


# -- silences


def test_a_silenced_alert_is_told_when_the_silence_ends_and_climbs_from_then_on():
    on_call = OnCall(desk(LADDER)).silence("Mon 08:00", "2h").at("Mon 09:00", ("T-1", "breached")).until("Mon 10:20")

    assert on_call.told() == [
        "on-call trigger Mon 10:00:10 T-1=breached",
        "second-line trigger Mon 10:15 T-1=breached",
    ]


def test_what_ends_while_it_is_silenced_is_told_to_nobody():
    on_call = OnCall(desk(LADDER)).silence("Mon 08:00", "2h").at("Mon 09:00", ("T-1", "breached"))
    on_call.at("Mon 09:30", ("T-1", "resolved")).until("Mon 12:00")

    assert (on_call.told(), on_call.rows) == ([], {})


def test_a_silence_within_the_wait_keeps_the_page_from_being_told():
    on_call = OnCall(desk()).at("Mon 09:00", ("T-1", "breached")).silence("Mon 09:00:05", "1h").until("Mon 11:00")

    assert on_call.told() == ["on-call trigger Mon 10:00:15 T-1=breached"]


def test_a_silence_stops_updates_and_the_ladder_of_a_page_that_is_out_but_not_its_end():
    on_call = OnCall(desk(LADDER)).at("Mon 09:00", ("T-1", "breached")).silence("Mon 09:10", "4h")
    on_call.at("Mon 09:30", ("T-2", "breached")).at("Mon 11:00", ("T-1", "resolved")).until("Mon 12:00")

    assert on_call.told() == [
        "on-call trigger Mon 09:00:10 T-1=breached",
        "on-call resolve Mon 11:00 T-1=resolved",
    ]


def test_when_a_silence_ends_a_page_that_is_out_tells_what_became_of_it():
    on_call = OnCall(desk(notify(at_risk="chat"))).at("Mon 09:00", ("T-1", "at_risk")).silence("Mon 09:10", "1h")
    on_call.at("Mon 09:20", ("T-1", "breached")).until("Mon 12:00")

    assert on_call.told()[1:] == [
        "chat update Mon 10:10 T-1=breached",
        "on-call trigger Mon 10:10:10 T-1=breached",
    ]


def test_a_silence_that_is_taken_back_ends_at_once():
    on_call = OnCall(desk()).silence("Mon 08:00", "2h").at("Mon 09:00", ("T-1", "breached")).until("Mon 09:10")
    on_call.paging.silences = Silences()

    assert on_call.sweep("Mon 09:10").until("Mon 12:00").told() == ["on-call trigger Mon 09:10:10 T-1=breached"]


def test_an_acknowledged_alert_stays_so_over_a_silence():
    on_call = OnCall(desk(LADDER)).at("Mon 09:00", ("T-1", "breached")).silence("Mon 09:05", "1h")
    on_call.paging.acknowledge(alert().key.text(), ms("Mon 14:00"))

    assert on_call.until("Mon 12:00").told("second-line") == []


def test_a_breach_in_the_backfill_of_a_silenced_risk_is_forgotten():
    on_call = OnCall(desk(notify(at_risk="chat"))).silence("Mon 08:00", "2h").at("Mon 09:00", ("T-1", "at_risk"))
    on_call.at("Mon 09:30", ("T-1", "breached"), backfill=True).until("Mon 12:00")

    assert (on_call.told(), on_call.rows) == ([], {})


def test_a_silence_names_agreement_promise_and_labels():
    told = alert(labels={"queue": "a"})
    for silence, mutes in (
        (Silence("s", "desk", 10), True),
        (Silence("s", "other", 10), False),
        (Silence("s", "desk", 10, promise="resolution"), True),
        (Silence("s", "desk", 10, promise="response"), False),
        (Silence("s", "desk", 10, labels=(("queue", "a"), ("customer", "acme"))), True),
        (Silence("s", "desk", 10, labels=(("queue", "b"),)), False),
        (Silence("s", "desk", 5), False),
    ):
        assert silence.mutes(told, 5) == mutes, silence
        assert (Silences((silence,)).until_ms(told, 5) == 10) == mutes
    longest = Silences((Silence("a", "desk", 10), Silence("b", "desk", 20)))
    assert longest.until_ms(told, 5) == 20


# -- told again

AGAIN = {"on-call": "4h"}


def test_a_breach_that_stands_and_that_nobody_acknowledges_is_told_again():
    on_call = OnCall(desk(), repeat=AGAIN).at("Mon 09:00", ("T-1", "breached"))
    on_call.at("Mon 18:00", ("T-1", "resolved")).until("Tue 23:00")

    assert on_call.told() == [
        "on-call trigger Mon 09:00:10 T-1=breached",
        "on-call update Mon 13:00:10 T-1=breached",
        "on-call update Mon 17:00:10 T-1=breached",
        "on-call resolve Mon 18:00 T-1=resolved",
    ]
    assert [one.is_repeat for _, one in on_call.notices] == [False, True, True, False]
    assert on_call.notices[1][1].title == "desk: resolution of ticket T-1 is breached (told again)"
    assert len(on_call.keys) == 1
    assert len({one.id for _, one in on_call.notices}) == 4
    assert on_call.rows == {}


def test_each_receiver_is_told_again_at_its_own_pace_or_never():
    on_call = OnCall(desk(notify("on-call chat head")), repeat={"on-call": "4h", "head": "8h"})
    on_call.at("Mon 09:00", ("T-1", "breached")).until("Mon 19:00")

    assert {who: len(on_call.told(who)) for who in ("on-call", "head", "chat")} == {"on-call": 3, "head": 2, "chat": 1}


def test_whatever_is_told_puts_off_telling_it_again():
    on_call = OnCall(desk(), repeat=AGAIN).at("Mon 09:00", ("T-1", "breached")).at("Mon 12:00", ("T-2", "breached"))

    assert on_call.until("Mon 17:00").told()[1:] == [
        "on-call update Mon 12:00 T-1=breached T-2=breached",
        "on-call update Mon 16:00 T-1=breached T-2=breached",
    ]


def test_what_is_only_at_risk_is_told_once():
    on_call = OnCall(desk(notify(at_risk="on-call")), repeat=AGAIN).at("Mon 09:00", ("T-1", "at_risk"))

    assert len(on_call.until("Mon 23:00").told()) == 1


def test_who_was_told_of_a_breach_in_the_backfill_is_not_told_again():
    on_call = OnCall(desk(notify(at_risk="on-call")), repeat=AGAIN).at("Mon 09:00", ("T-1", "at_risk"))
    on_call.at("Mon 12:00", ("T-1", "breached"), backfill=True).until("Mon 23:00")

    assert [one.split()[1] for one in on_call.told()] == ["trigger", "update"]


def test_an_acknowledgement_ends_telling_again_until_another_alert_breaks():
    on_call = OnCall(desk(), repeat=AGAIN).at("Mon 09:00", ("T-1", "breached"), ("T-2", "breached"))
    on_call.until("Mon 13:30").paging.acknowledge(alert("T-1").key.text(), ms("Mon 14:00"))
    # T-2 still waits for somebody
    assert len(on_call.sweep("Mon 13:30").until("Mon 17:30").told()) == 3
    on_call.paging.acknowledge(on_call.notices[0][1].key, ms("Mon 14:00"))
    assert len(on_call.sweep("Mon 17:30").until("Tue 08:00").told()) == 3
    on_call.at("Tue 08:00", ("T-3", "breached"))
    assert [one.split(" T-")[0] for one in on_call.until("Tue 13:00").told()[3:]] == [
        "on-call update Tue 08:00",
        "on-call update Tue 12:00",
    ]


def test_who_acknowledges_at_the_last_moment_is_not_told_again():
    on_call = OnCall(desk(), repeat=AGAIN).at("Mon 09:00", ("T-1", "breached")).until("Mon 13:00")
    on_call.paging.acknowledge(alert().key.text(), ms("Mon 14:00"))  # and nothing has looked at the page since

    assert len(on_call.until("Tue 09:00").told()) == 1


def test_a_silence_ends_telling_again_and_its_end_begins_it():
    on_call = OnCall(desk(), repeat=AGAIN).at("Mon 09:00", ("T-1", "breached")).silence("Mon 10:00", "10h")

    assert on_call.until("Tue 01:00").told()[1:] == [
        "on-call update Mon 20:00 T-1=breached",
        "on-call update Tue 00:00 T-1=breached",
    ]
    assert [one.is_repeat for _, one in on_call.notices] == [False, False, True]


def test_after_a_stop_of_a_day_a_page_is_told_again_once():
    on_call = OnCall(desk(), repeat=AGAIN).at("Mon 09:00", ("T-1", "breached")).until("Mon 09:01").restart()
    page = next(key for key in on_call.rows if key[:1] == b"p")
    late = ms("Tue 10:00")

    on_call.sweep("Tue 10:00")._do(page, late)
    assert on_call.paging.turn(page, late) is None
    assert on_call.until("Tue 14:00").told()[1:] == [
        "on-call update Tue 10:00 T-1=breached",
        "on-call update Tue 14:00 T-1=breached",
    ]


def test_another_pace_holds_for_the_pages_that_are_out():
    on_call = OnCall(desk()).at("Mon 09:00", ("T-1", "breached")).until("Mon 10:00")
    on_call.repeat = {"on-call": ms("Mon 03:00") - ms("Mon 00:00")}
    on_call.sweep("Mon 10:00").until("Mon 12:30")
    assert on_call.told()[1:] == ["on-call update Mon 12:00:10 T-1=breached"]
    # a longer one, which only the next turn notices
    on_call.repeat = {"on-call": ms("Mon 10:00") - ms("Mon 00:00")}
    assert len(on_call.until("Mon 20:00").told()) == 2
    assert len(on_call.until("Mon 22:01").told()) == 3
    on_call.repeat = {}
    assert len(on_call.sweep("Mon 22:01").until("Wed 22:00").told()) == 3


def test_who_is_named_no_more_is_not_told_again():
    on_call = OnCall(desk(), repeat=AGAIN).at("Mon 09:00", ("T-1", "breached")).until("Mon 10:00")
    on_call.amend(desk(notify("manager"))).sweep("Mon 10:00").until("Mon 20:00")

    assert len(on_call.told("on-call")) == 1


def test_a_page_whose_trigger_was_lost_is_begun_again_as_long_as_the_breach_stands():
    on_call = OnCall(desk(), repeat=AGAIN).at("Mon 09:00", ("T-1", "breached")).until("Mon 09:01")
    on_call.paging.lost("desk", "on-call", on_call.notices[0][1].key)

    assert on_call.until("Mon 14:00").told()[1:] == ["on-call trigger Mon 13:00:10 T-1=breached"]
    assert on_call.notices[1][1].is_repeat is False


# -- pages that never began


def test_a_page_whose_trigger_was_lost_begins_with_its_next_notice():
    on_call = OnCall(desk()).at("Mon 09:00", ("T-1", "breached")).until("Mon 09:01")
    on_call.paging.lost("desk", "on-call", on_call.notices[0][1].key)
    on_call.at("Mon 09:10", ("T-2", "breached")).at("Mon 09:20", ("T-1", "resolved"), ("T-2", "resolved")).until(
        "Mon 10:00"
    )

    assert [one.split()[1] for one in on_call.told()] == ["trigger", "trigger", "resolve"]
    assert len(on_call.keys) == 1


def test_the_end_of_a_page_that_never_began_need_not_be_told():
    on_call = OnCall(desk()).at("Mon 09:00", ("T-1", "breached")).until("Mon 09:01")
    on_call.paging.lost("desk", "on-call", "another page")
    on_call.paging.lost("desk", "nobody", on_call.notices[0][1].key)
    on_call.paging.lost("desk", "on-call", on_call.notices[0][1].key)
    on_call.at("Mon 09:20", ("T-1", "resolved")).until("Mon 10:00")

    assert [one.split()[1] for one in on_call.told()] == ["trigger"]
    assert [one.action for _, one in on_call.skipped] == ["resolve"]


# -- restarts


def test_a_restart_at_any_moment_changes_nothing():
    def story(restarts):
        on_call = OnCall(desk(LADDER), repeat={"on-call": "10m"})
        for time, what in (
            ("Mon 09:00", ("T-1", "breached")), ("Mon 09:00:05", ("T-2", "breached")),
            ("Mon 09:05", ("T-1", "resolved")), ("Mon 09:20", ("T-3", "breached")), ("Mon 09:21", ("T-2", "resolved")),
            ("Mon 09:22", ("T-3", "resolved")),
        ):  # fmt: skip
            on_call.at(time, what)
            if restarts:
                on_call = on_call.restart()
        return on_call.until("Mon 12:00")

    assert story(restarts=True).notices == story(restarts=False).notices
    assert story(restarts=True).paging.open_pages() == {}


def test_rows_that_are_not_due_or_gone_are_left_alone():
    on_call = OnCall(desk()).at("Mon 09:00", ("T-1", "breached"))
    page = next(key for key in on_call.rows if key[:1] == b"p")

    assert on_call.paging.turn(page, ms("Mon 09:00")) is None
    assert on_call.paging.turn(b"pnone", ms("Mon 09:00")) is None
    on_call.paging.look(b"anone", ms("Mon 09:00"))
    assert on_call.paging.open_pages() == {"on-call": 1}
    on_call.until("Mon 09:00:10").at("Mon 09:00:20", ("T-1", "resolved"))
    on_call.paging.look(alert_row_key(alert().key), ms("Mon 09:00:20"))
    assert on_call.until("Mon 10:00").told()[1:] == ["on-call resolve Mon 09:00:20 T-1=resolved"]
