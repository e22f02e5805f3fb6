"""The embedded broker by itself, the plan of topics, and the figures of a worker."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from monitor.counters import WORK_BOUNDS, Durations
from monitor.errors import BrokerError
from monitor.stream.kafka.embedded import EmbeddedBroker
from monitor.stream.kafka.topics import plan_topics
from monitor.stream.partitions.stats import Stats

FIND_COORDINATOR = 10
COORDINATOR_NOT_AVAILABLE = 15


async def test_topics_have_the_partitions_that_were_asked_for() -> None:
    with EmbeddedBroker({"a": 1, "b": 7}) as broker:
        broker.create_topic("c", 3)
        consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap)
        await consumer.start()
        try:
            await consumer._client.force_metadata_update()
            for topic, count in (("a", 1), ("b", 7), ("c", 3)):
                await consumer._client._wait_on_metadata(topic)
                assert len(consumer.partitions_for_topic(topic)) == count
        finally:
            await consumer.stop()


def test_a_topic_that_exists_is_not_created_again() -> None:
    with EmbeddedBroker({"a": 1}) as broker, pytest.raises(BrokerError, match="rd_kafka_mock_topic_create"):
        broker.create_topic("a", 2)


async def test_answers_can_be_delayed_and_refused() -> None:
    with EmbeddedBroker({"a": 1}) as broker:
        producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, transactional_id="t")
        broker.fail_next(FIND_COORDINATOR, COORDINATOR_NOT_AVAILABLE)
        await producer.start()  # retries
        try:
            loop = asyncio.get_running_loop()
            broker.set_round_trip_ms(200)
            started = loop.time()
            async with producer.transaction():
                await producer.send_and_wait("a", b"x", partition=0)
            assert loop.time() - started >= 0.2
        finally:
            await producer.stop()


def test_a_broker_that_was_not_started_says_so() -> None:
    with pytest.raises(BrokerError, match="was not started"):
        EmbeddedBroker().create_topic("a", 1)


def test_the_plan_gives_every_source_a_compacted_changelog_of_its_partition_count() -> None:
    plan = {spec.name: spec for spec in plan_topics("sla", partitions=6)}

    for source in ("tickets", "calls", "outages", "leads", "partials"):
        changelog = plan[f"sla-{source}-state"]
        assert (changelog.partitions, changelog.all_config["cleanup.policy"]) == (plan[source].partitions, "compact")
    assert plan["agreements"].partitions == 1
    assert plan["partials"].cleanup == "compact"
    assert plan["alerts"].all_config["retention.ms"] == str(400 * 86_400_000)


def test_durations_fall_into_cumulative_buckets() -> None:
    durations = Durations()
    for seconds in (0.001, 0.004, 0.3, 60.0):
        durations.add(seconds)

    figures = durations.histogram()

    assert figures.observations == 4
    assert figures.sum == pytest.approx(60.305)
    at_most = dict(figures.buckets)
    assert (at_most[0.001], at_most[0.005], at_most[WORK_BOUNDS[-1]], at_most[float("inf")]) == (1, 2, 3, 4)


def test_the_lag_is_never_negative_and_a_copy_does_not_change() -> None:
    stats = Stats()
    partition = stats.partition("in", 3)
    partition.position, partition.highwater = 10, 7
    before = partition.copy()
    partition.highwater = 30
    partition.batch_seconds.add(0.5)

    assert before.lag == 0
    assert stats.partition("in", 3).lag == 20
    assert (before.batch_seconds.histogram().observations, partition.batch_seconds.histogram().observations) == (0, 1)
