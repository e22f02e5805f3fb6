"""What commands say when Kafka does not answer any more."""

from __future__ import annotations

import time
from contextlib import aclosing, nullcontext

import pytest
from aiokafka import AIOKafkaConsumer

from monitor.config.settings.settings import Settings
from monitor.errors import BrokerError
from monitor.read_model import topics as kafka
from monitor.stream.kafka.embedded import EmbeddedBroker


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "SILENCE_MS", 1500)
    monkeypatch.setattr(kafka, "CONFIRM_MS", 1000)


async def test_who_follows_is_told_that_kafka_does_not_answer_and_that_it_does_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with EmbeddedBroker({"alerts": 2}) as broker:
        async with aclosing(kafka.committed(Settings(bootstrap=broker.bootstrap), ["alerts"], follow=True)) as lots:
            told, deadline = "", time.monotonic() + 3
            while time.monotonic() < deadline:
                await anext(lots)
            assert capsys.readouterr().err == ""

            broker.set_down()
            while "not answered" not in told:
                await anext(lots)
                told += capsys.readouterr().err
            broker.set_up()
            while "again" not in told:
                await anext(lots)
                told += capsys.readouterr().err

    at = f"Kafka at {broker.bootstrap}"
    assert told == f"{at} has not answered for 1.5 s\n{at} answers again\n"


async def test_who_reads_to_the_end_does_not_wait_for_a_kafka_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    stock = AIOKafkaConsumer.end_offsets

    async def and_one_more(consumer: AIOKafkaConsumer, partitions: object) -> dict[object, int]:
        return {tp: end + 1 for tp, end in (await stock(consumer, partitions)).items()}

    monkeypatch.setattr(AIOKafkaConsumer, "end_offsets", and_one_more)
    with EmbeddedBroker({"alerts": 2}) as broker:
        settings = Settings(bootstrap=broker.bootstrap)
        lots = kafka.committed(settings, ["alerts"], on_progress=lambda *_: broker.set_down())

        with pytest.raises(BrokerError, match=r"^Kafka at .* has not answered for 1\.5 s$"):
            await anext(lots)


async def write(broker: EmbeddedBroker, transactional_id: str | None) -> None:
    """Write a record to a broker that goes away as soon as it is known."""
    settings = Settings(bootstrap=broker.bootstrap)
    async with (
        kafka.producer(settings, transactional_id=transactional_id) as writer,
        writer.transaction() if transactional_id else nullcontext(),
    ):
        await writer.partitions_for("alerts")
        broker.set_down()
        await (await writer.send("alerts", b"v"))


@pytest.mark.parametrize("transactional_id", [None, "mine"])
async def test_who_writes_is_told_that_kafka_takes_nothing(transactional_id: str | None) -> None:
    told = r"^Kafka at .* does not take records: KafkaTimeoutError\('not confirmed within 1 s'\)$"
    with EmbeddedBroker({"alerts": 2}) as broker, pytest.raises(BrokerError, match=told):
        await write(broker, transactional_id)
