"""The whole of a replay: data, mapping and agreements from files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from monitor.config.agreements.checking import load_agreements
from monitor.config.mappings.mapping import load_mapping
from monitor.core.agreements.book import Book
from monitor.replay.local import ReplayResult, run_replay
from monitor.replay.readers import Progress, read_events


def replay_files(
    data: Sequence[Path],
    mapping: Path,
    agreements: Book | Path | Sequence[Path],
    *,
    until_ms: int | None = None,
    step_ms: int | None = None,
    retention_ms: int | None = None,
    cut: bool = False,
    keep_alerts: bool = True,
    keep_calls: bool = False,
    on_progress: Progress | None = None,
) -> ReplayResult:
    """Read files with a mapping and replay their events under agreements.

    Args:
        data: CSV or JSON lines, gzipped or not.
        mapping: the mapping file.
        agreements: a book, or files and folders with agreements.
        until_ms: the instant at which time ends, at least to just after the last event.
        step_ms: how often windows are judged; None: see `monitor.replay.local.MOST_STEPS`.
        retention_ms: how long finished subjects are kept; None: to the end.
        cut: whether events at or after ``until_ms`` are left out, so that time ends exactly there.
        keep_alerts: as `run_replay`.
        keep_calls: as `run_replay`.
        on_progress: told what is being done (a file's name, then ``replay``), how much of it, and of how much.

    Raises:
        ConfigError: all mistakes of the mapping or the agreements, or a file that cannot be read as they say.
    """
    rules = load_mapping(mapping)
    book = agreements if isinstance(agreements, Book) else load_agreements(agreements)
    reading = read_events(data, rules, on_progress)
    events = reading.events
    if cut and until_ms is not None:
        events = [event for event in events if event.fact.time_ms < until_ms]
    result = run_replay(
        events,
        book,
        until_ms=until_ms,
        step_ms=step_ms,
        retention_ms=retention_ms,
        reading=reading,
        keep_alerts=keep_alerts,
        keep_calls=keep_calls,
        on_progress=on_progress,
    )
    result.cut = len(reading.events) - len(events)
    return result
