"""The figures of leads in a window, from the sums of its panes (domain.md §6).

`monitor.core.leads.leads` says in which pane each count stands.

Amounts are in the currency's unit, not in cents. The figures of the goal are returned only if the agreement has a goal;
those that need a period (needed, pace) have no value in a rolling window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.agreements.lead_measure import ONE
from monitor.core.leads.goal import goal_period, leads_needed, leads_needed_now, needed_to_date
from monitor.core.leads.leads import DEEPEST, STAGES
from monitor.core.series.durations import duration_figures, targets_of
from monitor.core.series.figures import Figure, Share, quotient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.lead_measure import LeadRule
    from monitor.core.series.series import Pane
    from monitor.core.time.spans import Span
    from monitor.core.time.windows import WindowKind

CENTS: Final = 100
SHARES: Final[Mapping[str, Share]] = {
    "depth_kept": {"depth_kept": (1, 0), "depth_leads": (0, 1)},
    "activity_kept": {"active": (1, 0), "asked": (0, 1)},
    "matured_close_rate": {"matured_won": (1, 0), "matured": (0, 1)},
    "follow_up": {"followed_within": (1, 0), "followed": (0, 1), "waiting_beyond": (0, 1)},
}
"""By indicator: how often each count is in the numerator and in the denominator of the share."""


def lead_figures(
    rule: LeadRule, agreement: Agreement, pane: Pane, kind: WindowKind, shown: Span, as_of_ms: int
) -> tuple[Figure, ...]:
    """Return the figures of a lead measure.

    Args:
        rule: the measure.
        agreement: gives the zone and the working days of the goal.
        pane: the sum of the window's panes.
        kind: the kind of the window.
        shown: the part of the window in which the agreement held.
        as_of_ms: the instant of the evaluation, or of the close.
    """
    count = pane.counts.get
    followed, within, beyond = count("followed", 0), count("followed_within", 0), count("waiting_beyond", 0)
    leads, attempts = count("depth_leads", 0), count("attempts", 0)
    created = count("created", 0)
    won, revenue = count("won", 0), count("revenue", 0)
    customers, of_marketing = count("won_marketing", 0), count("revenue_marketing", 0)
    weight = count("delivered_weight", 0)
    judged = followed + beyond if rule.follow_up_within_ms else 0
    waiting = count("waiting", 0) if rule.follow_up_within_ms else 0
    following = count("following", 0)
    matured, maturing = count("matured", 0), count("maturing", 0)
    kept = f"leads reached, or with {rule.attempts} attempts / leads whose follow-up is over"
    formula = "followed up in time / (followed up + waiting beyond)"
    return (
        quotient("follow_up", within, judged, "ratio", formula),
        _count(
            "follow_up_pending", waiting, judged + waiting, "leads handed over that wait and are not late yet",
        ),
        quotient("mean", count("follow_ms", 0), followed, "ms", "sum of business time to the first attempt / leads"),
        *duration_figures("lead", pane, "times to the first attempt", targets_of(agreement, rule.id)),
        quotient("depth", attempts, leads, "count", "attempts / leads whose follow-up is over"),
        quotient("depth_kept", count("depth_kept", 0), leads, "ratio", kept),
        _count("depth_pending", following, leads + following, "leads handed over whose follow-up is not over"),
        *(
            _count(f"depth_{n}", count(f"depth_{n}", 0), leads, f"leads with {n}{' or more' * (n == DEEPEST)} attempts")
            for n in range(DEEPEST + 1)
        ),
        quotient(
            "activity_kept", count("active", 0), count("asked", 0), "ratio",
            "leads active enough before their hand-over / marketing's leads handed over",
        ),
        _count("created", created, created, "leads created in the window"),
        *(_count(one, count(f"then_{one}", 0), created, f"of the leads created: {one} by now") for one in STAGES),
        _count("customers", won, won, "leads won in the window"),
        quotient("revenue", revenue / CENTS, 1 if won else 0, "amount", "amounts of the leads won in the window"),
        _delivered(weight / ONE, promised=rule.goal is not None),
        quotient("close_rate", customers, weight / ONE, "ratio", "marketing's customers won / its leads delivered"),
        quotient(
            "matured_close_rate", count("matured_won", 0), matured, "ratio",
            "won in time / marketing's leads created, whose time is over",
        ),
        _count("matured_pending", maturing, matured + maturing, "marketing's leads created, whose time is not over"),
        quotient("average_deal", of_marketing / CENTS, customers, "amount", "marketing's revenue / its customers won"),
        quotient("marketing_share", of_marketing / CENTS, revenue / CENTS, "ratio", "marketing's / all revenue"),
        *_goal(rule, agreement, pane, kind, shown, as_of_ms),
    )  # fmt: skip


def _delivered(leads: float, *, promised: bool) -> Figure:
    """Return the figure of delivered leads. If leads are promised, none delivered is the value 0, not an absent one."""
    return Figure(
        "delivered", leads if leads or promised else None, leads, leads, "count", "marketing's leads, by weight"
    )


def _goal(
    rule: LeadRule, agreement: Agreement, pane: Pane, kind: WindowKind, shown: Span, as_of_ms: int
) -> tuple[Figure, ...]:
    goal, period = rule.goal, goal_period(kind)
    if goal is None:
        return ()
    count = pane.counts.get
    weight = count("delivered_weight", 0)
    agreed: int | None = None
    now: int | None = None
    to_date = 0.0
    if period is not None:
        calendar = agreement.calendars[goal.calendar]
        to_ms = min(shown.end_ms, as_of_ms)
        to_date = needed_to_date(goal, period, agreement.zone, calendar, shown.start_ms, to_ms)
        if kind == period:
            agreed = leads_needed(goal, period)
            now = leads_needed_now(
                goal,
                period,
                delivered=weight,
                customers=count("won_marketing", 0),
                marketing_cents=count("revenue_marketing", 0),
                total_cents=count("revenue", 0),
            )
    return (
        _count("leads_needed", agreed or 0, agreed or 0, "sales goal x share / average deal / close rate, as agreed"),
        _count("leads_needed_now", now or 0, now or 0, "the same, by what has happened in the period"),
        _count("needed_to_date", to_date, to_date, "leads needed x working days that are over / all of them"),
        quotient("pace", weight / ONE, to_date, "ratio", "delivered / needed to date"),
    )


def _count(indicator: str, number: float, of: float, formula: str) -> Figure:
    return Figure(indicator, float(number) if of else None, number, of, "count", formula)
