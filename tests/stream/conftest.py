"""An embedded broker, and workers that run in the test's own loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiokafka.consumer.group_coordinator import CoordinatorGroupRebalance

from monitor.stream.kafka.embedded import EmbeddedBroker
from monitor.stream.partitions.app import WorkerApp, WorkerSettings, build_app
from tests.stream.counting import counting_source

TOPICS = {"in": 2, "alerts": 2, "silent": 2, "app-in-state": 2}


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(TOPICS) as broker:
        yield broker


@pytest.fixture
def followers_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """librdkafka's mock refuses a member that syncs after its leader; Kafka does not. So the leader waits a little."""
    stock = CoordinatorGroupRebalance._on_join_leader

    async def late(self: CoordinatorGroupRebalance, response: object) -> object:
        await asyncio.sleep(0.1)
        return await stock(self, response)

    monkeypatch.setattr(CoordinatorGroupRebalance, "_on_join_leader", late)


@pytest.fixture
def worker(broker: EmbeddedBroker, tmp_path: Path) -> Callable[..., WorkerApp]:
    """Makes workers of one application that count topic ``in``."""

    def make(*, silence_ms: int = 60_000, clock: object = None, sources: dict | None = None, **settings) -> WorkerApp:
        return build_app(
            WorkerSettings(
                app_id="app", bootstrap=broker.bootstrap, data_dir=tmp_path / "data",
                **{"session_timeout_s": 1.5, "heartbeat_interval_s": 0.1, "group_commit_interval_s": 0.2} | settings,
            ),
            {"in": counting_source("in", silence_ms=silence_ms)} if sources is None else sources,
            clock,
        )  # fmt: skip

    return make
