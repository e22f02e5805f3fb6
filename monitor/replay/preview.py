"""The first events that recorded data makes through its mappings, before anything is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from monitor.core.facts.events import Event
from monitor.replay.readers import Progress, Reading, Table, read_tables
from monitor.wire.events import encode_event
from monitor.wire.instants import rfc3339


class Made(NamedTuple):
    """An event and the row that it was made of."""

    file: str
    line: int
    event: Event

    def as_json(self) -> dict[str, Any]:
        """Return the event as it would stand on its topic, with where it is from."""
        return {"file": self.file, "line": self.line, "event": orjson.loads(encode_event(self.event)[1])}


class Preview(NamedTuple):
    """The first events in the order in which the rows were taken, how many there are, and what is known of the rows.

    ``events`` counts those of subjects that are not measured, too (`monitor.replay.odd_subjects`).
    """

    made: list[Made]
    events: int
    reading: Reading


def preview(tables: Sequence[Table], most: int, on_progress: Progress | None = None) -> Preview:
    """Read all rows of some tables and return the first events, at most ``most``.

    Raises:
        ConfigError: as `read_tables`.
    """
    made: list[Made] = []
    count = 0

    def keep(file: str, line: int, events: Sequence[Event]) -> None:
        nonlocal count
        count += len(events)
        made.extend(Made(file, line, event) for event in events[: max(0, most - len(made))])

    reading = read_tables(tables, on_progress, keep)
    return Preview(made, count, reading)


def event_text(event: Event) -> str:
    """Return an event in one line: ``2024-03-01T07:00:00.000Z T1 opened priority=P1 customer="A B"``."""
    told = [rfc3339(event.fact.time_ms), event.subject_id, event.fact.type, attributes_text(event)]
    return " ".join(filter(None, told))


def attributes_text(event: Event) -> str:
    """Return the attributes of an event in one line, in the order of the mapping; texts with spaces are quoted."""
    return " ".join(f"{name}={_value_text(value)}" for name, value in event.fact.attributes.items())


def _value_text(value: object) -> str:
    if isinstance(value, str):
        return orjson.dumps(value).decode() if not value or " " in value else value
    return str(value).lower() if isinstance(value, bool) else str(value)
