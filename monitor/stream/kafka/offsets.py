"""The offsets that the workers' group has committed: setting them back to the beginning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, KafkaError, UnknownMemberIdError
from aiokafka.structs import TopicPartition

from monitor.errors import BrokerError
from monitor.stream.kafka.connection import stop_consumer


async def set_back(bootstrap: str, group: str, topic: str, *, security: Mapping[str, Any]) -> dict[int, int | None]:
    """Commit offset 0 for all partitions of a topic; return the offsets committed before, by partition.

    Raises:
        BrokerError: the topic does not exist, workers run, or Kafka does not answer.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False, **security)
    try:
        await consumer.start()
        # All topics are asked for: asking for one by its name would make many brokers create it.
        known = await consumer._client.fetch_all_metadata()  # noqa: SLF001 - aiokafka offers the names only
        partitions = sorted(known.partitions_for_topic(topic) or ())
        if not partitions:
            raise BrokerError(f"topic {topic} does not exist")
        consumer.assign([TopicPartition(topic, number) for number in partitions])
        before = {number: await consumer.committed(TopicPartition(topic, number)) for number in partitions}
        await consumer.commit({TopicPartition(topic, number): 0 for number in partitions})
    except (CommitFailedError, UnknownMemberIdError):
        raise BrokerError(
            f"group {group} has members: stop all workers, wait until their session is over, and try again"
        ) from None
    except (KafkaError, OSError) as error:
        raise BrokerError(f"Kafka at {bootstrap} does not answer as it should: {error!r}") from error
    finally:
        await stop_consumer(consumer)
    return before
