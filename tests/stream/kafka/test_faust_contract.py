"""What the stream layer relies on inside Faust, mode and aiokafka: if a new version differs, it fails here first."""

from __future__ import annotations

import inspect
from collections import defaultdict
from importlib.metadata import version

import aiokafka
import pytest
from aiokafka.consumer import fetcher as aiokafka_fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import TopicPartitionState
from aiokafka.producer.transaction_manager import TransactionManager
from faust.app.base import App
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode.services import Service
from mode.threads import ServiceThread

from monitor.stream.kafka.batch import Batch
from monitor.stream.kafka.connection import BATCH_BYTES, Connection
from monitor.stream.kafka.transport import BatchConsumer, DaemonThread, FetchThread, _bounded
from monitor.stream.partitions.app import WorkerApp
from tests.stream.fakes import record


def test_the_versions_are_those_that_were_read() -> None:
    assert (version("faust-streaming"), version("mode-streaming"), version("aiokafka")) == (
        "0.15.3", "0.7.1", "0.14.0",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("owner", "method", "parameters"),
    [
        (BaseConsumer, "getmany", ["self", "timeout"]),
        (driver.Consumer, "_getmany", ["self", "active_partitions", "timeout"]),
        (BaseConsumer, "_wait_next_records", ["self", "timeout"]),
        (BaseConsumer, "_new_offset", ["self", "tp"]),
        (BaseConsumer, "_add_gap", ["self", "tp", "offset_from", "offset_to"]),
        (driver.Consumer, "_new_consumer_thread", ["self"]),
        (driver.AIOKafkaConsumerThread, "_create_worker_consumer", ["self", "transport"]),
        (driver.AIOKafkaConsumerThread, "on_thread_stop", ["self"]),
        (driver.AIOKafkaConsumerThread, "highwater", ["self", "tp"]),
        (driver.AIOKafkaConsumerThread, "_highwaters", ["self", "partitions"]),
        (aiokafka_fetcher.Fetcher, "fetched_records", ["self", "partitions", "timeout", "max_records"]),
        (aiokafka_fetcher.Fetcher, "_create_fetch_waiter", ["self"]),
        (TransactionManager, "error_transaction", ["self", "exc"]),
        (GroupCoordinator, "_push_error_to_user", ["self", "exc"]),
        (App, "_new_transport", ["self"]),
        (App, "_new_consumer", ["self"]),
        (App, "_stop_consumer", ["self"]),
        (App, "on_stop", ["self"]),
        (Service, "_crash", ["self", "reason"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_private_method_takes_what_we_give_it(owner: type, method: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(owner, method)).parameters) == parameters


@pytest.mark.parametrize("ours", [BatchConsumer, FetchThread, WorkerApp])
def test_what_overrides_keeps_the_signature(ours: type) -> None:
    for name, method in vars(ours).items():
        theirs = getattr(ours.__mro__[1], name, None)
        if callable(method) and inspect.isfunction(theirs) and name != "__init__":
            assert list(inspect.signature(method).parameters) == list(inspect.signature(theirs).parameters), name


def test_faust_keeps_its_books_under_the_names_that_we_read() -> None:
    source = inspect.getsource(BaseConsumer)

    for name in ("_acked", "_acked_index", "_read_offset", "_buffered_partitions", "flow_active"):
        assert f"self.{name}" in source
    assert "offset >= r_offset" in source  # below it a message is dropped unseen: getmany lowers it


def test_faust_seeks_after_each_rebalance_and_stops_the_flow_before_it() -> None:
    assert "consumer.stop_flow" in inspect.getsource(App._on_partitions_revoked)
    assert "await T(self.on_partitions_revoked.send)(revoked)" in inspect.getsource(App._on_partitions_revoked)
    assert "consumer.perform_seek()" in inspect.getsource(Recovery._resume_streams)


def test_aiokafka_moves_a_position_only_when_it_hands_out_records() -> None:
    source = inspect.getsource(aiokafka_fetcher.FetchResult)

    assert source.count("self._update_position()") == 3
    assert "position != self._partition_records.next_fetch_offset" in source
    for name in ("position", "has_valid_position", "consumed_to"):
        assert hasattr(TopicPartitionState, name)
    for name in ("lso", "timestamp"):
        assert f"self.{name} = None" in inspect.getsource(TopicPartitionState)


def test_draining_without_a_timeout_does_not_wait() -> None:
    assert "if drained or not timeout:\n                return drained" in inspect.getsource(
        aiokafka_fetcher.Fetcher.fetched_records
    )


def test_aiokafka_reads_the_isolation_level_and_the_wait_when_it_starts() -> None:
    source = inspect.getsource(aiokafka.AIOKafkaConsumer)

    assert "isolation_level=self._isolation_level" in source
    assert "fetch_max_wait_ms=self._fetch_max_wait_ms" in source


async def test_a_batch_takes_its_first_record_whatever_its_size_and_says_when_it_is_full() -> None:
    writer = Connection(bootstrap="127.0.0.1:9").writer("id")
    try:
        batch = writer.create_batch()
        assert batch.append(timestamp=1, key=b"k", value=b"x" * (BATCH_BYTES * 4), headers=[("h", b"1")]) is not None
        assert batch.append(timestamp=1, key=b"k", value=b"x" * BATCH_BYTES, headers=[]) is None
        assert batch.record_count() == 1
    finally:
        await writer.stop()


async def test_what_broke_a_transaction_is_kept_where_we_look_for_it() -> None:
    writer = Connection(bootstrap="127.0.0.1:9").writer("id")
    try:
        assert writer.failure() is None
        writer._txn_manager.set_pid_and_epoch(1, 1)
        await writer.begin_transaction()
        writer._txn_manager.fatal_error(ZeroDivisionError())

        assert isinstance(writer.failure(), ZeroDivisionError)
        assert isinstance(writer._txn_manager, TransactionManager)
        with pytest.raises(AssertionError):
            await writer.commit_transaction()
    finally:
        writer._closed = True
        await writer.client.close()


def test_the_group_offset_is_that_of_the_highest_acknowledged_batch() -> None:
    consumer = object.__new__(BatchConsumer)
    tp = TP("in", 0)
    consumer._acked, consumer._acked_index = defaultdict(list, {tp: [9, 41, 17]}), defaultdict(set, {tp: {9, 17, 41}})

    assert consumer._new_offset(tp) == 42
    assert consumer._new_offset(tp) is None


def test_a_batch_of_many_bytes_is_cut_without_a_gap_and_a_large_record_stays_whole() -> None:
    records = [record(offset, value=b"x" * size) for offset, size in ((3, 40), (4, 40), (8, 500), (9, 40), (12, 40))]

    parts = list(_bounded(Batch(records, 2, 15, 15, 0), 100))

    assert [[r.offset for r in part.records] for part in parts] == [[3, 4], [8], [9, 12]]
    assert [(part.start, part.end) for part in parts] == [(2, 8), (8, 9), (9, 15)]


def test_the_consumer_s_thread_does_not_keep_a_process_from_ending() -> None:
    assert inspect.getsource(ServiceThread.start).count("self.Worker(self)") == 1
    assert DaemonThread(service=None).daemon
    assert FetchThread.Worker is DaemonThread
