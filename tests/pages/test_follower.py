"""The follower: a model that is whole before it is shown, also after Kafka was away."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from monitor.config.settings.settings import Settings
from monitor.errors import BrokerError
from monitor.read_model import live
from monitor.read_model.live import Bounds, Follower, Live
from tests.pages import records


class Kafka:
    """Lots of records that a test hands out one by one; an exception breaks the connection."""

    def __init__(self):
        self.lots = asyncio.Queue()
        self.begun = 0

    async def committed(self, _settings, topics, *, follow, on_progress):
        assert follow
        assert len(topics) == 6
        self.begun += 1
        on_progress(1, 4)
        while True:
            lot = await self.lots.get()
            if isinstance(lot, Exception):
                raise lot
            yield lot


@pytest.fixture
async def following(monkeypatch):
    kafka = Kafka()
    monkeypatch.setattr(live, "committed", kafka.committed)
    monkeypatch.setattr(live, "RETRY_S", 0)
    follower = Follower(Settings())
    task = asyncio.create_task(follower.run())
    yield kafka, follower
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what it waits for tells nobody
            await asyncio.sleep(0)


async def test_it_is_complete_once_the_ends_are_reached(following, said):
    kafka, follower = following
    kafka.lots.put_nowait(said)
    await until(lambda: follower.live.version == 1)
    assert (follower.is_complete, follower.read_share) == (False, 0.25)
    kafka.lots.put_nowait([])
    await until(lambda: follower.is_complete)


async def test_after_a_failure_the_old_model_stands_until_the_new_one_is_whole(following, said):
    kafka, follower = following
    for lot in (said, []):
        kafka.lots.put_nowait(lot)
    await until(lambda: follower.is_complete)
    old = follower.live

    kafka.lots.put_nowait(BrokerError("Kafka does not answer"))
    await until(lambda: follower.failure)
    kafka.lots.put_nowait(said[:10])
    await until(lambda: kafka.begun == 2 and kafka.lots.empty())
    assert (follower.live, follower.failure) == (old, "Kafka does not answer")

    for lot in (said[10:], []):
        kafka.lots.put_nowait(lot)
    await until(lambda: not follower.failure)
    assert follower.live is not old
    assert [one.id for one in follower.live.alerts()] == [one.id for one in old.alerts()]


async def test_whoever_waits_hears_of_news(following, said):
    kafka, follower = following
    for lot in (said[:5], []):
        kafka.lots.put_nowait(lot)
    await until(lambda: follower.is_complete)
    waiting = asyncio.create_task(follower.news())
    await asyncio.sleep(0)
    kafka.lots.put_nowait(said[5:])
    async with asyncio.timeout(5):
        await waiting


def test_the_model_keeps_the_newest_within_its_bounds(watched):
    closed = [one for one in watched.evaluator.latest.values() if one.window == "month" and one.verdicts][:1]
    alerts = [alert for _, alert in watched.noticed][:10]
    model = Live(records.TOPICS, Bounds(alerts=3, statements=2))
    model.take([records.alert(one) for one in alerts])
    assert [one.id for one in model.alerts()] == [one.id for one in alerts[:6:-1]]

    months = [one._replace(closed=True, live={}, from_ms=at, to_ms=at + 1) for one in closed for at in (3, 1, 2)]
    model.take([records.statement(one) for one in months])
    assert [one.from_ms for one in model.statements()] == [3, 2]
    model.take([records.record(records.TOPICS.statements, records.statement(months[0]).key, None)])
    assert [one.from_ms for one in model.statements()] == [2]
