"""The kind of lead measures, called by `monitor.core.kinds`: funnel, follow-up and goal, leads that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.leads import leads
from monitor.core.leads.figures import lead_figures
from monitor.core.leads.leads import lead_changes
from monitor.core.pieces import ready
from monitor.core.series.measured import Measured
from monitor.core.time.periods import period

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.lead_measure import LeadRule
    from monitor.core.facts.events import Fact, Value
    from monitor.core.leads.leads import Story
    from monitor.core.pieces import Pieces
    from monitor.core.series.figures import Figure
    from monitor.core.series.measured import Panes, Stretch, WindowView
    from monitor.core.series.series import Change, SeriesKey

_OPEN: Final = ("open", "waiting", "late", "following", "maturing")


def rules(agreement: Agreement) -> Sequence[LeadRule]:
    """Return the measures of leads of an agreement."""
    return agreement.leads


def story_of(facts: Sequence[Fact]) -> Story:
    """Return what the facts of a lead say, whatever the rule."""
    return leads.story_of(facts)


def changes(
    subject_id: str,
    facts: Sequence[Fact],
    attributes: Mapping[str, Value],
    rule: LeadRule,
    agreement: Agreement,
    series: SeriesKey,
    now_ms: int,
    story: Story,
) -> tuple[list[Change], int]:
    """Return the changes of a lead in its series at an instant, and the next instant that alters them (0: none)."""
    calendar = agreement.calendars[rule.calendar]
    return lead_changes(subject_id, facts, attributes, rule, series, calendar, now_ms, story)


def lasts_until_ms(facts: Sequence[Fact]) -> int:
    """Return the instant of the last fact: a lead that is not open is over."""
    return facts[-1].time_ms


def measured(rule: LeadRule, of: WindowView[Panes]) -> Pieces[Measured]:
    """Return the figures of a window and the number of open leads."""
    live, total = of.panes.live().counts, of.summed()
    counts = {name: live.get(name, 0) for name in _OPEN} | {"longest_wait_ms": of.longest_open_ms()}
    figures = lead_figures(rule.of_series(of.values), of.agreement, total, of.window.kind, of.shown, of.as_of_ms)
    return ready(Measured(figures, counts, sum(total.buckets.values()), of.shown))


def wakes_ms(rule: LeadRule, of: WindowView[Panes], live: Mapping[str, int]) -> Pieces[list[int]]:  # noqa: ARG001
    """Return the instants at which time alone changes the figures: the ends of days, by which the goal's pace moves."""
    return ready([period(of.zone, "day", of.as_of_ms).end_ms] if rule.needs_no_event else [])


def is_judged_from_the_start(rule: LeadRule, live: Mapping[str, int]) -> bool:  # noqa: ARG001 - open or not
    """Return whether a new period may begin with a broken promise: of a goal nothing is delivered yet."""
    return rule.goal is not None


def budget_figures(rule: LeadRule, of: Stretch) -> Pieces[tuple[Figure, ...]]:
    """Return the figures of an error budget."""
    return ready(lead_figures(rule, of.agreement, of.pane, "rolling", of.span, of.as_of_ms))


def whole_figures(rule: LeadRule, of: Stretch, values: Sequence[str] | None) -> tuple[Figure, ...]:
    """Return the figures of all data in one pane: of one series by its values, or of all series together (None)."""
    if values is not None:
        rule = rule.of_series(values)
    return lead_figures(rule, of.agreement, of.pane, "rolling", of.span, of.as_of_ms)
