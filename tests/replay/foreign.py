"""A small foreign ticket log and its mapping, to be changed by the tests."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

from monitor.config.mappings.mapping import parse_mapping
from monitor.config.reading.yaml_file import parse_documents
from monitor.core.facts.events import Event
from monitor.errors import DecodeError, Mistake
from monitor.wire.mapping import Mapper
from monitor.wire.mapping_rules import RowMapping

HEAD = """\
mapping: test
subject: ticket
subject_id: "{number}"
missing: ["?"]
time: {formats: ["%d/%m/%Y %H:%M"], zone: Europe/Berlin}
"""


def read(text: str) -> tuple[RowMapping | None, list[Mistake]]:
    """Read a mapping, and tell its mistakes."""
    mistakes: list[Mistake] = []
    documents = parse_documents(textwrap.dedent(text).encode(), "test.yaml", mistakes)
    assert not mistakes, mistakes
    return parse_mapping(documents[0], mistakes), mistakes


def mapping(text: str, head: str = HEAD) -> RowMapping:
    """Return a mapping that has no mistakes."""
    found, mistakes = read(head + textwrap.dedent(text))
    assert found is not None, mistakes
    return found


def events(of: RowMapping, *rows: Mapping[str, object]) -> list[Event]:
    """Return all events of some rows."""
    mapper = Mapper(of)
    return [event for row in rows for event in mapper.events(row) or []]


def types(made: Iterable[Event]) -> list[str]:
    return [event.fact.type for event in made]


def reason(of: RowMapping, *rows: Mapping[str, object]) -> str:
    """Return why the last of some rows is rejected, or an empty text."""
    mapper = Mapper(of)
    for row in rows[:-1]:
        mapper.events(row)
    try:
        mapper.events(rows[-1])
    except DecodeError as error:
        return error.reason
    return ""
