"""``recompute`` at the keyboard; the story with a worker is in ``tests/e2e/test_recompute.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.read_model.topics import Outgoing
from monitor.wire.events import encode_event
from monitor.wire.instants import parse_rfc3339
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


def test_now_and_as_of_are_told_by_the_clock_of_the_installation(run: Run, kafka: Kafka, folder: Path):
    """Given a demonstration of March 2024: its records are in Kafka now, by a clock that nobody looks at there."""
    run("agreements", "apply", folder, "--yes")
    kafka.send(*[Outgoing("tickets", *encode_event(one)) for one in EVENTS])
    kafka.tell_clock(parse_rfc3339("2024-03-04T09:30:00Z"))

    # then nothing is late yet half an hour after the tickets were opened
    assert run("recompute").exit_code == 0
    assert "2 clocks" in run("recompute").stdout
    # and before the clock was told they were not there
    assert "0 clocks" in run("recompute", "--as-of", "2024-03-04T09:20:00Z").stdout
