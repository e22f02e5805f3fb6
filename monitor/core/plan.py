"""What a book of agreements means for the fold: looked up by rule once, then used for every fact."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from monitor.core import clock as clocks
from monitor.core.agreement import Agreement
from monitor.core.book import Book
from monitor.core.course import TOUCHING
from monitor.core.measures import HOUR_MS, METRICS, ClockRule, Measure, Window
from monitor.core.series import Width, width_for

if TYPE_CHECKING:
    from monitor.core.events import Subject, Value
    from monitor.core.rows import Clock

_DAY_MS = 24 * HOUR_MS
_PERIOD_MS = {
    "day": _DAY_MS,
    "week": 7 * _DAY_MS,
    "month": 31 * _DAY_MS,
    "quarter": 92 * _DAY_MS,
    "year": 366 * _DAY_MS,
}


class Slices(NamedTuple):
    """Into which panes a measure's changes go: widths with the time for which each is kept, in the agreement's zone."""

    zone: str
    keep_ms: tuple[tuple[Width, int], ...]
    shortest_keep_ms: int
    """What is younger than this is in time for all of them."""


def windows_of(agreement: Agreement, measure: Measure) -> tuple[Window, ...]:
    """Return the windows of a measure: its own and those of the objectives on it, each once."""
    wanted = list(measure.windows)
    for objective in agreement.objectives:
        if objective.measure == measure.id:
            wanted.extend(objective.windows)
    return tuple(dict.fromkeys(wanted))


class Plan:
    """A book, compiled. A new book makes a new plan."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._terms: dict[tuple[str | int, ...], clocks.Terms | None] = {}
        self._slices: dict[tuple[str, str], Slices | None] = {}
        rules = [rule for agreement in book.agreements for rule in agreement.clocks]
        self.followed: frozenset[Subject] = frozenset(
            rule.subject for rule in rules if self.is_driven(rule) or rule.on_change != "retroactive"
        )
        """The subjects whose course must be known: a clock is driven by it, or gets other targets on its way."""
        self.touching: dict[Subject, frozenset[str]] = {
            subject: frozenset().union(*(
                TOUCHING[metrics[rule.metric].course]
                for rule in rules
                if rule.subject == subject and self.is_driven(rule)
            ))
            for subject, metrics in METRICS.items()
        }  # fmt: skip
        """The event types that may begin a clock that the course drives, by subject."""
        self.general: dict[Subject, frozenset[str]] = {
            subject: types | STARTS[subject] | RESTARTS[subject] for subject, types in self.touching.items()
        }
        """The event types after a subject's first that may begin any clock, by subject."""

    @staticmethod
    def is_driven(rule: ClockRule) -> bool:
        """Return whether the course of its subject drives the clock of a rule."""
        return bool(METRICS[rule.subject][rule.metric].course)

    def terms(self, clock: Clock) -> clocks.Terms | None:
        """Return what holds for a clock; None where its agreement's version or rule is known no more."""
        key: tuple[str | int, ...] = (
            clock.series.agreement, clock.version, clock.series.measure, clock.calendar, clock.budget_ms,
        )  # fmt: skip
        offset_ms = 0
        if clock.extra is not None and clock.extra.offset_ms:
            offset_ms = clock.extra.offset_ms
            key = (*key, "from", offset_ms)
        try:
            return self._terms[key]
        except KeyError:
            agreement = self.book.exact(clock.series.agreement, clock.version)
            rule = agreement.measure(clock.series.measure) if agreement else None
            found = None
            if agreement is not None and isinstance(rule, ClockRule) and clock.calendar in agreement.calendars:
                found = clocks.terms(agreement, rule, clock.calendar, clock.budget_ms, offset_ms)
            self._terms[key] = found
            return found

    def terms_for(
        self,
        agreement: Agreement,
        rule: ClockRule,
        priority: Value | None,
        start_ms: int,  # noqa: ARG002 - of budgets that depend on it
    ) -> clocks.Terms | None:
        """Return what a clock that starts then starts with; None where nothing was promised for the priority."""
        budget = rule.budget(priority)
        if budget is None:
            return None
        key = (agreement.id, agreement.version, rule.id, budget.calendar, budget.budget_ms)
        found = self._terms.get(key)
        if found is None:
            found = self._terms[key] = clocks.terms(agreement, rule, budget.calendar, budget.budget_ms)
        return found

    def slices(self, agreement_id: str, measure_id: str) -> Slices | None:
        """Return the panes of a measure, by the newest version of its agreement that has it; None where none has."""
        key = (agreement_id, measure_id)
        if key not in self._slices:
            self._slices[key] = self._cut(agreement_id, measure_id)
        return self._slices[key]

    def _cut(self, agreement_id: str, measure_id: str) -> Slices | None:
        keep: dict[Width, int] = {}
        zone = ""
        for agreement in self.book.agreements:
            measure = agreement.measure(measure_id) if agreement.id == agreement_id else None
            if measure is None:
                continue
            zone = agreement.zone
            for window in windows_of(agreement, measure):
                width = width_for(window)
                # A day longer than the window and its lateness, so that a correction still finds the pane; a calendar
                # period is kept until the one after it closes.
                length = window.length_ms if window.kind == "rolling" else 2 * _PERIOD_MS[window.kind]
                keep[width] = max(keep.get(width, 0), length + agreement.allowed_lateness_ms + _DAY_MS)
        return Slices(zone, tuple(keep.items()), min(keep.values(), default=0)) if zone else None


STARTS: dict[Subject, frozenset[str]] = {
    subject: frozenset().union(*(metric.start for metric in metrics.values())) for subject, metrics in METRICS.items()
}
"""The event types that start any clock, by subject."""

RESTARTS: dict[Subject, frozenset[str]] = {
    subject: frozenset().union(*(metric.restart for metric in metrics.values())) for subject, metrics in METRICS.items()
}
"""The event types that begin a new cycle of any clock, by subject."""
