"""From the shape of ``notify`` to the core's `Notify`: who is told, and the ladder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.config.reading.quantities import duration_text
from monitor.config.reading.shape import did_you_mean
from monitor.core.agreements.agreement import Notify, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.config.agreements.agreement_shape import NotifyShape
    from monitor.config.agreements.calendars import Told
    from monitor.core.time.calendar import Calendar


def notify(shape: NotifyShape, calendars: Mapping[str, Calendar], told: Told) -> Notify:
    """Return who is told, after telling all that is wrong with it."""
    if shape.escalation and not shape.receivers:
        told(("escalation",), "nobody is told before the first step", "name receivers, who are told at once")
    before_ms = 0
    for number, step in enumerate(shape.escalation):
        at = ("escalation", number)
        if step.hours not in calendars:
            told((*at, "hours"), f"there is no calendar {step.hours!r}", did_you_mean(step.hours, calendars))
        if step.after <= before_ms:
            told(
                (*at, "after"),
                f"is not later than the step before it, {duration_text(before_ms)}",
                "all steps count from the alert: write them in their order",
            )
        before_ms = step.after
    return Notify(
        receivers=tuple(shape.receivers),
        at_risk=tuple(shape.at_risk),
        group_wait_ms=shape.group_wait,
        group_interval_ms=shape.group_interval,
        escalation=tuple(Step(one.after, tuple(one.receivers), one.hours) for one in shape.escalation),
    )
