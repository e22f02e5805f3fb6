"""A topic that is changed under a running worker is noticed at the second look, told, and stops it where keys move."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence

import pytest

from monitor.errors import BrokerError
from monitor.stream.kafka import topics
from monitor.stream.kafka.description import Topics
from monitor.stream.kafka.embedded import EmbeddedBroker
from monitor.stream.kafka.topics import TopicNames, count_partitions, plan_topics
from monitor.stream.partitions.watch import TopicWatch

PLAN = plan_topics("app", TopicNames(foreign={"jira": 3}), partitions=2)


class Cluster:
    """The topics as the broker tells them: as planned, but for ``changes``. None: gone."""

    def __init__(self) -> None:
        self.changes: dict[str, int | None] = {}
        self.away = False
        self.looks = 0

    async def count(self, names: Sequence[str]) -> dict[str, int]:
        self.looks += 1
        assert list(names) == [spec.name for spec in PLAN]
        if self.away:
            raise BrokerError("Kafka does not answer")
        found = {spec.name: spec.partitions for spec in PLAN} | self.changes
        return {name: count for name, count in found.items() if count is not None}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def watch(cluster: Cluster) -> TopicWatch:
    return TopicWatch(PLAN, cluster.count, pace_s=0.001)


KEYED = [spec.name for spec in PLAN if spec.keyed]
OTHERS = [spec.name for spec in PLAN if not spec.keyed]


def test_keyed_are_all_topics_that_hold_rows_or_what_rows_are_of() -> None:
    assert KEYED == [
        "tickets", "calls", "outages", "leads", "partials", "alerts",
        "app-tickets-state", "app-calls-state", "app-outages-state", "app-leads-state", "app-partials-state",
        "app-alerts-state",
    ]  # fmt: skip


@pytest.mark.parametrize("topic", KEYED)
@pytest.mark.parametrize("count", [3, None])
async def test_a_keyed_topic_stops_the_worker_with_what_topics_check_says(
    cluster: Cluster, watch: TopicWatch, topic: str, count: int | None
) -> None:
    cluster.changes = {topic: count}
    await watch.look()
    with pytest.raises(BrokerError) as stopped:
        await watch.look()

    assert "under the running worker" in str(stopped.value)
    said = f"topic {topic} has 3 partitions, not 2" if count else f"topic {topic} is missing"
    assert said in str(stopped.value)
    assert watch.unexpected == {topic: (count or 0) - 2}


@pytest.mark.parametrize("topic", OTHERS)
async def test_any_other_topic_is_told_once_and_the_worker_goes_on(
    cluster: Cluster, watch: TopicWatch, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    (planned,) = [spec.partitions for spec in PLAN if spec.name == topic]
    cluster.changes = {topic: planned + 2}
    for _ in range(4):
        await watch.look()

    assert watch.unexpected == {topic: 2}
    assert f"topic {topic} has {planned + 2} partitions, not {planned}" in watch.wrong[topic]
    assert caplog.text.count("It goes on with the partitions that it knows") == 1
    cluster.changes = {}
    await watch.look()
    assert watch.wrong == watch.unexpected == {}


async def test_one_odd_answer_of_a_broker_that_starts_is_none(cluster: Cluster, watch: TopicWatch) -> None:
    for _ in range(3):
        cluster.changes = {"tickets": None}
        await watch.look()
        cluster.changes = {}
        await watch.look()
    assert watch.wrong == {}


async def test_a_broker_that_does_not_answer_is_worth_a_line_and_asked_again(
    cluster: Cluster, watch: TopicWatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "monitor")
    cluster.away = True
    await watch.look()
    assert "cannot be looked at: Kafka does not answer" in caplog.text
    cluster.away, cluster.changes = False, {"calls": 9}
    running = asyncio.ensure_future(watch.run())
    with pytest.raises(BrokerError, match="topic calls has 9 partitions"):
        await asyncio.wait_for(running, 10)
    assert cluster.looks == 3


async def test_partitions_are_counted_without_creating_what_is_asked_for() -> None:
    with EmbeddedBroker({"there": 3}) as broker:
        assert (await count_partitions(broker.bootstrap, ["there"])) == {"there": 3}


async def test_a_topic_that_kafka_says_nothing_of_is_not_taken_for_a_missing_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def described(_client: object, names: Iterable[str]) -> Topics:
        return Topics({}, frozenset(names))

    monkeypatch.setattr(topics, "describe", described)
    with EmbeddedBroker({"there": 3}) as broker, pytest.raises(BrokerError, match="Describe on topic there"):
        await count_partitions(broker.bootstrap, ["there"])
