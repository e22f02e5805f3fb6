"""The metrics that show each figure: every indicator, spread and live count, by the kind of the measure."""

from __future__ import annotations

from typing import Final, NamedTuple

from monitor.core.agreements.indicators import check_complete
from monitor.core.leads.leads import DEEPEST, STAGES
from monitor.metrics.catalogue import (
    CALL_ABANDONMENT,
    CALL_ABANDONMENT_ABANDONED,
    CALL_ABANDONMENT_SAMPLES,
    CALL_ANSWER,
    CALL_ANSWER_SAMPLES,
    CALL_FIRST,
    CALL_FIRST_GOOD,
    CALL_FIRST_PENDING,
    CALL_FIRST_SAMPLES,
    CALL_HANDLE,
    CALL_HANDLE_SAMPLES,
    CALL_OCCUPANCY,
    CALL_SATISFACTION,
    CALL_SATISFACTION_SAMPLES,
    CALL_SERVICE_LEVEL,
    CALL_SERVICE_LEVEL_GOOD,
    CALL_SERVICE_LEVEL_SAMPLES,
    CALL_TURNAROUND,
    CALL_WAIT_LONGEST,
    CALL_WAIT_PERCENTILE,
    CALL_WAIT_SPREAD,
    CALLS_LONGEST,
    CALLS_LOST,
    CALLS_WAITING,
    CLOCK_COMPLIANCE,
    CLOCK_COMPLIANCE_MET,
    CLOCK_COMPLIANCE_SAMPLES,
    CLOCK_ELAPSED_LONGEST,
    CLOCK_ELAPSED_MEAN,
    CLOCK_ELAPSED_PERCENTILE,
    CLOCK_ELAPSED_SAMPLES,
    CLOCK_ELAPSED_SPREAD,
    CLOCK_LATE_MEAN,
    CLOCKS_AT_RISK,
    CLOCKS_INCOMPLETE,
    CLOCKS_OPEN,
    CLOCKS_OVERDUE,
    CLOCKS_PAUSED,
    CLOCKS_UNDATED,
    LEAD_ACTIVITY,
    LEAD_AVERAGE_DEAL,
    LEAD_CLOSE_RATE,
    LEAD_CUSTOMERS,
    LEAD_DEPTH,
    LEAD_DEPTH_KEPT,
    LEAD_DEPTH_LEADS,
    LEAD_DEPTH_SAMPLES,
    LEAD_FOLLOW_UP,
    LEAD_FOLLOW_UP_GOOD,
    LEAD_FOLLOW_UP_SAMPLES,
    LEAD_FUNNEL,
    LEAD_MARKETING_SHARE,
    LEAD_MATURED_CLOSE_RATE,
    LEAD_PACE,
    LEAD_REVENUE,
    LEAD_SPEED,
    LEAD_SPEED_LONGEST,
    LEAD_SPEED_PERCENTILE,
    LEAD_SPEED_SPREAD,
    LEADS_DELIVERED,
    LEADS_FOLLOWING,
    LEADS_LATE,
    LEADS_LONGEST,
    LEADS_MATURING,
    LEADS_NEEDED,
    LEADS_OPEN,
    LEADS_PENDING,
    LEADS_WAITING,
    OUTAGE_ASAI,
    OUTAGE_AVAILABILITY,
    OUTAGE_CAIDI,
    OUTAGE_COVERAGE,
    OUTAGE_DOWNTIME,
    OUTAGE_FAILURES,
    OUTAGE_MAIFI,
    OUTAGE_MAJOR_DAYS,
    OUTAGE_MTBF,
    OUTAGE_MTTR,
    OUTAGE_MTTR_SAMPLES,
    OUTAGE_PROMISED,
    OUTAGE_SAIDI,
    OUTAGE_SAIFI,
    OUTAGE_UP,
    OUTAGES_BLIND,
    OUTAGES_MAINTENANCE,
    OUTAGES_OLDEST,
    OUTAGES_OPEN,
    OUTAGES_UNKNOWN,
    TICKETS_COUNTED,
)
from monitor.metrics.declaring import MAX_SERIES, Metric


class Shown(NamedTuple):
    """The metrics of one indicator's figure: value, numerator and denominator, and the value of their extra label.

    ``lacking`` shows how many subjects the figure leaves out.
    """

    value: Metric
    numerator: Metric | None = None
    denominator: Metric | None = None
    extra: tuple[str, ...] = ()
    lacking: Metric | None = None


FIGURES: Final[dict[str, dict[str, Shown]]] = {
    "clock": {
        "compliance": Shown(CLOCK_COMPLIANCE, CLOCK_COMPLIANCE_MET, CLOCK_COMPLIANCE_SAMPLES),
        "mean": Shown(CLOCK_ELAPSED_MEAN, None, CLOCK_ELAPSED_SAMPLES),
        **{f"p{p}": Shown(CLOCK_ELAPSED_PERCENTILE, extra=(str(p),)) for p in (50, 90, 95, 99)},
        "longest": Shown(CLOCK_ELAPSED_LONGEST),
        "late": Shown(CLOCK_LATE_MEAN),
    },
    "call": {
        **{
            f"SL{n}": Shown(CALL_SERVICE_LEVEL, CALL_SERVICE_LEVEL_GOOD, CALL_SERVICE_LEVEL_SAMPLES, (f"SL{n}",))
            for n in range(1, 7)
        },
        "asa": Shown(CALL_ANSWER, None, CALL_ANSWER_SAMPLES),
        "abandonment": Shown(CALL_ABANDONMENT, CALL_ABANDONMENT_ABANDONED, CALL_ABANDONMENT_SAMPLES, ("gross",)),
        "abandonment_net": Shown(CALL_ABANDONMENT, CALL_ABANDONMENT_ABANDONED, CALL_ABANDONMENT_SAMPLES, ("net",)),
        **{f"p{p}": Shown(CALL_WAIT_PERCENTILE, extra=(str(p),)) for p in (50, 90, 95)},
        "longest": Shown(CALL_WAIT_LONGEST),
        "lost": Shown(CALLS_LOST),
        "aht": Shown(CALL_HANDLE, None, CALL_HANDLE_SAMPLES, ("all",)),
        **{part: Shown(CALL_HANDLE, None, CALL_HANDLE_SAMPLES, (part,)) for part in ("talk", "hold", "wrap_up")},
        "turnaround": Shown(CALL_TURNAROUND),
        "occupancy": Shown(CALL_OCCUPANCY),
        "satisfaction": Shown(CALL_SATISFACTION, None, CALL_SATISFACTION_SAMPLES),
        **{
            name: Shown(CALL_FIRST, CALL_FIRST_GOOD, CALL_FIRST_SAMPLES, extra)
            for name, extra in {
                "fcr_flag": ("flag", "gross"),
                "fcr_flag_net": ("flag", "net"),
                "fcr": ("repeat", "gross"),
                "fcr_net": ("repeat", "net"),
                "fcr_provisional": ("repeat_so_far", "gross"),
            }.items()
        },
        "fcr_pending": Shown(CALL_FIRST_PENDING),
    },
    "outage": {
        "availability": Shown(OUTAGE_AVAILABILITY, OUTAGE_UP, OUTAGE_PROMISED),
        "downtime": Shown(OUTAGE_DOWNTIME),
        "failures": Shown(OUTAGE_FAILURES),
        "mtbf": Shown(OUTAGE_MTBF),
        **{
            f"mttr_{stage}": Shown(OUTAGE_MTTR, None, OUTAGE_MTTR_SAMPLES, (stage,))
            for stage in ("acknowledge", "respond", "restore", "resolve")
        },
        "coverage": Shown(OUTAGE_COVERAGE),
        "saidi": Shown(OUTAGE_SAIDI, extra=("all",)),
        "saifi": Shown(OUTAGE_SAIFI, extra=("all",)),
        "caidi": Shown(OUTAGE_CAIDI, extra=("all",)),
        "asai": Shown(OUTAGE_ASAI, lacking=OUTAGES_UNKNOWN),
        "maifi": Shown(OUTAGE_MAIFI),
        "saidi_net": Shown(OUTAGE_SAIDI, extra=("ordinary",)),
        "saifi_net": Shown(OUTAGE_SAIFI, extra=("ordinary",)),
        "caidi_net": Shown(OUTAGE_CAIDI, extra=("ordinary",)),
        "major_event_days": Shown(OUTAGE_MAJOR_DAYS),
    },
    "lead": {
        "follow_up": Shown(LEAD_FOLLOW_UP, LEAD_FOLLOW_UP_GOOD, LEAD_FOLLOW_UP_SAMPLES),
        "follow_up_pending": Shown(LEADS_PENDING, extra=("follow_up",)),
        "mean": Shown(LEAD_SPEED),
        **{f"p{p}": Shown(LEAD_SPEED_PERCENTILE, extra=(str(p),)) for p in (50, 90, 95)},
        "longest": Shown(LEAD_SPEED_LONGEST),
        "depth": Shown(LEAD_DEPTH, None, LEAD_DEPTH_SAMPLES),
        "depth_kept": Shown(LEAD_DEPTH_KEPT),
        "depth_pending": Shown(LEADS_PENDING, extra=("depth",)),
        **{f"depth_{n}": Shown(LEAD_DEPTH_LEADS, extra=(str(n),)) for n in range(DEEPEST)},
        f"depth_{DEEPEST}": Shown(LEAD_DEPTH_LEADS, extra=(f"{DEEPEST} or more",)),
        "activity_kept": Shown(LEAD_ACTIVITY),
        **{stage: Shown(LEAD_FUNNEL, extra=(stage,)) for stage in ("created", *STAGES)},
        "customers": Shown(LEAD_CUSTOMERS),
        "revenue": Shown(LEAD_REVENUE),
        "delivered": Shown(LEADS_DELIVERED),
        "close_rate": Shown(LEAD_CLOSE_RATE),
        "matured_close_rate": Shown(LEAD_MATURED_CLOSE_RATE),
        "matured_pending": Shown(LEADS_PENDING, extra=("close",)),
        "average_deal": Shown(LEAD_AVERAGE_DEAL),
        "marketing_share": Shown(LEAD_MARKETING_SHARE),
        "leads_needed": Shown(LEADS_NEEDED, extra=("agreed",)),
        "leads_needed_now": Shown(LEADS_NEEDED, extra=("now",)),
        "needed_to_date": Shown(LEADS_NEEDED, extra=("to_date",)),
        "pace": Shown(LEAD_PACE),
    },
    "ticket": {
        f"tickets_{what}": Shown(TICKETS_COUNTED, extra=(what,)) for what in ("opened", "reopened", "handed_over")
    },
}
"""The metrics of each indicator (`monitor.core.agreements.indicators.INDICATORS`), by the kind of the measure."""
check_complete("the metrics of figures", FIGURES)


class Spread(NamedTuple):
    """The metric of a spread of durations: how many were at most each of these bounds (seconds), and how many all."""

    metric: Metric
    bounds: tuple[int, ...]


SPREADS: Final[dict[str, Spread]] = {
    "clock": Spread(
        CLOCK_ELAPSED_SPREAD, (60, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 115_200, 259_200)
    ),
    "call": Spread(CALL_WAIT_SPREAD, (2, 5, 10, 15, 20, 30, 60, 120, 300, 600)),
    "lead": Spread(LEAD_SPEED_SPREAD, (60, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 115_200)),
}
"""The spread of durations, by the kind of the measure. Each bound is a series of its own, so the bounds are few, and
only one window of a series has a spread."""
MAX_SPREADS: Final = MAX_SERIES // min(len(one.bounds) for one in SPREADS.values())
"""The most spreads that have room below `MAX_SERIES`: a snapshot need not hold more."""


class Live(NamedTuple):
    """The metric of one number about open subjects.

    An age is shown only if the count of its subjects (``age_of``) is not 0.
    """

    metric: Metric
    age_of: str = ""


LIVE: Final[dict[str, dict[str, Live]]] = {
    "clock": {
        "open": Live(CLOCKS_OPEN),
        "paused": Live(CLOCKS_PAUSED),
        "at_risk": Live(CLOCKS_AT_RISK),
        "overdue": Live(CLOCKS_OVERDUE),
        "incomplete": Live(CLOCKS_INCOMPLETE),
        "undated": Live(CLOCKS_UNDATED),
    },
    "call": {"waiting": Live(CALLS_WAITING), "longest_wait_ms": Live(CALLS_LONGEST, age_of="waiting")},
    "outage": {
        "open": Live(OUTAGES_OPEN),
        "oldest_ms": Live(OUTAGES_OLDEST, age_of="open"),
        "blind": Live(OUTAGES_BLIND),
        "maintenance": Live(OUTAGES_MAINTENANCE),
    },
    "lead": {
        "open": Live(LEADS_OPEN),
        "waiting": Live(LEADS_WAITING),
        "late": Live(LEADS_LATE),
        "following": Live(LEADS_FOLLOWING),
        "maturing": Live(LEADS_MATURING),
        "longest_wait_ms": Live(LEADS_LONGEST, age_of="waiting"),
    },
    "ticket": {},
}
"""The metrics of subjects that are open now (`WindowStatus.live`), by the kind of the measure."""
