"""The row of one subject, from the state that the workers have committed."""

from __future__ import annotations

from collections.abc import Callable

from monitor.config.settings.settings import Settings
from monitor.core.facts.events import Subject
from monitor.core.subjects.rows import SubjectRow, subject_key
from monitor.installation import topic_of
from monitor.read_model.topics import committed
from monitor.stream.kafka.topics import changelog_of
from monitor.wire.rows import SOURCE_ROWS


async def newest_row(
    settings: Settings, subject: Subject, subject_id: str, on_progress: Callable[[int, int], None] | None = None
) -> SubjectRow | None:
    """Return the newest row of a subject; its partition is not known, so all of the changelog is read.

    Raises:
        BrokerError: the changelog does not exist, or Kafka does not answer.
    """
    key, value = subject_key(subject_id), None
    changelog = changelog_of(settings.app_id, topic_of(settings, subject))
    async for records in committed(settings, [changelog], on_progress=on_progress):
        for record in records:
            if record.key == key:
                value = record.value
    row = None if value is None else SOURCE_ROWS.decode(key, value)
    return row if isinstance(row, SubjectRow) else None
