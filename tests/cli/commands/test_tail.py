"""``tail``: what was committed, readable or raw."""

from __future__ import annotations

import pytest

from monitor.core.alerts.alert import Alert, AlertKey, AlertState
from monitor.core.alerts.stretches import Stretch, Stretches
from monitor.core.objectives.status import ObjectiveVerdict, WindowStatus
from monitor.core.series.figures import Figure
from monitor.core.series.series import SeriesKey
from monitor.core.windows.reports import FinishedReport
from monitor.read_model.topics import Outgoing
from monitor.wire.announcements import encode_alert, encode_statement, encode_status
from monitor.wire.finished_reports import encode_report
from tests.cli.conftest import Kafka, Run, lines

AT_MS = 1_767_603_600_000  # 2026-01-05T09:00:00Z


def alert(state: AlertState = "breached", ticket: str = "T-1") -> Outgoing:
    key = AlertKey("ticket", ticket, "desk", "resolution", 1)
    told = Alert(f"{ticket}-{state}", key, state, AT_MS, "due", 1, {"priority": "P1"}, AT_MS - 1000, AT_MS, 1000, 1000)
    return Outgoing("alerts", *encode_alert(told, "test"))


def status(*, closed: bool = False) -> WindowStatus:
    figure = Figure("compliance", 0.9, 9, 10, "ratio", "met / (met + breached)")
    verdict = ObjectiveVerdict("in-time", "compliance", ">=", 0.95, None, 0.9, 10, 1, "breached")
    series = SeriesKey("desk", "resolution", ("P1",))
    return WindowStatus(
        series, {"priority": "P1"}, "month", AT_MS, AT_MS + 1, AT_MS + 2, 1, (figure,), (verdict,), {"open": 1}, closed
    )


def test_alerts_are_sentences(run: Run, kafka: Kafka):
    kafka.send(alert("at_risk"), alert("breached"))
    told = run("tail", "alerts", "--no-follow").stdout.splitlines()
    assert len(told) == 2
    assert told[0].startswith("2026-01-05 09:00:00 UTC at_risk  Ticket T-1 is about to miss resolution")
    assert told[1].startswith("2026-01-05 09:00:00 UTC breached Ticket T-1 missed resolution")


def test_the_stretches_of_alerts_are_shown_to_who_asks_for_them(run: Run, kafka: Kafka):
    key = AlertKey("ticket", "T-1", "desk", "resolution", 1)
    hour = 3_600_000
    newest = (Stretch(AT_MS - 2 * hour, AT_MS - hour, "holiday", "Epiphany"), Stretch(AT_MS - hour, AT_MS, "counted"))
    told = Alert("1", key, "breached", AT_MS, "due", 1, {}, stretches=Stretches(newest, 3, 2 * hour, hour))
    kafka.send(Outgoing("alerts", *encode_alert(told, "test")), alert())

    _, *shown, other = run("tail", "alerts", "--no-follow", "--stretches").stdout.splitlines()

    assert [one.strip() for one in shown] == [
        "3 older: 2 h, of it 1 h open",
        "2026-01-05 07:00 UTC – 2026-01-05 08:00 UTC  1 h holiday: Epiphany",
        "2026-01-05 08:00 UTC – 2026-01-05 09:00 UTC  1 h open",
    ]
    assert "Ticket T-1 missed resolution" in other
    assert len(run("tail", "alerts", "--no-follow").stdout.splitlines()) == 2


def test_machines_get_the_records_as_they_are(run: Run, kafka: Kafka):
    sent = alert()
    kafka.send(sent)
    assert run("tail", "alerts", "--no-follow", "--json").stdout.encode() == sent.value + b"\n"


@pytest.mark.parametrize("what", ["status", "statements"])
def test_status_and_statements_are_figures_and_verdicts(run: Run, kafka: Kafka, what: str):
    closed = what == "statements"
    encode = encode_statement if closed else encode_status
    kafka.send(Outgoing(what, *encode(status(closed=closed), "test")))
    (told,) = run("tail", what, "--no-follow").stdout.splitlines()
    assert "desk/resolution/P1 month" in told
    assert "compliance 90 %" in told
    assert told.endswith("in-time breached")
    (raw,) = lines(run("tail", what, "--no-follow", "--json"))
    assert raw["data"]["closed"] is closed


def test_finished_reports_are_told_with_their_period_receiver_and_due_instant(run: Run, kafka: Kafka):
    march = FinishedReport(
        agreement="desk", version=3, window="month", period="2026-03", zone="Europe/Berlin", from_ms=1_772_319_600_000,
        to_ms=1_774_994_400_000, receiver="ACME board", statistics=("resolution",), reason="closed",
        as_of_ms=1_774_995_300_000, due_ms=1_775_426_400_000,
    )  # fmt: skip
    kafka.send(Outgoing("reports", *encode_report(march, "test")))

    assert run("tail", "reports", "--no-follow").stdout == (
        "2026-03-31 22:15:00 UTC desk 2026-03 for ACME board, version 3: the period is closed, "
        "due 2026-04-06 00:00 CEST | resolution\n"
    )
    (raw,) = lines(run("tail", "reports", "--no-follow", "--json"))
    assert raw["type"] == "sla.report"


def test_following_begins_with_what_comes_next_unless_told_otherwise(run: Run, kafka: Kafka):
    kafka.send(alert())
    assert run("tail", "alerts", "--for", "0.5").stdout == ""
    assert "T-1" in run("tail", "alerts", "--for", "0.5", "--from-start").stdout


def test_tombstones_and_foreign_records_hide_nothing(run: Run, kafka: Kafka):
    kafka.send(Outgoing("alerts", b"k", None), Outgoing("alerts", b"k", b"{}"), alert())
    result = run("tail", "alerts", "--no-follow")
    assert len(result.stdout.splitlines()) == 1
    assert "is none of ours" in result.stderr


@pytest.mark.usefixtures("kafka")
def test_a_topic_that_does_not_exist_is_a_line_for_the_operator(run: Run):
    result = run("tail", "alerts", env={"SLA_MONITOR_TOPICS_ALERTS": "alarms"})
    assert result.exit_code == 1
    assert "topic alarms does not exist" in result.stderr
    assert "sla-monitor topics create" in result.stderr
