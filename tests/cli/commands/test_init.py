"""``init``: files to start from, which are right as they are and never overwrite anything."""

from __future__ import annotations

from pathlib import Path

import orjson

from monitor.config.mappings.mapping import load_mapping
from monitor.config.settings.settings import Settings, load_settings
from monitor.wire.mapping import Mapper
from tests.cli.conftest import Run, lines


def test_what_it_writes_is_right_as_it_is(run: Run, tmp_path: Path):
    folder = tmp_path / "new" / "sla"
    result = run("init", folder, "--json")

    assert result.exit_code == 0
    written = {Path(line["file"]).relative_to(folder).as_posix() for line in lines(result)}
    assert written == {"settings.yaml", "agreements/service-desk.yaml", "mappings/tickets.yaml"}
    assert load_settings(folder / "settings.yaml", {}) == Settings()
    assert run("settings", "--settings", folder / "settings.yaml").exit_code == 0
    checked = run("check", folder / "agreements")
    assert checked.exit_code == 0
    assert "first-response" in checked.stdout


def test_its_mapping_reads_the_objects_that_its_comment_shows_also_in_front_of_a_topic(run: Run, tmp_path: Path):
    run("init", tmp_path)
    file = tmp_path / "mappings" / "tickets.yaml"
    shown = next(line for line in file.read_text().splitlines() if line.startswith('#   {"number"'))

    (event,) = Mapper(load_mapping(file, live=True)).events(orjson.loads(shown.removeprefix("#"))) or []

    assert (event.subject_id, event.fact.type) == ("T-17", "opened")
    assert event.fact.attributes == {"customer": "ACME", "priority": "P2"}
    settings = tmp_path / "settings.yaml"
    settings.write_text(settings.read_text() + "sources: [{topic: hooks, mapping: mappings/tickets.yaml}]\n")
    assert [source.topic for source in load_settings(settings, {}).sources] == ["hooks"]


def test_its_agreement_can_be_accepted_as_its_comment_says(run: Run, tmp_path: Path):
    run("init", tmp_path)
    file = tmp_path / "agreements" / "service-desk.yaml"
    text = file.read_text().replace("status: draft", "status: accepted").replace("# accepted_", "accepted_")
    file.write_text(text.replace("# holidays:", "holidays:"))

    result = run("check", file, "--json")

    assert result.exit_code == 0
    assert [line["kind"] for line in lines(result)] == ["agreement"]


def test_nothing_is_overwritten_and_nothing_is_written_beside_what_is_there(run: Run, tmp_path: Path):
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "tickets.yaml").write_text("mine")

    result = run("init", tmp_path)

    assert result.exit_code == 1
    assert result.stderr.startswith(f"error, for whoever runs this: {tmp_path}/mappings/tickets.yaml: exists already")
    assert (tmp_path / "mappings" / "tickets.yaml").read_text() == "mine"
    assert not (tmp_path / "settings.yaml").exists()


def test_a_folder_that_cannot_be_made_is_one_line(run: Run, tmp_path: Path):
    (tmp_path / "file").write_text("")
    result = run("init", tmp_path / "file" / "below")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
