"""``traffic``: simulated events on a Kafka that is there, for the compose stack and for trying out."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import orjson
import pytest

from monitor.cli.commands.traffic import SCENES_AGO_MS
from monitor.core.facts.events import Event
from monitor.core.time.units import HOUR_MS, MINUTE_MS
from monitor.errors import DecodeError
from monitor.stream.partitions.clock import wall_ms
from monitor.wire.events import decode
from tests.cli.conftest import Kafka, Run, lines
from tests.cli.processes import process, stop

TOPICS = {"tickets": "ticket", "calls": "call", "outages": "outage", "leads": "lead"}


def events(kafka: Kafka) -> tuple[list[Event], Counter[str]]:
    """What can be read as events, and why the rest cannot."""
    found, refused = [], Counter()
    for topic, subject in TOPICS.items():
        for record in kafka.read(topic):
            try:
                found.append(decode(subject, record.key, record.value))
            except DecodeError as error:
                refused[error.reason] += 1
    return found, refused


def test_windows_have_a_past_at_once_and_nothing_is_from_the_future(kafka: Kafka, run: Run):
    before_ms = wall_ms()
    result = run("traffic", "--yes", "--json", "--history", "3", "--for", "0.1")

    told = lines(result)
    sent, refused = events(kafka)
    assert [one["kind"] for one in told] == ["sent", "end"]
    assert told[-1]["sent"] == len(sent) > 1_000
    assert refused.total() == 1, "one broken record, so that dead letters have something to show"
    usual = [one.fact.time_ms for one in sent if one.subject != "lead" and not one.fact.type.startswith("maintenance")]
    assert before_ms - 3 * HOUR_MS <= min(usual) < before_ms - 2.9 * HOUR_MS
    assert before_ms - MINUTE_MS < max(usual) <= wall_ms()
    assert {one.subject for one in sent} == set(TOPICS.values())


def test_the_scenes_have_begun_so_that_the_first_promise_breaks_soon(kafka: Kafka, run: Run):
    run("traffic", "--yes", "--history", "1", "--for", "0.1")

    forgotten = [
        one for one in events(kafka)[0]
        if one.fact.type == "opened" and (one.fact.attributes.get("service"), one.fact.attributes["priority"])
        == ("vpn", "P1") and one.fact.attributes.get("channel") == "phone"
    ]  # fmt: skip
    ages_ms = [wall_ms() - one.fact.time_ms for one in forgotten]
    assert any(abs(age_ms - (SCENES_AGO_MS - MINUTE_MS)) < 5_000 for age_ms in ages_ms), "due a minute from now"


def test_a_second_run_tells_no_second_past_and_of_other_tickets(kafka: Kafka, run: Run):
    run("traffic", "--yes", "--history", "1", "--for", "0.1")
    first, _ = events(kafka)
    until_ms = wall_ms()
    run("traffic", "--yes", "--history", "1", "--for", "1", "--intensity", "50")
    known = {one.fact.id for one in first}
    second = [one for one in events(kafka)[0] if one.fact.id not in known]

    assert 0 < len(second) < 200
    assert all(one.fact.time_ms >= until_ms for one in second if one.fact.type != "maintenance_announced")
    assert not {one.subject_id for one in second} & {one.subject_id for one in first}


def test_sigterm_ends_it_well_and_the_heartbeat_says_that_it_was_alive(kafka: Kafka, tmp_path: Path):
    heartbeat = tmp_path / "heartbeat"
    command = ("traffic", "--yes", "--json", "--history", "1", "--heartbeat", str(heartbeat))
    with process(*command, environment=kafka.environment, folder=tmp_path) as started:
        assert orjson.loads(started.stdout.readline())["kind"] == "sent"
        assert heartbeat.exists()
        code, out, err = stop(started, signal.SIGTERM)

    assert (code, err) == (0, "")
    assert orjson.loads(out.splitlines()[-1])["kind"] == "end"


def test_it_asks_before_it_writes_simulated_events_anywhere(kafka: Kafka, run: Run):
    result = run("traffic", "--for", "0.1", answer="n\n")
    assert result.exit_code == 1
    assert "tickets, calls, outages, leads at 127.0.0.1" in result.output
    assert events(kafka)[0] == []


@pytest.mark.usefixtures("kafka")
def test_missing_topics_are_for_the_operator_of_kafka(run: Run):
    result = run("traffic", "--yes", "--for", "0.1", env={"SLA_MONITOR_TOPICS_OUTAGES": "nowhere"})
    assert result.exit_code == 1
    assert "error, for the operator of Kafka: topic nowhere does not exist" in result.stderr
