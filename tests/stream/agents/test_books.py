"""The read model of the agreements topic: what workers have in force, whatever is written to the topic."""

from __future__ import annotations

import logging
from typing import Any

import orjson
import pytest

from monitor.stream.agents.books import Books, agreement_key


def document(version: int = 1, valid_from: str = "2024-01-01", **changed: Any) -> dict[str, Any]:
    return {
        "agreement": "desk",
        "version": version,
        "valid_from": valid_from,
        "name": "Desk",
        "form": "customer",
        "provider": "IT",
        "customer": "Finance",
        "service": "Mail",
        "status": "accepted",
        "accepted_by": "Dana",
        "accepted_on": "2023-12-01",
        "clocks": [{"id": "resolution", "metric": "resolution", "targets": {"*": "4h"}}],
        **changed,
    }


def record(written: dict[str, Any]) -> tuple[bytes, bytes]:
    return agreement_key(written["agreement"], written["version"]), orjson.dumps(written)


def versions(books: Books) -> list[int]:
    return [one.version for one in books.book.agreements]


def test_a_published_version_is_in_the_book_and_listeners_hear_of_it():
    books, heard = Books(), []
    books.on_change(lambda: heard.append(versions(books)))
    books.take([record(document())])
    books.take([record(document(2, "2025-01-01"))])
    assert heard == [[1], [1, 2]]
    assert books.documents == {b"desk/1": document(), b"desk/2": document(2, "2025-01-01")}


def test_the_same_text_again_is_no_change():
    books, heard = Books(), []
    books.take([record(document())])
    books.on_change(lambda: heard.append(True))
    books.take([record(document())])
    assert not heard


def test_a_tombstone_takes_a_version_back():
    books = Books()
    books.take([record(document()), record(document(2, "2025-01-01")), (b"desk/2", None)])
    assert versions(books) == [1]


@pytest.mark.parametrize("bad", [b"{", b"[]", b"{}", orjson.dumps(document(unknown=1))])
def test_a_document_that_cannot_be_read_leaves_what_was_in_force(bad: bytes, caplog: pytest.LogCaptureFixture):
    books = Books()
    books.take([record(document())])
    with caplog.at_level(logging.ERROR):
        books.take([(b"desk/1", bad)])
    assert versions(books) == [1]
    assert books.refused == 1
    assert "what was in force stays" in caplog.text


def test_a_version_that_contradicts_one_in_force_is_refused_alone():
    # given version 1 of 2024, and in one fetch a version 2 that would begin before it, and another agreement
    books = Books()
    books.take([record(document())])
    books.take([record(document(2, "2023-01-01")), record(document(agreement="other"))])
    assert [(one.id, one.version) for one in books.book.agreements] == [("desk", 1), ("other", 1)]
    assert books.refused == 1


def test_a_replacement_that_contradicts_another_version_leaves_the_one_before_it():
    books = Books()
    books.take([record(document()), record(document(2, "2025-01-01"))])
    before = books.book.stamp
    books.take([record(document(1, "2026-01-01"))])
    assert versions(books) == [1, 2]
    assert books.book.stamp == before
