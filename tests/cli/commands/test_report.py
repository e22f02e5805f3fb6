"""``report``: an export becomes a report in one command."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path

import pytest

from monitor.core.subjects.rows import subject_key
from monitor.installation import topic_of
from monitor.read_model.topics import Outgoing
from monitor.replay.one_subject import row_of
from monitor.reports.model import Report
from monitor.reports.scope import Scope, scope_of
from monitor.reports.sources import Sources
from monitor.reports.topics import read_report
from monitor.stream.kafka.topics import changelog_of
from monitor.wire.announcements import encode_alert, encode_statement, encode_status
from monitor.wire.deadletters import encode_dead_letter
from monitor.wire.events import encode_event
from monitor.wire.rows import SOURCE_ROWS
from tests.cli.conftest import Kafka, Run, lines
from tests.reports.desk import AGREEMENT, FORMULA, SALES, desk_events, lead_events, replayed, report

Files = tuple[str, ...]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    (tmp_path / "agreements").mkdir()
    (tmp_path / "agreements" / "desk.yaml").write_text(AGREEMENT)
    (tmp_path / "agreements" / "sales.yaml").write_text(SALES)
    events = [encode_event(one)[1] for one in desk_events()]
    (tmp_path / "events.jsonl").write_bytes(b"\n".join([*events, b"{}"]))
    return ("report", "--data", str(tmp_path / "events.jsonl"), "--agreements", str(tmp_path / "agreements"))


def test_an_export_becomes_a_report_of_the_newest_period_in_one_command(run: Run, files: Files, tmp_path: Path):
    out = tmp_path / "report.csv"
    told = run(*files, "--out", str(out))
    assert told.stdout.startswith(f"{out}: desk, February 2024, as of 2024-03-05")
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {one["period"] for one in rows} == {"2024-02"}
    assert {one["verdict"] for one in rows} == {"met", "breached"}


def test_several_forms_go_into_a_folder_under_the_name_of_the_report(run: Run, files: Files, tmp_path: Path):
    told = run(*files, "desk", "--period", "2024-01", "--customer", "acme", "--format", "csv", "--format", "xlsx",
               "--out", str(tmp_path), "--json")  # fmt: skip
    assert [(one["format"], one["period"], one["kept"], one["missed"]) for one in lines(told)] == [
        ("csv", "2024-01", 1, 0), ("xlsx", "2024-01", 1, 0),
    ]  # fmt: skip
    assert {one.name for one in tmp_path.glob("desk-*")} == {"desk-2024-01-acme.csv", "desk-2024-01-acme.xlsx"}


def test_the_end_of_time_decides_which_periods_are_closed(run: Run, files: Files):
    told = run(
        *files, "desk", "--period", "2024-03", "--until", "2024-04-02T00:00:00Z", "--format", "csv", "--out", "-"
    )
    assert ",2024-03,2024-02-29T23:00:00.000Z,2024-03-31T22:00:00.000Z,2024-04-02T00:00:00.000Z,yes," in told.stdout
    told = run(*files, "desk", "--period", "2024-03", "--format", "csv", "--out", "-")
    assert ",no," in told.stdout


@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        (("--period", "2023-01"), 1, "desk has no period 2023-01; closed: "),
        (("--period", "soon"), 1, "'soon' is no period: write 2026-11 (a month)"),
        (("nobody",), 1, "there is no agreement 'nobody'; there are: desk, sales"),
        (("--format", "csv", "--format", "html", "--out", "there"), 2, "several formats need a folder"),
        (("--out", "no/such/folder.csv"), 2, "cannot be written"),
    ],
)
def test_what_cannot_be_reported_is_said(run: Run, files: Files, asked: Files, code: int, told: str):
    found = run(*files, *asked)
    assert found.exit_code == code
    assert told in " ".join(found.stderr.split())


def test_where_several_agreements_measured_something_one_must_be_named(run: Run, files: Files, tmp_path: Path):
    with (tmp_path / "events.jsonl").open("ab") as file:
        file.writelines(b"\n" + encode_event(one)[1] for one in lead_events())
    found = run(*files)
    assert found.exit_code == 1
    assert "name the agreement that the report is about; there are: desk, sales" in found.stderr


@pytest.fixture
def announced(run: Run, kafka: Kafka, tmp_path: Path) -> Kafka:
    """What workers announced of the events of the desk."""
    (tmp_path / "desk.yaml").write_text(AGREEMENT)
    result, _ = replayed()
    topics = kafka.settings.topics
    assert run("agreements", "apply", tmp_path / "desk.yaml", "--yes").exit_code == 0
    kafka.send(
        *(Outgoing(topics.statements, *encode_statement(one, "test")) for one in result.statements),
        *(Outgoing(topics.status, *encode_status(one, "test")) for one in result.statuses),
        *(Outgoing(topics.alerts, *encode_alert(one, "test")) for one in result.alerts),
        *(Outgoing(topic_of(kafka.settings, one.subject), *encode_event(one)) for one in desk_events()),
        Outgoing(topics.dead_letters, *encode_dead_letter("tickets", 0, 7, "bad_time", "", b"T9", b"{}")),
    )
    return kafka


def made_of(kafka: Kafka) -> Report:
    def february(sources: Sources) -> Scope:
        return scope_of(sources, "desk", "2024-02")

    return asyncio.run(read_report(kafka.settings, february))


def test_the_topics_report_what_the_data_of_them_does(run: Run, announced: Kafka):
    """Given what workers announced of these events, when the topics are reported, then it is the report of the data."""
    made, measured = made_of(announced), report()

    assert made.objectives == measured.objectives
    assert made.outages == measured.outages
    assert made.figures == measured.figures
    assert made.dues == measured.dues
    assert [one._asdict() for one in made.breaches.tally] == [one._asdict() for one in measured.breaches.tally]
    assert made.breaches.shares == ()
    assert made.as_of_ms == measured.as_of_ms
    assert [(one.number, one.detail) for one in made.excluded] == [(1, "bad time")]
    assert "took is not kept any more" in made.notes[-1].text, "no worker holds a row of them"
    told = run("report", "desk", "--period", "2024-02", "--customer", "acme", "--format", "csv", "--out", "-")
    assert [one["series"] for one in csv.DictReader(told.stdout.splitlines())] == ["customer=acme"]


def test_whose_time_missed_clocks_took_comes_from_the_state_of_the_workers(announced: Kafka):
    """Given the rows of the tickets, when the topics are reported, then reasons and shares are those of the data."""
    result, book = replayed()
    state = changelog_of(announced.settings.app_id, announced.settings.topics.tickets)
    tickets = {one.subject_id for one in desk_events() if one.subject == "ticket"}
    rows = {one: row_of(desk_events(), "ticket", one, book, result.until_ms)[0] for one in tickets}
    keys = {one: subject_key(one) for one in tickets}
    announced.send(*(Outgoing(state, keys[one], SOURCE_ROWS.encode(keys[one], rows[one])) for one in tickets))

    made, measured = made_of(announced), report()

    assert made.breaches == measured.breaches
    assert {one.name for one in made.breaches.shares} >= {"first line", FORMULA}
    assert not any("took is not kept" in one.text for one in made.notes)


def test_without_the_state_of_the_workers_a_report_says_what_it_lacks(announced: Kafka):
    other = announced.settings.model_copy(update={"app_id": "another"})
    made = asyncio.run(read_report(other, lambda read: scope_of(read, "desk", "2024-02")))
    assert made.missed == report().missed
    assert "cannot be told: topic another-tickets-state does not exist" in made.notes[-1].text


@pytest.mark.usefixtures("kafka")
def test_topics_without_a_statement_have_nothing_to_report(run: Run, tmp_path: Path):
    (tmp_path / "desk.yaml").write_text(AGREEMENT)
    assert run("agreements", "apply", tmp_path / "desk.yaml", "--yes").exit_code == 0
    found = run("report", "--format", "csv")
    assert found.exit_code == 1
    assert "no period of desk is closed yet" in found.stderr


@pytest.mark.usefixtures("kafka")
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ((), "--follow needs a folder: --out, or reports.folder"),
        (("desk", "--out", "."), "--follow takes --out and --format only"),
        (("--out", "no/such"), "cannot be written"),
    ],
)
def test_following_needs_a_folder_and_takes_nothing_that_the_announcements_name(run: Run, asked: Files, told: str):
    found = run("report", "--follow", "--format", "csv", *asked)
    assert found.exit_code == 2
    assert told in " ".join(found.stderr.split())
