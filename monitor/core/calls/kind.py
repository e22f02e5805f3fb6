"""The kind of call measures, called by `monitor.core.kinds`: calls answered in time, calls that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from monitor.core.agreements.indicators import NAMED
from monitor.core.calls import calls
from monitor.core.calls.calls import call_changes
from monitor.core.calls.figures import call_figures
from monitor.core.calls.repeats import NO_TALLY, RepeatIndex
from monitor.core.pieces import ready
from monitor.core.series.durations import targets_of
from monitor.core.series.measured import Measured, Panes
from monitor.core.time.spans import Span
from monitor.core.time.units import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.measures import CallRule
    from monitor.core.agreements.objectives import Objective
    from monitor.core.calls.calls import Story
    from monitor.core.calls.repeats import Tally
    from monitor.core.facts.events import Fact, Value
    from monitor.core.pieces import Pieces
    from monitor.core.series.figures import Figure
    from monitor.core.series.measured import Stretch, WindowView
    from monitor.core.series.series import Change, SeriesKey
    from monitor.core.time.windows import Window


class CallPanes(Panes, Protocol):
    """Panes that keep an index of their callers."""

    def repeats(self, window: Window, span: Span, within_ms: int, now_ms: int) -> Pieces[Tally]:
        """Return the counts of repeat calls for the handled calls in a window's span, as of an instant, in pieces."""


def rules(agreement: Agreement) -> Sequence[CallRule]:
    """Return the measures of calls of an agreement."""
    return agreement.calls


def story_of(facts: Sequence[Fact]) -> Story:
    """Return what the facts of a call say, whatever the rule."""
    return calls.story_of(facts)


def changes(
    subject_id: str,
    facts: Sequence[Fact],
    attributes: Mapping[str, Value],
    rule: CallRule,
    agreement: Agreement,  # noqa: ARG001 - calls need no calendar
    series: SeriesKey,
    now_ms: int,
    story: Story,
) -> tuple[list[Change], int]:
    """Return the changes of a call in its series at an instant, and the next instant that alters them (0: none)."""
    return call_changes(subject_id, facts, rule, series, now_ms, attributes, story)


def lasts_until_ms(facts: Sequence[Fact]) -> int:
    """Return the instant of the last fact: a call that does not wait is over."""
    return facts[-1].time_ms


def measured(rule: CallRule, of: WindowView[CallPanes]) -> Pieces[Measured]:
    """Return the figures of a window and the number of calls that wait, in pieces, because callers are many."""
    total, tally = of.summed(), NO_TALLY
    if rule.repeat_within_ms and of.wants("needs", "repeats"):
        tally = yield from of.panes.repeats(of.window, of.span, rule.repeat_within_ms, of.as_of_ms)
    live = {"waiting": of.panes.live().counts.get("waiting", 0), "longest_wait_ms": of.longest_open_ms()}
    targets = targets_of(of.agreement, rule.id) if of.wants("sample", "durations") else ()
    figures = call_figures(rule, total, tally, targets, of.wanted)
    return Measured(figures, live, sum(total.buckets.values()), of.shown)


def wakes_ms(rule: CallRule, of: WindowView[CallPanes], live: Mapping[str, int]) -> Pieces[list[int]]:  # noqa: ARG001
    """Return the instants at which time alone changes the figures: hourly, because unrepeated calls are confirmed."""
    return ready([of.as_of_ms - of.as_of_ms % HOUR_MS + HOUR_MS] if rule.repeat_within_ms else [])


def turns_ms(
    rule: CallRule,
    of: WindowView[CallPanes],
    figures: Sequence[Figure],  # noqa: ARG001 - they hold no time that has passed
    live: Mapping[str, int],
    objectives: Sequence[Objective],
) -> Pieces[list[int]]:
    """Return the instants at which time alone may change a verdict: only those on repeat calls change with time."""
    needs_repeats = any(NAMED[one.indicator].needs == "repeats" for one in objectives)
    return wakes_ms(rule, of, live) if needs_repeats else ready([])


def budget_figures(rule: CallRule, of: Stretch) -> Pieces[tuple[Figure, ...]]:
    """Return the figures of an error budget. Repeat calls are left out: they are known too late for it."""
    return ready(call_figures(rule, of.pane, targets=targets_of(of.agreement, rule.id)))


def whole_figures(rule: CallRule, of: Stretch, values: Sequence[str] | None) -> tuple[Figure, ...]:  # noqa: ARG001
    """Return the figures of all data in one pane."""
    index = RepeatIndex(())
    index.take(of.span.start_ms, {"": of.pane.calls})
    pane = Span(of.span.start_ms, of.span.start_ms + 1)
    tally = index.tally(pane, rule.repeat_within_ms, of.as_of_ms)
    return call_figures(rule, of.pane, tally, targets_of(of.agreement, rule.id))
