"""A topic of others on a real Kafka: it is checked, not created; each record makes its events once under kill -9."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from pathlib import Path

import orjson
import pytest

from monitor.installation import topic_plan
from monitor.read_model.topics import Outgoing, read_all, send_all
from monitor.stream.kafka.topics import TopicSpec, changelog_of, check_topics, create_topics
from monitor.wire.events import decode
from tests.kafka.chaos import Fleet, Step
from tests.kafka.monitor_job import MonitorJob
from tests.wire.foreign_bodies import jira_issue, jira_issue_event

JIRA = Path(__file__).parents[2] / "deploy" / "mappings" / "jira.yaml"
PARTITIONS = 3
ISSUES = 6_000
LOTS = 50


def job_with_a_source(kafka: str, folder: Path) -> tuple[MonitorJob, str]:
    mark = f"job-{uuid.uuid4().hex[:8]}"
    file = folder / "settings.yaml"
    file.write_text(f"sources:\n  - {{topic: {mark}-hooks, mapping: {JIRA}, partitions: {PARTITIONS}}}\n")
    return MonitorJob(kafka, folder, [], partitions=2, more={"SETTINGS": str(file)}, mark=mark), f"{mark}-hooks"


async def test_a_topic_of_others_is_checked_and_never_created(kafka: str, tmp_path: Path) -> None:
    job, topic = job_with_a_source(kafka, tmp_path)
    plan = topic_plan(job.settings)
    changelog = changelog_of(job.mark, topic)

    # given no such topic: neither it nor its changelog is created
    assert not {topic, changelog} & set(await create_topics(kafka, plan))
    missing = await check_topics(kafka, plan)
    assert [one.partition(":")[0] for one in missing] == [f"topic {topic} is missing", f"topic {changelog} is missing"]
    assert "its producer creates it" in missing[0]

    # given one of another shape: what to write is told, and still no changelog is created
    await create_topics(kafka, [TopicSpec(name=topic, partitions=PARTITIONS + 1, cleanup="compact")])
    assert await create_topics(kafka, plan) == []
    wrong = [one for one in await check_topics(kafka, plan) if topic in one]
    assert f"has {PARTITIONS + 1} partitions, not {PARTITIONS}: write partitions: {PARTITIONS + 1}" in wrong[0]


@pytest.mark.alone
async def test_webhooks_make_their_events_once_whoever_is_killed(kafka: str, tmp_path: Path) -> None:
    # given two workers that read webhooks, which are written all the time
    job, topic = job_with_a_source(kafka, tmp_path)
    await create_topics(kafka, [TopicSpec(name=topic, partitions=PARTITIONS)])
    await job.create()
    assert await check_topics(kafka, topic_plan(job.settings)) == []
    now_ms = int(time.time() * 1000)

    async def produce() -> None:
        for lot in range(LOTS):
            bodies = [
                orjson.dumps(jira_issue_event("issue_created", now_ms, jira_issue(f"DESK-{number}")))
                for number in range(lot, ISSUES, LOTS)
            ]
            await send_all(job.settings, [Outgoing(topic, None, body, partition=lot % PARTITIONS) for body in bodies])
            await asyncio.sleep(0.15)

    tickets, seen = job.settings.topics.tickets, Counter[str]()
    plan = [Step(0, "start", 0), Step(0, "start", 1), Step(4, "kill", 0), Step(6, "kill", 1), Step(8, "kill", 0)]
    async with Fleet(job.command, tmp_path) as fleet:
        await asyncio.gather(produce(), fleet.follow(plan))
        deadline = time.monotonic() + 90
        while len(seen) < ISSUES:
            assert time.monotonic() < deadline, (len(seen), fleet.exits, fleet.log(0)[-2000:], fleet.log(1)[-2000:])
            await asyncio.sleep(0.5)
            seen = Counter(
                decode("ticket", one.key, one.value).fact.id for one in await read_all(job.settings, tickets)
            )

    # then each is an event once, for a committed reader
    assert set(seen) == {f"DESK-{number}:opened" for number in range(ISSUES)}
    assert set(seen.values()) == {1}
    assert [code for _, code in fleet.exits].count(-9) == 3
