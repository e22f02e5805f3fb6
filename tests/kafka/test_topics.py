"""Creating and checking topics on a real Kafka."""

from __future__ import annotations

import uuid

import pytest

from monitor.errors import BrokerError
from monitor.stream.kafka.topics import TopicNames, TopicSpec, check_topics, create_topics, plan_topics
from tests.kafka.broker import free_port


def names() -> TopicNames:
    mark = uuid.uuid4().hex[:8]
    return TopicNames(
        sources=[f"{mark}-tickets", f"{mark}-calls"], agreements=f"{mark}-agreements", partials=f"{mark}-partials",
        alerts=f"{mark}-alerts", status=f"{mark}-status", statements=f"{mark}-statements",
        reports=f"{mark}-reports",
        dead_letters=f"{mark}-dead", deliveries=f"{mark}-deliveries", responses=f"{mark}-responses",
        markers=f"{mark}-markers",
    )  # fmt: skip


async def test_what_create_makes_check_accepts_and_creating_again_changes_nothing(kafka: str) -> None:
    plan = plan_topics("app", names(), partitions=3)

    created = await create_topics(kafka, plan)

    assert created == [spec.name for spec in plan]
    assert await check_topics(kafka, plan) == []
    assert await create_topics(kafka, plan) == []


async def test_a_missing_topic_is_told_with_what_to_create(kafka: str) -> None:
    name = f"missing-{uuid.uuid4().hex[:8]}"

    mistakes = await check_topics(kafka, [TopicSpec(name=name, partitions=5, cleanup="compact")])

    assert mistakes == [f"topic {name} is missing: create it with 5 partitions and cleanup.policy=compact"]


async def test_wrong_partition_count_and_wrong_cleanup_are_told_at_once(kafka: str) -> None:
    name = f"wrong-{uuid.uuid4().hex[:8]}"
    await create_topics(kafka, [TopicSpec(name=name, partitions=2, cleanup="delete")])

    mistakes = await check_topics(kafka, [TopicSpec(name=name, partitions=4, cleanup="compact")])

    assert len(mistakes) == 2
    assert f"{name} has 2 partitions, not 4" in mistakes[0]
    assert f"{name} has cleanup.policy=delete, not compact" in mistakes[1]


async def test_a_topic_of_dead_letters_that_takes_no_large_records_is_told_before_one_holds_up_a_partition(
    kafka: str,
) -> None:
    plan = plan_topics("app", names(), partitions=1)
    letters = next(spec for spec in plan if spec.name.endswith("-dead"))
    await create_topics(kafka, [TopicSpec(name=letters.name, partitions=1)])

    (mistake,) = await check_topics(kafka, [letters])

    assert f"topic {letters.name} has max.message.bytes=1048588, less than 10485760: kafka-configs" in mistake


async def test_a_topic_that_kafka_refuses_is_an_error_that_names_it(kafka: str) -> None:
    name = f"refused-{uuid.uuid4().hex[:8]}"

    with pytest.raises(BrokerError, match=name):
        await create_topics(kafka, [TopicSpec(name=name, partitions=1, config={"retention.ms": "never"})])


async def test_a_broker_that_is_not_there_is_an_error_that_names_its_address() -> None:
    address = f"127.0.0.1:{free_port()}"

    with pytest.raises(BrokerError, match=address):
        await check_topics(address, [])
