"""The terms that a book of agreements sets for the fold: looked up once for each rule, then used for every fact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from monitor.core.agreements.agreement import Agreement, windows_of
from monitor.core.agreements.book import Book
from monitor.core.agreements.clock_metrics import METRICS
from monitor.core.agreements.cohorts import settles_ms
from monitor.core.agreements.measures import ClockRule
from monitor.core.clocks import clock as clocks
from monitor.core.clocks.clock_value import NO_EXTRA
from monitor.core.clocks.ticket_state import TOUCHING
from monitor.core.pieces import lots
from monitor.core.series.durations import near_targets
from monitor.core.series.retention import LONGEST_MS, Closing, Slices, cuts_of, kept_for_budgets
from monitor.core.time.spans import NEVER_MS
from monitor.core.time.units import DAY_MS
from monitor.core.time.windows import Width, Window, width_for

if TYPE_CHECKING:
    from monitor.core.clocks.clock_value import Clock
    from monitor.core.facts.events import Subject, Value
    from monitor.core.pieces import Pieces
_MOST_TERMS = 1 << 14
_AGREEMENTS_AT_ONCE: Final = 256
"""Agreements whose panes are looked up without a pause: some 20 µs each."""
_BY_INSTANT: Final = "by instant"
"""Marks the terms of targets in business days: another target may have the same budget."""
_TermsKey = tuple[tuple[str, str] | str | int, ...]
_Terms = TypeVar("_Terms", "clocks.Terms", "clocks.Terms | None")


class Plan:
    """A book, compiled for the fold. A new book needs a new plan."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._terms: dict[_TermsKey, clocks.Terms | None] = {}
        self._leveled = book.leveled
        self.weighing = book.weighing()
        self._slices: dict[tuple[str, str], Slices | None] = {}
        self._closings: dict[tuple[str, Subject], list[tuple[str, str, Closing]]] = {}
        self._keeps_ms: dict[Subject, int] = {}
        rules = [rule for agreement in book.agreements for rule in agreement.clocks]
        self.followed: frozenset[Subject] = frozenset(
            rule.subject for rule in rules if self.is_driven(rule) or rule.on_change != "retroactive"
        )
        """The subjects whose state must be followed: it drives a clock, or a change of priority changes targets."""
        self.dated = {
            subject: frozenset(rule.due_at for rule in rules if rule.subject == subject and rule.due_at)
            for subject in METRICS
        }
        """The attributes that bring due instants, by subject."""
        self.touching: dict[Subject, frozenset[str]] = {
            subject: frozenset().union(*(
                TOUCHING[metrics[rule.metric].course]
                for rule in rules
                if rule.subject == subject and self.is_driven(rule)
            ))
            for subject, metrics in METRICS.items()
        }  # fmt: skip
        """The event types that may begin a clock that the ticket's state drives, by subject."""
        self.general: dict[Subject, frozenset[str]] = {
            subject: types | STARTS[subject] | RESTARTS[subject] for subject, types in self.touching.items()
        }
        """The event types after a subject's first that may begin any clock, by subject."""
        self.near_targets = near_targets(book.agreements)
        """The targets of percentiles, by agreement and measure; empty if no percentile is promised."""

    @staticmethod
    def is_driven(rule: ClockRule) -> bool:
        """Return whether the state of the ticket drives the clock of a rule."""
        return bool(METRICS[rule.subject][rule.metric].course)

    def terms(self, clock: Clock) -> clocks.Terms | None:
        """Return the terms of a clock; None if its agreement's version or rule is no longer known."""
        key: _TermsKey = (clock.series[:2], clock.version, clock.calendar, clock.budget_ms)
        if self._leveled and clock.series.agreement in self._leveled:
            edition = self.book.exact(clock.series.agreement, clock.version, clock.start_ms)
            key = (*key, edition.edition_ms if edition else 0)
        extra = clock.extra or NO_EXTRA
        if extra is not NO_EXTRA:
            if extra.offset_ms:
                key = (*key, "from", extra.offset_ms)
            if extra.by_instant:
                key = (*key, _BY_INSTANT)
        try:
            return self._terms[key]
        except KeyError:
            agreement = self.book.exact(clock.series.agreement, clock.version, clock.start_ms)
            rule = agreement.clock(clock.series.measure) if agreement else None
            found = None
            if agreement is not None and rule is not None and clock.calendar in agreement.calendars:
                found = clocks.terms(
                    agreement, rule, clock.calendar, clock.budget_ms, extra.offset_ms, by_instant=extra.by_instant
                )
            return self._keep(key, found)

    def _keep(self, key: _TermsKey, found: _Terms) -> _Terms:
        # With business days nearly each clock has a budget of its own, so the terms are not kept for ever.
        if len(self._terms) >= _MOST_TERMS:
            self._terms.clear()
        self._terms[key] = found
        return found

    def terms_for(
        self, agreement: Agreement, rule: ClockRule, priority: Value | None, start_ms: int
    ) -> clocks.Terms | None:
        """Return the terms of a clock that starts at an instant; None if nothing was promised for the priority.

        Raises:
            CalendarRangeError: business days are promised, and too few are left in the range after the start.
        """
        budget = rule.budget(priority)
        if budget is None:
            return None
        budget_ms = budget.budget_ms
        if budget.days:
            calendar = agreement.calendars[budget.calendar]
            budget_ms = calendar.budget_of_days(start_ms, budget.days, budget.by_minute)
        key: _TermsKey = ((agreement.id, rule.id), agreement.version, budget.calendar, budget_ms)
        if self._leveled and agreement.id in self._leveled:
            key = (*key, agreement.edition_ms)
        by_instant = budget.days != 0
        if by_instant:
            key = (*key, _BY_INSTANT)
        found = self._terms.get(key)
        if found is None:
            found = self._keep(key, clocks.terms(agreement, rule, budget.calendar, budget_ms, by_instant=by_instant))
        return found

    def slices(self, agreement_id: str, measure_id: str) -> Slices | None:
        """Return the pane widths of a measure and how long they are kept; None if no version has the measure."""
        key = (agreement_id, measure_id)
        if key not in self._slices:
            self._slices[key] = self._cut(agreement_id, measure_id)
        return self._slices[key]

    def keeping(self, subject: Subject) -> Pieces[int]:
        """Return how long (ms) all panes of measures that count a subject are kept; 0: there are none.

        In pieces, the first time.
        """
        if subject not in self._keeps_ms:
            found = []
            for lot in lots(self.book.agreements, _AGREEMENTS_AT_ONCE):
                for agreement in lot:
                    of_agreement = [
                        self.slices(agreement.id, measure.id)
                        for measure in agreement.measures()
                        if measure.subject_kind == subject
                    ]
                    found += [slices.shortest_keep_ms for slices in of_agreement if slices is not None]
                yield
            self._keeps_ms[subject] = min(found, default=0)
        return self._keeps_ms[subject]

    def closings(self, subject: Subject) -> list[tuple[str, str, Closing]]:
        """Return the windows whose periods close, by agreement and measure, of all measures that count a subject."""
        return self._closing(subject, subject)

    def clock_closings(self, subject: Subject) -> list[tuple[str, str, Closing]]:
        """Return the same of all clocks that time a subject."""
        return self._closing("clock", subject)

    def _closing(self, kind: str, subject: Subject) -> list[tuple[str, str, Closing]]:
        if (kind, subject) not in self._closings:
            found: dict[tuple[str, str, Window], Closing] = {}
            for agreement in sorted(self.book.agreements, key=lambda one: (one.id, one.valid_from_ms, one.version)):
                over_ms = NEVER_MS if agreement.terminates_ms is None else agreement.terminates_ms
                for measure in agreement.measures():
                    if (measure.kind, measure.subject_kind) == (kind, subject) and agreement.status != "draft":
                        for window in windows_of(agreement, measure):
                            if window.kind != "rolling":
                                closing = Closing(window, agreement.zone, agreement.allowed_lateness_ms, over_ms)
                                found[agreement.id, measure.id, window] = closing
            self._closings[kind, subject] = [(*key[:2], closing) for key, closing in found.items()]
        return self._closings[kind, subject]

    def soonest_ms(self, subject: Subject) -> int:
        """Return how long after a subject's first fact a period that it counts in may close; `NEVER_MS`: none does."""
        return min((closing.lateness_ms for _, _, closing in self.closings(subject)), default=NEVER_MS)

    def _cut(self, agreement_id: str, measure_id: str) -> Slices | None:
        keep: dict[Width, int] = {}
        zone = ""
        versions = self.book.versions(agreement_id)
        for agreement in versions:
            measure = agreement.measure(measure_id)
            if measure is None:
                continue
            zone = agreement.zone
            for window in windows_of(agreement, measure):
                width = width_for(window)
                # A day longer than the window and its lateness, so that a correction still finds the pane. The panes
                # of a period are kept until the period after it closes.
                length = window.length_ms or LONGEST_MS[window.kind]
                if window.kind != "rolling":
                    length *= 2
                length += settles_ms(agreement, measure, window, length)
                keep[width] = max(keep.get(width, 0), length + agreement.allowed_lateness_ms + DAY_MS)
            if measure.history_ms:
                keep["day"] = max(keep.get("day", 0), measure.history_ms + LONGEST_MS["year"])
            for width, length in kept_for_budgets(agreement, measure):
                keep[width] = max(keep.get(width, 0), length + agreement.allowed_lateness_ms + DAY_MS)
        return Slices(zone, tuple(keep.items()), min(keep.values(), default=0), cuts_of(versions)) if zone else None


STARTS: dict[Subject, frozenset[str]] = {
    subject: frozenset().union(*(metric.start for metric in metrics.values())) for subject, metrics in METRICS.items()
}
"""The event types that start any clock, by subject."""

RESTARTS: dict[Subject, frozenset[str]] = {
    subject: frozenset().union(*(metric.restart for metric in metrics.values())) for subject, metrics in METRICS.items()
}
"""The event types that begin a new cycle of any clock, by subject."""
