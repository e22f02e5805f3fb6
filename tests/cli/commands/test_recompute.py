"""``recompute`` at the keyboard; the story with a worker is in ``tests/e2e/test_recompute.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.read_model.topics import Outgoing
from monitor.wire.events import encode_event
from tests.cli.commands.test_simulate import EVENTS
from tests.cli.conftest import Kafka, Run, lines

UNTIL = ("--until", "2024-03-06T00:00:00Z")


@pytest.mark.usefixtures("kafka")
def test_without_events_nothing_differs(run: Run):
    result = run("recompute", *UNTIL)

    assert result.exit_code == 0
    assert "0 clocks and 0 closed periods compared: no difference." in result.stdout


def test_a_breach_that_nobody_announced_is_told_and_what_cannot_be_read_is_noted(run: Run, kafka: Kafka, folder: Path):
    run("agreements", "apply", folder, "--yes")
    kafka.send(*[Outgoing("tickets", *encode_event(one)) for one in EVENTS], Outgoing("alerts", b"x", b"nonsense"))

    result = run("recompute", *UNTIL)
    found = lines(run("recompute", *UNTIL, "--json"))

    assert result.exit_code == 4
    assert "desk/resolution of ticket T-2" in result.stdout
    assert "as judged      not breached" in result.stdout
    assert "as recomputed  breached" in result.stdout
    assert "is no announcement: bad_json" in result.stderr
    assert [(one["subject_id"], one["judged"]["verdict"], one["recomputed"]["verdict"]) for one in found] == [
        ("T-2", "not_breached", "breached")
    ]
    assert run("recompute", *UNTIL, "--agreement", "another").exit_code == 0
    assert run("recompute", *UNTIL, "--as-of", "2024-01-01T00:00:00Z").exit_code == 0
