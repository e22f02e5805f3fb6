from io import StringIO
from pathlib import Path

import orjson
import pytest
from rich.console import Console

from monitor.errors import ConfigError
from monitor.replay.files import replay_files
from monitor.replay.result import as_json, as_table, write_json, write_records
from tests.replay.desk import DESK, HEAD, book

MAPPING = """
mapping: test
subject: ticket
subject_id: "{number}"
time: {formats: ["%Y-%m-%d %H:%M"], zone: UTC}
attributes: {priority: priority}
events:
  - {type: opened, at: opened}
  - {type: resolved, at: solved, when: {solved: {present: true}}}
"""
LOG = """number,priority,opened,solved
T1,P1,2024-03-01 08:00,2024-03-01 08:20
T2,P1,2024-03-01 08:00,2024-03-01 10:20
T3,P1,2024-03-01 22:00,
T4,P1,[bold]never[/],
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "m.yaml").write_text(MAPPING)
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "agreements").mkdir()
    (tmp_path / "agreements" / "desk.yaml").write_text(DESK + HEAD)
    return tmp_path


def replayed(folder: Path, **more):
    return replay_files([folder / "log.csv"], folder / "m.yaml", folder / "agreements", **more)


def test_files_and_a_book_give_the_same(folder):
    with_book = replay_files([folder / "log.csv"], folder / "m.yaml", book())

    assert as_json(replayed(folder)) == as_json(with_book)


def test_the_json_has_every_figure_with_what_it_was_made_of(folder):
    write_json(replayed(folder), folder / "out.json")

    out = orjson.loads((folder / "out.json").read_bytes())

    assert out["rows"] == {
        "read": 4, "filtered": 0, "doubled": 0, "without_event": 0,
        "odd_subjects": {"counts": {}, "all": []}, "warnings": [],
        "rejected": {
            "counts": {"bad_time": 1},
            "all": [{"file": "log.csv", "line": 5, "reason": "bad_time",
                     "detail": "'[bold]never[/]' is not of the form %Y-%m-%d %H:%M"}],
        },
    }  # fmt: skip
    (series,) = out["figures"]
    assert (series["window"], series["labels"]) == ("all", {"priority": "P1"})
    assert {figure["indicator"]: (figure["numerator"], figure["denominator"]) for figure in series["figures"]}[
        "compliance"
    ] == (1, 2)
    for of in (out["figures"], out["windows"], out["statements"]):
        for one in of:
            assert one["window"]
            assert one["from_ms"] <= one["to_ms"]
            for figure in one["figures"]:
                assert {"value", "numerator", "denominator", "unit", "formula"} <= figure.keys()
                assert figure["formula"]
    assert out["clocks"] == {"met": 1, "breached": 1, "open": 1}
    assert out["alerts"]["counts"]["desk/resolution"] == {"at_risk": 1, "breached": 1, "resolved": 1}


def test_records_are_one_json_line_for_each_clock(folder):
    write_records(replayed(folder), folder / "records.jsonl")

    lines = [orjson.loads(line) for line in (folder / "records.jsonl").read_bytes().splitlines()]

    assert [(line["subject_id"], line["verdict"]) for line in lines] == [
        ("T1", "met"),
        ("T2", "breached"),
        ("T3", "open"),
    ]
    assert {
        "subject", "metric", "cycle", "start_ms", "stop_ms", "elapsed_ms", "wall_ms", "due_ms", "agreement_version"
    } <= lines[0].keys()  # fmt: skip


def test_the_table_tells_figures_rejected_rows_and_alerts_as_they_are_written(folder):
    text = StringIO()

    Console(file=text, width=200).print(as_table(replayed(folder)))

    shown = text.getvalue()
    for expected in (
        "4 rows read, 1 rejected",
        "log.csv:5",
        "'[bold]never[/]' is not",
        "50.0000%",
        "desk/resolution",
        "1 at_risk, 1 breached, 1 resolved",
    ):
        assert expected in shown


def test_progress_covers_reading_and_replaying(folder):
    told: list[tuple[str, int, int]] = []

    replayed(folder, on_progress=lambda *of: told.append(of))

    assert [name for name, done, of in told if done == of] == ["log.csv", "replay"]


def test_mistakes_of_mapping_and_agreements_are_told_with_their_files(folder):
    (folder / "m.yaml").write_text(MAPPING.replace("opened,", "open,"))

    with pytest.raises(ConfigError, match=r"m\.yaml:\d+"):
        replayed(folder)
