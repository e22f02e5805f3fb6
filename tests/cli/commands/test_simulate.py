"""``simulate``: the same events under another agreement."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor.read_model.topics import Outgoing
from monitor.wire.events import encode_event
from tests.cli.commands.test_replay import MAPPING, ROWS
from tests.cli.conftest import AGREEMENT, Kafka, Run
from tests.replay.desk import event

EVENTS = [
    event("ticket", "T-1", "opened", "2024-03-04T09:00:00", customer="Finance", priority="P1"),
    event("ticket", "T-1", "resolved", "2024-03-04T10:00:00"),
    event("ticket", "T-2", "opened", "2024-03-04T09:00:00", customer="Finance", priority="P1"),
    event("ticket", "T-2", "resolved", "2024-03-04T14:00:00"),
    event("ticket", "T-3", "opened", "2024-03-05T09:00:00", customer="Finance", priority="P1"),
    event("ticket", "T-3", "resolved", "2024-03-05T11:30:00"),
]
DRAFT = AGREEMENT.replace("version: 1", "version: 2").replace("valid_from: 2024-01-01", "valid_from: 2030-01-01")
DRAFT = DRAFT.replace("status: accepted", "status: draft").replace("P1: 4h", "P1: 2h").replace(
    "target: 90 %}", "target: 90 %, windows: [month]}\n"
    "consequences:\n"
    "  currency: EUR\n"
    "  fees: {mail: 1000}\n"
    "  credits:\n"
    "    - objective: in-time\n"
    "      fee: mail\n"
    "      tiers: [{below: 90 %, credit: 5 %}, {below: 50 %, credit: 10 %}]\n",
)  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """The agreement that held (4 h), a draft (2 h, credits), and three tickets of 1, 5 and 2.5 hours."""
    names = {
        "agreed": AGREEMENT, "draft": DRAFT, "mapping": MAPPING, "rows": ROWS,
        "events": "\n".join(encode_event(one)[1].decode() for one in EVENTS) + "\n",
    }  # fmt: skip
    found = {}
    for name, text in names.items():
        suffix = {"events": "jsonl", "rows": "csv"}.get(name, "yaml")
        found[name] = tmp_path / f"{name}.{suffix}"
        found[name].write_text(text)
    return found


def test_a_draft_is_compared_with_what_held_and_billed_as_if_it_had_been_accepted(run: Run, files: dict[str, Path]):
    result = run(
        "simulate", "--agreements", files["draft"], "--against", files["agreed"], files["events"],
        "--until", "2024-04-02T00:00:00Z", "--json", "-",
    )  # fmt: skip

    found = json.loads(result.stdout)
    assert result.exit_code == 0
    assert found["clocks"] == [
        {"agreement": "desk", "clock": "resolution", "new": {"met": 1, "breached": 2}, "old": {"met": 2, "breached": 1}}
    ]
    assert [(one["subject_id"], one["old"], one["new"]) for one in found["differences"]] == [("T-3", "met", "breached")]
    assert found["credits"] == {
        "new": [{"agreement": "desk", "currency": "EUR", "payable": "100.00"}], "old": []
    }  # fmt: skip
    (evidence,) = [one["evidence"] for one in found["consequences"]["new"] if one["kind"] == "credit"]
    assert (evidence["numerator"], evidence["denominator"]) == (1, 3)


def test_people_get_tables(run: Run, files: dict[str, Path], tmp_path: Path):
    out = tmp_path / "result.json"
    result = run(
        "simulate", "--agreements", files["draft"], "--against", files["agreed"], files["events"], "--json", out,
        "--until", "2024-04-02T00:00:00Z",
    )  # fmt: skip
    assert "2 → 1" in result.stdout
    assert "Credits, new: 100.00 EUR (desk)" in result.stdout
    assert "Credits, old: none" in result.stdout
    assert "ticket T-3" in result.stdout
    assert json.loads(out.read_text())["events"] == 6


def test_rows_of_a_mapping_can_be_simulated_without_a_comparison(run: Run, files: dict[str, Path]):
    result = run("simulate", "--agreements", files["draft"], files["rows"], "--mapping", files["mapping"])
    assert "rejected: rows.csv:4" in result.stderr
    assert "Credits, new: none" in result.stdout  # the month has not closed
    assert "Judged differently" not in result.stdout


def test_subjects_that_began_before_are_left_out_whole(run: Run, files: dict[str, Path]):
    result = run(
        "simulate", "--agreements", files["draft"], files["events"], "--from", "2024-03-04T13:00:00Z", "--json", "-"
    )
    assert json.loads(result.stdout)["clocks"][0]["new"] == {"breached": 1}


def test_nothing_to_simulate_is_said(run: Run, files: dict[str, Path]):
    result = run("simulate", "--agreements", files["draft"], files["events"], "--from", "2025-01-01T00:00:00Z")
    assert "nothing to simulate" in result.stdout


def test_the_same_agreement_judges_nothing_differently(run: Run, files: dict[str, Path]):
    both = ("--agreements", files["agreed"], "--against", files["agreed"])
    assert "No clock is judged differently" in run("simulate", *both, files["events"]).stdout


def test_lines_that_are_no_events_are_told_and_lose_nothing_else(run: Run, files: dict[str, Path]):
    with files["events"].open("a") as file:
        file.write('nonsense\n[]\n\n{"id": "x", "type": "opened", "time": 1}\n')
    result = run("simulate", "--agreements", files["draft"], files["events"], "--json", "-")
    assert json.loads(result.stdout)["events"] == 6
    assert [line.split(": ")[2] for line in result.stderr.splitlines() if line.startswith("rejected")] == [
        "bad_json", "not_an_object", "missing_field",
    ]  # fmt: skip


def test_the_events_of_the_topics_can_be_simulated(run: Run, kafka: Kafka, files: dict[str, Path]):
    kafka.send(*[Outgoing("tickets", *encode_event(one)) for one in EVENTS], Outgoing("tickets", b"T-9", b"nonsense"))
    result = run("simulate", "--agreements", files["draft"], "--from-kafka", "--json", "-")
    assert json.loads(result.stdout)["clocks"][0]["new"] == {"met": 1, "breached": 2}
    assert "1 record is no event: bad_json" in result.stderr


def test_data_comes_from_one_place(run: Run, files: dict[str, Path]):
    assert run("simulate", "--agreements", files["draft"]).exit_code == 2
    assert run("simulate", "--agreements", files["draft"], "--from-kafka", files["events"]).exit_code == 2
