"""Verdicts on objectives, and the life of their alerts (domain.md §7 and §9).

**Verdicts** compare the unrounded value with the target: 99.895 % misses 99.9 %. ``at_risk`` is a second threshold on
the safe side of the target; a closed period is met or breached and no longer at risk. Below the minimum sample the
verdict is ``low_sample``, with three exceptions:

- Availability, downtime and failures need no sample: a service that never failed is measured all the time. Their sample
  is the number of failures, and says so.
- Nor do the leads that a goal asks for: that none were delivered is the miss itself.
- A target that nothing can repair (a ratio of 100 %, or of at most 0 %) is breached by the first bad event.

**A figure that lacks something** (an outage whose customers no event names) keeps no promise: its verdict is
``no_data``. It is ``breached`` (or ``at_risk``) if it is beyond that bound already, where what it lacks can only make
it worse.

The sample is the denominator of a ratio or mean; of a percentile and the longest it is the number of durations.

An objective with a budget of **timeslices** is judged by its slices alone: it is missed once its budget is exhausted.
The sample stays that of the objective's figure, and without a figure there is no verdict.

**Alerts** of an objective live in cycles, each with its own key (its number is in it):

    quiet ──► at_risk ──► breached ──► resolved      the next cycle begins at the next ``at_risk`` or ``breached``
      └──────────────────────┘

An alert is resolved as soon as the target is kept again. If the figure is then still near the target, ``at_risk`` is
not told once more before it was safe or broke again: a figure that swings about its target must not chatter. Neither
``low_sample`` nor ``no_data`` says anything, but a rolling window that runs empty resolves its alert (``no_data``):
nobody would ever be told that it is over. In a calendar period the alert stays until the period closes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from monitor.core.agreements.indicators import NAMED
from monitor.core.alerts.alert import Alert, AlertKey, AlertState, alert_id
from monitor.core.objectives.budget import good_slices
from monitor.core.objectives.status import ObjectiveVerdict, Verdict
from monitor.core.series.figures import Figure
from monitor.core.series.series import labels_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.objectives import Objective
    from monitor.core.objectives.budget import BudgetFigure
    from monitor.core.series.series import SeriesKey

Standing = Literal["quiet", "at_risk", "breached", "eased"]


class Announced(NamedTuple):
    """What was last told of an objective in a window.

    ``eased`` is quiet after a breach, while the figure is still near the target. ``cycle`` counts the alerts there
    were; ``since_ms`` is when the standing changed, ``version`` that of the agreement under which the alert began.
    """

    state: Standing = "quiet"
    cycle: int = 0
    since_ms: int = 0
    version: int = 0

    @property
    def firing(self) -> bool:
        """Whether an alert is out that must be ended some time."""
        return self.state in ("at_risk", "breached")


QUIET: Final = Announced()

_NEEDS_NO_SAMPLE: Final = frozenset({"failures", "promised"})
"""The kinds of samples that are never too small."""

Told = tuple[AlertState, str]
"""What is to be told: the state and the reason."""


def judge(
    objective: Objective,
    figures: Sequence[Figure],
    durations: int,
    *,
    calendar: bool,
    closed: bool,
    provisional: bool = False,
) -> ObjectiveVerdict:
    """Return what became of an objective.

    Args:
        objective: what was promised.
        figures: those of the measure in the window.
        durations: how many durations the percentiles are made of.
        calendar: the window is a calendar period, not a rolling window.
        closed: the period is over and its allowed lateness, too.
        provisional: the promise outlasts the period and is stated later (`monitor.core.agreements.cohorts`).
    """
    figure = next((one for one in figures if one.indicator == objective.indicator), None)
    sample, enough = _sample(objective, figure, figures, durations)
    verdict: Verdict
    if provisional:
        verdict = "provisional"
    elif figure is None or figure.value is None or (figure.lacking and not NAMED[figure.indicator].only_worsens):
        verdict = "no_data"
    elif objective.is_beyond(figure.value, objective.target):
        verdict = "breached" if enough or _irreparable(objective, figure) else "low_sample"
    elif not enough:
        verdict = "low_sample"
    elif not closed and objective.at_risk is not None and objective.is_beyond(figure.value, objective.at_risk):
        verdict = "at_risk"
    elif figure.lacking:
        verdict = "no_data"
    else:
        verdict = "on_track" if calendar and not closed else "met"
    return ObjectiveVerdict(
        objective.id, objective.indicator, objective.comparison, objective.target, objective.at_risk,
        figure.value if figure else None, sample, objective.minimum_sample, verdict,
    )  # fmt: skip


def judge_slices(
    objective: Objective, of_figure: ObjectiveVerdict, budget: BudgetFigure, *, calendar: bool, closed: bool
) -> ObjectiveVerdict:
    """Return the verdict on an objective of timeslices.

    Args:
        objective: the promise.
        of_figure: the verdict by the figure of the whole window, which gives the sample.
        budget: the budget of the window.
        calendar: whether the window is a calendar period, not a rolling window.
        closed: whether the period and its allowed lateness are over.
    """
    indicator, comparison, goal = objective.judged
    value = good_slices(budget).value if of_figure.value is not None else None
    enough = of_figure.sample >= objective.minimum_sample or NAMED[objective.indicator].sample in _NEEDS_NO_SAMPLE
    verdict: Verdict
    if value is None:
        verdict = "no_data"
    elif budget.exhausted:
        verdict = "breached" if enough or goal >= 1 else "low_sample"
    elif not enough:
        verdict = "low_sample"
    elif not closed and objective.at_risk is not None and value < objective.at_risk:
        verdict = "at_risk"
    else:
        verdict = "on_track" if calendar and not closed else "met"
    return ObjectiveVerdict(
        objective.id, indicator, comparison, goal, objective.at_risk, value, of_figure.sample,
        objective.minimum_sample, verdict,
    )  # fmt: skip


def _irreparable(objective: Objective, figure: Figure) -> bool:
    if figure.unit != "ratio":
        return False
    return objective.target >= 1 if objective.comparison == ">=" else objective.target <= 0


def _sample(objective: Objective, figure: Figure | None, figures: Sequence[Figure], durations: int) -> tuple[int, bool]:
    """Return the sample and whether it is large enough."""
    kind = NAMED[objective.indicator].sample
    if kind == "failures":
        failures = next((one.value for one in figures if one.indicator == "failures"), None)
        return int(failures or 0), True
    sample = durations if kind == "durations" else int(figure.denominator) if figure else 0
    return sample, sample >= objective.minimum_sample or kind == "promised"


def announce(
    was: Announced, verdict: Verdict, comparison: str, at_ms: int, version: int, *, rolling: bool
) -> tuple[Announced, Told | None]:
    """Return how an objective stands after a verdict, and what is to be told.

    A look at an instant before the last change tells nothing: the newer one saw more (a restarted worker judges by the
    watermark of a source that is catching up).
    """
    if at_ms < was.since_ms or verdict in {"low_sample", "provisional"} or (verdict == "no_data" and not rolling):
        return was, None
    if verdict == "breached":
        return _worse(was, verdict, "below_target" if comparison == ">=" else "above_target", at_ms, version)
    if verdict == "at_risk":
        if was.state == "breached":
            return was._replace(state="eased", since_ms=at_ms), ("resolved", "target_met")
        return _worse(was, verdict, "near_target", at_ms, version)
    return ended(was, at_ms, "no_data" if verdict == "no_data" else "target_met")


def _worse(
    was: Announced, state: Literal["at_risk", "breached"], reason: str, at_ms: int, version: int
) -> tuple[Announced, Told | None]:
    if was.state == state or (was.state == "eased" and state == "at_risk"):
        return was, None
    if was.state == "at_risk":
        return was._replace(state=state, since_ms=at_ms), (state, reason)
    return Announced(state, was.cycle + 1, at_ms, version), (state, reason)


def ended(was: Announced, at_ms: int, reason: str) -> tuple[Announced, Told | None]:
    """Return a quiet objective, and the end of its alert if there is one."""
    if was.firing:
        return was._replace(state="quiet", since_ms=at_ms), ("resolved", reason)
    return (was._replace(state="quiet", since_ms=at_ms) if was.state == "eased" else was), None


class Place(NamedTuple):
    """Where an objective is judged: series, window and, for a calendar window, the date its period begins."""

    series: SeriesKey
    labels: dict[str, str]
    window: str
    period: str = ""

    @property
    def what(self) -> str:
        """What the alert is about: ``finance,P1|month|2026-11-01``. A comma or bar in a value is escaped."""
        values = [value.replace("%", "%25").replace(",", "%2C").replace("|", "%7C") for value in self.series.values]
        return "|".join((",".join(values), self.window, *([self.period] if self.period else [])))


def labels_of(began: Agreement | None, series: SeriesKey) -> dict[str, str]:
    """Return the labels of a series under the version with which an alert began; none where it is known no more.

    An amendment must not change the labels of an alert that is out.
    """
    measure = began.measure(series.measure) if began else None
    return labels_in(measure.by, series) if measure else {}


def told_state(standing: Announced) -> AlertState:
    """Return the state of the alert that tells a standing: what fires, or that it does no more."""
    if standing.state in {"breached", "at_risk"}:
        return standing.state
    return "resolved"


def objective_alert(
    place: Place, indicator: str, standing: Announced, told: Told, at_ms: int, version: int, verdict: ObjectiveVerdict,
    figure: Figure | None,
) -> Alert:  # fmt: skip
    """Return an announcement.

    Args:
        place: where the objective is judged.
        indicator: that of the objective when the alert began. It is a label, and labels never change.
        standing: the objective's standing from now on.
        told: what is told.
        at_ms: when it became true.
        version: the agreement's version by which it was judged.
        verdict: the judgement, or `unjudged` where none is made any more.
        figure: what was judged.
    """
    state, reason = told
    key = AlertKey("objective", place.what, place.series.agreement, verdict.objective, standing.cycle)
    labels = {
        "agreement": place.series.agreement,
        "objective": verdict.objective,
        "measure": place.series.measure,
        "indicator": indicator,
        "window": place.window,
        **place.labels,
    }
    # In a cycle each state is told at most once: nothing else has to tell ids apart.
    return Alert(
        alert_id(key, state, "", 0), key, state, at_ms, reason, version, labels,
        indicator=verdict.indicator or indicator, window=place.window, value=verdict.value,
        target=verdict.target if verdict.comparison else None,
        numerator=figure.numerator if figure else None, denominator=figure.denominator if figure else None,
    )  # fmt: skip


def unjudged(objective_id: str) -> ObjectiveVerdict:
    """Return the verdict on an objective that is judged no more."""
    return ObjectiveVerdict(objective_id, "", "", 0.0, None, None, 0, 0, "no_data")
