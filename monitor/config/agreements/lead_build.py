"""Lead measures of agreement files: the promises of sales and marketing to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.config.agreements.agreement_fields import filter_of
from monitor.core.agreements.lead_measure import Goal, LeadRule, Weights
from monitor.core.agreements.measures import ANY
from monitor.core.time.units import DAY_MS
from monitor.core.time.windows import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.config.agreements.calendars import Told
    from monitor.config.agreements.measure_shape import GoalShape, LeadsShape, WeightsShape

    Chosen = Callable[[Sequence[str | int], str], None]
    """Takes the path of a calendar's name, and the name."""

LEAD_WINDOWS: Final = (Window("rolling", DAY_MS), Window("day"), Window("week"), Window("month"))
"""The windows of lead measures that name none."""


def leads(shape: LeadsShape, chosen: Chosen, told: Told) -> LeadRule:
    """Return the measure, after reporting its mistakes; ``chosen`` checks the calendars that it names."""
    if shape.follow_up is not None:
        chosen(("follow_up", "calendar"), shape.follow_up.calendar)
    if shape.goal is not None:
        chosen(("goal", "calendar"), shape.goal.calendar)
        if shape.by:
            told(("by",), "a goal is one for all: it cannot be split", "give goals by the values, or leave by out")
    _check_goals(shape, chosen, told)
    return LeadRule(
        id=shape.id,
        where=filter_of(shape.where),
        by=tuple(shape.by or ()),
        windows=tuple(shape.windows or LEAD_WINDOWS),
        marketing=filter_of(shape.marketing),
        follow_up_within_ms=shape.follow_up.within if shape.follow_up else 0,
        calendar=shape.follow_up.calendar if shape.follow_up else "always",
        depth_within_ms=shape.depth_within,
        attempts=shape.attempts,
        strict=shape.strict,
        give_up_after_ms=max(shape.give_up_after, shape.depth_within, shape.close_within or 0),
        close_within_ms=shape.close_within or 0,
        activity=shape.activity,
        weights=_weights(shape.weights),
        goal=None if shape.goal is None else _goal(shape.goal, told, ("goal",)),
        goals={value: _goal(one, told, ("goals", value)) for value, one in shape.goals.items()},
    )


def _check_goals(shape: LeadsShape, chosen: Chosen, told: Told) -> None:
    """Report goals of campaigns that no figure is split by, or that ``where`` leaves out."""
    if shape.goals and shape.goal is not None:
        told(("goals",), "stand beside a goal for all", "write the others' goal under goals, as '*'")
    elif shape.goals and not shape.by:
        told(("goals",), "name values, but the figures are not split", "add by: [campaign]")
    by = shape.by[0] if shape.by else ""
    listed = shape.where.get(by)
    for value, one in shape.goals.items():
        chosen(("goals", value, "calendar"), one.calendar)
        if listed and value != ANY and value not in listed:
            told(("goals", value), f"is a {by} that where leaves out", "add it to where, or leave it out")


def _weights(shape: WeightsShape) -> Weights:
    by = {"source": shape.source, "segment": shape.segment}
    scores = sorted(shape.score.items(), reverse=True)
    return Weights(by={name: values for name, values in by.items() if values}, scores=tuple(scores))


def _goal(shape: GoalShape, told: Told, path: tuple[str, ...]) -> Goal:
    for name in ("marketing_share", "close_rate"):
        if not getattr(shape, name):
            told((*path, name), "is 0 %: no number of leads would do", "write what is expected: 5 %")
    return Goal(
        sales=shape.sales,
        share=shape.marketing_share,
        average_deal=shape.average_deal,
        close_rate=shape.close_rate or 1.0,
        calendar=shape.calendar,
        counts=shape.counts,
    )
