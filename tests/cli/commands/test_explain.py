"""``explain``: what a person sees who asks why a ticket is late."""

from __future__ import annotations

from pathlib import Path

from monitor.config.agreements.checking import load_agreements
from monitor.core.facts.events import Event, Fact
from monitor.core.paging.not_told import NotTold
from monitor.core.subjects.engine import SourceEngine
from monitor.core.subjects.rows import subject_key
from monitor.read_model.topics import Outgoing
from monitor.replay.dict_rows import DictRows
from monitor.stream.kafka.topics import changelog_of
from monitor.wire.deliveries import encode_not_told
from monitor.wire.instants import parse_rfc3339
from monitor.wire.rows import SOURCE_ROWS
from tests.cli.conftest import Kafka, Run, lines
from tests.core.paging_stage import alert
from tests.zones import readers_zone


def given_a_ticket(kafka: Kafka, run: Run, folder: Path, *facts: tuple[str, str, dict[str, str]]) -> None:
    """As a worker leaves it: its row stands in the changelog, older versions of it before."""
    assert run("agreements", "apply", folder, "--yes").exit_code == 0
    book, rows = load_agreements(folder), DictRows()
    engine = SourceEngine("ticket", rows)
    key = subject_key("T-1")
    for number, (time, kind, attributes) in enumerate(facts):
        at_ms = parse_rfc3339(f"2026-01-05T{time}:00Z")
        engine.batch([Event("ticket", "T-1", Fact(at_ms, 0, str(number), kind, attributes))], at_ms, book)
        value = SOURCE_ROWS.encode(key, rows.get(key))
        kafka.send(Outgoing(changelog_of("sla-monitor", "tickets"), key, value, partition=0))


def test_it_tells_the_stretches_that_add_up_and_where_the_target_comes_from(kafka: Kafka, run: Run, folder: Path):
    given_a_ticket(
        kafka, run, folder,
        ("08:00", "opened", {"priority": "P1", "customer": "acme"}),
        ("09:00", "paused", {"reason": "customer"}),
        ("11:00", "resumed", {"reason": "customer"}),
    )  # fmt: skip

    result = run("explain", "ticket", "T-1", "--at", "2026-01-05T12:00:00Z")

    assert result.exit_code == 0
    said = " ".join(result.stdout.split())
    assert "resolution of ticket T-1: " in said
    assert "promised by desk version 1" in said
    assert "2026-01-05 09:00 UTC 2026-01-05 11:00 UTC paused: customer 1 h" in said
    assert "2026-01-05 11:00 UTC 2026-01-05 12:00 UTC open 1 h 2 h" in said
    assert "on track: " in said or "at risk: " in said
    assert "2 h of pauses not counted" in said

    (told,) = lines(run("explain", "ticket", "T-1", "--at", "2026-01-05T12:00:00Z", "--json"))
    assert told["elapsed_ms"] == 2 * 3_600_000
    assert told["wall_ms"] == 4 * 3_600_000
    assert [part["kind"] for part in told["stretches"]] == ["counted", "paused", "counted"]
    assert told["stop_ms"] is None
    assert told["origin"] == {"agreement": "desk", "version": 1, "level": ""}
    assert told["why"] in said


def test_it_tells_of_which_alerts_nobody_was_told_and_why(kafka: Kafka, run: Run, folder: Path):
    given_a_ticket(kafka, run, folder, ("08:00", "opened", {"priority": "P1", "customer": "acme"}))
    at_ms = parse_rfc3339("2026-01-05T12:00:00Z")
    for ticket in ("T-1", "T-17"):
        decision = NotTold(alert(ticket, "breached"), "silenced", at_ms, at_ms + 3_600_000)
        kafka.send(Outgoing("deliveries", *encode_not_told(decision, "test")))

    said = " ".join(run("explain", "ticket", "T-1", "--at", "2026-01-05T12:30:00Z").stdout.split())
    _, told = lines(run("explain", "ticket", "T-1", "--at", "2026-01-05T12:30:00Z", "--json"))

    assert "nobody was told at 2026-01-05 12:00 UTC: desk: resolution of ticket T-1 is breached: silenced" in said
    assert "until 2026-01-05 13:00 UTC (a silence mutes it;" in said
    assert "T-17" not in said
    assert "desk names nobody under notify: nobody is told of its alerts (no_on_call)" in said
    assert (told["alert"], told["not_told"]) == ("ticket/T-1/desk/resolution/1", "silenced")
    assert told["until_ms"] == at_ms + 3_600_000


BUSINESS_DAYS = """
calendars:
  office:
    hours: {mon-fri: "09:00-17:00"}
    holidays: {dates: {2026-01-06: Epiphany}}
clocks:
  - {id: resolution, metric: resolution, calendar: office, targets: {"*": {days: 1, by: "17:00"}}}
"""


def test_business_days_and_holidays_are_told_in_their_words(kafka: Kafka, run: Run, folder: Path):
    (agreement,) = folder.glob("*.yaml")
    text = agreement.read_text(encoding="utf-8")
    agreement.write_text(text[: text.index("clocks:")] + BUSINESS_DAYS, encoding="utf-8")
    given_a_ticket(kafka, run, folder, ("10:00", "opened", {"priority": "P1", "customer": "acme"}))

    said = " ".join(run("explain", "ticket", "T-1", "--at", "2026-01-07T10:00:00Z").stdout.split())

    assert "resolution within 1 business day by 17:00 (15 h from its start) of the calendar office" in said
    assert "due 2026-01-07 17:00 UTC" in said
    assert "on track: 7 h are left, 8 h of 15 h have elapsed" in said
    assert "2026-01-06 00:00 UTC 2026-01-07 00:00 UTC holiday: Epiphany" in said


def test_what_nobody_knows_and_what_is_no_instant_are_told(kafka: Kafka, run: Run, folder: Path):
    given_a_ticket(kafka, run, folder, ("08:00", "opened", {"priority": "P1", "customer": "acme"}))

    unknown = run("explain", "ticket", "T-2")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert "no ticket T-2 is known" in unknown.stderr
    assert run("explain", "ticket", "T-1", "--at", "yesterday").exit_code == 2
    assert run("explain", "call", "C-1").exit_code == 1, "calls have clocks, too: of a callback"
    assert run("explain", "parcel", "P-1").exit_code == 2


def test_it_tells_the_level_of_a_target_what_was_missed_under_a_breach_and_what_a_report_lacks(
    kafka: Kafka, run: Run, tmp_path: Path
):
    promises = Path(__file__).parents[3] / "deploy" / "promises"
    for name in ("multi-level", "supporting-agreements", "problem-report"):
        (tmp_path / f"{name}.yaml").write_bytes((promises / f"{name}.yaml").read_bytes())
    given_a_ticket(
        kafka, run, tmp_path, ("08:00", "opened", {"priority": "P2", "customer": "acme", "team": "databases"})
    )  # fmt: skip

    result = run("explain", "ticket", "T-1", "--at", "2026-01-05T12:30:00Z")

    said = " ".join(result.stdout.split())
    assert "promised by acme version 1" in said
    assert "inherited from the corporate level, everybody version 1" in said
    assert "missed under it: fixed of database-team (OLA, version 1), due 2026-01-05 11:00 UTC" in said
    assert "Incomplete: hotline-tickets requires service, its clocks wait for them." in said

    told = lines(run("explain", "ticket", "T-1", "--at", "2026-01-05T12:30:00Z", "--json"))
    assert told[0]["missing"] == ["service"]
    by_clock = {one["agreement"]: one for one in told[1:]}
    assert by_clock["acme"]["origin"] == {"agreement": "everybody", "version": 1, "level": "corporate"}
    assert [one["clock"] for one in by_clock["desk"]["supporting"]] == ["fixed"]
    assert by_clock["acme"]["supporting"] == []


def test_each_party_has_its_share_of_the_time(kafka: Kafka, run: Run, tmp_path: Path):
    (tmp_path / "parties.yaml").write_bytes(
        (Path(__file__).parents[3] / "deploy" / "promises" / "parties.yaml").read_bytes()
    )
    given_a_ticket(
        kafka, run, tmp_path, ("08:00", "opened", {"bandwidth": "1 Gbit/s", "team": "noc"}),
        ("09:00", "assigned", {"team": "splicers"}), ("10:30", "assigned", {"team": "desk"}),
    )  # fmt: skip

    at = ("--at", "2026-01-05T11:00:00Z")
    said = " ".join(run("explain", "ticket", "T-1", *at).stdout.split())
    assert "by party: Copper & Glass Ltd 1 h 30 min, Northern Networks 1 h, desk 30 min" in said
    told = lines(run("explain", "ticket", "T-1", *at, "--json"))
    assert told[0]["parties"] == {"Northern Networks": 3_600_000, "Copper & Glass Ltd": 5_400_000, "desk": 1_800_000}


def test_a_ticket_of_recorded_data_is_explained_without_kafka(run, folder: Path, tmp_path: Path):
    work = tmp_path / "work"
    work.mkdir()
    data, mapping = work / "data.csv", work / "mapping.yaml"
    data.write_text(
        "number,opened,resolved\nT-1,2024-03-04T09:00:00Z,2024-03-04T14:30:00Z\nT-2,2024-03-04T13:00:00Z,\n"
        "T-3,2024-03-04T13:00:00Z,2024-03-04T12:00:00Z\n"
    )
    mapping.write_text(
        "mapping: m\nsubject: ticket\nsubject_id: '{number}'\nattributes: {priority: {constant: P1}}\nevents:\n"
        "  - {type: opened, at: opened}\n  - {type: resolved, at: resolved, when: {resolved: {present: true}}}\n"
    )
    given = ("--data", data, "--mapping", mapping, "--agreements", folder)

    late, still_open = run("explain", "ticket", "T-1", *given), run("explain", "ticket", "T-2", *given)
    earlier = run("explain", "ticket", "T-1", *given, "--at", "2024-03-04T12:00:00Z")
    unknown, odd = run("explain", "ticket", "T-9", *given), run("explain", "ticket", "T-3", *given)

    assert late.exit_code == 0
    assert "resolution of ticket T-1: breached" in late.stdout
    assert "elapsed 5 h 30 min (1 h 30 min too long)" in late.stdout
    assert "resolution of ticket T-2: running" in still_open.stdout
    assert "elapsed 1 h 30 min (2 h 29 min left)" in still_open.stdout  # up to the end of the data
    assert "elapsed 3 h (1 h left)" in earlier.stdout
    assert unknown.exit_code == 1
    assert "the data has no event of it" in unknown.stderr
    assert odd.exit_code == 1
    assert "no ticket T-3 is known: it was solved or closed before it was opened, and is not measured" in odd.stderr
    assert run("explain", "ticket", "T-1", "--data", data).exit_code == 2


def test_a_ticket_that_was_never_opened_is_not_said_to_be_covered_by_nothing(run, folder: Path, tmp_path: Path):
    data = tmp_path / "events.jsonl"
    data.write_text(
        '{"id": "1", "ticket": "T-1", "type": "resolved", "time": "2024-03-04T12:00:00Z", "customer": "Finance"}\n'
    )

    told = run("explain", "ticket", "T-1", "--data", data, "--agreements", folder)

    assert "Nothing is promised for ticket T-1: it was solved or closed and never opened." in told.stdout


def test_a_ticket_of_several_tables_is_explained_by_all_of_them(run, folder: Path, tmp_path: Path):
    work = tmp_path / "work"
    work.mkdir()
    opened, done, opening, solving = (work / name for name in ("a.csv", "b.csv", "a.yaml", "b.yaml"))
    opened.write_text("number,opened\nT-1,2024-03-04T09:00:00Z\n")
    done.write_text("ticket,done\nT-1,2024-03-04T14:30:00Z\n")
    head = "subject: ticket\nattributes: {priority: {constant: P1}}\n"
    opening.write_text(f"mapping: a\n{head}subject_id: '{{number}}'\nevents: [{{type: opened, at: opened}}]\n")
    solving.write_text(f"mapping: b\n{head}subject_id: '{{ticket}}'\nevents: [{{type: resolved, at: done}}]\n")
    given = ("--data", opened, "--mapping", opening, "--agreements", folder)

    told = run("explain", "ticket", "T-1", *given, "--table", done, solving)

    assert told.exit_code == 0
    assert "elapsed 5 h 30 min (1 h 30 min too long)" in told.stdout
    assert run("explain", "ticket", "T-1", "--table", done, solving).exit_code == 2


def test_times_are_those_of_the_agreement_s_zone_and_an_open_clock_says_as_of_when(
    kafka: Kafka, run: Run, folder: Path
):
    desk = folder / "desk.yaml"
    desk.write_text(desk.read_text() + "zone: Asia/Kathmandu\n")
    given_a_ticket(kafka, run, folder, ("08:00", "opened", {"priority": "P1", "customer": "acme"}))

    with readers_zone("America/New_York"):
        said = " ".join(run("explain", "ticket", "T-1", "--at", "2026-01-08T15:00:00Z").stdout.split())

    assert "started 2026-01-05 13:45 UTC+0545, due 2026-01-05 17:45 UTC+0545" in said
    assert "elapsed 79 h (75 h too long), around the clock 3 d 7 h, as of 2026-01-08 20:45 UTC+0545" in said
