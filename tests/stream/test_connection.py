"""The writer of a partition's state, without a broker."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import ProducerFenced

from monitor.stream.connection import Connection

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
