"""The rows of subjects, from the state that the workers have committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

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
    """Return the newest row of a subject; None: it has none, or none any more.

    Raises:
        BrokerError: the changelog does not exist, or Kafka does not answer.
    """
    return (await newest_rows(settings, subject, [subject_id], on_progress)).get(subject_id)


async def newest_rows(
    settings: Settings,
    subject: Subject,
    subject_ids: Iterable[str],
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, SubjectRow]:
    """Return the newest rows of subjects by their ids, without those that have none.

    Their partitions are not known, so all of the changelog is read, and of other subjects nothing is kept.

    Raises:
        BrokerError: the changelog does not exist, or Kafka does not answer.
    """
    keys = {subject_key(one): one for one in subject_ids}
    values: dict[bytes, bytes | None] = {}
    changelog = changelog_of(settings.app_id, topic_of(settings, subject))
    async for records in committed(settings, [changelog], on_progress=on_progress):
        for record in records:
            if record.key in keys:
                values[record.key] = record.value
    rows = {keys[key]: SOURCE_ROWS.decode(key, value) for key, value in values.items() if value is not None}
    return {subject_id: row for subject_id, row in rows.items() if isinstance(row, SubjectRow)}
