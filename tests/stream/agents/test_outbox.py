"""The agent that tells on-call: what is committed before it is attempted, and what survives a kill."""

from __future__ import annotations

import asyncio
import logging

import msgspec
import pytest
from aiokafka.errors import ProducerFenced

from monitor.core.paging.notices import Outcome
from monitor.core.pieces import at_once
from monitor.stream.agents import outbox
from monitor.stream.agents.deliveries import PROOF_S, Deliveries, Instant
from monitor.stream.partitions.partition import FencedError
from monitor.stream.partitions.ports import Now
from monitor.wire.deadletters import decode_dead_letter
from monitor.wire.responses import Acknowledgement, Enable, Resend, SilenceResponse
from tests.stream.notifying import (
    DELIVERED,
    DOWN,
    GONE,
    OUTLETS,
    REFUSED,
    STRANGER,
    Partition,
    ScriptedCourier,
    alert,
    desk,
    ms,
    notify,
)


def actions(courier):
    return [notice.action for _, notice in courier.received]


async def test_a_breach_is_paged_and_its_end_told_and_both_are_written_down():
    partition = Partition()
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 09:10")
    await partition.hear(alert(state="resolved", time="Mon 09:10"), now="Mon 09:10")
    await partition.until("Mon 09:20")

    assert actions(partition.courier) == ["trigger", "resolve"]
    assert partition.told() == ["trigger pending 0", "trigger delivered 1", "resolve pending 0", "resolve delivered 1"]
    assert partition.tally.deliveries["on-call", "delivered"] == 2
    assert partition.state.rows.keys() == set()


async def test_a_decision_not_to_tell_is_written_down_and_counted_with_the_transaction_that_made_it():
    partition = Partition()
    await partition.hear(alert(state="at_risk"), alert("T-2", state="resolved"), now="Mon 09:00")

    assert partition.not_told() == [
        "ticket/T-1/desk/resolution/1 nobody_named",
        "ticket/T-2/desk/resolution/1 never_told",
    ]
    assert partition.tally.not_told == {"nobody_named": 1, "never_told": 1}
    assert partition.told() == []


async def test_that_an_agreement_has_no_on_call_at_all_is_counted_and_not_written_for_each_alert():
    partition = Partition(desk(notify("")))
    await partition.hear(alert(), alert(state="resolved"), now="Mon 09:00")

    assert partition.tally.not_told == {"no_on_call": 2}
    assert partition.not_told() == []


async def test_a_decision_that_was_taken_back_is_neither_written_nor_counted():
    partition = Partition()
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 09:01")
    await partition.say(Acknowledgement(target=alert().key.text(), at_ms=ms("Mon 09:01")))
    at_once(partition.processor.tick(Now(ms("Mon 09:01"), caught_up=True)))
    partition.state.take_back()
    at_once(partition.processor.recover(RuntimeError("a bug")))
    assert (partition.not_told(), partition.tally.not_told) == ([], {})

    await partition.until("Mon 09:02")
    assert partition.not_told() == ["ticket/T-1/desk/resolution/1 acknowledged"]
    assert partition.tally.not_told == {"acknowledged": 1}


async def test_nothing_is_attempted_before_it_was_committed():
    partition = Partition()
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 09:00:09")
    now_ms = ms("Mon 09:00:10")
    assert at_once(partition.processor.tick(Now(now_ms, caught_up=True)))  # it wants the next one at once
    await partition.let_run()
    assert partition.courier.received == []

    await partition.commit()
    at_once(partition.processor.tick(Now(now_ms, caught_up=True)))
    await partition.let_run()
    assert partition.courier.received == [], "nothing has shown yet that the partition is still ours"
    await partition.commit()
    await partition.let_run()
    assert actions(partition.courier) == ["trigger"]


async def test_a_thawed_worker_whose_partition_has_another_owner_by_now_tells_nobody():
    # given a trigger that is due, of a page that the next owner has told and ended meanwhile
    partition = Partition()
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 09:00:09")
    await partition.tick(ms("Mon 09:00:10"))
    other = Partition(rows=partition.state.rows, courier=ScriptedCourier())
    await other.until("Mon 09:20")
    await other.hear(alert(state="resolved", time="Mon 09:20"), now="Mon 09:20")
    await other.until("Mon 09:30")
    assert actions(other.courier) == ["trigger", "resolve"]

    # when the first one goes on, fenced and without a record to fold
    partition.writer.fail = ProducerFenced()
    with pytest.raises(FencedError):
        await partition.tick(ms("Mon 09:40"))
    await partition.let_run()

    assert partition.courier.received == []


async def test_the_attempts_of_a_tick_that_failed_begin_with_the_tick_that_succeeds():
    partition = Partition()
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 09:00:09")
    await partition.tick(ms("Mon 09:00:10"))
    at_once(partition.processor.tick(Now(ms("Mon 09:00:10"), caught_up=True)))
    partition.state.take_back()
    at_once(partition.processor.recover(RuntimeError("a bug")))
    assert not partition.state.dirty
    await partition.commit()
    await partition.let_run()
    assert partition.courier.received == []

    await partition.until("Mon 09:01")
    assert actions(partition.courier) == ["trigger"]


@pytest.fixture
def clocks(monkeypatch):
    """The clocks by which the age of a commit is judged, in seconds."""
    now = {"monotonic_s": 0.0, "wall_s": 0.0}
    monkeypatch.setattr(Instant, "now", classmethod(lambda cls: cls(**now)))
    return now


async def queued(courier):
    """A partition with two pages for a slow receiver that takes one at a time: the second one has no place yet."""
    courier.gates["slow"] = asyncio.Event()
    partition = Partition(*(desk(notify("slow"), id=one) for one in "ab"), courier=courier, at_once=1)
    await partition.hear(*(alert(agreement=one) for one in "ab"), now="Mon 09:00")
    await partition.until("Mon 09:01")
    assert len(courier.received) == 1
    return partition


@pytest.mark.parametrize("clock", ["monotonic_s", "wall_s"])
async def test_an_attempt_that_waited_for_its_place_while_the_process_stood_still_begins_after_another_commit(
    clocks, clock
):
    courier = ScriptedCourier()
    partition = await queued(courier)
    clocks[clock] += PROOF_S + 1
    courier.gates["slow"].set()
    await partition.let_run()
    assert len(courier.received) == 1

    # the outcome of the first one alone would ask for a tick too
    partition.processor.under_way.take()
    assert partition.processor.next_tick_ms() == 0
    commits = len(partition.writer.transactions)
    await partition.tick(ms("Mon 09:02"))
    await partition.let_run()
    assert len(partition.writer.transactions) == commits + 1
    assert len(courier.received) == 2
    assert not partition.processor.under_way.wants_proof


async def test_and_never_begins_if_the_commit_shows_that_another_worker_owns_the_partition(clocks):
    courier = ScriptedCourier()
    partition = await queued(courier)
    clocks["monotonic_s"] += PROOF_S + 1
    courier.gates["slow"].set()
    await partition.let_run()
    partition.writer.fail = ProducerFenced()
    with pytest.raises(FencedError):
        await partition.tick(ms("Mon 09:02"))
    partition.processor.close()
    await partition.let_run()

    assert len(courier.received) == 1


async def test_a_commit_that_began_before_the_process_stood_still_proves_nothing(clocks):
    courier = ScriptedCourier()
    partition = await queued(courier)
    clocks["monotonic_s"] += PROOF_S + 1
    courier.gates["slow"].set()
    await partition.let_run()
    at_once(partition.processor.tick(Now(ms("Mon 09:02"), caught_up=True)))
    clocks["monotonic_s"] += PROOF_S + 1  # frozen again while the broker confirms
    await partition.commit()
    await partition.let_run()
    assert len(courier.received) == 1

    await partition.until("Mon 09:03")
    assert len(courier.received) == 2


async def test_a_commit_in_flight_while_the_partition_is_let_go_begins_nothing():
    partition = Partition()
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 09:00:09")
    await partition.tick(ms("Mon 09:00:10"))
    at_once(partition.processor.tick(Now(ms("Mon 09:00:10"), caught_up=True)))
    partition.processor.close()
    await partition.commit()
    await partition.let_run()

    assert partition.courier.received == []


async def test_what_is_killed_between_commit_and_attempt_or_between_attempt_and_result_is_sent_again_under_its_id():
    partition = Partition()
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 09:00:09")
    now_ms = ms("Mon 09:00:10")
    await partition.tick(now_ms)
    partition = partition.killed()  # between commit and attempt
    await partition.tick(now_ms)
    await partition.let_run()
    partition = partition.killed()  # the receiver has it, nobody knows
    await partition.until("Mon 10:00")

    (_, first), (_, second) = partition.courier.received
    assert first == second
    assert partition.told() == ["trigger pending 0", "trigger delivered 1"]


async def test_a_partition_that_is_let_go_cuts_off_what_is_under_way():
    courier = ScriptedCourier()
    courier.gates["on-call"] = asyncio.Event()
    partition = Partition(courier=courier)
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 09:01")
    assert len(partition.processor.under_way) == 1
    partition.processor.close()
    courier.gates["on-call"].set()
    await partition.let_run()

    assert courier.delivered == []
    assert len(partition.processor.under_way) == 0


async def test_while_alerts_wait_to_be_read_nobody_is_paged_but_what_waits_is_delivered():
    partition = Partition()
    await partition.hear(alert(), alert("T-2", agreement="other"), now="Mon 09:00")
    await partition.until("Mon 09:00:09")
    await partition.tick(ms("Mon 09:00:10"), caught_up=False)
    assert partition.told() == []
    await partition.tick(ms("Mon 09:00:10"))
    await partition.tick(ms("Mon 09:00:10"), caught_up=False)
    await partition.let_run()
    await partition.tick(ms("Mon 09:00:10"), caught_up=False)
    assert partition.told() == ["trigger pending 0", "trigger delivered 1"]


async def test_a_slow_receiver_delays_no_other_and_gets_no_more_than_a_few_at_once():
    courier = ScriptedCourier()
    courier.gates["slow"] = asyncio.Event()
    agreements = [desk(notify("slow"), id=f"slow-{n}") for n in range(5)]
    partition = Partition(*agreements, desk(notify("quick")), courier=courier, at_once=2)
    await partition.hear(alert(), *(alert(agreement=one.id) for one in agreements), now="Mon 09:00")
    await partition.until("Mon 09:01")

    assert [who for who, _ in courier.delivered] == ["quick"]
    assert courier.most_at_once["slow"] == 2
    courier.gates["slow"].set()
    await partition.until("Mon 09:02")
    assert len(courier.delivered) == 6
    assert courier.most_at_once["slow"] == 2


async def test_a_receiver_that_is_down_for_an_hour_gets_everything_once_in_order():
    # 09:00 down ────────────────────────────── 10:00 up
    #   ├ 09:05 T-1, 09:10 T-2, 09:20 both over, 09:30 T-3, 09:50 over ┤
    clock = {"now": 0}
    courier = ScriptedCourier(lambda _receiver, _notice: DOWN if clock["now"] < ms("Mon 10:00") else DELIVERED)
    partition = Partition(courier=courier)
    for time, ticket, state in (
        ("Mon 09:05", "T-1", "breached"), ("Mon 09:10", "T-2", "breached"), ("Mon 09:20", "T-1", "resolved"),
        ("Mon 09:20", "T-2", "resolved"), ("Mon 09:30", "T-3", "breached"), ("Mon 09:50", "T-3", "resolved"),
    ):  # fmt: skip
        clock["now"] = ms(time)
        await partition.until(time)
        await partition.hear(alert(ticket, state, time), now=time)
    await partition.until("Mon 09:59:59")
    clock["now"] = ms("Mon 10:00")
    await partition.until("Mon 12:00")

    by_key = {}
    for _, notice in courier.delivered:
        by_key.setdefault(notice.key, []).append(notice.action)
    assert list(by_key.values()) == [["trigger", "resolve"], ["trigger", "resolve"]]
    assert len({notice.id for _, notice in courier.delivered}) == len(courier.delivered)
    assert 10 < len(courier.received) < 60
    assert "update replaced 0" in partition.told()
    assert partition.state.rows.keys() == set()


async def test_a_page_waits_for_the_settings_to_describe_its_receiver():
    courier = ScriptedCourier()
    courier.strangers.add("on-call")
    partition = Partition(courier=courier)
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 12:00")

    assert {one.rpartition(" ")[0] for one in partition.told()} == {"trigger pending", "trigger misconfigured"}
    assert courier.received == []
    courier.strangers.clear()
    partition = await partition.killed().until("Mon 12:15")
    assert actions(courier) == ["trigger"]
    for nobody, words in ((courier, "no receiver of this name"), (None, "no receivers at all")):
        courier.strangers.add("on-call")
        outcome = await Deliveries(nobody).attempt("on-call", courier.received[0][1], asyncio.Event().wait)
        assert outcome == Outcome("misconfigured", 0, f"the settings of this worker describe {words}")


async def test_who_refuses_our_token_is_tried_again_and_somebody_is_told_to_act_at_once(caplog):
    answers = [STRANGER]
    partition = Partition(courier=ScriptedCourier(lambda _receiver, _notice: answers[0]))
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 09:00:10")

    (line,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert "receiver on-call" in line.message
    assert "misconfigured: who are you?; whoever writes the settings must mend the receiver there" in line.message
    assert partition.processor.waiting()["on-call"].misconfigured == 1
    assert partition.tally.deliveries["on-call", "misconfigured"] == 1
    partition = partition.killed()
    assert partition.processor.waiting()["on-call"].misconfigured == 1
    # and when the token is mended, the page arrives
    await partition.until("Mon 20:00")
    answers[0] = DELIVERED
    await partition.until("Mon 20:10")
    assert partition.told()[-1].startswith("trigger delivered")
    assert partition.processor.waiting() == {}


async def test_a_404_of_a_deployment_loses_no_page():
    clock = {"now": 0}
    not_found = Outcome("retry", 404, "404: default backend")
    courier = ScriptedCourier(lambda _receiver, _notice: not_found if clock["now"] < ms("Mon 09:05") else DELIVERED)
    partition = Partition(courier=courier)
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 09:04:59")
    clock["now"] = ms("Mon 09:05")
    await partition.until("Mon 09:30")

    assert [notice.action for _, notice in courier.delivered] == ["trigger"]


async def test_a_breach_that_stands_is_told_again_over_restarts_until_somebody_acknowledges_it():
    partition = Partition(repeat={"on-call": 4 * 3_600_000})
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 12:00")
    partition = await partition.killed().until("Mon 14:00")
    assert actions(partition.courier) == ["trigger", "update"]
    # a stop of a day: once
    partition = partition.killed()
    partition.now_ms = ms("Tue 14:00")
    await partition.until("Tue 14:30")
    assert actions(partition.courier) == ["trigger", "update", "update"]
    await partition.say(Acknowledgement(target=alert().key.text(), at_ms=0))
    await partition.until("Wed 23:00")
    assert actions(partition.courier) == ["trigger", "update", "update"]
    await partition.hear(alert(state="resolved", time="Wed 23:00"), now="Wed 23:00")
    await partition.until("Wed 23:10")
    assert actions(partition.courier)[3:] == ["resolve"]
    assert [key for key in partition.state.rows if key[:1] != b"r"] == []


async def test_a_receiver_that_is_down_is_not_told_again_of_what_it_was_not_told():
    answers = [DOWN]
    partition = Partition(courier=ScriptedCourier(lambda _receiver, _notice: answers[0]), repeat={"on-call": 3_600_000})
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 16:30")
    answers[0] = DELIVERED
    await partition.until("Mon 16:45")

    assert [notice.action for _, notice in partition.courier.delivered] == ["trigger"]
    assert {one.split()[0] for one in partition.told()} == {"trigger"}


async def test_rows_of_the_version_before_are_read_and_their_pages_end_under_the_keys_that_they_began_with():
    # given a page that is out and a notice that waits, as the code before these fields wrote them
    partition = Partition(courier=ScriptedCourier(lambda _receiver, _notice: DOWN))
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 09:00:20")
    old = dict(_before(key, value) for key, value in partition.state.rows.items())
    partition = partition.killed(rows=old, courier=ScriptedCourier(), repeat={"on-call": 3_600_000})

    partition.now_ms = ms("Mon 09:00:30")
    # when the newer code takes over, the notice arrives, is told again, and ends
    await partition.until("Mon 09:30")
    await partition.until("Mon 10:30")
    await partition.hear(alert(state="resolved", time="Mon 10:30"), now="Mon 10:30")
    await partition.until("Mon 10:40")

    assert actions(partition.courier) == ["trigger", "update", "resolve"]
    assert {notice.key for _, notice in partition.courier.received} == {f"desk/on-call/{alert().id}"}
    assert {notice.installation for _, notice in partition.courier.received} == {""}


def _before(key, value):
    """A row without the fields that were added, and with the key that its page had."""
    fields = msgspec.msgpack.decode(value[9:])
    name = f"desk/on-call/{alert().id}"
    match key[:1]:
        case b"p":
            assert fields[-2:] == [OUTLETS.source, False]
            fields = [*fields[:3], name, *fields[4:-2]]
        case b"o":
            key = b"o" + name.encode()
            fields[2] = [[_notice_before(one[0], name), *one[1:4]] for one in fields[2]]
    own_version = [1] if key[:1] in (b"a", b"p", b"o", b"f") else []
    return key, value[:8] + msgspec.msgpack.encode(own_version + fields)


def _notice_before(fields, name):
    assert fields[-2:] == [OUTLETS.source, False]
    return [fields[0], name, *fields[2:-2]]


def notice_of(partition):
    return next(
        partition.state.codec.decode(key, row).failed[0].notice
        for key, row in partition.state.rows.items()
        if key[:1] == b"f"
    )


async def test_a_courier_that_breaks_its_promises_loses_no_page(monkeypatch, caplog):
    def fail(_receiver, _notice):
        raise RuntimeError("a bug")

    partition = Partition(courier=ScriptedCourier(fail))
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 09:00:10")
    assert partition.told() == ["trigger pending 0", "trigger retry 1"]
    assert "the courier failed at receiver on-call" in caplog.text

    monkeypatch.setattr("monitor.stream.agents.deliveries.ATTEMPT_TIMEOUT_S", 0.01)
    partition.courier.gates["on-call"] = asyncio.Event()
    await partition.until("Mon 09:00:30")
    await asyncio.sleep(0.03)
    await partition.until("Mon 09:00:30")
    assert partition.told()[-1].startswith("trigger retry")


async def test_a_receiver_that_is_gone_is_told_again_when_it_is_enabled_or_its_setting_has_changed(caplog):
    answers = {"on-call": GONE}
    courier = ScriptedCourier(lambda receiver, _notice: answers[receiver])
    partition = Partition(courier=courier, stamps={"on-call": "v1"})
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 09:10")
    assert partition.told() == ["trigger pending 0", "trigger gone 1"]
    assert "gone: no more" in caplog.text

    partition = await partition.killed().until("Mon 09:20")
    assert len(courier.received) == 1  # it is remembered
    await partition.say(Enable(receiver="on-call", at_ms=0))
    await partition.until("Mon 09:30")
    assert len(courier.received) == 2
    assert partition.processor.outbox.disabled.keys() == {"on-call"}
    answers["on-call"] = DELIVERED
    caplog.set_level(logging.INFO)
    partition = await partition.killed(stamps={"on-call": "v2"}).until("Mon 09:40")
    assert partition.told()[-1] == "trigger delivered 2" or partition.told()[-1] == "trigger delivered 3"
    assert "it is told again" in caplog.text
    assert partition.processor.outbox.disabled == {}


async def test_what_waits_for_a_receiver_that_is_gone_expires_and_the_page_begins_with_its_next_notice():
    answers = [GONE]
    partition = Partition(courier=ScriptedCourier(lambda _receiver, _notice: answers[0]))
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Tue 10:00")
    assert partition.told()[-1] == "trigger expired 1"
    answers[0] = DELIVERED
    await partition.say(Enable(receiver="on-call", at_ms=0))
    await partition.hear(alert("T-2", time="Tue 10:00"), now="Tue 10:00")
    await partition.until("Tue 11:00")

    assert partition.told()[-3:] == ["trigger pending 0", "trigger replaced 1", "trigger delivered 1"]


async def test_a_refused_notice_is_sent_again_by_hand_and_the_page_ends_as_any_other():
    answers = [REFUSED]
    partition = Partition(courier=ScriptedCourier(lambda _receiver, _notice: answers[0]))
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 09:10")
    failed = notice_of(partition)
    answers[0] = DELIVERED
    await partition.say(Resend(notice="unknown", at_ms=0), Resend(notice=failed.id, at_ms=0))
    await partition.until("Mon 09:20")
    await partition.hear(alert(state="resolved", time="Mon 09:30"), now="Mon 09:30")
    await partition.until("Mon 09:40")

    assert [notice.action for _, notice in partition.courier.delivered] == ["trigger", "resolve"]
    assert partition.courier.delivered[0][1] == failed
    assert [key for key in partition.state.rows if key[:1] != b"r"] == []


async def test_what_was_refused_with_its_page_over_is_sent_again_whole():
    answers = [REFUSED]
    partition = Partition(courier=ScriptedCourier(lambda _receiver, _notice: answers[0]))
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 09:10")
    failed = notice_of(partition)
    await partition.hear(alert(state="resolved", time="Mon 09:30"), now="Mon 09:30")
    await partition.until("Mon 09:40")
    assert partition.told()[-1] == "resolve skipped 0"
    answers[0] = DELIVERED
    await partition.say(Resend(notice=failed.id, at_ms=0))
    await partition.until("Mon 09:50")

    assert [notice.action for _, notice in partition.courier.delivered] == ["trigger", "resolve"]


async def test_what_failed_is_forgotten_after_a_while():
    partition = Partition(courier=ScriptedCourier(lambda _receiver, _notice: REFUSED))
    await partition.hear(alert(), alert(state="resolved", time="Mon 09:00:20"), now="Mon 09:00")
    await partition.hear(alert("T-2"), now="Mon 09:00:20")
    await partition.until("Mon 10:00")
    assert any(key[:1] == b"f" for key in partition.state.rows)
    await partition.until("Mon+7 10:00")

    assert not any(key[:1] == b"f" for key in partition.state.rows)


# -- people


LADDER = desk(notify(ladder=[("15m", "second-line")]))


async def test_an_acknowledgement_stops_the_ladder_and_is_done_once():
    partition = Partition(LADDER)
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 09:05")
    await partition.say(Acknowledgement(target=partition.courier.received[0][1].key, at_ms=0))
    await partition.until("Mon 09:10")
    partition = await partition.killed().until("Mon 09:30")
    assert [who for who, _ in partition.courier.received] == ["on-call"]

    # an alert that is out after it is not acknowledged, also not by a restart that reads the topic anew
    await partition.hear(alert("T-2", time="Mon 09:30"), now="Mon 09:30")
    partition = await partition.killed().until("Mon 10:00")
    assert [who for who, _ in partition.courier.received] == ["on-call", "on-call", "second-line"]


async def test_responses_of_a_topic_that_was_made_anew_are_heard(caplog):
    partition = Partition(LADDER)
    await partition.say(*(Enable(receiver=f"r{n}", at_ms=0) for n in range(5)))
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 09:05")
    partition = partition.killed(responses=None)
    await partition.say(Acknowledgement(target=alert().key.text(), at_ms=0))
    await partition.until("Mon 10:00")

    assert "made anew" in caplog.text
    assert [who for who, _ in partition.courier.received] == ["on-call"]


async def test_a_silence_mutes_and_its_end_tells():
    partition = Partition()
    silence = SilenceResponse(id="s", agreement="desk", until_ms=ms("Mon 12:00"), at_ms=0, labels={"customer": "acme"})
    await partition.say(silence)
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 10:00")
    assert partition.courier.received == []
    await partition.say((b"silence/s", None), (b"silence/x", b"{}"), (None, b"\xff"))
    await partition.until("Mon 10:01")

    assert actions(partition.courier) == ["trigger"]
    assert partition.responses.refused == 2


async def test_a_silence_reaches_many_alerts_before_any_page_is_told(monkeypatch):
    monkeypatch.setattr(outbox, "TICK_ROWS", 2)
    partition = Partition()
    await partition.hear(*(alert(f"T-{n}") for n in range(7)), now="Mon 09:00")
    await partition.until("Mon 09:00:09")
    await partition.say(SilenceResponse(id="s", agreement="desk", until_ms=ms("Mon 12:00"), at_ms=0))
    await partition.until("Mon 11:00")
    assert partition.courier.received == []
    await partition.until("Mon 13:00")
    assert len(partition.courier.received[0][1].alerts) == 7


async def test_an_amendment_reaches_what_is_out():
    partition = Partition()
    await partition.hear(alert(), now="Mon 09:00")
    await partition.until("Mon 09:05")
    partition.books.book = Partition(desk(notify("on-call manager"))).books.book
    await partition.until("Mon 09:10")

    assert [who for who, _ in partition.courier.received] == ["on-call", "manager"]


# -- what is no alert, and figures


async def test_what_is_no_alert_becomes_a_dead_letter_and_holds_up_nothing():
    partition = Partition()
    await partition.hear((b"k", b"{}"), (None, None), alert(), now="Mon 09:00")
    await partition.until("Mon 09:01")

    assert actions(partition.courier) == ["trigger"]
    letters = [
        decode_dead_letter(value, headers)
        for (topic, _), records in partition.writer.committed.items()
        for _, value, headers in records
        if topic == "dead"
    ]
    assert {one.reason for one in letters} == {"wrong_type", "tombstone"}
    assert sum(partition.tally.dead_letters.values()) == 2


async def test_a_large_batch_lets_others_run(monkeypatch):
    monkeypatch.setattr(outbox, "RECORDS_AT_ONCE", 2)
    partition = Partition()
    await partition.hear(*(alert(f"T-{n}") for n in range(5)), now="Mon 09:00")
    await partition.until("Mon 09:01")

    assert len(partition.courier.received[0][1].alerts) == 5


async def test_what_waits_and_is_open_can_be_seen():
    courier = ScriptedCourier(lambda _receiver, _notice: DOWN)
    partition = Partition(desk(), desk(id="other"), courier=courier)
    await partition.hear(alert(), now="Mon 09:00")
    await partition.hear(alert(agreement="other"), now="Mon 09:01")
    await partition.until("Mon 09:02")

    assert partition.processor.waiting() == {"on-call": (2, ms("Mon 09:00:10"), 0)}
    assert partition.processor.open_pages() == {"on-call": 2}


@pytest.mark.parametrize("caught_up", [True, False])
async def test_a_partition_without_alerts_wants_no_ticks(caught_up):
    partition = Partition()
    await partition.tick(ms("Mon 09:00"), caught_up=caught_up)
    await partition.tick(ms("Mon 09:00"))

    assert partition.processor.next_tick_ms() is None
    assert partition.state.next_wake_ms() is None
