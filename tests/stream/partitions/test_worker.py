"""Workers on the embedded broker: batches, deadlines, restarts, rebalances, failures."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaConnectionError
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from faust.types import TP
from mode.utils.queues import FlowControlQueue

from monitor.errors import BrokerError, StateError
from monitor.stream.kafka.embedded import EmbeddedBroker
from monitor.stream.kafka.tokens import ClientCredentials
from monitor.stream.kafka.transport import IN_PROGRESS
from monitor.stream.partitions import following
from monitor.stream.partitions.app import WorkerApp, _credentials
from tests.stream.counting import ROW, counting_source, expected
from tests.stream.running import produce, read, running, until

Make = Callable[..., WorkerApp]


def events(*apps: WorkerApp) -> int:
    return sum(stats.events for app in apps for stats in app.stats.partitions.values())


async def counts(broker: EmbeddedBroker) -> dict[bytes, int]:
    """Return what the changelog says of each key."""
    rows = {record.key: record.value for record in await read(broker.bootstrap, "app-in-state", 2)}
    return {key: ROW.unpack(row)[1] for key, row in rows.items() if not key.startswith(b"\x00")}


async def alerts(broker: EmbeddedBroker, topic: str = "alerts") -> list[tuple[bytes, bytes]]:
    return sorted((record.key, record.value) for record in await read(broker.bootstrap, topic, 2))


async def test_a_fetch_is_one_batch_and_every_record_counts_once(broker: EmbeddedBroker, worker: Make) -> None:
    keys = [b"k%d" % (number % 7) for number in range(3000)]
    await produce(broker.bootstrap, "in", keys)
    app = worker()

    async with running(app):
        await until(lambda: events(app) == 3000)

    assert await counts(broker) == Counter(keys)
    wanted, told, _ = expected(await read(broker.bootstrap, "in", 2), silence_ms=60_000)
    assert await counts(broker) == wanted
    assert await alerts(broker) == told
    assert app.failure is None


async def test_no_batch_is_larger_than_the_settings_allow(broker: EmbeddedBroker, worker: Make) -> None:
    await produce(broker.bootstrap, "in", [b"k"] * 100)
    await produce(broker.bootstrap, "in", [b"big"] * 6, value=b"x" * 4000)
    app = worker(max_batch_records=10, max_batch_bytes=10_000)

    async with running(app):
        await until(lambda: events(app) == 106)

        assert app.stats.partitions["in", 0].batches >= 10 + 3


async def test_a_deadline_fires_on_a_partition_without_traffic(broker: EmbeddedBroker, worker: Make) -> None:
    app = worker(silence_ms=300)

    async with running(app):
        await produce(broker.bootstrap, "in", [b"a"], partition=1)
        await until(lambda: app.stats.partitions.get(("in", 1)) is not None)
        await until(lambda: app.stats.partitions["in", 1].tick_delay_seconds.histogram().observations > 0)

    assert await alerts(broker, "silent") == [(b"a", b"1")]


async def test_while_a_worker_stops_to_read_no_deadline_is_judged_by_the_clock(
    broker: EmbeddedBroker, worker: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = worker(silence_ms=1_500)
    stop_reading = app._stop_consumer

    async def slowly() -> None:
        await asyncio.sleep(2.5)  # the deadline passes meanwhile
        await stop_reading()

    monkeypatch.setattr(app, "_stop_consumer", slowly)
    async with running(app):
        await produce(broker.bootstrap, "in", [b"a"])
        await until(lambda: events(app) == 1)

    assert await alerts(broker, "silent") == []


async def test_a_restarted_worker_goes_on_where_it_was(broker: EmbeddedBroker, worker: Make) -> None:
    await produce(broker.bootstrap, "in", [b"a", b"b"] * 50)
    first = worker()
    async with running(first):
        await until(lambda: events(first) == 100)
    await produce(broker.bootstrap, "in", [b"a"] * 7)

    second = worker()
    async with running(second):
        await until(lambda: events(second) == 7)

        assert second.stats.partitions["in", 0].restored_rows == 2

    assert await counts(broker) == {b"a": 57, b"b": 50}
    assert Counter(await alerts(broker)) == Counter(
        [(b"a", b"%d" % n) for n in range(5, 58, 5)] + [(b"b", b"%d" % n) for n in range(5, 51, 5)]
    )


async def test_a_poisoned_batch_stops_the_worker_and_a_restart_continues_exactly(
    broker: EmbeddedBroker, worker: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "monitor")
    await produce(broker.bootstrap, "in", [b"a"] * 12)
    app = worker()
    with pytest.raises(ValueError, match="poison"):  # noqa: PT012 - the worker's failure comes out at its end
        async with running(app):
            await until(lambda: events(app) == 12)
            await produce(broker.bootstrap, "in", [b"a"] * 3, value=b"poison")
            await until(lambda: app.failure is not None)
    assert [line.message for line in caplog.records if "worker stops" in line.message] == [
        "worker stops: ValueError('poison')"
    ]

    # when the mistake is mended
    cured = worker()
    monkeypatch.setattr("tests.stream.counting.POISON", b"no longer")
    async with running(cured):
        await until(lambda: events(cured) == 3)

    assert await counts(broker) == {b"a": 15}
    assert await alerts(broker) == [(b"a", b"10"), (b"a", b"15"), (b"a", b"5")]


async def test_a_batch_that_was_in_a_queue_when_the_flow_was_resumed_is_fetched_again(
    broker: EmbeddedBroker, worker: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a rebalance follows another closely, Faust resumes a flow that flows already, and so empties full queues."""
    monkeypatch.setattr(following, "STALL_PULSES", 1)
    app = worker()
    stock = FlowControlQueue.put_nowait_enhanced
    lost: list[int] = []

    def put(queue: FlowControlQueue, value: object, **callbacks: object) -> bool:
        high = stock(queue, value, **callbacks)
        if len(lost) <= IN_PROGRESS:
            lost.append(len(value.value.records))
            app.flow_control.resume()
        return high

    monkeypatch.setattr(FlowControlQueue, "put_nowait_enhanced", put)
    async with running(app):
        await produce(broker.bootstrap, "in", [b"a"] * 5)
        await until(lambda: events(app) == 5)

    assert len(lost) == IN_PROGRESS + 1
    assert await counts(broker) == {b"a": 5}
    assert app.failure is None


@pytest.mark.usefixtures("followers_first")
async def test_two_workers_share_the_partitions_and_hand_them_over(broker: EmbeddedBroker, worker: Make) -> None:
    first, second = worker(), worker()
    keys = [b"k%d" % number for number in range(20)]

    async def load() -> None:
        for _ in range(30):
            await produce(broker.bootstrap, "in", keys[::2], partition=0)
            await produce(broker.bootstrap, "in", keys[1::2], partition=1)
            await asyncio.sleep(0.02)

    async with running(first):
        await until(lambda: len(first.runners) == 2)
        loading = asyncio.ensure_future(load())
        async with running(second):
            await until(lambda: len(first.runners) == len(second.runners) == 1)
            assert first.ready()
            await loading
        await until(lambda: len(first.runners) == 2 and first.ready())
        await produce(broker.bootstrap, "in", [b"last"])
        await until(lambda: all(stats.caught_up and stats.lag == 0 for stats in first.stats.partitions.values()))
        await until(lambda: b"last" in {key for runner in first.runners.values() for key in runner.state.rows})

    assert await counts(broker) == dict.fromkeys(keys, 30) | {b"last": 1}
    assert Counter(await alerts(broker)) == Counter((key, b"%d" % n) for key in keys for n in range(5, 31, 5))
    assert first.stats.rebalances >= 2


async def test_a_revocation_waits_for_the_commit_in_flight(broker: EmbeddedBroker, worker: Make) -> None:
    app = worker()
    async with running(app):
        broker.set_round_trip_ms(300)  # the commit takes its time
        await produce(broker.bootstrap, "in", [b"a"] * 5)
        runner = next(runner for tp, runner in app.runners.items() if tp.partition == 0)
        await until(lambda: runner.stats.batch_seconds.histogram().observations == 1)
        assert runner.stats.commit_seconds.histogram().observations == 0

        await app.close_partitions({tp for tp in app.runners if tp.partition == 0})

        assert runner.stats.commit_seconds.histogram().observations == 1
        broker.set_round_trip_ms(0)

    assert await counts(broker) == {b"a": 5}


async def test_a_worker_waits_out_a_broker_that_is_away_for_a_while(broker: EmbeddedBroker, worker: Make) -> None:
    app = worker()
    async with running(app):
        await produce(broker.bootstrap, "in", [b"a"] * 5)
        await until(lambda: events(app) == 5)
        broker.set_down()
        await asyncio.sleep(0.5)
        broker.set_up()
        await produce(broker.bootstrap, "in", [b"a"] * 5)
        await until(lambda: app.ready() and sum(runner.state.position for runner in app.runners.values()) >= 10)

    assert await counts(broker) == {b"a": 10}


async def test_a_worker_whose_broker_did_not_know_the_topics_just_after_its_start_gets_them_back(
    broker: EmbeddedBroker, worker: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = worker()
    async with running(app):
        client = app.consumer._thread._consumer._client
        stock, blind = ClusterMetadata.update_metadata, True

        def update(cluster: ClusterMetadata, metadata: Any) -> None:
            # given a broker that was started a moment ago and answers for a while that there are no topics
            if cluster is client.cluster and blind:
                metadata.topics = []
            stock(cluster, metadata)

        monkeypatch.setattr(ClusterMetadata, "update_metadata", update)
        client._loop.call_soon_threadsafe(client.force_metadata_update)
        await until(lambda: not app.runners)
        await asyncio.sleep(2.5)  # so long it knows none
        blind = False

        # when records come, then they are not left to the next look at the topics, minutes later
        await produce(broker.bootstrap, "in", [b"a"] * 5)
        await until(lambda: events(app) == 5, timeout_s=60)


async def test_a_worker_with_lag_and_no_progress_stops_and_says_where(worker: Make) -> None:
    app = worker()
    with pytest.raises(StateError, match=r"^no progress of in/\d for 0\.6 s although records wait$"):  # noqa: PT012
        async with running(app) as task:
            app.settings = replace(app.settings, no_progress_s=0.6)
            await asyncio.sleep(1.0)
            assert app.failure is None
            assert app.standstill() is None

            runner = next(iter(app.runners.values()))
            runner.stats.highwater = runner.stats.position + 1
            runner.upstream.view = lambda: None
            await until(task.done, 10)

    assert app.failure is not None


async def test_a_worker_that_does_not_get_into_its_group_stops(worker: Make) -> None:
    app = worker(no_progress_s=60.0)
    with pytest.raises(StateError, match="no place in consumer group app for 60 s"):  # noqa: PT012
        async with running(app) as task:
            assert app.failure is None
            assert app.standstill() is None
            app.rebalancing = True
            app._in_group_at -= 61  # a minute goes by
            assert app.standstill() is not None
            await until(task.done, 10)


async def test_a_process_that_stood_still_has_its_time_to_get_on_again(worker: Make) -> None:
    app = worker(no_progress_s=60.0)
    async with running(app):
        app._in_group_at -= 61
        for runner in app.runners.values():
            runner.progress_at -= 61
            runner.stats.highwater = runner.stats.position + 1
            runner.upstream.view = lambda: None

        app._pulse.cancel()
        app.beat(asyncio.get_running_loop().time() - 61)

        assert app.failure is None
        assert app.standstill() is None


async def test_a_crash_in_the_consumers_thread_stops_the_worker(worker: Make) -> None:
    app = worker()
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the worker's failure comes out at its end
        async with running(app) as task:
            await asyncio.to_thread(app._crash, ZeroDivisionError())
            await until(task.done, 5)


async def test_a_stopped_worker_is_not_ready_and_its_figures_are_gone_with_its_partitions(worker: Make) -> None:
    app = worker()
    assert not app.ready()
    async with running(app):
        assert app.ready()
        assert set(app.stats.partitions) == {("in", 0), ("in", 1)}
        assert all(stats.open and stats.lag == 0 for stats in app.stats.partitions.values())
        await app.close_partitions(set(app.runners))
        assert app.stats.partitions == {}
    assert not app.ready()


def test_security_that_faust_cannot_speak_is_refused() -> None:
    assert _credentials({}) is None
    assert _credentials(
        {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "SCRAM-SHA-512",
         "sasl_plain_username": "u", "sasl_plain_password": "p"}
    ).username == "u"  # fmt: skip
    with pytest.raises(BrokerError, match="GSSAPI"):
        _credentials({"security_protocol": "SASL_SSL", "sasl_mechanism": "GSSAPI"})


def test_tokens_are_handed_to_fausts_own_clients() -> None:
    tokens = ClientCredentials("https://tokens.example/t", "monitor", "secret")

    for protocol, context in (("SASL_PLAINTEXT", None), ("SASL_SSL", ssl.create_default_context())):
        options = {
            "security_protocol": protocol, "sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": tokens,
            "ssl_context": context,
        }  # fmt: skip
        assert credentials_to_aiokafka_auth(_credentials(options)) == options


async def test_a_source_that_ends_below_what_was_seen_of_it_at_two_looks_stops_the_worker(
    broker: EmbeddedBroker, worker: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    await produce(broker.bootstrap, "in", [b"a"] * 3)
    app = worker(sources={"in": replace(counting_source("in", silence_ms=60_000), partitions=2)})
    async with running(app):
        await until(lambda: events(app) == 3)
        await app.check_ends()
        asked = app._asker.end

        async def shorter(tp: TP) -> int:
            return min(1, await asked(tp))

        # a broker that has just taken over may say too little once
        monkeypatch.setattr(app._asker, "end", shorter)
        await app.check_ends()
        monkeypatch.setattr(app._asker, "end", asked)
        await app.check_ends()
        # also when the partition was taken away meanwhile: a topic that is gone belongs to nobody
        monkeypatch.setattr(app._asker, "end", shorter)
        monkeypatch.setattr(app, "runners", {})
        await app.check_ends()
        with pytest.raises(StateError, match=r"in/0: the topic ends at offset 1, but offsets up to 3 .* app-in-state"):
            await app.check_ends()
        monkeypatch.undo()


async def test_ends_that_a_broker_does_not_tell_are_asked_for_again(
    worker: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = worker(sources={"in": replace(counting_source("in"), partitions=2)})
    async with running(app):

        async def away(tp: TP) -> int:
            raise KafkaConnectionError(str(tp))

        with monkeypatch.context() as patch:
            patch.setattr(app._asker, "end", away)
            await app.check_ends()
        assert "the ends of the sources cannot be looked at" in caplog.text
        await app.check_ends()
