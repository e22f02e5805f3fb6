"""Cohorts: the promises that outlast the period in which they are counted (domain.md §6).

"Of November's leads, those won within 90 days" cannot be judged when November is over. The statement of the period
calls the verdict on such a promise ``provisional``, and a second one states the cohort, whole and once, at

    the end of the last span that began in the period + the allowed lateness

Its window is that of the period with the name of the promise after it (`monitor.core.time.windows.Window.cohort`):
``month+follow_up``. It holds the figures and objectives of that promise alone. A period whose last span is over before
its lateness is needs no second statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.agreements.agreement import windows_of
from monitor.core.agreements.indicators import INDICATORS
from monitor.core.time.units import DAY_MS

if TYPE_CHECKING:
    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.measures import Measure
    from monitor.core.time.windows import Window

_SAMPLED_DAYS: Final = 2 * 366
_SLACK_MS: Final = 14 * DAY_MS
"""The holidays of later years may make a span of business time longer than any of the sampled ones."""


def cohort_windows(agreement: Agreement, measure: Measure) -> tuple[Window, ...]:
    """Return the windows of a measure's second statements, each once.

    Each of its periods has one for each promise that the measure itself sets the span of (`Measure.cohorts`) or that an
    objective makes for this window.
    """
    return tuple(
        [
            window._replace(cohort=cohort)
            for window in windows_of(agreement, measure)
            if window.kind != "rolling"
            for cohort in _cohorts(agreement, measure, window)
        ]
    )


def _cohorts(agreement: Agreement, measure: Measure, window: Window) -> dict[str, None]:
    of_indicators = INDICATORS[measure.kind]
    promised = [
        of_indicators[one.indicator].cohort
        for one in agreement.objectives
        if one.measure == measure.id and window in one.windows and measure.has_cohorts
    ]
    return dict.fromkeys(one for one in (*measure.cohorts, *promised) if one)


def settles_ms(agreement: Agreement, measure: Measure, window: Window, length_ms: int) -> int:
    """Return how long after a window its counts may still change: the longest span of its cohorts, if it has any."""
    found = measure.settles_ms(window, length_ms)
    if window.kind == "rolling":
        return found
    for cohort in _cohorts(agreement, measure, window):
        ends_ms = range(agreement.valid_from_ms, agreement.valid_from_ms + _SAMPLED_DAYS * DAY_MS, DAY_MS)
        spans_ms = [measure.span_end_ms(cohort, one, agreement.calendars) - one for one in ends_ms]
        slack_ms = _SLACK_MS if min(spans_ms) < max(spans_ms) else 0
        found = max(found, max(spans_ms) + slack_ms)
    return found
