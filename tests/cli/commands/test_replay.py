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
    assert "1 row rejected" in result.stdout
    events = [decode("ticket", record.key, record.value, record.headers) for record in kafka.read("tickets")]
    assert sorted((event.subject_id, event.fact.type) for event in events) == [
        ("T-1", "opened"), ("T-1", "resolved"), ("T-2", "opened"), ("T-2", "resolved"),
    ]  # fmt: skip


def test_the_two_ways_are_not_mixed_up(run: Run, files: dict[str, Path]):
    assert run("replay", files["data"], "--mapping", files["mapping"]).exit_code == 2
    both = ("--agreements", files["agreed"], "--to-kafka")
    assert run("replay", files["data"], "--mapping", files["mapping"], *both).exit_code == 2


TICKETS = MAPPING.replace("resolved: {present: true}", "resolved: {missing: false}")
REPLIES = """\
mapping: replies
subject: ticket
subject_id: "{ticket}"
events: [{type: resolved, at: done}]
"""


def test_a_preview_shows_the_first_events_and_why_rows_are_refused(run: Run, files: dict[str, Path]):
    result = run("replay", files["data"], "--mapping", files["mapping"], "--preview", "3")

    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines() if line.startswith("data.csv:")]
    assert [(row[0], " ".join(row[1:4]), *row[6:]) for row in rows] == [
        ("data.csv:2", "2024-03-04 09:00 UTC", "opened", "customer=Finance", "priority=P1"),
        ("data.csv:2", "2024-03-04 10:00 UTC", "resolved", "customer=Finance", "priority=P1"),
        ("data.csv:3", "2024-03-04 09:00 UTC", "opened", "customer=Finance", "priority=P1"),
    ]
    assert "4 events of 3 rows: 1 rejected" in result.stdout
    assert "bad_time" in result.stdout
    assert "yesterday" in result.stdout


def test_a_preview_is_events_as_they_stand_on_a_topic_for_machines(run: Run, files: dict[str, Path]):
    result = run("replay", files["data"], "--mapping", files["mapping"], "--preview", "1", "--json", "-")

    shown = json.loads(result.stdout)
    (made,) = shown["events"]
    assert (made["file"], made["line"], made["event"]["ticket"]) == ("data.csv", 2, "T-1")
    assert shown["rows"]["rejected"]["counts"] == {"bad_time": 1}


def test_a_preview_counts_the_events_of_tickets_that_are_not_measured(run: Run, files: dict[str, Path]):
    """Five events were shown, and told to be three: those of a ticket that ended before it began were not counted."""
    files["data"].write_text("number,opened,resolved,priority\nT-1,2024-03-04T09:00:00Z,2024-03-04T10:00:00Z,P1\n"
                             "T-2,2024-03-04T09:00:00Z,2024-03-04T08:00:00Z,P1\n")  # fmt: skip

    result = run("replay", files["data"], "--mapping", files["mapping"], "--preview", "5")

    assert result.stdout.count("data.csv:") == 4
    assert "4 events of 2 rows" in result.stdout
    assert "1 ticket was solved or closed before it was opened, and is not measured: T-2." in result.stdout


def test_a_preview_in_which_nothing_happens_fails(run: Run, files: dict[str, Path]):
    files["data"].write_text("number,opened,resolved,priority\nT-1,yesterday,,P1\n")

    result = run("replay", files["data"], "--mapping", files["mapping"], "--preview", "5")

    assert result.exit_code == 1
    assert "no row makes an event" in result.stderr

    files["data"].write_text("number,opened,resolved,priority\n")
    empty = run("replay", files["data"], "--mapping", files["mapping"], "--preview", "5")

    assert empty.exit_code == 1
    assert "error, for the author of the file: it has no rows" in empty.stderr


def test_a_preview_measures_nothing(run: Run, files: dict[str, Path]):
    result = run(
        "replay", files["data"], "--mapping", files["mapping"], "--preview", "5", "--agreements", files["agreed"]
    )

    assert result.exit_code == 2


def test_several_tables_about_the_same_tickets_are_read_together(run: Run, files: dict[str, Path]):
    """Openings and their customers stand in one table, solutions in another: the id joins them."""
    work = files["data"].parent
    (work / "opened.csv").write_text("number,opened,resolved,priority\nT-1,2024-03-04T09:00:00Z,,P1\n"
                                     "T-2,2024-03-04T09:00:00Z,,P1\n")  # fmt: skip
    (work / "done.csv").write_text("ticket,done\nT-2,2024-03-04T14:00:00Z\nT-1,2024-03-04T10:00:00Z\n")
    (work / "done.yaml").write_text(REPLIES)

    result = run(
        "replay", work / "opened.csv", "--mapping", files["mapping"], "--table", work / "done.csv", work / "done.yaml",
        "--agreements", files["agreed"], "--json", "-",
    )  # fmt: skip

    assert compliance(json.loads(result.stdout)) == (1, 2)


def test_the_mistakes_of_all_mappings_are_told_at_once(run: Run, files: dict[str, Path]):
    work = files["data"].parent
    files["mapping"].write_text(MAPPING.replace("type: opened", "type: opend"))
    (work / "done.yaml").write_text(REPLIES.replace("type: resolved", "type: resolvd"))

    result = run(
        "replay", files["data"], "--mapping", files["mapping"], "--table", files["data"], work / "done.yaml",
        "--preview", "1",
    )  # fmt: skip

    assert result.exit_code == 1
    assert "'opened'" in result.stderr
    assert "'resolved'" in result.stderr


def test_data_may_come_from_standard_input(run: Run, files: dict[str, Path]):
    result = run("replay", "-", "--mapping", files["mapping"], "--preview", "1", answer=ROWS)

    assert result.exit_code == 0
    assert "standard input:2" in result.stdout


def replayed(run: Run, files: dict[str, Path], *more: object):
    return run("replay", files["data"], "--mapping", files["mapping"], "--agreements", files["agreed"], *more)


def test_time_ends_where_it_is_asked_to_and_later_events_are_left_out(run: Run, files: dict[str, Path]):
    result = replayed(run, files, "--until", "2024-03-04T12:00:00Z", "--json", "-")

    found = json.loads(result.stdout)
    assert found["until_ms"] == 1709553600000  # 12:00, though T-2 is resolved at 14:00
    assert (found["events"]["folded"], found["events"]["after_until"]) == (3, 1)
    assert compliance(found) == (1, 1)
    assert "1 event happened after the end" in replayed(run, files, "--until", "2024-03-04T12:00:00Z").stdout


def test_a_file_that_cannot_be_written_is_told_before_the_work(run: Run, files: dict[str, Path], tmp_path: Path):
    for option in ("--json", "--records"):
        result = replayed(run, files, option, tmp_path / "nowhere" / "out.json")

        assert result.exit_code == 2
        assert f"Invalid value for {option}" in result.stderr
        assert "cannot be written: No such file or directory" in result.stderr
        assert not result.stdout
    (tmp_path / "kept.json").write_text("old")
    files["mapping"].write_text("mapping: broken")
    assert replayed(run, files, "--json", tmp_path / "kept.json").exit_code == 1
    assert (tmp_path / "kept.json").read_text() == "old"  # trying changes nothing


def test_without_alerts_a_result_holds_only_how_many_there_were(run: Run, files: dict[str, Path]):
    whole, small = (
        json.loads(replayed(run, files, "--json", "-", *more).stdout) for more in ((), ("--alerts", "none"))
    )

    assert len(whole["alerts"]["all"]) == sum(sum(one.values()) for one in small["alerts"]["counts"].values()) > 0
    assert "all" not in small["alerts"]
    assert {**whole, "alerts": 0} == {**small, "alerts": 0}


def test_cohorts_are_a_window_that_may_be_asked_for(run: Run, tmp_path: Path):
    """They stood in the JSON only."""
    data, mapping = tmp_path / "leads.csv", tmp_path / "leads.yaml"
    data.write_text("number,created,tried\nL-1,2026-03-02T09:00:00Z,2026-03-31T15:00:00Z\nL-2,2026-03-31T14:30:00Z,\n"
                    "L-3,2026-05-04T09:00:00Z,\n")  # fmt: skip
    mapping.write_text(
        "mapping: m\nsubject: lead\nsubject_id: '{number}'\nattributes: {source: {constant: web}}\nevents:\n"
        "  - {type: created, at: created}\n  - {type: handed_over, at: created, id: '{subject_id} over'}\n"
        "  - {type: attempted, at: tried, attributes: {channel: {constant: phone}}}\n"
    )
    promise = Path(__file__).parents[3] / "deploy" / "promises" / "leads.yaml"
    given = ("replay", data, "--mapping", mapping, "--agreements", promise)

    asked = run(*given, "--window", "month+depth")

    assert asked.exit_code == 0
    table = asked.stdout.partition("Figures by month+depth")[2]
    assert "2026-03-01" in table
    assert "depth_kept" in table
    assert "week+follow_up, month+follow_up, month+depth" in run(*given, "--window", "decade").stderr


def test_figures_by_month_are_shown_for_what_is_asked_for(run: Run, files: dict[str, Path]):
    result = replayed(run, files, "--window", "month", "--of", "resolution", "--until", "2024-05-01T00:00:00Z")

    assert result.exit_code == 0
    table = result.stdout.partition("Figures by month")[2]
    assert "2024-03" in table
    assert "2024-04-01, running" not in table  # closed: its lateness was over before May
    compliance_line = next(line for line in table.splitlines() if "compliance" in line)
    assert "50.0000%" in compliance_line
    asked = replayed(run, files, "--window", "decade", "--of", "nothing")
    assert asked.exit_code == 2
    assert "--window decade: no agreement has figures by this window; there are" in asked.stderr
    assert "--of nothing: no agreement or measure has this name; there are" in asked.stderr


@pytest.mark.parametrize(
    ("mapping", "agreement", "said"),
    [
        (
            ("", ""),
            ("service: Mail", "service: Mail\ncovers: {customer: Payroll}"),
            "agreement desk measures nothing of the data: it covers customer Payroll, the data has customer Finance",
        ),
        (("subject: ticket", "subject: lead"), ("", ""), "it measures tickets, the data has leads"),
        (
            ("", ""),
            ("status: accepted\naccepted_by: Dana\naccepted_on: 2023-12-01", "status: draft"),
            "agreement desk is a draft: it binds nobody",
        ),
        (
            ("", ""),
            ("valid_from:", "valid_from: 2031-01-01 #"),
            "is not valid before 2031-01-01: the data ends on 2024",
        ),
        (("at: opened", "at: priority"), ("", ""), "every row of data.csv was refused (3 bad_time)"),
    ],
)
def test_a_replay_that_measured_nothing_says_so_and_fails(
    run: Run, files: dict[str, Path], mapping: tuple[str, str], agreement: tuple[str, str], said: str
):
    text = MAPPING.replace(*mapping)
    if "lead" in text:
        text = text.replace("type: opened", "type: created").replace("type: resolved", "type: won")
    files["mapping"].write_text(text)
    for file in files["agreed"].glob("*.yaml"):
        file.write_text(file.read_text().replace(*agreement))

    result = replayed(run, files)

    assert result.exit_code == 1
    assert said in result.stderr


def test_what_a_replay_announced_is_compared_with_later_data_without_kafka(
    run: Run, files: dict[str, Path], tmp_path: Path
):
    until = ("--until", "2024-05-01T00:00:00Z")
    then, now = tmp_path / "then.jsonl", tmp_path / "now.csv"
    assert replayed(run, files, "--announced", then, *until).exit_code == 0
    given = ("recompute", "--announced", then, "--mapping", files["mapping"], "--agreements", files["agreed"], *until)

    same = run(*given, "--data", files["data"])

    assert same.exit_code == 0
    assert "no difference" in same.stdout

    # It is known now that T-2 was solved in time.
    now.write_text(ROWS.replace("2024-03-04T14:00:00Z,P1\nT-3", "2024-03-04T12:00:00Z,P1\nT-3"))
    other = run(*given, "--data", now)

    assert other.exit_code == 4
    assert "desk/resolution of ticket T-2" in other.stdout
    assert "1 clocks" not in other.stdout
    assert "compliance: 50.0000% (1 of 2) as judged, 100.0000% (2 of 2) as recomputed" in other.stdout
    assert "mean: 3.00 h (6.00 h of 2) as judged, 2.00 h (4.00 h of 2) as recomputed" in other.stdout
    assert "because of the data: other events" in other.stdout

    # The data ends earlier than what was announced: the breach is compared all the same.
    shorter = run(*given[: -len(until)], "--data", now)

    assert shorter.exit_code == 4
    assert "as judged      breached 2024-03-04 13:00:00 UTC" in shorter.stdout
    broken = tmp_path / "broken.jsonl"
    broken.write_text("[]\n")
    refused = run(
        "recompute",
        "--announced",
        broken,
        "--data",
        now,
        "--agreements",
        files["agreed"],
        "--mapping",
        files["mapping"],
    )
    assert refused.exit_code == 1
    assert "broken.jsonl:1: is no alert and no statement" in refused.stderr
    assert run("recompute", "--announced", then).exit_code == 2
