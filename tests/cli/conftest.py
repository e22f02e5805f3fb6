"""Commands as people call them, against an embedded broker."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka.structs import ConsumerRecord
from click.testing import CliRunner, Result

from monitor.cli.root import root
from monitor.config.settings.settings import Settings, TopicSettings
from monitor.installation import topic_plan
from monitor.read_model.topics import Outgoing, read_all, send_all
from monitor.stream.kafka.embedded import EmbeddedBroker
from monitor.stream.partitions.clock import wall_ms
from monitor.wire.markers import ClockMarker, encode_clock_marker
from tests.zones import readers_zone

PARTITIONS = 2

AGREEMENT = """\
agreement: desk
version: 1
valid_from: 2024-01-01
name: The [desk]
form: customer
provider: IT
customer: Finance
service: Mail
status: accepted
accepted_by: Dana
accepted_on: 2023-12-01
clocks:
  - id: resolution
    metric: resolution
    targets: {P1: 4h, "*": 8h}
objectives:
  - {id: in-time, of: resolution, indicator: compliance, target: 90 %}
"""


class Kafka:
    """The embedded broker with all topics of an installation, as a person at the keyboard sees it."""

    def __init__(self, bootstrap: str) -> None:
        self.settings = Settings(bootstrap=bootstrap, topics=TopicSettings(partitions=PARTITIONS))
        self.environment = {
            "SLA_MONITOR_BOOTSTRAP": bootstrap,
            "SLA_MONITOR_TOPICS_PARTITIONS": str(PARTITIONS),
        }

    def send(self, *records: Outgoing) -> None:
        asyncio.run(send_all(self.settings, records))

    def tell_clock(self, clock_ms: int) -> None:
        """Tell what time it is for the installation; from now on it passes as usual."""
        key, value = encode_clock_marker(ClockMarker(wall_ms=wall_ms(), clock_ms=clock_ms, speed=1.0))
        self.send(Outgoing(self.settings.topics.markers, key, value, partition=0))

    def read(self, topic: str) -> list[ConsumerRecord]:
        return asyncio.run(read_all(self.settings, topic))


@pytest.fixture
def kafka() -> Iterator[Kafka]:
    plan = topic_plan(Settings(topics=TopicSettings(partitions=PARTITIONS)))
    with EmbeddedBroker({spec.name: spec.partitions for spec in plan}) as broker:
        yield Kafka(broker.bootstrap)


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No setting of whoever runs the tests reaches a command; the reader's zone is UTC."""
    for name in [name for name in os.environ if name.startswith("SLA_MONITOR_")]:
        monkeypatch.delenv(name)
    with readers_zone("UTC"):
        yield


Run = Callable[..., Result]


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a command; it reaches the broker where the test has one."""
    environment = request.getfixturevalue("kafka").environment if "kafka" in request.fixturenames else {}

    def call(*arguments: str | Path, answer: str | None = None, env: dict[str, str] | None = None) -> Result:
        result = CliRunner().invoke(root, [str(one) for one in arguments], input=answer, env=environment | (env or {}))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert "Traceback" not in result.output
        return result

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one agreement."""
    (tmp_path / "desk.yaml").write_text(AGREEMENT)
    return tmp_path


def lines(result: Result) -> Sequence[Any]:
    """Return the JSON lines of stdout."""
    return [orjson.loads(line) for line in result.stdout.splitlines()]
