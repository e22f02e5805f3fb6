"""The table of indicators: every fact about a figure that an agreement can promise, once.

Every part of the program that needs a fact about an indicator asks this table: the loader (may this measure be promised
this, in which direction, in which unit?), the verdicts (how large was the sample?), the evaluator (is a change news, or
did time only pass?), the statements (can it be judged yet?), the sentences of alerts, the metrics and the dashboards. A
name that is not in the table is a `KeyError`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, get_args

from monitor.core.agreements.budget_rule import GOOD_SLICES
from monitor.core.agreements.measures import MeasureKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.core.agreements.objectives import Comparison

Unit = Literal["ratio", "ms", "count", "amount"]
"""The unit of a figure: a share, milliseconds, a number, or money in the agreement's currency."""
Better = Literal["higher", "lower"]
Counts = Literal["events", "time", "customers", "scores"]
Sample = Literal["denominator", "promised", "durations", "failures"]
Needs = Literal["", "follow_up", "close", "activity", "goal", "repeats", "steps", "customers", "major_days"]
Cohort = Literal["", "follow_up", "depth", "close", "repeats", "restored"]


@dataclass(frozen=True, slots=True)
class Indicator:
    """The facts about one indicator of one kind of measure."""

    unit: Unit
    better: Better
    """The good direction: a target is a lower bound where higher is better, else an upper bound."""
    counts: Counts
    """The numerator and denominator of the figure.

    Of ``events`` (and of the durations of events) an alert tells them as numbers, and a target is a whole number. Both
    are durations where it is a share of ``time``. An average of ``customers`` may have a target like 1.2 interruptions,
    one of ``scores`` a target like 4.5.
    """
    sample: Sample
    """The size of the sample that an objective's ``minimum_sample`` is compared with.

    It is the figure's ``denominator`` or the number of ``durations`` that a percentile is made of. Two kinds of
    indicators are judged whatever the sample: ``promised`` amounts (the sample is the denominator, but a small one is
    too little of what was promised, not too little to judge), and those of a service that is measured all the time
    (the sample is the number of ``failures``, for information).
    """
    needs: Needs
    """The part of an agreement without which the indicator has no value, or "".

    ``follow_up``: the time allowed for the first attempt at a lead. ``close``: the time within which leads are to be
    won. ``activity``: what is asked of a lead before its hand-over. ``goal``: the sales goal. ``repeats``: the time
    within which another call of the same caller is a repeat.
    ``steps``: outages with steps of their own, from the acknowledgement to the resolution; a composite service has
    none. ``customers``: how many are served. ``major_days``: these, and a rule for major event days.
    """
    grows: bool
    """Whether the value differs at each instant, because the length of the time that has passed is part of it."""
    cohort: Cohort = ""
    """The promise by which a subject is judged long after it is counted, or "": most are judged at the period's end.

    The figures of such a promise are stated by cohorts (`monitor.core.agreements.cohorts`).
    """
    only_worsens: bool = False
    """Whether the subjects that a figure lacks (`Figure.lacking`) could only have made it worse.

    Then a figure that misses its target misses it with them, too. Any other figure that lacks something proves nothing.
    """

    @property
    def comparison(self) -> Comparison:
        """The comparison of a kept promise: value with target."""
        return ">=" if self.better == "higher" else "<="


_DURATION: Final = Indicator("ms", "lower", "events", "durations", needs="", grows=False)
"""A percentile of durations, or the longest."""
_INTERRUPTIONS: Final = Indicator(
    "count", "lower", "customers", "denominator", needs="customers", grows=False, cohort="restored", only_worsens=True
)
"""Interruptions for each customer, sustained ones or momentary ones (IEEE 1366)."""
_STEP: Final = Indicator("ms", "lower", "events", "denominator", needs="steps", grows=False)
"""A mean time to a step of an outage."""
_SERVICE_LEVEL: Final = Indicator("ratio", "higher", "events", "denominator", needs="", grows=False)
_WANTED: Final = Indicator("count", "higher", "events", "denominator", needs="", grows=False)
"""A number of leads that got somewhere."""
_UNWANTED: Final = Indicator("count", "lower", "events", "denominator", needs="", grows=False)
_OF_DEPTH: Final = replace(_UNWANTED, cohort="depth")
"""A number of leads by their attempts."""
_NUMBER_OF_TICKETS: Final = Indicator("count", "lower", "events", "promised", needs="", grows=False)

INDICATORS: Final[Mapping[MeasureKind, Mapping[str, Indicator]]] = {
    "clock": {
        "compliance": Indicator("ratio", "higher", "events", "denominator", needs="", grows=False),
        "mean": Indicator("ms", "lower", "events", "denominator", needs="", grows=False),
        "p50": _DURATION,
        "p90": _DURATION,
        "p95": _DURATION,
        "p99": _DURATION,
        "longest": _DURATION,
        # by how much missed targets were missed
        "late": Indicator("ms", "lower", "events", "denominator", needs="", grows=False),
    },
    "call": {
        "SL1": _SERVICE_LEVEL,
        "SL2": _SERVICE_LEVEL,
        "SL3": _SERVICE_LEVEL,
        "SL4": _SERVICE_LEVEL,
        "SL5": _SERVICE_LEVEL,
        "SL6": _SERVICE_LEVEL,
        "asa": Indicator("ms", "lower", "events", "denominator", needs="", grows=False),
        "abandonment": Indicator("ratio", "lower", "events", "denominator", needs="", grows=False),
        "abandonment_net": Indicator("ratio", "lower", "events", "denominator", needs="", grows=False),
        "p50": _DURATION,
        "p90": _DURATION,
        "p95": _DURATION,
        "longest": _DURATION,
        "lost": _UNWANTED,
        "aht": Indicator("ms", "lower", "events", "denominator", needs="", grows=False),
        "talk": Indicator("ms", "lower", "events", "denominator", needs="", grows=False),
        "hold": Indicator("ms", "lower", "events", "denominator", needs="", grows=False),
        "wrap_up": Indicator("ms", "lower", "events", "denominator", needs="", grows=False),
        "turnaround": Indicator("ms", "lower", "events", "denominator", needs="", grows=False),
        "occupancy": Indicator("ratio", "lower", "events", "denominator", needs="", grows=False),
        "satisfaction": Indicator("count", "higher", "scores", "denominator", needs="", grows=False),
        "fcr_flag": Indicator("ratio", "higher", "events", "denominator", needs="", grows=False),
        "fcr_flag_net": Indicator("ratio", "higher", "events", "denominator", needs="", grows=False),
        "fcr": Indicator("ratio", "higher", "events", "denominator", needs="repeats", grows=False, cohort="repeats"),
        "fcr_net": Indicator(
            "ratio", "higher", "events", "denominator", needs="repeats", grows=False, cohort="repeats"
        ),
        "fcr_provisional": Indicator("ratio", "higher", "events", "denominator", needs="repeats", grows=False),
        "fcr_pending": Indicator("count", "lower", "events", "denominator", needs="repeats", grows=False),
    },
    "outage": {
        "availability": Indicator("ratio", "higher", "time", "failures", needs="", grows=True),
        # The period, its denominator, is told as a number, too.
        "downtime": Indicator("ms", "lower", "events", "failures", needs="", grows=True),
        "failures": Indicator("count", "lower", "events", "failures", needs="", grows=False),
        "mtbf": Indicator("ms", "higher", "events", "denominator", needs="", grows=True),
        "mttr_acknowledge": _STEP,
        "mttr_respond": _STEP,
        "mttr_restore": _STEP,
        "mttr_resolve": _STEP,
        "coverage": Indicator("ratio", "higher", "time", "failures", needs="", grows=True),
        # of the customers, where the agreement counts them (IEEE 1366)
        "saidi": Indicator(
            "ms",
            "lower",
            "customers",
            "denominator",
            needs="customers",
            grows=True,
            cohort="restored",
            only_worsens=True,
        ),
        "saifi": _INTERRUPTIONS,
        "caidi": Indicator("ms", "lower", "customers", "denominator", needs="customers", grows=True, cohort="restored"),
        # Customers times milliseconds are no duration: an alert tells them as numbers.
        "asai": Indicator(
            "ratio",
            "higher",
            "customers",
            "failures",
            needs="customers",
            grows=True,
            cohort="restored",
            only_worsens=True,
        ),
        "maifi": _INTERRUPTIONS,
        "saidi_net": Indicator(
            "ms", "lower", "customers", "denominator", needs="major_days", grows=True, cohort="restored"
        ),
        "saifi_net": Indicator(
            "count", "lower", "customers", "denominator", needs="major_days", grows=False, cohort="restored"
        ),
        "caidi_net": Indicator(
            "ms", "lower", "customers", "denominator", needs="major_days", grows=True, cohort="restored"
        ),
        "major_event_days": Indicator(
            "count", "lower", "events", "denominator", needs="major_days", grows=False, cohort="restored"
        ),
    },
    "lead": {
        "follow_up": Indicator(
            "ratio", "higher", "events", "denominator", needs="follow_up", grows=False, cohort="follow_up"
        ),
        "follow_up_pending": Indicator("count", "lower", "events", "denominator", needs="follow_up", grows=False),
        "mean": Indicator("ms", "lower", "events", "denominator", needs="", grows=False),
        "p50": _DURATION,
        "p90": _DURATION,
        "p95": _DURATION,
        "longest": _DURATION,
        "depth": replace(_WANTED, cohort="depth"),
        "depth_kept": Indicator("ratio", "higher", "events", "denominator", needs="", grows=False, cohort="depth"),
        "depth_pending": _UNWANTED,
        "depth_0": _OF_DEPTH,
        "depth_1": _OF_DEPTH,
        "depth_2": _OF_DEPTH,
        "depth_3": _OF_DEPTH,
        "depth_4": _OF_DEPTH,
        "depth_5": _OF_DEPTH,
        "depth_6": _OF_DEPTH,
        "activity_kept": Indicator("ratio", "higher", "events", "denominator", needs="activity", grows=False),
        "created": _WANTED,
        "handed_over": _WANTED,
        "attempted": _WANTED,
        "contacted": _WANTED,
        "qualified": _WANTED,
        "disqualified": _UNWANTED,
        "won": _WANTED,
        "lost": _UNWANTED,
        "customers": _WANTED,
        "revenue": Indicator("amount", "higher", "events", "denominator", needs="", grows=False),
        "delivered": Indicator("count", "higher", "events", "promised", needs="", grows=False),
        "close_rate": Indicator("ratio", "higher", "events", "denominator", needs="", grows=False),
        "matured_close_rate": Indicator(
            "ratio", "higher", "events", "denominator", needs="close", grows=False, cohort="close"
        ),
        "matured_pending": Indicator("count", "lower", "events", "denominator", needs="close", grows=False),
        "average_deal": Indicator("amount", "higher", "events", "denominator", needs="", grows=False),
        "marketing_share": Indicator("ratio", "higher", "events", "denominator", needs="", grows=False),
        "leads_needed": Indicator("count", "lower", "events", "denominator", needs="goal", grows=False),
        "leads_needed_now": Indicator("count", "lower", "events", "denominator", needs="goal", grows=False),
        "needed_to_date": Indicator("count", "lower", "events", "denominator", needs="goal", grows=False),
        "pace": Indicator("ratio", "higher", "events", "denominator", needs="goal", grows=False),
    },
    "ticket": {
        "tickets_opened": _NUMBER_OF_TICKETS,
        "tickets_reopened": _NUMBER_OF_TICKETS,
        "tickets_handed_over": _NUMBER_OF_TICKETS,
    },
}
"""The indicators of each kind of measure, in the order in which its figures come out.

``service_level`` in a file is the name of the formula that binds.
"""


def by_name(table: Mapping[MeasureKind, Mapping[str, Indicator]]) -> dict[str, Indicator]:
    """Return all indicators by their names alone: a verdict and an alert tell the name, not the kind of the measure.

    Raises:
        ValueError: a kind of measure has no indicators, or two kinds share a name for different facts.
    """
    if missing := set(get_args(MeasureKind)) - table.keys():
        msg = f"no indicators of {', '.join(sorted(missing))}"
        raise ValueError(msg)
    found: dict[str, Indicator] = {}
    for kind, indicators in table.items():
        for name, one in indicators.items():
            if found.setdefault(name, one) != one:
                msg = f"{name} of a {kind} has other facts than {name} of another kind of measure"
                raise ValueError(msg)
    return found


NAMED: Final[Mapping[str, Indicator]] = {
    **by_name(INDICATORS),
    GOOD_SLICES: Indicator("ratio", "higher", "time", "denominator", needs="", grows=False),
}
"""Every indicator by its name, and the share of good slices, which is no figure of a measure."""
KIND_OF: Final[Mapping[str, MeasureKind]] = {
    name: kind
    for kind, indicators in INDICATORS.items()
    for name in indicators
    if sum(name in others for others in INDICATORS.values()) == 1
}
"""The kind of measure of each indicator that only one kind has."""


def check_complete(what: str, entries: Mapping[str, Iterable[str]]) -> None:
    """Refuse entries by kind of measure and indicator, kept by another module, that are not those of the table.

    A module that calls this at import cannot be imported as long as an indicator is forgotten in it.

    Raises:
        ValueError: an indicator has no entry, or an entry no indicator.
    """
    there: set[tuple[str, str]] = {(kind, name) for kind, names in entries.items() for name in names}
    wanted: set[tuple[str, str]] = {(kind, name) for kind, names in INDICATORS.items() for name in names}
    if different := there ^ wanted:
        told = ", ".join(f"{name} of a {kind}" for kind, name in sorted(different))
        msg = f"{what} and the table of indicators differ: {told}"
        raise ValueError(msg)
