"""The read model of responses, on an embedded broker."""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaProducer

from monitor.errors import BrokerError
from monitor.stream.agents.responses import Responses
from monitor.stream.kafka.embedded import EmbeddedBroker
from monitor.stream.kafka.read_model import ModelReader
from monitor.wire.responses import Acknowledgement, Enable, SilenceResponse, encode_response
from tests.core.paging_stage import alert
from tests.stream.running import until


async def write(bootstrap, *records):
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for key, value in records:
            await producer.send_and_wait("responses", key=key, value=value, partition=0)
    finally:
        await producer.stop()


async def test_what_is_there_is_read_before_it_starts_and_what_comes_is_followed():
    ack, enable = Acknowledgement(target="T-1", at_ms=1), Enable(receiver="on-call", at_ms=2)
    silence = SilenceResponse(id="s", agreement="desk", until_ms=10, at_ms=1)
    with EmbeddedBroker({"responses": 1}) as broker:
        await write(broker.bootstrap, encode_response(silence), encode_response(ack), (b"strange", b"{"))
        responses, changes = Responses(), []
        responses.on_change(lambda: changes.append(responses.end))
        reader = ModelReader(responses, broker.bootstrap, "responses", {})
        failures = []
        await reader.start(failures.append)
        try:
            assert (responses.since(0), responses.since(1), responses.end) == ([silence, ack], [ack], 3)
            assert responses.silences.until_ms(alert(), 5) == 10
            assert responses.refused == 1
            await write(broker.bootstrap, encode_response(enable), (b"silence/s", None))
            await until(lambda: responses.end == 5)
            assert responses.since(2) == [enable]
            assert responses.silences.until_ms(alert(), 5) is None
            assert changes[-1] == 5
        finally:
            await reader.stop()
    assert failures == []


async def test_a_topic_whose_last_records_are_gone_was_read_to_its_end_all_the_same():
    with EmbeddedBroker({"responses": 1}) as broker:
        await write(broker.bootstrap, *(encode_response(Enable(receiver=f"r{n}", at_ms=0)) for n in range(3)))
        responses = Responses()
        responses.take = lambda _records: None  # as if compaction had removed them
        reader = ModelReader(responses, broker.bootstrap, "responses", {})
        await reader.start(lambda _error: None)
        await reader.stop()
    assert responses.end == 3


async def test_a_missing_topic_is_told_to_its_operator():
    with EmbeddedBroker({"other": 1}) as broker:
        reader = ModelReader(Responses(), broker.bootstrap, "responses", {})
        with pytest.raises(BrokerError, match="topic responses does not exist"):
            await reader.start(lambda _error: None)
        await reader.stop()
