"""What people on call do at the command line: look, answer, silence, send again."""

from __future__ import annotations

from typing import Final

import orjson
import pytest

from monitor.bootstrap import courier_of
from monitor.cli.commands import receivers
from monitor.config.settings.settings import Settings
from monitor.core.paging.delivery import Delivery, DeliveryResult
from monitor.core.paging.not_told import NotTold, NotToldReason
from monitor.core.paging.pages import Counts, notice_of
from monitor.errors import ConfigError
from monitor.read_model.topics import Outgoing
from monitor.stream.agents.books import agreement_key
from monitor.stream.partitions.clock import wall_ms
from monitor.wire.announcements import encode_alert
from monitor.wire.deliveries import encode_delivery, encode_not_told
from monitor.wire.responses import Acknowledgement, SilenceResponse, decode_response, encode_response
from monitor.wire.times import READERS, instant
from tests.cli.conftest import Kafka, Run, lines
from tests.core.paging_stage import OnCall, alert, desk, notify
from tests.stream.agents.test_books import document
from tests.stream.notifying import REFUSED, ScriptedCourier
from tests.zones import readers_zone

NOW_MS = wall_ms()


AGAIN: Final = frozenset({"pending", "retry", "misconfigured", "gone"})


def told(
    result: DeliveryResult,
    *,
    ticket: str = "T-1",
    receiver: str = "on-call",
    at_ms: int = NOW_MS,
    again: frozenset[str] = AGAIN,
) -> Outgoing:
    page = OnCall(desk(notify(receiver))).at("Mon 09:00", (ticket, "breached"))
    (row,) = [row for key, row in page.rows.items() if key[:1] == b"p"]
    notice = notice_of(row, "trigger", [alert(ticket)], Counts(1, 0, 0), at_ms)
    status, detail = {"rejected": (400, "no such field"), "misconfigured": (401, "who are you?")}.get(result, (202, ""))
    next_ms = at_ms + 1000 if result in again else None
    delivery = Delivery(notice, "desk", receiver, result, at_ms, at_ms, 1, status, detail, next_ms)
    return Outgoing("deliveries", *encode_delivery(delivery, "test"))


def publish(kafka: Kafka) -> None:
    written = document(notify={"receivers": ["on-call"], "at_risk": "chat"})
    kafka.send(Outgoing("agreements", agreement_key("desk", 1), orjson.dumps(written)))


def responses(kafka: Kafka) -> list[object]:
    return [None if one.value is None else decode_response(one.value) for one in kafka.read("responses")]


# -- deliveries


def test_the_last_word_on_each_notice_is_listed(run: Run, kafka: Kafka):
    kafka.send(told("pending"), told("rejected"), told("delivered", ticket="T-2", receiver="chat", at_ms=NOW_MS + 1))

    listed = lines(run("deliveries", "--json"))
    assert [(one["receiver"], one["result"], one["status"]) for one in listed] == [
        ("on-call", "rejected", 400), ("chat", "delivered", 202),
    ]  # fmt: skip
    shown = run("deliveries").stdout
    assert "400 no such field" in shown
    assert "2 of 2 notices" in shown
    assert [one["receiver"] for one in lines(run("deliveries", "--failed", "--json"))] == ["on-call"]
    assert [one["receiver"] for one in lines(run("deliveries", "--receiver", "chat", "--json"))] == ["chat"]


def test_times_of_deliveries_and_silences_are_the_readers(run: Run, kafka: Kafka):
    kafka.send(told("delivered"), not_told("T-3", "silenced", NOW_MS + 60_000))
    with readers_zone("Asia/Kathmandu"):
        shown, silenced = run("deliveries").stdout, run("deliveries", "--not-told").stdout
        at, until = instant(NOW_MS, READERS, seconds=True), instant(NOW_MS + 60_000, READERS)
    assert at in " ".join(shown.split())
    assert at in " ".join(silenced.split())
    assert until in " ".join(silenced.split())


def test_what_waits_for_somebody_to_mend_the_settings_is_listed_among_what_failed(run: Run, kafka: Kafka):
    kafka.send(told("retry"), told("misconfigured", receiver="chat"), told("gone", receiver="noc"))

    failed = lines(run("deliveries", "--failed", "--json"))
    assert {one["receiver"]: one["result"] for one in failed} == {"chat": "misconfigured", "noc": "gone"}
    assert "401 who are you?" in run("deliveries", "--failed").stdout
    shown = {one["receiver"]: one for one in lines(run("receivers", "list", "--json"))}
    assert [shown[name]["misconfigured"] for name in ("on-call", "chat", "noc")] == [False, True, False]
    assert [(shown[name]["waiting"], shown[name]["failed"]) for name in ("on-call", "chat")] == [(1, 0), (1, 0)]
    assert "misconfigured (401)" in run("receivers", "list").stdout


def not_told(ticket: str, reason: NotToldReason, until_ms: int | None = None) -> Outgoing:
    told = NotTold(alert(ticket, "breached"), reason, NOW_MS, until_ms)
    return Outgoing("deliveries", *encode_not_told(told, "test"))


def test_alerts_that_nobody_was_told_of_are_listed_by_themselves_with_the_reason(run: Run, kafka: Kafka):
    kafka.send(told("delivered"), not_told("T-2", "nobody_named"), not_told("T-3", "silenced", NOW_MS + 1))

    assert [one["result"] for one in lines(run("deliveries", "--json"))] == ["delivered"]
    assert "2 alerts were told to nobody: sla-monitor deliveries --not-told" in run("deliveries").stdout
    listed = lines(run("deliveries", "--not-told", "--json"))
    assert {(one["key"], one["reason"], one.get("next_ms")) for one in listed} == {
        ("ticket/T-2/desk/resolution/1", "nobody_named", None),
        ("ticket/T-3/desk/resolution/1", "silenced", NOW_MS + 1),
    }
    shown = " ".join(run("deliveries", "--not-told").stdout.split())
    assert "nobody_named" in shown
    assert "2 of 2 alerts that nobody was told of." in shown
    # they are no notices and no receiver's
    assert [one["receiver"] for one in lines(run("receivers", "list", "--json"))] == ["on-call"]
    assert "there is no such notice" in run("deliveries", "resend", listed[0]["notice"]).stderr


def test_where_everybody_was_told_it_says_so(run: Run, kafka: Kafka):
    kafka.send(told("delivered"))

    assert run("deliveries", "--not-told").stdout == "Of every alert somebody was told.\n"
    assert "--not-told" not in run("deliveries").stdout


def test_without_deliveries_and_with_strange_records_it_says_so(run: Run, kafka: Kafka):
    kafka.send(
        Outgoing("deliveries", b"k", b"{}"), Outgoing("deliveries", b"k", None), Outgoing("deliveries", b"k", b"x")
    )
    result = run("deliveries")

    assert result.stdout == "No deliveries.\n"
    assert result.stderr.count("is none of ours") == 3


def test_a_failed_notice_is_asked_for_again_and_any_other_is_not(run: Run, kafka: Kafka):
    kafka.send(
        told("rejected"),
        told("delivered", ticket="T-2", at_ms=NOW_MS + 1),
        told("rejected", ticket="T-3", at_ms=NOW_MS + 2, again=frozenset({"rejected"})),
    )
    failed, fine, tried = (one["notice"] for one in lines(run("deliveries", "--json")))

    assert run("deliveries", "resend", failed, "--by", "ann").exit_code == 0
    ((asked),) = responses(kafka)
    assert (asked.notice, asked.by) == (failed, "ann")
    for wrong, why in (
        (fine, "it is delivered"),
        ("nothing", "there is no such notice"),
        (tried, "it is rejected and is tried again by itself at 20"),
    ):
        result = run("deliveries", "resend", wrong)
        assert result.exit_code == 1
        assert why in result.stderr


# -- acknowledgements


def test_an_alert_or_a_page_is_acknowledged_by_its_key(run: Run, kafka: Kafka):
    kafka.send(told("delivered"), Outgoing("alerts", *encode_alert(alert("T-9"), "test")))
    page = lines(run("deliveries", "--json"))[0]["key"]

    assert (
        run("ack", page, "--by", "ann", "--note", "on my way").stdout
        == "Acknowledged by ann: nobody else is told of it.\n"
    )
    assert run("ack", alert("T-9").key.text(), "--json").exit_code == 0
    first, second = responses(kafka)
    assert (first.target, first.by, first.note) == (page, "ann", "on my way")
    assert second.target == alert("T-9").key.text()
    assert second.by  # whoever runs this


def test_a_key_that_nobody_was_told_of_is_refused(run: Run, kafka: Kafka):
    result = run("ack", "T-1")
    assert result.exit_code == 1
    assert "no alert and no page has the key T-1" in result.stderr
    assert responses(kafka) == []


# -- silences


def test_a_silence_is_added_listed_and_ended(run: Run, kafka: Kafka):
    publish(kafka)
    assert run("silence", "list").stdout == "No silences.\n"
    (added,) = lines(
        run("silence", "add", "--agreement", "desk", "--promise", "resolution", "--label", "queue=a", "--for", "2h",
            "--reason", "move", "--by", "ann", "--json")
    )  # fmt: skip
    assert added["until_ms"] - added["at_ms"] == 7_200_000
    assert lines(run("silence", "list", "--json")) == [added]
    assert "queue=a" in run("silence", "list").stdout
    assert run("silence", "expire", added["id"]).exit_code == 0
    assert responses(kafka)[-1] is None
    assert run("silence", "list").stdout == "No silences.\n"
    assert run("silence", "expire", added["id"]).exit_code == 1


def test_a_silence_of_nothing_is_refused(run: Run, kafka: Kafka):
    publish(kafka)
    result = run("silence", "add", "--agreement", "dask", "--for", "2h")
    assert result.exit_code == 1
    assert "did you mean 'desk'?" in result.stderr
    for wrong in (("--for", "soon"), ("--for", "0s"), ("--for", "1h", "--label", "queue")):
        assert run("silence", "add", "--agreement", "desk", *wrong).exit_code == 2
    assert responses(kafka) == []


def test_what_is_done_with_is_taken_away_by_whoever_writes_next(run: Run, kafka: Kafka):
    publish(kafka)
    old = Acknowledgement(target="T-1", at_ms=NOW_MS - 8 * 86_400_000)
    ended = SilenceResponse(id="old", agreement="desk", at_ms=0, until_ms=NOW_MS - 8 * 86_400_000)
    recent = SilenceResponse(id="recent", agreement="desk", at_ms=0, until_ms=NOW_MS - 86_400_000)
    kafka.send(*(Outgoing("responses", *encode_response(one), partition=0) for one in (old, ended, recent)))
    kafka.send(Outgoing("responses", b"strange", b"{", partition=0))
    assert [one["id"] for one in lines(run("silence", "list", "--all", "--json"))] == ["old", "recent"]

    run("silence", "add", "--agreement", "desk", "--for", "1d")
    assert [one.key for one in kafka.read("responses")[4:]][:2] == [b"ack/T-1", b"silence/old"]
    assert len(lines(run("silence", "list", "--all", "--json"))) == 2


# -- receivers


def test_receivers_are_listed_with_how_it_stands(run: Run, kafka: Kafka):
    assert run("receivers", "list").stdout.startswith("No receivers")
    publish(kafka)
    kafka.send(Outgoing("agreements", b"strange/1", b"{"), Outgoing("agreements", b"taken-back/1", None))
    kafka.send(told("gone"), told("delivered", receiver="noc"), told("rejected", ticket="T-3", receiver="noc"))
    shown = {one["receiver"]: one for one in lines(run("receivers", "list", "--json"))}

    assert shown["on-call"] == {
        "receiver": "on-call", "described": False, "disabled": True, "agreements": ["desk"], "delivered_ms": None,
        "waiting": 1, "failed": 0, "misconfigured": False,
    }  # fmt: skip
    assert (shown["noc"]["agreements"], shown["noc"]["delivered_ms"], shown["noc"]["failed"]) == ([], NOW_MS, 1)
    assert shown["chat"]["agreements"] == ["desk"]
    table = run("receivers", "list").stdout
    assert "disabled (410)" in table
    assert "not in the settings" in table

    assert run("receivers", "enable", "on-call").exit_code == 0
    assert not {one["receiver"]: one for one in lines(run("receivers", "list", "--json"))}["on-call"]["disabled"]
    assert run("receivers", "enable", "nobody").exit_code == 1


def test_trying_a_receiver_out_sends_a_test_and_its_end(run: Run, monkeypatch: pytest.MonkeyPatch):
    courier = ScriptedCourier()
    courier.strangers.add("nobody")
    monkeypatch.setattr(receivers, "courier_of", lambda _settings: courier)

    assert run("receivers", "test", "on-call").stdout == "trigger: delivered 202\nresolve: delivered 202\n"
    begun, ended = (notice for _, notice in courier.received)
    assert (begun.is_test, begun.action, ended.action, begun.key) == (True, "trigger", "resolve", ended.key)
    assert begun.severity == "info"
    assert run("receivers", "test", "nobody").exit_code == 1
    courier.answer = lambda _receiver, _notice: REFUSED
    result = run("receivers", "test", "on-call", "--json")
    assert result.exit_code == 1
    assert [(one["action"], one["result"]) for one in lines(result)] == [("trigger", "rejected")]


def test_without_any_receivers_there_is_nothing_to_try_out(run: Run):
    result = run("receivers", "test", "on-call")
    assert result.exit_code == 1
    assert "no receivers are described" in result.stderr
    with pytest.raises(ConfigError):
        courier_of(Settings())
