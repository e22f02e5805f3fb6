"""Writers and consumers that come to an end although no broker answers any more."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import ProducerFenced

from monitor.stream.kafka.connection import Connection, stop_consumer
from monitor.stream.kafka.embedded import EmbeddedBroker

PARTITION = TopicPartition("changelog", 0)


def popped(writer):
    """A batch on its way to the broker."""
    writer._txn_manager.set_pid_and_epoch(1, 0)
    writer._txn_manager.begin_transaction()
    builder = writer.create_batch()
    builder.append(key=b"k", value=b"v", timestamp=0)
    builder.close()
    batch = writer._message_accumulator._append_batch(builder, PARTITION)
    return writer._message_accumulator._pop_batch(PARTITION), batch.future


@pytest.fixture
async def writer():
    writer = Connection(bootstrap="127.0.0.1:1").writer("owner")
    yield writer
    await writer.stop()


async def test_a_batch_that_failed_is_sent_again(writer):
    batch, future = popped(writer)

    writer._message_accumulator.reenqueue(batch)

    assert list(writer._message_accumulator._batches[PARTITION]) == [batch]
    assert not future.done()


async def test_what_a_fenced_writer_wanted_to_send_again_is_let_go(writer):
    batch, future = popped(writer)
    writer._message_accumulator.fail_all(ProducerFenced())
    with pytest.raises(ProducerFenced):
        await future
    await asyncio.sleep(0)  # aiokafka's own callback on the future has forgotten the batch

    writer._message_accumulator.reenqueue(batch)  # what the attempt before does once its backoff is over

    assert not writer._message_accumulator._batches


@pytest.fixture
async def consumer(broker: EmbeddedBroker):
    """One whose fetch has failed, and waits for its next attempt."""
    consumer = AIOKafkaConsumer("in", bootstrap_servers=broker.bootstrap)
    await consumer.start()
    consumer._fetcher._pending_tasks.add(asyncio.create_task(asyncio.sleep(3600)))
    await asyncio.sleep(0)
    return consumer


async def test_a_consumer_whose_fetch_waits_for_its_next_attempt_stops_and_closes_its_connections(consumer):
    await stop_consumer(consumer)

    assert all(fetch.done() for fetch in consumer._fetcher._pending_tasks)
    assert not any(connection.connected() for connection in consumer._client._conns.values())


async def test_who_stops_a_consumer_can_be_cancelled_himself(consumer, monkeypatch):
    stopping = asyncio.ensure_future(stop_consumer(consumer))
    stock = consumer._fetcher.close

    async def slow():
        await asyncio.sleep(3600)

    monkeypatch.setattr(consumer._fetcher, "close", slow)
    await asyncio.sleep(0.05)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping

    with pytest.raises(asyncio.CancelledError):
        await stock()
    await consumer._client.close()
