"""The metadata request that aiokafka lacks: which of some topics exist, and what the user may do with each.

aiokafka's own request asks for all topics, where topics that the user may not see look as if they did not exist. Or it
asks for topics by name, and many brokers then create those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import BrokerNotAvailableError, TopicAuthorizationFailedError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

_UNKNOWN_OPERATIONS: Final = -(1 << 31)
_OPERATION_BITS: Final = {
    "Read": 3, "Write": 4, "Create": 5, "Delete": 6, "Alter": 7, "Describe": 8, "DescribeConfigs": 10,
    "AlterConfigs": 11,
}  # fmt: skip
"""The codes of Kafka's AclOperation: the number of each operation's bit in an answer."""


class _Answer(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(("node_id", Int32), ("host", String("utf-8")), ("port", Int32), ("rack", String("utf-8"))),
        ),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class _Question(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _Describe(Request[_Question]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: Any) -> _Question:  # noqa: ANN401 - aiokafka's
        question: _Question = request_struct_class(self._topics, False, False, True)
        return question


class Described(NamedTuple):
    """Kafka's description of a topic: the leader of each partition (-1: none), and the operations that its user may do.

    ``allowed`` is None if the broker does not say.
    """

    leaders: Mapping[int, int]
    allowed: frozenset[str] | None


class Topics(NamedTuple):
    """The requested topics that exist, and those whose existence Kafka hides from the user."""

    known: Mapping[str, Described]
    hidden: frozenset[str]

    def partitions_of(self, topic: str) -> int:
        """Return how many partitions a topic has, 0 if there is none."""
        return len(self.known[topic].leaders) if topic in self.known else 0

    def unreadable(self, topics: Iterable[str]) -> list[str]:
        """Return those of some topics that the user may not read.

        Kafka reports a missing right to read only when records are fetched: nothing would report it for an empty topic.
        """
        return [topic for topic in topics if not self.is_allowed("Read", topic)]

    def is_allowed(self, operation: str, topic: str) -> bool:
        """Return whether the user may do an operation on a topic. If Kafka says nothing about it, the answer is yes."""
        if topic not in self.known:
            return topic not in self.hidden
        allowed = self.known[topic].allowed
        return allowed is None or operation in allowed


async def describe(client: AIOKafkaClient, topics: Iterable[str]) -> Topics:
    """Ask about topics by their names. Creates none.

    Raises:
        KafkaError: no broker answers.
    """
    names = sorted(set(topics))
    node = client.get_random_node()
    if node is None:
        raise BrokerNotAvailableError("no broker is known")
    answer = await client.send(node, _Describe(names))
    known, hidden = {}, set()
    for code, name, _, partitions, operations in answer.topics:
        if for_code(code) is TopicAuthorizationFailedError:
            hidden.add(name)
        elif partitions:
            known[name] = Described({one[1]: one[2] for one in partitions}, _allowed(operations))
    return Topics(known, frozenset(hidden))


def _allowed(operations: int) -> frozenset[str] | None:
    if operations == _UNKNOWN_OPERATIONS:
        return None
    return frozenset(name for name, bit in _OPERATION_BITS.items() if operations & 1 << bit)
