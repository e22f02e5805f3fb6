"""The row of one subject from recorded data: what `sla-monitor explain` reads from the state of workers otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.subjects.engine import SourceEngine
from monitor.core.subjects.rows import SubjectRow, subject_key
from monitor.replay.dict_rows import DictRows
from monitor.replay.local import FOR_EVER_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.core.agreements.book import Book
    from monitor.core.facts.events import Event, Subject


def row_of(
    events: Iterable[Event], subject: Subject, subject_id: str, book: Book, now_ms: int | None
) -> tuple[SubjectRow | None, int]:
    """Return the row of a subject under the agreements of a book, and the instant as of which it stands.

    Events at or after ``now_ms`` are left out; None: all count, and the instant is just after the last of the data.
    """
    counted = [one for one in events if now_ms is None or one.fact.time_ms < now_ms]
    until_ms = now_ms if now_ms is not None else max((one.fact.time_ms + 1 for one in counted), default=0)
    own = [one for one in counted if (one.subject, one.subject_id) == (subject, subject_id)]
    if not own:
        return None, until_ms
    rows = DictRows()
    engine = SourceEngine(subject, rows, retention_ms=FOR_EVER_MS)
    engine.batch(sorted(own, key=lambda one: one.fact[:3]), until_ms, book)
    row = rows.get(subject_key(subject_id))
    return (row if isinstance(row, SubjectRow) else None), until_ms
