"""An embedded broker for demonstrations, laptops and tests: librdkafka's mock cluster, from the confluent-kafka wheel.

It speaks Kafka's protocol: groups, commits and transactions work. It is for trying out only. It does not fence, does
not compact, keeps some 5 MB or 100,000 records of a partition, and stores nothing on disk. librdkafka's own functions
are called through ctypes: Python's wrapper offers neither partition counts nor faults.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Self

import confluent_kafka.cimpl

from monitor.errors import BrokerError

_PRODUCER: Final = 0
_ERROR_BYTES: Final = 512


class EmbeddedBroker:
    """A broker inside this process, which lives as long as its ``with`` block.

    Topics that are not named appear on first use with 4 partitions. A rebalance waits only ``rebalance_delay_ms``, not
    for all members: with several workers the delay must be longer than their heartbeat interval.

    Raises:
        BrokerError: librdkafka cannot be called (a platform without confluent-kafka's wheel).
    """

    def __init__(
        self, topics: Mapping[str, int] | None = None, *, brokers: int = 1, rebalance_delay_ms: int = 500
    ) -> None:
        self._topics = dict(topics or {})
        self._brokers = brokers
        self._rebalance_delay_ms = rebalance_delay_ms
        self._rdkafka: ctypes.CDLL | None = None
        self._handle: int | None = None
        self._cluster: int | None = None
        self.bootstrap = ""

    def __enter__(self) -> Self:
        """Start the broker; ``bootstrap`` is its address, on localhost."""
        self._rdkafka = lib = _library()
        error = ctypes.create_string_buffer(_ERROR_BYTES)
        conf = lib.rd_kafka_conf_new()
        lib.rd_kafka_conf_set(conf, b"log_level", b"3", error, _ERROR_BYTES)  # it warns that it has no broker
        self._handle = lib.rd_kafka_new(_PRODUCER, conf, error, _ERROR_BYTES)
        if not self._handle:
            raise BrokerError(f"librdkafka does not start: {error.value.decode()}")
        self._cluster = lib.rd_kafka_mock_cluster_new(self._handle, self._brokers)
        if not self._cluster:
            raise BrokerError("librdkafka does not start its mock cluster")
        lib.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, self._rebalance_delay_ms)
        self.bootstrap = lib.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()
        for name, partitions in self._topics.items():
            self.create_topic(name, partitions)
        return self

    def __exit__(self, *_: object) -> None:
        """End the broker; everything that it held is gone."""
        lib = self._lib
        if self._cluster:
            lib.rd_kafka_mock_cluster_destroy(self._cluster)
        if self._handle:
            lib.rd_kafka_destroy(self._handle)
        self._cluster = self._handle = None

    def create_topic(self, name: str, partitions: int) -> None:
        """Create a topic.

        Raises:
            BrokerError: the topic exists, or the name is not valid.
        """
        self._call("rd_kafka_mock_topic_create", name.encode(), partitions, 1)
        # A second request that arrives while the mock's thread goes to sleep waits for its next poll, a whole second.
        time.sleep(0.001)

    # -- faults, for tests

    def set_down(self, broker: int = 1) -> None:
        """Close all connections of a broker and refuse new ones."""
        self._call("rd_kafka_mock_broker_set_down", broker)

    def set_up(self, broker: int = 1) -> None:
        """Accept connections again."""
        self._call("rd_kafka_mock_broker_set_up", broker)

    def set_round_trip_ms(self, round_trip_ms: int, broker: int = 1) -> None:
        """Delay all answers of a broker."""
        self._call("rd_kafka_mock_broker_set_rtt", broker, round_trip_ms)

    def fail_next(self, api_key: int, *error_codes: int) -> None:
        """Answer the next requests of an API (a number of Kafka's protocol) with these errors."""
        codes = (ctypes.c_int * len(error_codes))(*error_codes)
        self._lib.rd_kafka_mock_push_request_errors_array(self._cluster, api_key, len(error_codes), codes)

    @property
    def _lib(self) -> ctypes.CDLL:
        if self._rdkafka is None:
            raise BrokerError("the embedded broker was not started")
        return self._rdkafka

    def _call(self, function: str, *arguments: Any) -> None:  # noqa: ANN401 - what C takes
        code = getattr(self._lib, function)(self._cluster, *arguments)
        if code:
            raise BrokerError(f"{function}{arguments}: {self._lib.rd_kafka_err2str(code).decode()}")


def _library() -> ctypes.CDLL:
    """Return librdkafka as this process has loaded it.

    The symbols are looked up through the handle of the extension module. That also searches the libraries with which
    the module was linked, wherever the wheel of this platform keeps them.
    """
    lib = ctypes.CDLL(confluent_kafka.cimpl.__file__)
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "rd_kafka_conf_new": (pointer, []),
        "rd_kafka_conf_set": (number, [pointer, text, text, text, ctypes.c_size_t]),
        "rd_kafka_new": (pointer, [number, pointer, text, ctypes.c_size_t]),
        "rd_kafka_destroy": (None, [pointer]),
        "rd_kafka_err2str": (text, [number]),
        "rd_kafka_mock_cluster_new": (pointer, [pointer, number]),
        "rd_kafka_mock_cluster_destroy": (None, [pointer]),
        "rd_kafka_mock_cluster_bootstraps": (text, [pointer]),
        "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_topic_create": (number, [pointer, text, number, number]),
        "rd_kafka_mock_broker_set_down": (number, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_up": (number, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_rtt": (number, [pointer, ctypes.c_int32, number]),
        "rd_kafka_mock_push_request_errors_array": (
            None,
            [pointer, ctypes.c_int16, ctypes.c_size_t, ctypes.POINTER(ctypes.c_int)],
        ),
    }
    for name, (result, arguments) in signatures.items():
        try:
            function: Callable[..., Any] = getattr(lib, name)
        except AttributeError:
            raise BrokerError(f"this build of confluent-kafka does not offer {name}: no embedded broker") from None
        function.restype, function.argtypes = result, arguments  # type: ignore[attr-defined]
    return lib
