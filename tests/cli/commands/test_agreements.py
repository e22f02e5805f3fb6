"""``agreements``: what is published, and what never is."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.read_model.topics import Outgoing
from monitor.stream.agents.books import Books
from tests.cli.conftest import AGREEMENT, Kafka, Run, lines

SECOND = AGREEMENT.replace("version: 1", "version: 2").replace("2024-01-01", "2025-01-01").replace("4h", "2h")


def in_force(kafka: Kafka) -> list[tuple[str, int]]:
    """Return what a worker would have in its book."""
    books = Books()
    books.take([(record.key, record.value) for record in kafka.read("agreements")])
    return [(one.id, one.version) for one in books.book.agreements]


def test_a_new_version_is_shown_asked_for_and_published(run: Run, kafka: Kafka, folder: Path):
    result = run("agreements", "apply", folder, answer="y\n")
    assert result.exit_code == 0
    assert "new: The [desk], accepted, valid from 2024-01-01" in result.stdout
    assert in_force(kafka) == [("desk", 1)]


def test_no_is_an_answer(run: Run, kafka: Kafka, folder: Path):
    assert run("agreements", "apply", folder, answer="n\n").exit_code == 1
    assert in_force(kafka) == []


def test_an_amendment_shows_what_it_changes(run: Run, kafka: Kafka, folder: Path):
    run("agreements", "apply", folder, "--yes")
    (folder / "desk-2.yaml").write_text(SECOND)
    (change,) = lines(run("agreements", "apply", folder, "--yes", "--json"))
    assert (change["agreement"], change["version"]) == ("desk", 2)
    assert "clocks[resolution].targets.P1: 4h → 2h" in change["differences"]
    assert in_force(kafka) == [("desk", 1), ("desk", 2)]


def test_what_is_published_already_is_not_published_again(run: Run, kafka: Kafka, folder: Path):
    run("agreements", "apply", folder, "--yes")
    before = len(kafka.read("agreements"))
    result = run("agreements", "apply", folder, "--yes")
    assert result.exit_code == 0
    assert "nothing to do" in result.stdout
    assert len(kafka.read("agreements")) == before


def test_another_text_under_a_published_number_is_refused(run: Run, kafka: Kafka, folder: Path):
    run("agreements", "apply", folder, "--yes")
    (folder / "desk.yaml").write_text(AGREEMENT.replace("4h", "6h"))
    result = run("agreements", "apply", folder, "--yes")
    assert result.exit_code == 1
    assert "desk.yaml:2: version: desk version 1 is published with another text" in result.stderr
    assert "targets.P1: 4h → 6h" in result.stderr
    assert len(kafka.read("agreements")) == 1


@pytest.mark.parametrize(
    "bad", [AGREEMENT.replace("form: customer", "form: custom"), AGREEMENT.replace("version: 1", "version: 2")]
)
def test_a_bad_file_publishes_nothing_not_even_the_good_ones(run: Run, kafka: Kafka, folder: Path, bad: str):
    # the second one is right in itself, but a version 2 must begin after version 1
    (folder / "bad.yaml").write_text(bad)
    assert run("agreements", "apply", folder, "--yes").exit_code == 1
    assert kafka.read("agreements") == []


def test_a_version_that_contradicts_a_published_one_is_refused(run: Run, kafka: Kafka, folder: Path):
    run("agreements", "apply", folder, "--yes")
    (folder / "desk.yaml").write_text(SECOND.replace("2025-01-01", "2023-01-01"))
    result = run("agreements", "apply", folder, "--yes")
    assert result.exit_code == 1
    assert "valid_from" in result.stderr
    assert in_force(kafka) == [("desk", 1)]


def test_the_list_tells_what_is_published_and_what_cannot_be_read(run: Run, kafka: Kafka, folder: Path):
    assert "No agreements are published" in run("agreements", "list").stdout
    run("agreements", "apply", folder, "--yes")
    kafka.send(Outgoing("agreements", b"from-the-future/1", b'{"agreement": "from-the-future", "clauses": []}'))
    result = run("agreements", "list", "--json")
    assert [(one["agreement"], one["version"], one["status"]) for one in lines(result)] == [("desk", 1, "accepted")]
    assert "from-the-future/1 cannot be read" in result.stderr
    assert "The [desk]" in run("agreements", "list").stdout
