"""``check``: all mistakes at once, or what is promised."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import AGREEMENT, Run, lines

EXAMPLES = Path(__file__).parents[3] / "deploy" / "agreements"


def test_it_shows_what_is_promised_where_all_is_right(run: Run, folder: Path):
    result = run("check", folder)
    assert result.exit_code == 0
    assert "desk version 1: The [desk] (accepted, from 2024-01-01)" in result.stdout  # "[…]" is no markup
    assert "P1 4 h, others 8 h" in result.stdout
    assert "compliance >= 90 %" in result.stdout


def test_all_mistakes_of_all_files_are_told_with_their_lines(run: Run, folder: Path):
    (folder / "desk.yaml").write_text(AGREEMENT.replace("form: customer", "form: custom").replace("8h", "soon"))
    (folder / "other.yml").write_text("agreement: [\n")
    result = run("check", folder)
    assert result.exit_code == 1
    assert "desk.yaml:5: form" in result.stdout
    assert "desk.yaml:15: clocks[0].targets" in result.stdout
    assert "other.yml:" in result.stdout
    assert result.stderr.startswith("error, for the author of the file: ")


def test_machines_get_mistakes_and_agreements_as_lines(run: Run, folder: Path):
    found = [one for one in lines(run("check", folder, "--json")) if one["kind"] != "warning"]
    assert [(one["kind"], one["agreement"], one["version"]) for one in found] == [("agreement", "desk", 1)]
    assert found[0]["promises"][0]["id"] == "resolution"
    (folder / "desk.yaml").write_text(AGREEMENT.replace("form: customer", "form: custom"))
    (mistake,) = lines(run("check", folder, "--json"))
    assert (mistake["kind"], mistake["line"], mistake["path"]) == ("mistake", 5, "form")


def test_the_example_agreements_are_without_mistakes(run: Run):
    result = run("check", EXAMPLES)
    assert result.exit_code == 0
    assert "8 agreement versions without mistakes" in result.stdout


def test_a_folder_that_does_not_exist_is_a_mistake(run: Run, tmp_path: Path):
    assert run("check", tmp_path / "nothing").exit_code == 1


MAPPINGS = Path(__file__).parents[3] / "deploy" / "mappings"
MAPPING = """\
mapping: desk
subject: ticket
subject_id: "{number}"
time: {formats: ["%d/%m/%Y %H:%M"], zone: {column: tz}}
group: {by: [number]}
where: {kind: {prefix: INC, pattern: "*-1*"}}
reject: [{reason: too_old, when: {at: {before: {constant: 2020-01-01T00:00:00Z}}}}]
events:
  - {type: opened, at: opened, rows: first}
  - {type: resolved, at: {columns: at, plus: {column: more, unit: s}}, rows: later,
     when: {state: {becomes: [Done], present: true}, n: {at_least: 3}}, attributes: {team: team}}
  - {type: closed, at: closed}
"""


def test_a_mapping_is_shown_by_its_events_and_the_columns_that_it_reads(run: Run, tmp_path: Path):
    file = tmp_path / "m.yaml"
    file.write_text(MAPPING)

    result = run("check", file)

    assert result.exit_code == 0
    shown = " ".join(result.stdout.split())
    for told in (
        "desk: events of tickets, ids {number}",
        "opened opened first row",
        "resolved at + more later rows, state becomes Done and has a value, n >= 3 team",
        "closed closed if closed has a value",
        "rejects as too_old: at is before a constant",
        "only rows in which kind begins with INC and fits a pattern",
        "reads the columns at, closed, kind, more, n, number, opened, state, team, tz",
        "for files only: group looks at the rows before",
        "1 mapping without mistakes.",
    ):
        assert told in shown


def test_all_mistakes_of_a_mapping_are_told_at_once(run: Run, tmp_path: Path):
    file = tmp_path / "m.yaml"
    file.write_text(MAPPING.replace("type: opened", "typ: opened").replace("type: closed", "type: closd"))

    result = run("check", file)

    assert result.exit_code == 1
    assert "m.yaml:9: events[0].type: is missing" in result.stdout
    assert "events[2].type: is no event of a ticket: 'closd' (did you mean 'closed'?)" in result.stdout


def test_a_mapping_that_stops_a_clock_where_it_starts_it_can_be_used_with_a_warning(run: Run, tmp_path: Path):
    file = tmp_path / "m.yaml"
    file.write_text(MAPPING + "  - {type: acknowledged, at: opened, rows: first}\n")

    result = run("check", file)

    assert result.exit_code == 0
    assert "warning: " in result.stdout
    assert "m.yaml:13: events[3].at: stops acknowledge at the instant at which 'opened' starts it" in result.stdout
    assert "1 mapping without mistakes." in result.stdout


def test_a_folder_may_hold_agreements_and_mappings(run: Run, folder: Path):
    (folder / "m.yaml").write_text(MAPPING)

    found = [one for one in lines(run("check", folder, "--json")) if one["kind"] != "warning"]

    assert [(one["kind"], one.get("agreement") or one["mapping"]) for one in found] == [
        ("agreement", "desk"),
        ("mapping", "desk"),
    ]
    assert found[1]["live"] is False


def test_the_mappings_that_come_with_the_monitor_are_without_mistakes(run: Run):
    result = run("check", MAPPINGS)

    assert result.exit_code == 0
    assert "for files only" not in result.stdout
