"""The command line on a real Kafka: from nothing to an alert, as the documents tell it."""

from __future__ import annotations

import asyncio
import json
import signal
import uuid
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli.root import root
from monitor.cli.terminal.options import read_settings
from monitor.config.settings.settings import Settings
from monitor.core.facts.events import Event, Fact
from monitor.core.series.series import PaneKey, SeriesKey, empty_pane
from monitor.installation import topic_plan
from monitor.read_model.buried_panes import find_buried, send_buried
from monitor.read_model.topics import Outgoing, producer, read_all, send_all
from monitor.stream.partitions.clock import wall_ms
from monitor.wire.announcements import encode_alert
from monitor.wire.deadletters import DeadLetter
from monitor.wire.events import encode_event
from tests.cli.conftest import AGREEMENT
from tests.cli.processes import process, stop
from tests.core.paging_stage import alert
from tests.partials import encode_partial


@pytest.fixture
def settings(kafka: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of an installation of its own, in the environment of every command."""
    mark = uuid.uuid4().hex[:8]
    environment = {
        "BOOTSTRAP": kafka,
        "APP_ID": mark,
        "TOPICS_PARTITIONS": "2",
        "WEB_PORT": "0",
        "SESSION_TIMEOUT": "6s",
    }
    for topic in ("tickets", "calls", "outages", "leads", "agreements", "partials", "alerts", "status", "statements",
                  "reports", "deliveries", "responses", "markers"):  # fmt: skip
        environment[f"TOPICS_{topic.upper()}"] = f"{mark}-{topic}"
    environment["TOPICS_DEAD_LETTERS"] = f"{mark}-dead-letters"
    for name, value in environment.items():
        monkeypatch.setenv(f"SLA_MONITOR_{name}", value)
    return read_settings(None)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(root, [str(one) for one in arguments])


def opened(ticket: str, age_ms: int) -> tuple[bytes, bytes]:
    fact = Fact(wall_ms() - age_ms, 0, f"{ticket}-1", "opened", {"priority": "P1"})
    return encode_event(Event("ticket", ticket, fact))


def test_from_nothing_to_an_alert(settings: Settings, tmp_path: Path):
    # given nothing: the checks say so
    assert run("topics", "check").exit_code == 1
    assert run("worker").exit_code == 1

    # when topics and agreements are there
    created = run("topics", "create", "--json")
    assert (created.exit_code, len(created.stdout.splitlines())) == (0, len(topic_plan(settings)))
    assert all(json.loads(line)["created"] for line in created.stdout.splitlines())
    assert run("topics", "check").exit_code == 0
    (tmp_path / "desk.yaml").write_text(AGREEMENT)
    assert run("agreements", "apply", tmp_path, "--yes").exit_code == 0

    # and a worker meets a late ticket and a broken record
    key, value = opened("T-1", age_ms=4 * 3_600_000 + 1_000)
    topic = settings.topics.tickets
    asyncio.run(send_all(settings, [Outgoing(topic, key, value), Outgoing(topic, b"T-2", value, partition=0)]))
    with (
        process("worker", folder=tmp_path) as worker,
        process("tail", "alerts", "--from-start", folder=tmp_path) as tail,
    ):
        told = next(line for line in tail.stdout if "breached" in line)
        code, _, err = stop(worker, signal.SIGTERM)
        assert stop(tail, signal.SIGINT)[0] == 0

    # then the breach was told, the worker went in order, and the broken record can be looked at and sent again
    assert "Ticket T-1 missed resolution" in told
    assert code == 0, err
    (letter,) = [json.loads(line) for line in run("dead-letters", "list", "--json").stdout.splitlines()]
    assert letter["reason"] == "key_mismatch"
    assert run("dead-letters", "replay", letter["id"], "--yes").exit_code == 0
    assert [record.key for record in asyncio.run(read_all(settings, topic))].count(b"T-2") == 2


def told(ticket: str) -> bytes:
    return encode_alert(alert(ticket), "sla-monitor")[1]


def test_what_was_aborted_is_not_told(settings: Settings):
    async def write() -> None:
        async with producer(settings, transactional_id=settings.app_id) as writer:
            await writer.begin_transaction()
            await writer.send_and_wait(settings.topics.alerts, key=b"k", value=told("aborted"))
            await writer.abort_transaction()
            async with writer.transaction():
                await writer.send_and_wait(settings.topics.alerts, key=b"k", value=told("committed"))

    run("topics", "create")
    asyncio.run(write())
    assert run("tail", "alerts", "--no-follow", "--json").stdout == told("committed").decode() + "\n"


PANE = encode_partial("tickets/0", PaneKey(SeriesKey("desk", "resolution", ("P1",)), "hour", 0), empty_pane())
OTHER = encode_partial("tickets/1", PaneKey(SeriesKey("desk", "resolution", ("P1",)), "hour", 0), empty_pane())


def test_buried_panes_wait_for_whoever_is_writing_and_never_replace_what_is_newer(settings: Settings):
    run("topics", "create")
    topic = settings.topics.partials
    letters = [
        DeadLetter(topic, 0, place, "newer_layout", "", key, b"") for place, (key, _) in enumerate((PANE, OTHER))
    ]

    async def story() -> None:
        # given two buried panes, each the newest of its key, and a worker that is just writing one of them anew
        await send_all(settings, [Outgoing(topic, *one, partition=0) for one in (PANE, OTHER)])
        async with producer(settings, transactional_id=f"{settings.app_id}-worker") as worker:
            await worker.begin_transaction()
            await worker.send_and_wait(topic, key=PANE[0], value=None, partition=0)
            found = await find_buried(settings, letters)
            assert [one.key for one in found.newest] == [PANE[0], OTHER[0]]

            # when they are sent again, it is waited for what the worker does
            sending = asyncio.ensure_future(send_buried(settings, found))
            await asyncio.wait([sending], timeout=2)
            assert not sending.done()
            await worker.commit_transaction()

            # then what it wrote stays the newest
            left_out = await sending
        assert left_out == {letters[0][:3]: "its key was written again since, at offset 2"}
        written = [(one.key, one.value) for one in await read_all(settings, topic)]
        assert written == [PANE, OTHER, (PANE[0], None), OTHER]

    asyncio.run(story())


def test_a_topic_of_the_wrong_shape_is_told_and_keeps_the_worker_from_starting(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    run("topics", "create")
    monkeypatch.setenv("SLA_MONITOR_TOPICS_PARTITIONS", "3")
    found = run("topics", "check")
    assert found.exit_code == 1
    assert f"{settings.topics.tickets} has 2 partitions, not 3" in found.stdout
    refused = run("worker")
    assert refused.exit_code == 1
    assert "error, for the operator of Kafka: " in refused.stderr
