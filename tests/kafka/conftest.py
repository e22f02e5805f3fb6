"""A real Kafka for the suites marked ``kafka``: ``SLA_TEST_BOOTSTRAP`` if set, else one started from its jars."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.kafka.broker import KafkaBroker, UnavailableError


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/kafka/" in item.path.as_posix():
            item.add_marker(pytest.mark.kafka)


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The bootstrap address of a real Kafka."""
    if given := os.environ.get("SLA_TEST_BOOTSTRAP"):
        yield given
        return
    try:
        broker = KafkaBroker().__enter__()
    except UnavailableError as reason:
        pytest.skip(str(reason))
    try:
        yield broker.bootstrap
    finally:
        broker.__exit__()
