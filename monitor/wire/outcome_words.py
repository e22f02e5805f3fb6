"""What follows from a missed objective, as people read it: credits, damages, rights to terminate, and their dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.objectives.consequence import MONEY
from monitor.core.objectives.forecast import forecast
from monitor.core.objectives.status import judged_figure
from monitor.wire.times import duration, instant
from monitor.wire.wording import plural, quantity, shown_apart, unit_of

if TYPE_CHECKING:
    from monitor.core.objectives.budget import BudgetFigure
    from monitor.core.objectives.consequence import Consequence
    from monitor.core.objectives.forecast import Forecast
    from monitor.core.objectives.status import ObjectiveVerdict, WindowStatus
    from monitor.core.series.figures import Figure

_STANDING: Final = {"termination_right": "may terminate", "termination_warning": "one miss before termination"}
_TIMES: Final = {"per_hour": ("h", "h"), "per_case": ("case", "cases")}


def follows(one: Consequence) -> str:
    """Return a consequence in words: ``credit 2250.00 EUR, payable 1000.00 (cap of the month)``."""
    if one.breach:
        return f"may terminate at once ({one.breach})"
    if one.kind not in MONEY:
        return f"{_STANDING[one.kind]} ({len(one.evidence.misses)} misses)"
    text = f"{one.kind} {one.amount:f} {one.currency}"
    if one.basis in _TIMES:
        unit = _TIMES[one.basis][one.quantity != 1]
        text += f" ({round(one.quantity, 2).normalize():f} {unit} at {one.rate:f})"
    return text if one.payable == one.amount else f"{text}, payable {one.payable:f} (cap of the {one.bound_by})"


def claim_left(one: Consequence, now_ms: int) -> str:
    """Return the time that is left to claim a consequence: ``no limit``, a duration, or ``over``."""
    if not one.claim_until_ms:
        return "no limit"
    left_ms = one.claim_until_ms - now_ms
    return duration(left_ms, days=True) if left_ms > 0 else "over"


def value_and_target(verdict: ObjectiveVerdict) -> tuple[str, str]:
    """Return the value of a verdict ("": none), and its target with the comparison; they read apart if they differ."""
    unit = unit_of(verdict.indicator)
    if verdict.value is None:
        return "", f"{verdict.comparison} {quantity(unit, verdict.target)}"
    value, target = shown_apart(unit, verdict.value, verdict.target)
    return value, f"{verdict.comparison} {target}"


def pace_text(ahead: Forecast) -> str:
    """Return at which pace an error budget is forecast: ``at this pace``, ``at the pace of the last 3d``."""
    return f"at the pace of the last {ahead.pace}" if ahead.pace else "at this pace"


def forecast_text(status: WindowStatus, budget: BudgetFigure, zone: str) -> str:
    """Return when an error budget of a running window is used up, in words; "" if nobody can tell."""
    ahead = forecast(status, budget)
    if ahead is None:
        return ""
    if ahead.used_up_ms is None:
        return f"lasts {pace_text(ahead)}"
    return f"used up {instant(ahead.used_up_ms, zone)} {pace_text(ahead)}"


def lacking(figure: Figure | None) -> str:
    """Return what a figure leaves out: ``without 3 outages of unknown customers``; "" for nothing."""
    if figure is None or not figure.lacking:
        return ""
    return f"without {plural(figure.lacking, 'outage')} of unknown customers"


def sample_text(status: WindowStatus, verdict: ObjectiveVerdict) -> str:
    """Return the sample of a verdict, and what its figure leaves out: ``5000, without 3 outages of …``."""
    return ", ".join(filter(None, (str(verdict.sample), lacking(judged_figure(status, verdict)))))
