"""Pages on a real Kafka: kill -9 between the alert on the topic and the answer of whoever is paged loses none."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import orjson
import pytest

from monitor.read_model.topics import Outgoing, read_all, send_all
from tests.chaos.rounds import STOPS
from tests.kafka.chaos import Fleet
from tests.kafka.monitor_job import MonitorJob
from tests.notify.desk import Desk

pytestmark = pytest.mark.alone

PAGES = 25
KILLS = 4
"""Each kill hits all pages on their way: a hundred times alert, page, kill."""
SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" + "MfKQ9r8G"


def agreement(number: int) -> dict[str, Any]:
    return {
        "agreement": f"desk-{number}", "version": 1, "valid_from": "2020-01-01", "name": "Desk", "form": "customer",
        "provider": "IT", "customer": "a customer", "service": "desk", "status": "accepted", "accepted_by": "the test",
        "accepted_on": "2020-01-01", "zone": "UTC", "covers": {"customer": [f"customer-{number}"]},
        "clocks": [{"id": "response", "metric": "first_response", "targets": {"*": "2s"}, "calendar": "always"}],
        "notify": {"receivers": ["on-call"], "group_wait": "1s", "group_interval": "1s"},
    }  # fmt: skip


async def send(job: MonitorJob, kind: str) -> None:
    """Each customer has one ticket: something happens to all of them."""
    now_ms = int(time.time() * 1000)
    events = [
        {"id": f"{kind}-{n}", "type": kind, "time": now_ms, "ticket": f"T-{n}", "customer": f"customer-{n}"}
        for n in range(PAGES)
    ]
    topic = job.settings.topics.tickets
    await send_all(job.settings, [Outgoing(topic, one["ticket"].encode(), orjson.dumps(one)) for one in events])


async def hear(desk: Desk, action: str, fleet: Fleet) -> None:
    """Wait until the receiver was told something of every page."""
    keys: set[str] = set()
    while len(keys) < PAGES:
        try:
            body = orjson.loads(await asyncio.wait_for(desk.heard.get(), 60))
        except TimeoutError:
            raise AssertionError(f"only {len(keys)} pages: {fleet.log(0)[-4000:]}") from None
        if body["data"]["action"] == action:
            keys.add(body["data"]["key"])


async def deliveries(job: MonitorJob) -> list[tuple[str, str]]:
    """Return the key and the action of each notice that was delivered."""
    return [(one["key"], one["action"]) for one in await results(job) if one["result"] == "delivered"]


async def results(job: MonitorJob) -> list[dict[str, Any]]:
    """Return what became of each attempt so far."""
    return [orjson.loads(one.value)["data"] for one in await read_all(job.settings, job.settings.topics.deliveries)]


async def test_a_page_that_is_on_its_way_when_its_worker_is_killed_is_sent_again_under_its_id(
    kafka: str, tmp_path: Path
) -> None:
    file = tmp_path / "settings.yaml"
    async with Desk.started() as desk:
        # given a receiver that answers nobody, and a promise to each customer that is broken
        desk.otherwise = "hang"
        file.write_text(
            f"receivers:\n  on-call: {{kind: generic, url: {desk.url}, secrets: [{SECRET}], max_connections: 64}}\n"
        )
        more = {"SETTINGS": str(file)}
        job = MonitorJob(kafka, tmp_path, [agreement(n) for n in range(PAGES)], static=True, session_s=20, more=more)
        await job.create()
        async with Fleet(job.command, tmp_path, restart_after_s=0.2) as fleet:
            fleet.do("start", 0)
            await send(job, "opened")
            for _ in range(KILLS):
                # when the worker is killed whenever all pages are on their way
                await hear(desk, "trigger", fleet)
                fleet.do("kill", 0)
            await hear(desk, "trigger", fleet)
            # and in the end is answered
            desk.otherwise = (200, b"", {})
            desk.open.set()
            await send(job, "responded")
            await hear(desk, "resolve", fleet)

            # then for a committed reader each notice was delivered once
            deadline = time.monotonic() + 60
            while len(delivered := await deliveries(job)) < 2 * PAGES:
                assert time.monotonic() < deadline, len(delivered)
                await asyncio.sleep(0.2)
            assert len(set(delivered)) == len(delivered) == 2 * PAGES

    # and each page was told under one id, however often, and ended under another, after it
    told: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for _, headers, body in desk.told:
        data = orjson.loads(body)["data"]
        told[data["key"]].append((data["action"], headers["webhook-id"]))
    assert len(told) == PAGES
    for page in told.values():
        assert [action for action, _ in page] == ["trigger"] * (KILLS + 1) + ["resolve"]
        assert len(set(page)) == 2
    assert [code for _, code in fleet.exits].count(-9) == KILLS


async def test_a_worker_that_stood_still_tells_nobody_of_what_the_next_owner_has_ended(
    kafka: str, tmp_path: Path
) -> None:
    file = tmp_path / "settings.yaml"
    async with Desk.started() as desk:
        # given two workers, and pages that wait for their next attempt, for the receiver is down
        desk.otherwise = (503, b"", {})
        file.write_text(
            f"receivers:\n  on-call: {{kind: generic, url: {desk.url}, secrets: [{SECRET}], max_connections: 64}}\n"
        )
        job = MonitorJob(
            kafka, tmp_path, [agreement(n) for n in range(PAGES)], session_s=8, more={"SETTINGS": str(file)}
        )
        await job.create()
        async with Fleet(job.command, tmp_path, restart_after_s=0.2) as fleet:
            fleet.do("start", 0)
            fleet.do("start", 1)
            await send(job, "opened")
            deadline = time.monotonic() + 180
            while len({one["key"] for one in await results(job) if one["result"] == "retry"}) < PAGES:
                assert time.monotonic() < deadline, fleet.log(0)[-4000:]
                await asyncio.sleep(0.1)
            # when one of them stands still, and the other tells all pages and ends them
            fleet.do("freeze", 0)
            desk.otherwise = (200, b"", {})
            while len({key for key, _ in await deliveries(job)}) < PAGES:
                assert time.monotonic() < deadline, fleet.log(1)[-4000:]
                await asyncio.sleep(0.5)
            await send(job, "responded")
            await hear(desk, "resolve", fleet)
            ended = len(desk.told)
            # and it goes on: it ends as its writers are fenced, or learns from the group what it owns by now
            before = len(fleet.log(0))
            fleet.do("thaw", 0)
            while not any(life.worker == 0 for life in fleet.lives) and "rows restored" not in fleet.log(0)[before:]:
                assert time.monotonic() < deadline + 60, fleet.log(0)[-4000:]
                await asyncio.sleep(0.1)

            # then it has told nobody before it found out that it owns nothing any more
            assert desk.told[ended:] == []
            for stopped in (life for life in fleet.lives if life.worker == 0):
                assert any(why in stopped.log for why in STOPS), stopped.log[-4000:]
