"""Events in our own form, one JSON object a line: as they stand on the topics, plain or as CloudEvents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from monitor.core.facts.events import SUBJECTS, Event, Subject
from monitor.errors import ConfigError, DecodeError, Mistake
from monitor.replay.lines import LINE_TOO_LONG, TOO_LONG, UNREADABLE, lines_of, opened
from monitor.replay.readers import PROGRESS_ROWS, Progress, Reading, Rejected, without_collection
from monitor.wire.events import decode, right_key


def read_own_events(data: Sequence[Path], on_progress: Progress | None = None) -> Reading:
    """Read files of events, gzipped or not. A line that is none is rejected with its reason, as a dead letter would be.

    Raises:
        ConfigError: a file cannot be read.
    """
    reading = Reading()
    for path in data:
        try:
            size = path.stat().st_size
            with without_collection(), opened(path) as (raw, content):
                for number, line in enumerate(lines_of(content), 1):
                    if on_progress is not None and number % PROGRESS_ROWS == 0:
                        on_progress(path.name, raw.tell(), size)
                    _take(reading, path.name, number, line)
            if on_progress is not None:
                on_progress(path.name, size, size)
        except UNREADABLE as error:
            message = f"cannot be read: {error}"
            raise ConfigError([Mistake(file=str(path), line=None, path="", message=message)]) from error
    return reading


def _take(reading: Reading, file: str, number: int, line: bytes | None) -> None:
    if line is None:
        reading.rows += 1
        reading.rejected.append(Rejected(file, number, LINE_TOO_LONG, TOO_LONG))
        return
    line = line.strip()
    if not line:
        return
    reading.rows += 1
    try:
        reading.events.append(event_of(line))
    except DecodeError as error:
        reading.rejected.append(Rejected(file, number, error.reason, error.detail))


def event_of(line: bytes) -> Event:
    """Return the event that a line tells; its subject is the one that it names.

    Raises:
        DecodeError: it is none.
    """
    try:
        body = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise DecodeError("bad_json", str(error)) from None
    if not isinstance(body, dict):
        raise DecodeError("not_an_object", type(body).__name__)
    subject = _subject_of(body)
    subject_id = body.get(subject)
    if isinstance(subject_id, str) and "specversion" not in body:
        try:
            return decode(subject, subject_id.encode(), line)
        except DecodeError:
            pass  # it is refused below, for what comes first
    return decode(subject, right_key(subject, line), line)


def _subject_of(body: Mapping[str, Any]) -> Subject:
    about = str(body.get("type", "")).rpartition(".")[0].rpartition(".")[2]
    for subject in SUBJECTS:
        if (about == subject) if "specversion" in body else (body.get(subject) is not None):
            return subject
    raise DecodeError("missing_field", f"which subject it is about: one of {', '.join(SUBJECTS)}")
