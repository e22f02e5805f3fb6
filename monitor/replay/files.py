"""The whole of a replay: data, mapping and agreements from files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from monitor.config.agreements.checking import load_agreements
from monitor.config.mappings.mapping import load_mapping
from monitor.config.mappings.same_event import at_once
from monitor.core.agreements.book import Book
from monitor.core.facts.events import Event
from monitor.errors import ConfigError, Mistake
from monitor.replay.local import ReplayResult, run_replay
from monitor.replay.own_events import read_own_events
from monitor.replay.readers import Progress, Reading, Table, read_tables


def replay_files(
    data: Sequence[Path],
    mapping: Path | None,
    agreements: Book | Path | Sequence[Path],
    *,
    more: Sequence[tuple[Path, Path]] = (),
    until_ms: int | None = None,
    step_ms: int | None = None,
    retention_ms: int | None = None,
    cut: bool = False,
    keep_alerts: bool = True,
    keep_records: bool = True,
    keep_calls: bool = False,
    on_progress: Progress | None = None,
    on_events: Callable[[Sequence[Event]], None] | None = None,
) -> ReplayResult:
    """Read files with a mapping and replay their events under agreements.

    Args:
        data: CSV, JSON lines or JSON arrays, gzipped or not; ``-`` is standard input.
        mapping: the mapping file; None: the files hold events.
        agreements: a book, or files and folders with agreements.
        more: further tables: a file and its mapping. Events of one subject belong together, whichever table they are
            from.
        until_ms: the instant at which time ends, at least to just after the last event.
        step_ms: how often windows are judged; None: see `monitor.replay.local.MOST_STEPS`.
        retention_ms: how long finished subjects are kept; None: to the end.
        cut: whether events at or after ``until_ms`` are left out, so that time ends exactly there.
        keep_alerts: as `run_replay`.
        keep_records: as `run_replay`.
        keep_calls: as `run_replay`.
        on_events: is given the events before the replay, which then drops them as it goes, so that ``reading`` of the
            result has none. Without it they are kept.
        on_progress: told what is being done (a file's name, then ``replay``), how much of it, and of how much.

    Raises:
        ConfigError: all mistakes of the mapping or the agreements, or a file that cannot be read as they say.
    """
    tables = None if mapping is None else load_tables(data, mapping, more)
    book = agreements if isinstance(agreements, Book) else load_agreements(agreements)
    if tables is None:
        reading = read_own_events(data, on_progress)
    else:
        reading = read_tables(tables, on_progress)
        reading.warnings += promised_at_once(tables, book)
    read = len(reading.events)
    events: Iterable[Event] = reading.events
    if on_events is not None:
        on_events(reading.events)
        events = _taken_out_of(reading)
    if cut and until_ms is not None:
        end_ms = until_ms
        events = (event for event in events if event.fact.time_ms < end_ms)
    result = run_replay(
        events,
        book,
        until_ms=until_ms,
        step_ms=step_ms,
        retention_ms=retention_ms,
        reading=reading,
        keep_alerts=keep_alerts,
        keep_records=keep_records,
        keep_calls=keep_calls,
        on_progress=on_progress,
    )
    result.cut = read - result.events
    return result


def _taken_out_of(reading: Reading) -> Iterator[Event]:
    events, reading.events = reading.events, []
    yield from events


def load_tables(data: Sequence[Path], mapping: Path, more: Sequence[tuple[Path, Path]] = ()) -> list[Table]:
    """Return the tables of a replay: files with one mapping, and further files with one each.

    Raises:
        ConfigError: all mistakes of all mappings.
    """
    mistakes: list[Mistake] = []
    tables: list[Table] = []
    for files, rules in ((data, mapping), *(([one], its) for one, its in more)):
        try:
            tables.append(Table(files, load_mapping(rules)))
        except ConfigError as error:
            mistakes += [one for one in error.mistakes if one not in mistakes]
    if mistakes:
        raise ConfigError(mistakes)
    return tables


def promised_at_once(tables: Sequence[Table], book: Book) -> list[str]:
    """Return a sentence for each clock of the agreements that the mappings always stop at the instant of its start."""
    found = [
        f"{agreement.id}/{rule.id} is always kept: the mapping {mapping.name} takes the start of {rule.metric} and "
        f"{stopped_by!r} from the same column"
        for mapping in (one.mapping for one in tables)
        for metric, stopped_by in at_once(mapping).items()
        for agreement in book.agreements
        for rule in agreement.clocks
        if (rule.subject, rule.metric, rule.due_at) == (mapping.subject, metric, "")
    ]
    return list(dict.fromkeys(found))
