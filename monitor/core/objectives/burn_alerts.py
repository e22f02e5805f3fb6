"""The alert that announces that an error budget burns too fast, or no longer does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.alerts.alert import Alert, AlertKey, alert_id
from monitor.core.objectives.verdicts import Announced, Place, labels_of, told_state

if TYPE_CHECKING:
    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.budget_rule import BurnAlert
    from monitor.core.agreements.objectives import Objective
    from monitor.core.objectives.budget import Burn
    from monitor.core.series.series import SeriesKey

BURN_RATE = "burn_rate"


def burn_alert(
    series: SeriesKey, began: Agreement | None, objective_id: str, pair: str, now: Announced, reason: str, version: int,
    burn: Burn | None,
) -> Alert:  # fmt: skip
    """Return the alert that announces the new state of a pair of windows.

    Args:
        series: the series whose budget burns.
        began: the agreement's version under which the alert began, because an alert's labels never change; None if
            that version is no longer known.
        objective_id: the objective's id.
        pair: the name of the pair of windows.
        now: the state of the pair from now on.
        reason: ``burns_budget``, ``burns_less``, ``no_data``, or the reason why the pair is no longer judged.
        version: the version by which the pair was judged.
        burn: the burn rate in the long window; None if the pair is no longer judged.
    """
    objective = next((one for one in began.objectives if one.id == objective_id), None) if began else None
    labels = labels_of(began, series)
    key = AlertKey("burn", Place(series, labels, pair).what, series.agreement, objective_id, now.cycle)
    agreed = _pair(objective, pair)
    state = told_state(now)
    return Alert(
        alert_id(key, state, "", 0), key, state, now.since_ms, reason, version,
        {
            "agreement": series.agreement,
            "objective": objective_id,
            "measure": series.measure,
            "indicator": objective.indicator if objective else "",
            "window": pair,
            "urgency": agreed.urgency if agreed else "",
            **labels,
        },
        indicator=BURN_RATE, window=pair, value=burn.rate if burn else None, target=agreed.burn if agreed else None,
        numerator=burn.bad if burn else None, denominator=burn.all if burn else None,
    )  # fmt: skip


def _pair(objective: Objective | None, name: str) -> BurnAlert | None:
    alerts = objective.budget.alerts if objective is not None and objective.budget is not None else ()
    return next((one for one in alerts if one.name == name), None)
