"""The promises of an agreement, line by line, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.indicators import NAMED
from monitor.core.agreements.lead_measure import LeadRule
from monitor.core.agreements.measures import (
    ANY,
    CallRule,
    ClockRule,
    Filter,
    Measure,
    MeasureKind,
    OutageRule,
    for_each_kind,
)
from monitor.core.agreements.objectives import Objective
from monitor.core.agreements.ticket_measure import TicketRule
from monitor.core.leads.goal import leads_needed
from monitor.core.time.units import DAY_MS
from monitor.wire.times import duration
from monitor.wire.wording import quantity, time_allowed, within

_DIGITS: Final = 4
"""99.95 % is another promise than 99.9 %."""


class Promise(NamedTuple):
    """One line: the id of a measure or an objective, its subject, promise, customers and windows."""

    id: str
    of: str
    what: str
    where: str
    windows: str


def promises_of(agreement: Agreement) -> list[Promise]:
    """Return the measures, objectives and consequences of an agreement, in the order of the file."""
    covers = _filter(agreement.covers)
    lines = [_of_measure(measure, covers) for measure in agreement.measures()]
    return [*lines, *_of_objectives(agreement), *_of_consequences(agreement)]


def target_text(objective: Objective) -> str:
    """Return an objective's target with its unit: ``compliance >= 95 %``; of timeslices also how many must be good."""
    unit = NAMED[objective.indicator].unit
    target = f"{objective.indicator} {objective.comparison} {quantity(unit, objective.target, _DIGITS)}"
    if objective.budget is None or not objective.by_slices:
        return target
    good = quantity("ratio", objective.judged.target, _DIGITS)
    return f"{target} in {good} of all slices of {duration(objective.budget.slice_ms)}"


def origin_text(agreement: Agreement, promise_id: str) -> str:
    """Return the levels that a promise of a multi-level agreement comes from: ``corporate v2; P1: payroll v1``."""
    sections = ("clocks", "calls", "outages", "objectives")
    measure = agreement.measure(promise_id)
    section = next((one for one in sections if f"{one}.{promise_id}" in agreement.origins), "clocks")
    whole = agreement.origin(section, promise_id)
    told = [f"{whole.agreement} v{whole.version}"]
    for priority in measure.priorities if measure is not None else ():
        origin = agreement.origin(section, promise_id, "targets", priority)
        if origin != whole:
            told.append(f"{priority}: {origin.agreement} v{origin.version}")
    return "; ".join(told)


def _of_measure(measure: Measure, covers: str) -> Promise:
    of, what = _WORDED[measure.kind](measure)
    where = _filter(measure.where) or covers
    return Promise(measure.id, of, what, where, ", ".join(window.name for window in measure.windows))


def _clock(rule: ClockRule) -> tuple[str, str]:
    of = f"{rule.subject} {rule.metric.replace('_', ' ')}"
    if rule.due_at:
        what = f"{'before' if rule.strict else 'by'} its {rule.due_at}"
        return of, what + (", which pauses move" if rule.pauses_move_due else "")
    what = ", ".join(
        f"{'others' if priority == ANY and len(rule.budgets) > 1 else priority.replace(ANY, within(rule.strict))} "
        f"{time_allowed(budget)}" + ("" if budget.calendar == "always" else f" ({budget.calendar})")
        for priority, budget in rule.budgets.items()
    )
    if rule.strict and set(rule.budgets) != {ANY}:
        what += ", each in less than that"
    return of, what


def _calls(rule: CallRule) -> tuple[str, str]:
    return "calls", f"answered {within(rule.strict)} {duration(rule.answer_within_ms)}, {rule.formula} binds"


def _outages(rule: OutageRule) -> tuple[str, str]:
    of = f"made of {_parts(rule.parts)}" if rule.parts else "outages"
    what = "availability" if rule.service_hours == "always" else f"availability in {rule.service_hours}"
    if rule.notice_ms or rule.cap_ms:
        what += ", announced maintenance excluded"
    return of, what


def _leads(rule: LeadRule) -> tuple[str, str]:
    parts = []
    if rule.follow_up_within_ms:
        hours = "" if rule.calendar == "always" else f" ({rule.calendar})"
        parts.append(f"followed up {within(rule.strict)} {duration(rule.follow_up_within_ms)}{hours}")
    if rule.attempts > 1:
        parts.append(f"{rule.attempts} attempts {within(rule.strict)} {duration(rule.depth_within_ms, days=True)}")
    if rule.activity:
        parts.append(f"active {rule.activity} times before the hand-over")
    if rule.close_within_ms:
        parts.append(f"won within {duration(rule.close_within_ms, days=True)}")
    if rule.goal is not None:
        parts.append(f"{leads_needed(rule.goal, 'month'):,} leads a month")
    parts += [f"{leads_needed(one, 'month'):,} leads a month for {name}" for name, one in rule.goals.items()]
    return "leads", ", ".join(parts)


def _tickets(rule: TicketRule) -> tuple[str, str]:  # noqa: ARG001 - a count promises nothing by itself
    return "tickets", "counted: opened, reopened, handed over"


_WORDED: Final[Mapping[MeasureKind, Callable[[Any], tuple[str, str]]]] = for_each_kind(
    {
        "clock": _clock,
        "call": _calls,
        "outage": _outages,
        "lead": _leads,
        "ticket": _tickets,
    }
)
"""How measures of each kind are worded: of what they are, and what they promise."""


def _parts(parts: Iterable[Iterable[str]]) -> str:
    return ", ".join(" or ".join(part) for part in parts)


def _of_objectives(agreement: Agreement) -> Iterator[Promise]:
    for objective in agreement.objectives:
        what = target_text(objective)
        if objective.minimum_sample > 1:
            what += f" (of at least {objective.minimum_sample})"
        windows = ", ".join(window.name for window in objective.windows)
        yield Promise(objective.id, f"objective of {objective.measure}", what, "", windows)


def _of_consequences(agreement: Agreement) -> Iterator[Promise]:
    rules = agreement.consequences
    objectives = {one.id: one for one in agreement.objectives}
    for credit in rules.credits:
        objective = objectives[credit.objective]
        unit = NAMED[objective.judged.indicator].unit
        word = "below" if objective.judged.comparison == ">=" else "above"
        what = ", ".join(
            f"{float(tier.share) * 100:g} % {word} {quantity(unit, tier.bound, _DIGITS)}" for tier in credit.tiers
        )
        fee = f"fee {credit.fee}" if credit.fee else "fee of the service"
        yield Promise(credit.objective, "credit", f"{what} of the {fee}", "", credit.window)
    for due in rules.damages:
        times = {
            "fixed": "",
            "per_hour": " for each hour beyond the target",
            "per_case": " for each case that misses it",
        }
        most = "" if due.cap is None else f", at most {due.cap:.2f} {rules.currency}"
        yield Promise(
            due.objective, "damages", f"{due.rate:.2f} {rules.currency}{times[due.basis]}{most}", "", due.window
        )
    for right in rules.termination:
        what = f"after {right.misses} misses in any {right.periods}"
        yield Promise(right.objective, "right to terminate", what, "", right.window)
    for breach in rules.immediate:
        objective = objectives[breach.objective]
        word = "below" if objective.comparison == ">=" else "above"
        bound = objective.target if breach.bound is None else breach.bound
        what = f"at once after {breach.name}: {word} {quantity(NAMED[objective.indicator].unit, bound, _DIGITS)}"
        if breach.within_ms:
            what += f", to be used within {_days(breach.within_ms)}"
        yield Promise(breach.objective, "right to terminate", what, "", breach.window)


def _days(length_ms: int) -> str:
    """Return a length of the calendar, not of open hours: whole days as such."""
    days, rest = divmod(length_ms, DAY_MS)
    return duration(length_ms) if rest else f"{days} d"


def _filter(where: Filter) -> str:
    return "; ".join(f"{name} {', '.join(sorted(values))}" for name, values in where.any_of)
