"""The local run: recorded events through the same core as live ones, in event time, without Kafka.

Events of all subjects are sorted by (time, sequence, id). Time moves in steps: the events of a step are folded,
due instants in it are announced at their own time, and at the end of the step the windows are judged. In steps without
events time still passes: deadlines fire, windows move, periods close. Deadlines and every figure are exact whatever the
step; only how soon an objective's alert follows its cause depends on it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from monitor.core.agreements.book import Book
from monitor.core.agreements.measures import MEASURE_KINDS
from monitor.core.alerts.alert import Alert
from monitor.core.facts.events import Event, Subject
from monitor.core.objectives.status import WindowStatus
from monitor.core.series.panes import merge_panes
from monitor.core.series.series import Pane, PaneKey, SeriesKey
from monitor.core.subjects.effects import Effects
from monitor.core.subjects.engine import SourceEngine
from monitor.core.subjects.rows import SubjectRow, subject_key
from monitor.core.time.units import DAY_MS, HOUR_MS, MINUTE_MS
from monitor.core.windows.evaluator import Evaluator
from monitor.replay.call_records import CallRecord
from monitor.replay.dict_rows import DictRows
from monitor.replay.finished import Finished, last_ones
from monitor.replay.readers import Reading
from monitor.replay.records import ClockRecord
from monitor.replay.whole import WholeFigures

STEPS_MS: Final = (MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS, DAY_MS)
MOST_STEPS: Final = 10_000
"""Unless a step is asked for, the finest of `STEPS_MS` that cuts the data into no more steps than this."""

PROGRESS_STEPS: Final = 50
FOR_EVER_MS: Final = 1000 * 366 * DAY_MS

Progress = Callable[[str, int, int], None]


@dataclass(slots=True, kw_only=True)
class ReplayResult:
    """The results of a replay. Instants are event time.

    ``alerts`` stand in the order in which they were announced: an alert that takes another back comes before the new
    one, though the new one may have happened earlier.
    ``rejected_events`` counts, by reason, events that the ledgers did not take; ``too_late`` counts corrections of
    panes that were no longer kept; ``subjects`` those of each kind that were seen.
    """

    reading: Reading | None
    events: int
    from_ms: int
    until_ms: int
    step_ms: int
    subjects: dict[Subject, int] = field(default_factory=dict)
    repeats: int = 0
    rejected_events: dict[str, int] = field(default_factory=dict)
    too_late: int = 0
    alerts: list[Alert] = field(default_factory=list)
    statements: list[WindowStatus] = field(default_factory=list)
    statuses: list[WindowStatus] = field(default_factory=list)
    whole: list[WholeFigures] = field(default_factory=list)
    records: list[ClockRecord] = field(default_factory=list)
    verdicts: dict[str, int] = field(default_factory=dict)
    """How many clocks have each verdict of the ``records``, which may not be kept."""
    calls: list[CallRecord] = field(default_factory=list)
    keeps_alerts: bool = True
    """Whether ``alerts`` holds them all; otherwise it is empty, and only ``alert_counts`` tells of them."""
    alert_counts: dict[str, Counter[str]] = field(default_factory=dict)
    """How often each promise was announced in each state."""
    cut: int = 0
    """Events that were left out because they happened at or after the end that was asked for."""


def run_replay(
    events: Iterable[Event],
    book: Book,
    *,
    until_ms: int | None = None,
    step_ms: int | None = None,
    retention_ms: int | None = None,
    reading: Reading | None = None,
    keep_alerts: bool = True,
    keep_records: bool = True,
    keep_calls: bool = False,
    on_progress: Progress | None = None,
) -> ReplayResult:
    """Replay events under the agreements of a book.

    Args:
        events: in any order.
        book: the agreements.
        until_ms: up to when time passes, at least to just after the last event (the default).
        step_ms: how often the windows are judged; None: by `MOST_STEPS`.
        retention_ms: how long finished subjects are kept for late facts and reopenings; None: to the end of the data. A
            worker forgets them (`monitor.core.subjects.engine.RETENTION_MS`): hand that in to compare with one.
        reading: what is known of where the events came from, for the result.
        keep_alerts: whether the result holds the alerts themselves, not only how many there were.
        keep_records: whether the result holds a record of each clock, not only how many have which verdict.
        keep_calls: whether the result holds a record of each call.
        on_progress: told ``replay``, the events that were folded, and all.

    Returns:
        The result. Without events it is empty.
    """
    ordered = sorted(events, key=lambda event: event.fact[:3])
    del events  # they are dropped as they are folded, unless the caller keeps them
    if not ordered:
        return ReplayResult(reading=reading, events=0, from_ms=0, until_ms=until_ms or 0, step_ms=step_ms or MINUTE_MS)
    first_ms, last_ms = ordered[0].fact.time_ms, ordered[-1].fact.time_ms
    # The instant after the last event: what it stopped lies inside of [from, until).
    until_ms = max(until_ms or 0, last_ms + 1)
    run = _Run(
        book,
        ReplayResult(
            reading=reading,
            events=len(ordered),
            from_ms=first_ms,
            until_ms=until_ms,
            step_ms=step_ms or _fitting_step(until_ms - first_ms),
            keeps_alerts=keep_alerts,
        ),
        FOR_EVER_MS if retention_ms is None else retention_ms,
        happened={event.subject for event in ordered},
        keep_records=keep_records,
        keep_calls=keep_calls,
    )
    run.all(ordered, last_ones(ordered), on_progress)
    return run.finish()


def _fitting_step(span_ms: int) -> int:
    return next((step for step in STEPS_MS if span_ms // step <= MOST_STEPS), STEPS_MS[-1])


class _Run:
    """One replay under way."""

    def __init__(
        self,
        book: Book,
        result: ReplayResult,
        retention_ms: int,
        *,
        happened: set[Subject],
        keep_records: bool,
        keep_calls: bool,
    ) -> None:
        self.book = book
        self.result = result
        self.retention_ms = retention_ms
        self.finished = Finished(
            book, result.from_ms, result.until_ms, keep_records=keep_records, keep_calls=keep_calls
        )
        self.leaving: dict[Subject, set[bytes]] = {}
        """The row keys of subjects without any event to come, as long as anything in them is open."""
        self.rows: dict[Subject, DictRows] = {}
        self.engines: dict[Subject, SourceEngine] = {}
        # Without a single outage in the data nobody can tell a service that never failed from one that was not watched,
        # and without a lead a month without any from data about something else.
        # A replay is one answer to one question: all series are shown, however many there are.
        foreseen = [kind for kind in MEASURE_KINDS if kind in happened]
        self.evaluator = Evaluator(
            DictRows(), lambda _: True, foreseen, max_series=sys.maxsize, most_awake=sys.maxsize, shows=False
        )
        self.changed: dict[tuple[Subject, PaneKey], Pane | None] = {}
        self.waiting: dict[SeriesKey, dict[tuple[Subject, PaneKey], Pane | None]] = {}
        """Changed panes of series that are evaluated later anyhow: the panes go on changing until then."""
        self.rejected: Counter[str] = Counter()
        self.evaluated_ms = 0

    def all(self, ordered: list[Event], is_last: Sequence[int], on_progress: Progress | None) -> None:
        """Fold all events, step by step, and take them out of the list."""
        step_ms, until_ms = self.result.step_ms, self.result.until_ms
        ordered.reverse()
        position, steps = 0, 0
        while ordered:
            time_ms = ordered[-1].fact.time_ms
            self.pass_time(time_ms - time_ms % step_ms)
            end_ms = min(time_ms - time_ms % step_ms + step_ms, until_ms)
            events = []
            while ordered and ordered[-1].fact.time_ms < end_ms:
                events.append(ordered.pop())
            self.fold(events, end_ms)
            for place, event in enumerate(events, position):
                if is_last[place]:
                    self.leave(event.subject, subject_key(event.subject_id))
            self.judge(end_ms)
            position, steps = position + len(events), steps + 1
            if on_progress is not None and (steps % PROGRESS_STEPS == 0 or not ordered):
                on_progress("replay", position, len(is_last))
        self.pass_time(until_ms)
        self.judge(until_ms)

    def fold(self, events: Sequence[Event], now_ms: int) -> None:
        """Fold the events of one step and announce the due instants in it."""
        by_subject: dict[Subject, list[Event]] = {}
        for event in events:
            by_subject.setdefault(event.subject, []).append(event)
        for subject, own in by_subject.items():
            if subject not in self.engines:
                rows = self.rows[subject] = DictRows(self.result.until_ms)
                self.engines[subject] = SourceEngine(subject, rows, retention_ms=self.retention_ms)
            self.note(subject, self.engines[subject].batch(own, now_ms, self.book))
        self.come_due(now_ms)

    def come_due(self, now_ms: int) -> None:
        """Announce all due instants up to this one."""
        for subject, engine in self.engines.items():
            keys = self.rows[subject].due(now_ms)
            if keys:
                self.note(subject, engine.due(keys, now_ms, self.book))
                leaving = self.leaving.get(subject, ())
                for key in keys:
                    if key in leaving:
                        self.leave(subject, key)

    def leave(self, subject: Subject, key: bytes) -> None:
        """Drop the row of a subject without any event to come, if nothing in it is open, or once that is so."""
        leaving, rows = self.leaving.setdefault(subject, set()), self.rows[subject]
        row = rows.get(key)
        if isinstance(row, SubjectRow) and not row.ended_ms:
            leaving.add(key)
            return
        leaving.discard(key)
        if isinstance(row, SubjectRow):
            rows.drop(key)
            self.finished.add(subject, key, row)

    def pass_time(self, until_ms: int) -> None:
        """Let time pass up to an instant at which no event has happened yet."""
        step_ms = self.result.step_ms
        now_ms = self.evaluated_ms
        while True:
            wakes = [rows.next_wake_ms() for rows in self.rows.values()]
            instants = [one for one in (*wakes, self.evaluator.next_ms(now_ms)) if one is not None]
            if not instants or min(instants) > until_ms:
                return
            # Up to the end of the step, so that a night of silence is not judged minute by minute.
            now_ms = min(until_ms, max(now_ms // step_ms + 1, -(-min(instants) // step_ms)) * step_ms)
            self.come_due(now_ms)
            self.judge(now_ms)
            if now_ms >= until_ms:
                return

    def judge(self, now_ms: int) -> None:
        """Give the panes that changed to the evaluator, and judge the windows."""
        evaluator, waiting = self.evaluator, self.waiting
        for place, pane in self.changed.items():
            series = place[1].series
            if pane is None and place in waiting.get(series, ()):
                self.hand_over(series)  # what was counted before its source dropped it is still to be stated
            if not evaluator.may_wait(*place, pane, now_ms):
                self.hand_over(series)
                self.give(place, pane)
            else:
                waiting.setdefault(series, {})[place] = pane
        self.changed.clear()
        for series in evaluator.waking(now_ms):
            self.hand_over(series)
        self.evaluate(now_ms)
        self.evaluated_ms = now_ms
        for subject, engine in self.engines.items():
            while dropped := engine.expire(now_ms):
                self.changed.update(((subject, key), None) for key in dropped)

    def give(self, place: tuple[Subject, PaneKey], pane: Pane | None) -> None:
        """Give a pane to the evaluator: a copy, as after Kafka, because the engine goes on changing its own."""
        self.evaluator.fold(*place, None if pane is None else merge_panes([pane]), self.book)

    def hand_over(self, series: SeriesKey) -> None:
        """Give the panes of a series that have waited to the evaluator."""
        for place, pane in self.waiting.pop(series, {}).items():
            self.give(place, pane)

    def evaluate(self, now_ms: int) -> None:
        """Judge the windows as of an instant."""
        more = True
        while more:
            done = self.evaluator.evaluate(now_ms, self.book)
            self.tell(done.alerts)
            self.result.statements += [status for status in done.statuses if status.closed]
            more = done.more

    def show(self) -> None:
        """Judge all windows as of the end: in between only those with objectives were judged."""
        for series in list(self.waiting):
            self.hand_over(series)
        until_ms = self.result.until_ms
        self.evaluator.touch_all(prune=True)
        self.evaluate(until_ms)
        self.evaluator.shows = True
        self.evaluator.touch_all()
        self.evaluate(until_ms)

    def note(self, subject: Subject, effects: Effects) -> None:
        """Keep the alerts and panes of an engine."""
        self.tell(effects.alerts)
        self.result.repeats += effects.repeats
        self.result.too_late += effects.too_late
        self.rejected.update(reason for _, reason in effects.rejected)
        for key, pane in effects.panes.items():
            self.changed[subject, key] = pane
        forgotten, leaving = self.rows[subject].forgotten, self.leaving.get(subject, ())
        for encoded, row in forgotten:
            self.finished.add(subject, encoded, row, returns=encoded not in leaving)
        forgotten.clear()

    def tell(self, alerts: Sequence[Alert]) -> None:
        """Count alerts, and keep them if they are wanted."""
        if self.result.keeps_alerts:
            self.result.alerts += alerts
        counts = self.result.alert_counts
        for alert in alerts:
            key = alert.key
            # An objective, its budget and the right to terminate share their promise.
            kind = f" {key.kind}" if key.kind in ("burn", "termination") else ""
            counts.setdefault(f"{key.agreement}/{key.promise}{kind}", Counter())[alert.state] += 1

    def finish(self) -> ReplayResult:
        """Return the result with everything that is known only at the end."""
        result = self.result
        self.show()
        result.statuses = [self.evaluator.latest[key] for key in sorted(self.evaluator.latest)]
        result.rejected_events = dict(self.rejected.most_common())
        finished = self.finished
        for subject, rows in self.rows.items():
            for key, row in rows.rows.items():
                if isinstance(row, SubjectRow):
                    finished.add(subject, key, row)
            result.subjects[subject] = finished.subjects[subject]
        result.records, result.calls, result.whole = finished.records, finished.calls, finished.whole()
        result.verdicts.update(finished.verdicts())
        result.calls.sort(key=lambda one: (one.queued_ms, one.subject_id, one.agreement, one.measure))
        result.records.sort(key=lambda one: (one.start_ms, one.subject_id, one.agreement, one.clock, one.cycle))
        result.whole.sort(key=lambda one: (one.series.agreement, one.series.measure, not one.total, one.series.values))
        return result
