"""Consequences of missed objectives: service credits, damages and rights to terminate (domain.md §8).

They are decided when a period closes, from its statement and the misses of the periods before it, nothing else.
Amounts are decimals. A credit is

    fee of the affected service × months of the period × the tier that the unrounded figure fell into

rounded once, half up, to the hundredth of the currency. A prorated fee is first multiplied by the part of the period
in which the agreement and the service held, and rounded to the hundredth. A period that is stated in parts, because an
amendment in it changed the promise, has a credit for each part by its own figure, tiers and fee; that fee is always
multiplied by the part, so that the parts together never bring more than the period.

A cap limits a *sum*, and the sum does not depend on which series closed first. `capped` grants credits in the order of
the periods' ends, series and objectives until the cap is reached. Statements that close in time are granted in the
same order (`monitor.core.objectives.credits`). A credit belongs to the month in which its period ends. Damages
(`monitor.core.objectives.damages`) stand beside credits: they have caps of their own, granted in the same way.

After k misses in any n consecutive periods the customer has the right to terminate. The warning comes one miss before:
as soon as one more miss in the next period would complete the k. A period without a verdict is no miss, and one that is
stated in parts is one miss, however many of its parts were missed.

After a named kind of breach the customer may terminate at once: one period that misses the objective with a figure
beyond the bound of that kind. There is no warning. The right ends when the time to use it is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from monitor.core.agreements.consequence_rules import (
    MONTHS,
    BreachRule,
    Consequences,
    CreditRule,
    DamageRule,
    TerminationRule,
)
from monitor.core.agreements.objectives import is_beyond
from monitor.core.objectives.budget import good_slices
from monitor.core.objectives.consequence import (
    DAMAGES,
    MONEY,
    NO_MONEY,
    TERM,
    Cap,
    Consequence,
    ConsequenceKind,
    Evidence,
)
from monitor.core.objectives.damages import damages_of
from monitor.core.objectives.status import judged_figure
from monitor.core.series.series import SeriesKey
from monitor.core.time.periods import period, period_date, period_window, window_span
from monitor.core.time.windows import COHORT, WindowKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.book import Book
    from monitor.core.agreements.objectives import Objective
    from monitor.core.objectives.status import WindowStatus

_CENT: Final = Decimal("0.01")

Misses = Mapping[str, tuple[int, ...]]
"""For each objective, the starts of the missed periods that may still count, ascending.

Under `breach_place` there is the newest period with a breach after which the customer may terminate at once.
"""


class Decision(NamedTuple):
    """The consequences of a statement, and the misses to be remembered for the next one.

    ``standing`` holds, for each objective with a termination rule, the warning or right that exists after this period;
    "" means neither. ``breaches`` holds, for each objective with kinds of breaches after which the customer may
    terminate at once, those for which the right holds.
    """

    consequences: list[Consequence]
    misses: dict[str, tuple[int, ...]]
    standing: dict[str, ConsequenceKind | Literal[""]]
    breaches: dict[str, tuple[str, ...]]


def decide(statement: WindowStatus, agreement: Agreement, misses: Misses) -> Decision:
    """Return the consequences of a closed period.

    Args:
        statement: the statement of the period.
        agreement: the version by which the period was judged.
        misses: the misses in earlier periods of the same series and window.
    """
    rules = agreement.consequences
    objectives = {one.id: one for one in agreement.objectives}
    found = Decision([], dict(misses), {}, {})
    # A promise that outlasts its period is judged by the statement of its cohort.
    window = statement.window.partition(COHORT)[0]
    judged = {one.objective for one in statement.verdicts if one.verdict != "provisional"}
    for credit in rules.credits:
        if credit.window == window and credit.objective in objectives:
            one = _credit(statement, rules, credit, agreement.zone)
            if one is not None:
                found.consequences.append(one)
    for damages in rules.damages:
        if damages.window == window and damages.objective in objectives:
            found.consequences.extend(
                _damages(statement, rules, damages, objectives[damages.objective], agreement.zone)
            )
    for rule in rules.termination:
        if rule.window == window and rule.objective in judged:
            _count_misses(statement, agreement, rule, found)
    for kind in rules.immediate:
        if kind.window == window and kind.objective in judged and kind.objective in objectives:
            _notice_breach(statement, agreement.zone, kind, objectives[kind.objective], found)
    return found


def consequences_of(statements: Iterable[WindowStatus], book: Book) -> list[Consequence]:
    """Return the consequences of statements, in the statements' order, with the amounts payable under the caps.

    Args:
        statements: closed periods; those of one series and window in the order of time.
        book: the agreements, with the versions by which the statements were judged.
    """
    misses: dict[tuple[SeriesKey, str], dict[str, tuple[int, ...]]] = {}
    found: list[Consequence] = []
    ends_ms: list[int] = []
    for statement in statements:
        agreement = book.exact(statement.series.agreement, statement.version)
        if agreement is None or not agreement.consequences:
            continue
        place = statement.series, statement.window
        decision = decide(statement, agreement, misses.get(place, {}))
        misses[place] = decision.misses
        found += decision.consequences
        ends_ms += [_end_ms(statement, agreement.zone)] * len(decision.consequences)
    return capped(found, book, ends_ms)


def capped(consequences: Sequence[Consequence], book: Book, ends_ms: Sequence[int] = ()) -> list[Consequence]:
    """Return the consequences in the given order, each with the amount payable under its agreement's caps.

    ``ends_ms`` are the ends of their periods, if some are of parts of one: those are granted together with the others.
    """
    spent: dict[str, dict[str, Decimal]] = {}
    found = list(consequences)
    ends_ms = ends_ms or [one.to_ms for one in found]
    for place, one in sorted(enumerate(consequences), key=lambda one: _turn(one[1], ends_ms[one[0]])):
        agreement = book.exact(one.agreement, one.version)
        if agreement is not None:
            found[place] = granted(one, agreement, spent.setdefault(one.agreement, {}))
    return found


def granted(one: Consequence, agreement: Agreement, spent: dict[str, Decimal]) -> Consequence:
    """Return a consequence with its amount payable under the caps, and add that amount to ``spent``.

    ``spent`` holds the sums granted before under the agreement. Its keys are months (``2026-03``) and terms (`TERM`
    with the term's first day; `TERM` alone if the agreement states no term); those of damages begin with `DAMAGES`.
    """
    if one.kind not in MONEY:
        return one
    rules = agreement.consequences
    of_damages = one.kind == "damages"
    kept_as = DAMAGES if of_damages else ""
    month = period_date(agreement.zone, one.to_ms - 1)[:7]
    left = one.amount
    bound_by: Cap | Literal[""] = ""
    if of_damages and (most := _rule_cap(one, rules)) is not None and most < left:
        left, bound_by = most, "rule"
    limits: tuple[tuple[str, Cap, Decimal | None], ...] = (
        (kept_as + month, "month", rules.damages_month_cap if of_damages else rules.month_cap),
        (
            kept_as + _term(agreement, one.to_ms - 1),
            "term",
            rules.damages_term_cap if of_damages else rules.term_cap,
        ),
    )
    for name, cap, limit in limits:
        if limit is not None and (under := max(NO_MONEY, limit - spent.get(name, NO_MONEY))) < left:
            left, bound_by = under, cap
    for name, _, _ in limits:
        spent[name] = spent.get(name, NO_MONEY) + left
    return one._replace(payable=left, bound_by=bound_by)


def _rule_cap(one: Consequence, rules: Consequences) -> Decimal | None:
    """Return the cap of the rule from which damages follow; None if it has none, or if there is no such rule."""
    place = one.objective, one.window, one.basis
    return next((rule.cap for rule in rules.damages if (rule.objective, rule.window, rule.basis) == place), None)


def _term(agreement: Agreement, at_ms: int) -> str:
    if agreement.term is None:
        return TERM
    return f"{TERM} {period_date(agreement.zone, agreement.term.running(at_ms).start_ms)}"


def _turn(one: Consequence, end_ms: int) -> tuple[str, int, SeriesKey, str, int, str]:
    return one.agreement, end_ms, one.series, one.window, one.from_ms, one.objective


def _credit(statement: WindowStatus, rules: Consequences, rule: CreditRule, zone: str) -> Consequence | None:
    evidence = _evidence(statement, rule.objective)
    fee = rules.fees.get(rule.fee or statement.labels.get("service", ""))
    if evidence is None or fee is None:
        return None
    comparison = next(one.comparison for one in statement.verdicts if one.objective == rule.objective)
    missed = [tier for tier in rule.tiers if is_beyond(comparison, evidence.value, tier.bound)]
    if not missed:
        return None
    tier = max(missed, key=lambda one: one.share)
    fee *= MONTHS[rule.window]
    if rules.prorated or statement.parts > 1:
        fee = _prorated(fee, statement, rule.window, zone)
    amount = (fee * tier.share).quantize(_CENT, ROUND_HALF_UP)
    return _consequence(statement, rule.objective, "credit", evidence)._replace(
        amount=amount, payable=amount, currency=rules.currency, fee=fee, share=tier.share, tier=tier.bound,
        claim_until_ms=_until_ms(statement, rules.claim_within_ms, zone),
    )  # fmt: skip


def _end_ms(statement: WindowStatus, zone: str) -> int:
    """Return the end of a statement's period: its parts are stated together."""
    window = period_window(statement.window) if statement.parts > 1 else None
    return statement.to_ms if window is None else window_span(window, zone, statement.from_ms).end_ms


def _until_ms(statement: WindowStatus, within_ms: int, zone: str) -> int:
    """Return until when something may be claimed or used, counted from the period's end; 0: without end."""
    return _end_ms(statement, zone) + within_ms if within_ms else 0


def _damages(
    statement: WindowStatus, rules: Consequences, rule: DamageRule, objective: Objective, zone: str
) -> Iterator[Consequence]:
    evidence = _evidence(statement, rule.objective)
    if evidence is None or not _is_missed(statement, rule.objective):
        return
    figures = statement.figures
    if objective.by_slices:
        figures += tuple([good_slices(one) for one in statement.budgets if one.objective == objective.id])
    due = damages_of(rule, objective, figures)
    if due.amount:
        yield _consequence(statement, rule.objective, "damages", evidence)._replace(
            amount=due.amount, payable=due.amount, currency=rules.currency, basis=rule.basis, quantity=due.quantity,
            rate=rule.rate, claim_until_ms=_until_ms(statement, rules.claim_within_ms, zone),
        )  # fmt: skip


def _prorated(whole: Decimal, statement: WindowStatus, kind: WindowKind, zone: str) -> Decimal:
    """Return the fee for the agreed part of a period. This fee is billed, so it is rounded like any amount."""
    of = period(zone, kind, statement.from_ms)
    part = Decimal(statement.to_ms - statement.from_ms) / Decimal(of.end_ms - of.start_ms)
    return (whole * part).quantize(_CENT, ROUND_HALF_UP)


def _count_misses(statement: WindowStatus, agreement: Agreement, rule: TerminationRule, found: Decision) -> None:
    """Add this period to the misses of a rule, and record the warning or right that exists after it."""
    verdict = next(one for one in statement.verdicts if one.objective == rule.objective)
    own_ms = period(agreement.zone, rule.window, statement.from_ms).start_ms
    known = found.misses.get(rule.objective, ())
    missed = verdict.verdict == "breached"
    is_told = statement.parts > 1 and own_ms in known  # by an earlier part
    if missed and own_ms not in known:
        known = (*known, own_ms)
    # The start of the first of the n periods that end with this one; `next_first_ms` is that of the n that end with
    # the next.
    first_ms = own_ms
    for _ in range(rule.periods - 2):
        first_ms = period(agreement.zone, rule.window, first_ms - 1).start_ms
    next_first_ms = first_ms
    if rule.periods > 1:
        first_ms = period(agreement.zone, rule.window, first_ms - 1).start_ms
    counted = tuple(one for one in known if one >= first_ms)
    found.misses[rule.objective] = counted
    standing: ConsequenceKind | Literal[""] = ""
    if len(counted) >= rule.misses:
        standing = "termination_right"
    elif rule.periods > 1 and sum(one >= next_first_ms for one in counted) == rule.misses - 1 > 0:
        standing = "termination_warning"
    found.standing[rule.objective] = standing
    evidence = _evidence(statement, rule.objective)
    if standing and missed and not is_told and evidence is not None:
        evidence = evidence._replace(misses=counted)
        found.consequences.append(_consequence(statement, rule.objective, standing, evidence))


def breach_place(rule: BreachRule) -> str:
    """Return the name under which the newest breach of a kind is remembered. No id of an objective has a blank."""
    return f"{rule.objective} {rule.name}"


def _notice_breach(statement: WindowStatus, zone: str, rule: BreachRule, objective: Objective, found: Decision) -> None:
    """Remember a breach after which the customer may terminate at once, and record whether the right holds."""
    place = breach_place(rule)
    _, comparison, target = objective.judged
    evidence = _evidence(statement, rule.objective)
    own = period(zone, rule.window, statement.from_ms)
    newest = found.misses.get(place, ())
    if (
        evidence is not None
        and _is_missed(statement, rule.objective)
        and (rule.bound is None or is_beyond(comparison, evidence.value, rule.bound))
    ):
        newest = (own.start_ms,)
        found.consequences.append(
            _consequence(statement, rule.objective, "termination_right", evidence._replace(misses=newest))._replace(
                breach=rule.name,
                tier=target if rule.bound is None else rule.bound,
                claim_until_ms=_until_ms(statement, rule.within_ms, zone),
            )
        )
    if newest and rule.within_ms and period(zone, rule.window, newest[0]).end_ms + rule.within_ms <= statement.to_ms:
        newest = ()
    found.misses[place] = newest
    known = found.breaches.get(rule.objective, ())
    found.breaches[rule.objective] = (*known, rule.name) if newest else known


def _is_missed(statement: WindowStatus, objective: str) -> bool:
    return any((one.objective, one.verdict) == (objective, "breached") for one in statement.verdicts)


def _evidence(statement: WindowStatus, objective: str) -> Evidence | None:
    """Return the figure by which an objective was judged; None if the sample was too small or there was no value."""
    verdict = next((one for one in statement.verdicts if one.objective == objective), None)
    if verdict is None or verdict.value is None or verdict.verdict not in ("met", "breached"):
        return None
    figure = judged_figure(statement, verdict)
    assert figure is not None
    return Evidence(
        verdict.indicator, verdict.value, verdict.target, figure.numerator, figure.denominator, figure.formula
    )


def _consequence(statement: WindowStatus, objective: str, kind: ConsequenceKind, evidence: Evidence) -> Consequence:
    return Consequence(
        statement.series.agreement, statement.version, objective, statement.series, statement.window,
        statement.from_ms, statement.to_ms, kind, evidence,
    )  # fmt: skip
