"""``replay``: recorded data, measured here or sent to the topics."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from monitor.wire.events import decode
from tests.cli.conftest import Kafka, Run

MAPPING = """\
mapping: desk
subject: ticket
subject_id: "{number}"
attributes:
  customer: {constant: Finance}
  priority: priority
events:
  - {type: opened, at: opened}
  - {type: resolved, at: resolved, when: {resolved: {present: true}}}
"""

ROWS = """\
number,opened,resolved,priority
T-1,2024-03-04T09:00:00Z,2024-03-04T10:00:00Z,P1
T-2,2024-03-04T09:00:00Z,2024-03-04T14:00:00Z,P1
T-3,yesterday,2024-03-04T14:00:00Z,P1
"""


@pytest.fixture
def files(folder: Path) -> dict[str, Path]:
    """Data of two tickets (one in time, one late) and a broken row; the agreement promises 4 h."""
    work = folder / "work"
    work.mkdir()
    (work / "mapping.yaml").write_text(MAPPING)
    (work / "data.csv").write_text(ROWS)
    (work / "data.csv.gz").write_bytes(gzip.compress(ROWS.encode()))
    return {"data": work / "data.csv", "gz": work / "data.csv.gz", "mapping": work / "mapping.yaml", "agreed": folder}


def compliance(result: dict) -> tuple[float, float]:
    (figure,) = [
        figure
        for whole in result["figures"]
        if whole["measure"] == "resolution"
        for figure in whole["figures"]
        if figure["indicator"] == "compliance"
    ]
    return figure["numerator"], figure["denominator"]


@pytest.mark.parametrize("data", ["data", "gz"])
def test_people_get_tables_and_files_hold_the_rest(run: Run, files: dict[str, Path], tmp_path: Path, data: str):
    out, records = tmp_path / "result.json", tmp_path / "records.jsonl"
    result = run(
        "replay", files[data], "--mapping", files["mapping"], "--agreements", files["agreed"],
        "--json", out, "--records", records,
    )  # fmt: skip
    assert result.exit_code == 0
    assert "3 rows read, 1 rejected" in result.stdout
    assert f"{files[data].name}:4" in result.stdout
    assert compliance(json.loads(out.read_text())) == (1, 2)
    clocks = [json.loads(line) for line in records.read_text().splitlines()]
    assert {(one["subject_id"], one["verdict"], one["elapsed_ms"]) for one in clocks} == {
        ("T-1", "met", 3_600_000), ("T-2", "breached", 5 * 3_600_000),
    }  # fmt: skip


def test_the_result_can_go_to_stdout(run: Run, files: dict[str, Path]):
    result = run("replay", files["data"], "--mapping", files["mapping"], "--agreements", files["agreed"], "--json", "-")
    assert compliance(json.loads(result.stdout)) == (1, 2)


def test_mistakes_of_mapping_and_agreements_are_told(run: Run, files: dict[str, Path]):
    files["mapping"].write_text(MAPPING.replace("type: opened", "type: opend"))
    result = run("replay", files["data"], "--mapping", files["mapping"], "--agreements", files["agreed"])
    assert result.exit_code == 1
    assert "mapping.yaml:8" in result.stderr
    assert "error, for the author of the file: 1 mistake" in result.stderr


def test_events_can_go_to_the_topics_instead(run: Run, kafka: Kafka, files: dict[str, Path]):
    result = run("replay", files["data"], "--mapping", files["mapping"], "--to-kafka", "--speed", "0")
    assert result.exit_code == 0
    assert "4 events of 3 rows sent" in result.stdout
    assert "1 rows rejected" in result.stdout
    events = [decode("ticket", record.key, record.value, record.headers) for record in kafka.read("tickets")]
    assert sorted((event.subject_id, event.fact.type) for event in events) == [
        ("T-1", "opened"), ("T-1", "resolved"), ("T-2", "opened"), ("T-2", "resolved"),
    ]  # fmt: skip


def test_the_two_ways_are_not_mixed_up(run: Run, files: dict[str, Path]):
    assert run("replay", files["data"], "--mapping", files["mapping"]).exit_code == 2
    both = ("--agreements", files["agreed"], "--to-kafka")
    assert run("replay", files["data"], "--mapping", files["mapping"], *both).exit_code == 2
