"""What time it is for whoever reads the topics: that of the installation, also where its clock is not real time."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

from monitor.read_model.present import present_ms
from monitor.read_model.topics import Outgoing
from monitor.stream.partitions.clock import wall_ms
from monitor.wire.announcements import encode_status
from tests.cli.commands.test_status import status
from tests.cli.conftest import Kafka, Run, lines
from tests.cli.processes import process, stop

HOUR = 3_600_000
MINUTE = 60_000
THEN = 1_767_610_800_000  # 2026-01-05T11:00:00Z


def test_of_clocks_that_are_told_the_newest_counts_and_strange_ones_do_not(kafka: Kafka):
    kafka.tell_clock(THEN - HOUR)
    kafka.tell_clock(THEN)
    kafka.send(Outgoing(kafka.settings.topics.markers, b"clock", b"{", partition=0))
    kafka.send(Outgoing(kafka.settings.topics.markers, b"jira/0", b"{}", partition=0))
    assert 0 <= asyncio.run(present_ms(kafka.settings)) - THEN < MINUTE


def test_a_night_of_silence_passes_where_no_clock_is_told(kafka: Kafka, run: Run):
    """Given a worker that fell silent last night, then its figures are told as old, not as of now."""
    judged_ms = wall_ms() - 12 * HOUR
    kafka.send(
        Outgoing("agreements", b"desk/1", b"null"),
        Outgoing("status", *encode_status(status("met", as_of_ms=judged_ms), "test")),
    )
    (found,) = lines(run("status", "--json"))
    assert found["as_of_ms"] == judged_ms
    assert abs(found["now_ms"] - wall_ms()) < MINUTE


def test_a_silence_lasts_by_the_clock_of_the_workers_that_keep_it(kafka: Kafka, run: Run, folder: Path):
    assert run("agreements", "apply", folder, "--yes").exit_code == 0
    kafka.tell_clock(THEN)
    (begun,) = lines(run("silence", "add", "--agreement", "desk", "--for", "2h", "--json"))
    assert 0 <= begun["until_ms"] - (THEN + 2 * HOUR) < MINUTE
    assert [one["id"] for one in lines(run("silence", "list", "--json"))] == [begun["id"]]

    kafka.tell_clock(THEN + 3 * HOUR)

    assert lines(run("silence", "list", "--json")) == []


def test_status_and_explain_of_a_demonstration_tell_the_time_by_its_clock(tmp_path: Path, run: Run):
    # given a demonstration, in which an hour passes in a minute, and a promise that is missed while it runs
    with process("demo", "--json", "--speed", "60", folder=tmp_path) as demo:
        kafka = json.loads(demo.stdout.readline())["addresses"]["kafka"]
        said = (json.loads(line) for line in demo.stdout)
        missed = next(
            one for one in said
            if one["kind"] == "alert" and one["state"] == "breached" and one["due_ms"] and not one["backfill"]
        )  # fmt: skip

        # when it is asked how all stands, and about what was just missed
        key = missed["key"]
        (found,) = lines(run("status", "--json", "--bootstrap", kafka))
        first = lines(run("explain", key["kind"], key["what"], "--json", "--bootstrap", kafka))[0]
        code, _, err = stop(demo, signal.SIGTERM)

    # then it is the demonstration's time: after the breach, by no more than the commands took
    assert 0 <= found["now_ms"] - missed["at_ms"] < 2 * HOUR
    assert 0 <= first["at_ms"] - found["now_ms"] < 2 * HOUR
    assert (code, err) == (0, "")
