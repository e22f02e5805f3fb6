"""Teams with topics of their own: their records become events, exactly once, whatever is stopped meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pytest
from aiokafka.structs import ConsumerRecord
from faust.types import TP

from monitor import pipeline
from monitor.config.settings.sources import SourceSettings
from monitor.read_model.topics import Outgoing
from monitor.stream.agents.mapped import Mapped
from monitor.stream.partitions.ports import Now
from monitor.wire.events import decode
from tests.e2e.installation import PARTITIONS, Installation, at, desk_agreement
from tests.stream.running import until
from tests.wire.foreign_bodies import (
    cdr,
    jira_change,
    jira_comment,
    jira_issue,
    jira_issue_event,
    jira_updated,
    jira_user,
)

MAPPINGS = Path(__file__).parents[2] / "deploy" / "mappings"
SOURCES = [
    SourceSettings(topic="jira-webhooks", mapping=str(MAPPINGS / "jira.yaml")),
    SourceSettings(topic="cdr", mapping=str(MAPPINGS / "pbx-cdr.yaml"), partitions=3),
]
AGREEMENT = desk_agreement("""\
clocks:
  - {id: response, metric: first_response, targets: {P2: 1h, "*": 4h}, windows: [day]}
  - {id: resolution, metric: resolution, targets: {"*": 8h}, windows: [day]}
calls:
  - {id: service-level, answer_within: 20s, service_level: SL1, by: [], windows: [day]}
""")


@pytest.fixture
async def installation(tmp_path: Path) -> AsyncIterator[Installation]:
    """An installation whose clock stands at Monday, 2026-01-05 09:00 UTC, with two topics of others."""
    folder = tmp_path / "agreements"
    folder.mkdir()
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(Installation.started(at("2026-01-05 09:00"), folder, SOURCES))


def webhook(body: dict[str, Any] | bytes, partition: int = 0) -> Outgoing:
    """A record as whoever receives webhooks writes it: without a key, in any partition."""
    value = body if isinstance(body, bytes) else orjson.dumps(body)
    return Outgoing("jira-webhooks", None, value, partition=partition)


def opened(number: int, when: str) -> dict[str, Any]:
    return jira_issue_event(
        "issue_created", at(when), jira_issue(f"DESK-{number}", created=f"{when.replace(' ', 'T')}:00Z")
    )


def resolved(number: int, when: str) -> dict[str, Any]:
    change = jira_change("resolution", None, "Fixed")
    return jira_updated(at(when), change, issue=jira_issue(f"DESK-{number}"), change=f"c{number}")


async def events(installation: Installation, topic: str = "tickets") -> list[tuple[str, str]]:
    """Return subject and type of what a committed reader sees on a topic of events, sorted."""
    records = await installation.read(topic)
    decoded = [decode("ticket" if topic == "tickets" else "call", one.key, one.value) for one in records]
    return sorted((one.subject_id, one.fact.type) for one in decoded)


async def test_webhooks_become_events_and_promises_are_kept_or_broken_by_them(installation: Installation):
    # given an issue in Jira, an internal note, and the agent's answer after an hour; calls as an exchange records them
    await installation.publish(AGREEMENT)
    async with installation.worker() as worker:
        await installation.turn("2026-01-05 09:10", worker)
        of_issue = {"issue": jira_issue(whole=False)}
        note = jira_comment(jira_user("anna"), public=False, created="2026-01-05T09:20:00.000+0000", **of_issue)
        answer = jira_comment(jira_user("anna"), public=True, created="2026-01-05T10:30:00.000+0000", **of_issue)
        answer["comment"]["id"] = "30002"
        await installation.send(webhook(jira_issue_event("issue_created", at("2026-01-05 09:00"))), webhook(note, 1))
        await installation.turn("2026-01-05 10:30", worker)
        await installation.send(webhook(answer, 1), webhook(answer, 0))
        await installation.send(
            *[Outgoing("cdr", None, orjson.dumps(one)) for one in (cdr(), cdr("BUSY", uniqueid="2"))]
        )
        await installation.turn("2026-01-05 10:31", worker)

        # then the note was no response, the answer came too late, and what was delivered twice counts once
        told = [(one["what"], one["promise"], one["state"], one["at"]) for one in await installation.told()]
        assert ("DESK-7", "response", "breached", "2026-01-05T10:00:00.251Z") in told
        assert ("DESK-7", "response", "resolved", "2026-01-05T10:30:00.000Z") in told
        metrics = await worker.metrics()
        assert metrics.value("sla_events_repeated_total", topic="tickets") == 1
        # and whoever asks how things stand is told
        standing = await installation.run("status", "--json", "--agreement", "desk")
        assert standing.exit_code == 0, "it was broken, and is no more"
        assert [one["agreement"] for one in orjson.loads(standing.stdout)["agreements"]] == ["desk"]
        # and the calls are measured
        assert metrics.value("sla_call_service_level_good", formula="SL1", window="day") == 1
        assert metrics.value("sla_call_service_level_samples", formula="SL1", window="day") == 2
        assert metrics.value("sla_events_mapped_total", topic="cdr") == 5
        assert metrics.value("sla_lag_records", topic="cdr", partition="2") == 0
        assert await events(installation, "calls") == [
            ("1767603600.17", "answered"), ("1767603600.17", "ended"), ("1767603600.17", "queued"),
            ("2", "abandoned"), ("2", "queued"),
        ]  # fmt: skip


async def test_what_does_not_map_is_a_dead_letter_and_can_be_sent_again_once_the_mapping_is_mended(
    installation: Installation, tmp_path: Path
):
    # given a priority that the mapping does not know, something that is no JSON, and a body about something else
    await installation.publish(AGREEMENT)
    blocker = opened(1, "2026-01-05 09:00")
    blocker["issue"]["fields"]["priority"]["name"] = "Blocker"
    await installation.send(
        webhook(blocker),
        webhook(b"{"),
        webhook({"webhookEvent": "sprint_started"}),
        webhook(opened(2, "2026-01-05 09:00")),
    )
    async with installation.worker() as worker:
        await worker.caught_up()
        letters = await installation.json("dead-letters", "list")
        assert [(one["id"], one["reason"]) for one in letters] == [
            ("jira-webhooks/0/0", "unknown_value"), ("jira-webhooks/0/1", "bad_json"),
        ]  # fmt: skip
        assert await events(installation) == [("DESK-2", "opened")]
        metrics = await worker.metrics()
        assert metrics.value("sla_records_unmapped_total", topic="jira-webhooks") == 1
        assert metrics.value("sla_dead_letters_total", topic="jira-webhooks", reason="unknown_value") == 1

    # when the mapping is mended and the record is sent again
    mended = tmp_path / "jira.yaml"
    mended.write_text((MAPPINGS / "jira.yaml").read_text().replace("Highest: P1", "Blocker: P1, Highest: P1"))
    sources = [SourceSettings(topic="jira-webhooks", mapping=str(mended)), SOURCES[1]]
    installation.settings = installation.settings.model_copy(update={"sources": sources})
    replayed = await installation.run("dead-letters", "replay", "jira-webhooks/0/0", "--yes")
    assert replayed.exit_code == 0, replayed.output
    async with installation.worker() as worker:
        await worker.caught_up()

        # then it is an event
        assert await events(installation) == [("DESK-1", "opened"), ("DESK-2", "opened")]


async def test_whatever_stops_while_webhooks_come_in_each_makes_its_events_once(installation: Installation):
    await installation.publish(AGREEMENT)
    numbers = range(400)
    async with installation.worker():
        # stopped at once: in the midst of what it has just begun to read
        await installation.send(*[webhook(opened(number, "2026-01-05 09:00"), number % 2) for number in numbers])
    async with installation.worker() as worker:
        await worker.caught_up()
        assert await events(installation) == sorted((f"DESK-{number}", "opened") for number in numbers)
        assert (await worker.metrics()).all("sla_events_repeated_total") == []


class Held(Mapped):
    """Maps nothing before the gate is open, as one that has much to read."""

    gate: ClassVar[asyncio.Event]

    def batch(
        self,
        records: Sequence[ConsumerRecord],
        now: Now,
        *,
        due: bool = True,
    ) -> Iterator[None]:
        while not self.gate.is_set():
            yield
        yield from super().batch(records, now, due=due)


async def test_after_a_stop_no_breach_is_told_that_the_backlog_of_webhooks_disproves(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    # given two issues that are due at 17:00, and a monitor that is stopped at noon
    await installation.publish(AGREEMENT.replace("P2: 1h, ", ""))
    await installation.send(webhook(opened(1, "2026-01-05 09:00")), webhook(opened(2, "2026-01-05 09:00")))
    async with installation.worker() as worker:
        await installation.turn("2026-01-05 12:00", worker)
    # and one of them resolved at 15:00, as only the topic of webhooks knows, which takes long to read
    await installation.send(webhook(resolved(1, "2026-01-05 15:00")))
    Held.gate = asyncio.Event()
    monkeypatch.setattr(pipeline, "Mapped", Held)

    # when the monitor is started in the evening, and the tickets have long been read
    installation.clock.advance(at("2026-01-05 20:00") - installation.clock.now_ms())
    async with installation.worker() as worker:
        runners = worker.monitor.app.runners
        tickets = [TP("tickets", partition) for partition in range(PARTITIONS)]
        await until(lambda: all(tp in runners and runners[tp]._told for tp in tickets))  # each had a tick by the clock
        assert [one for one in await installation.told() if one["promise"] == "resolution"] == []
        Held.gate.set()
        await installation.turn("2026-01-05 20:00", worker)

        # then only the other one was late
        breached = [one["what"] for one in await installation.told() if one["promise"] == "resolution"]
        assert "DESK-1" not in breached
        assert "DESK-2" in breached
