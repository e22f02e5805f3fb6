"""Error budgets: how much may go wrong, how much has, and how fast it goes (domain.md §7).

    budget = 1 - target          burn = bad share / budget         (a share that must stay low: budget = target)

A burn of 1 uses the budget up exactly at the end of the period. Shares are compared as exact fractions: 14.399 is no
14.4, and a bad share of 72 % is exactly 14.4 times a budget of 5 %. Without any budget (a target of 100 %) the first
bad event is one too many: then there is no rate, and no sample is too small.

Burn alerts come in pairs of windows (Google, *The Site Reliability Workbook*, chapter 5): the long one shows that it
matters, the short one that it still goes on. The usual pairs of 30 days stand in `USUAL_ALERTS`; for another period
their windows become longer or shorter with it, so that each stands for the same part of the budget.

**Events** are counted by what the figure counts (availability: milliseconds). With **timeslices** the period is cut
into slices; one whose own figure misses the target is bad as a whole, one without a figure is good.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from monitor.core.measures import HOUR_MS, MINUTE_MS, Window
from monitor.core.series import WIDTH_MS, Width, width_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.core.figures import Figure
    from monitor.core.objectives import Comparison, Objective

Method = Literal["events", "timeslices"]
Urgency = Literal["page", "ticket"]
BudgetUnit = Literal["count", "ms"]

_DAY_MS: Final = 24 * HOUR_MS
_USUAL_PERIOD_MS: Final = 30 * _DAY_MS
_PERIOD_MS: Final = {
    "day": _DAY_MS, "week": 7 * _DAY_MS, "month": 30 * _DAY_MS, "quarter": 90 * _DAY_MS, "year": 365 * _DAY_MS,
}  # fmt: skip


class BurnAlert(NamedTuple):
    """A pair of windows, and the burn rate that neither may reach."""

    burn: float
    long_ms: int
    short_ms: int
    urgency: Urgency

    @property
    def long(self) -> Window:
        """The window that shows that it matters."""
        return Window("rolling", self.long_ms)

    @property
    def short(self) -> Window:
        """The window that shows that it goes on."""
        return Window("rolling", self.short_ms)

    @property
    def name(self) -> str:
        """The pair's name: ``1h+5m``."""
        return f"{self.long.name}+{self.short.name}"


USUAL_ALERTS: Final = (
    BurnAlert(14.4, HOUR_MS, 5 * MINUTE_MS, "page"),
    BurnAlert(6.0, 6 * HOUR_MS, 30 * MINUTE_MS, "page"),
    BurnAlert(3.0, 24 * HOUR_MS, 2 * HOUR_MS, "ticket"),
    BurnAlert(1.0, 72 * HOUR_MS, 6 * HOUR_MS, "ticket"),
)
"""The pairs of a period of 30 days: 2 %, 5 %, 10 % and 10 % of the budget, used up in the long window."""


class BudgetRule(NamedTuple):
    """How the error budget of an objective is kept.

    ``period`` is the longest of the objective's windows: that of the burn alerts. ``goal`` is the share of good slices
    (timeslices only). ``minimum_events``: fewer in the long window alert nobody; time is never too short a sample.
    """

    period: Window
    method: Method = "events"
    goal: float = 0.0
    slice_ms: int = MINUTE_MS
    alerts: tuple[BurnAlert, ...] = ()
    minimum_events: int = 20


class Share(NamedTuple):
    """So much of all was bad, in events or milliseconds."""

    bad: float
    all: float


class Burn(NamedTuple):
    """The burn rate in a window. None: nothing happened, or there is no budget to burn."""

    window: str
    rate: float | None
    bad: float
    all: float


class BudgetFigure(NamedTuple):
    """The error budget of an objective in a window: amounts in ``unit`` (``count`` of events, or ``ms``).

    What is counted in events grows with them, what is counted in time is that of the whole window. ``consumed_share``
    is None without a budget; ``exhausted`` says that more was bad than was allowed.
    """

    objective: str
    method: Method
    unit: BudgetUnit
    total: float
    consumed: float
    remaining: float
    consumed_share: float | None
    exhausted: bool
    burns: tuple[Burn, ...] = ()


def period_ms(window: Window) -> int:
    """Return the length of a window; a month has 30 days, a quarter 90, a year 365."""
    return window.length_ms or _PERIOD_MS[window.kind]


def scaled(alerts: Iterable[BurnAlert], period: Window) -> tuple[BurnAlert, ...]:
    """Return the alerts of 30 days for another period: windows in proportion to it, in whole panes, rounded up."""
    part = Fraction(period_ms(period), _USUAL_PERIOD_MS)
    return tuple(
        one._replace(long_ms=_whole_panes(one.long_ms * part), short_ms=_whole_panes(one.short_ms * part))
        for one in alerts
    )


def _whole_panes(length_ms: Fraction) -> int:
    minutes_ms = -(-length_ms // MINUTE_MS) * MINUTE_MS
    width_ms = WIDTH_MS[width_for(Window("rolling", minutes_ms))]
    return int(-(-minutes_ms // width_ms) * width_ms)


def allowed_share(objective: Objective) -> Fraction:
    """Return the share that may be bad, exactly as it was written: of 99.95 % it is 1/2000."""
    rule = objective.budget
    if rule is not None and rule.method == "timeslices":
        return _allowed(">=", rule.goal)
    return _allowed(objective.comparison, objective.target)


@lru_cache(maxsize=4096)
def _allowed(comparison: Comparison, target: float) -> Fraction:
    written = Fraction(str(target))
    return 1 - written if comparison == ">=" else written


def share_of(objective: Objective, figures: Sequence[Figure]) -> Share:
    """Return how much of what the objective's figure counts was bad."""
    figure = next(one for one in figures if one.indicator == objective.indicator)
    more = objective.comparison == ">="
    return Share(figure.denominator - figure.numerator if more else figure.numerator, figure.denominator)


def figure_of(objective: Objective, unit: BudgetUnit, share: Share, burns: tuple[Burn, ...] = ()) -> BudgetFigure:
    """Return the budget of a window in which so much of all was bad."""
    rule = objective.budget
    total = allowed_share(objective) * Fraction(share.all)
    consumed = Fraction(share.bad)
    return BudgetFigure(
        objective.id, rule.method if rule else "events", unit, float(total), share.bad, float(total - consumed),
        float(consumed / total) if total else None, consumed > total, burns,
    )  # fmt: skip


def burn_of(objective: Objective, window: Window, share: Share) -> Burn:
    """Return the burn rate of a window in which so much of all was bad."""
    allowed = allowed_share(objective)
    rate = float(Fraction(share.bad) / Fraction(share.all) / allowed) if share.all and allowed else None
    return Burn(window.name, rate, share.bad, share.all)


def burns_too_fast(objective: Objective, alert: BurnAlert, long: Share, short: Share, *, minimum: int) -> bool:
    """Return whether both windows of a pair burn at its rate or faster.

    Args:
        objective: what was promised.
        alert: the pair.
        long: what happened in the long window.
        short: what happened in the short one.
        minimum: how many events the long window must have.
    """
    allowed = allowed_share(objective)
    if not allowed:
        return long.bad > 0 and short.bad > 0
    limit = Fraction(str(alert.burn)) * allowed
    return long.all >= minimum and all(
        one.all > 0 and Fraction(one.bad) >= limit * Fraction(one.all) for one in (long, short)
    )


def slice_width(slice_ms: int) -> Width:
    """Return the width of the panes that slices are made of: the widest that they are whole numbers of."""
    widths: tuple[Width, ...] = ("hour", "quarter", "minute")
    return next(width for width in widths if slice_ms % WIDTH_MS[width] == 0)


def budget_windows(objective: Objective) -> tuple[Window, ...]:
    """Return the windows of an objective's burn alerts, each once."""
    rule = objective.budget
    if rule is None:
        return ()
    return tuple(dict.fromkeys(window for one in rule.alerts for window in (one.long, one.short)))
