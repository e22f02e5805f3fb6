"""A worker that stops says so once, and names what is in its way to Kafka."""

import logging

import pytest

from monitor import bootstrap
from monitor.bootstrap import Monitor
from monitor.config.settings.settings import Settings
from monitor.errors import StateError

REFUSAL = "Kafka at kafka:9092 cannot be reached: Connection refused"


@pytest.fixture
def monitor(monkeypatch):
    async def refusal(*_):
        return REFUSAL

    monkeypatch.setattr(bootstrap, "refusal", refusal)
    return Monitor(Settings())


async def test_a_worker_that_has_said_why_it_stops_adds_the_reason_behind_it_and_does_not_stop_twice(monitor, caplog):
    error = StateError("tickets/2: cannot restore the rows")
    monitor.app.fail(error)

    await monitor._tell_refusal(error)

    critical = [record.message for record in caplog.records if record.levelno == logging.CRITICAL]
    assert critical == ["worker stops: tickets/2: cannot restore the rows", REFUSAL]


async def test_a_worker_that_cannot_begin_says_why_it_stops(monitor, caplog):
    await monitor._tell_refusal(OSError())

    critical = [record.message for record in caplog.records if record.levelno == logging.CRITICAL]
    assert critical == [f"worker stops: {REFUSAL}"]
