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
    assert "8 agreement version(s) without mistakes" in result.stdout


def test_a_folder_that_does_not_exist_is_a_mistake(run: Run, tmp_path: Path):
    assert run("check", tmp_path / "nothing").exit_code == 1
