"""Leads: the counts that one lead contributes to its series, derived from its facts alone (domain.md §6).

Each count stands in the pane of a stated instant, so that a later fact or correction changes that same pane:

- **Funnel**, at the creation: the stages that the leads of a period have reached, however much later (a cohort).
- **Speed of follow-up**, at the first hand-over: the team's business time from there to the first human attempt. The
  facts that stop the clock `follow_up` (`METRICS` in `monitor.core.agreements.clock_metrics`) count as attempts,
  automatic ones do not. A lead that still waits when the promised time is over is a miss already. An attempt before
  the hand-over comes from a skewed clock: the time is 0 and the lead is flagged.
- **Depth of follow-up**, at the first hand-over, once it is decided: the human attempts until the lead was reached
  (contacted, disqualified, won or lost) or ``depth_within_ms`` were over. A contact without a recorded attempt counts
  as one attempt.
- **Deliveries** of marketing, at the creation or the hand-over, as the goal says; by weight. Handed over without the
  ``activity`` that is asked of it before, a lead is not delivered: the newest ``activities`` that a fact until then
  tells, else the number of its facts ``engaged``.
- **Matured close rate**, at the creation: whether one of marketing's leads was won within ``close_within_ms`` after it
  ("within" is inclusive). It counts once that time is over, won or not, so that quick wins do not stand for the rest.
  Until then the lead is kept, also if it was lost: it may still be won.
- **Customers and revenue**, at the instant of the outcome. The last of won, lost and disqualified decides: a deal that
  falls through is lost. If the same outcome is reported twice, the first instant counts, with the newest amount. An
  amount that is absent, negative or absurd is 0 and flagged.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.agreements.clock_metrics import METRICS
from monitor.core.series.series import LIVE, Change, SeriesKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.core.agreements.lead_measure import LeadRule
    from monitor.core.facts.events import Fact, Value
    from monitor.core.time.calendar import Calendar

DEEPEST: Final = 6
"""The last class of the distribution of attempts: this many, or more."""
STAGES: Final = ("handed_over", "attempted", "contacted", "qualified", "disqualified", "won", "lost")
"""The stages that a created lead may reach."""
_OUTCOMES: Final = frozenset({"won", "lost", "disqualified"})
_REACHED: Final = _OUTCOMES | {"contacted"}
_FOLLOWS_UP: Final = METRICS["lead"]["follow_up"].stop
_ABSURD: Final = Decimal(10) ** 13
"""Amounts from here on are taken for mistakes: their sums in cents would not fit in 64 bits."""


class Outcome(NamedTuple):
    """The outcome of a lead, its instant, and its amount (cents; None: absent or no possible amount)."""

    kind: str
    at_ms: int
    cents: int | None


Funnel = tuple[int, tuple[tuple[str, int], ...]]
"""The instant of a lead's creation, and the counts of the stages that it has reached."""


class Story(NamedTuple):
    """What the facts of a lead say, whatever the rule. None: it did not happen, or nobody told."""

    outcome: Outcome | None
    created_ms: int | None
    handed_ms: int | None
    funnel: Funnel | None


def is_human(fact: Fact) -> bool:
    """Return whether a person acted: a mail that was sent automatically is no attempt."""
    return fact.attributes.get("automatic") is not True


def lead_changes(
    lead_id: str,
    facts: Sequence[Fact],
    attributes: Mapping[str, Value],
    rule: LeadRule,
    series: SeriesKey,
    calendar: Calendar,
    now_ms: int,
    story: Story | None = None,
) -> tuple[list[Change], int]:
    """Return the counts of a lead in its series at an instant, and when they change without an event.

    Args:
        lead_id: the id under which it waits in the live pane.
        facts: its ledger, ordered; not empty.
        attributes: the newest value of each attribute.
        rule: the promise: follow-up time, depth, goal and weights.
        series: the series it counts in.
        calendar: the business hours of the rule.
        now_ms: the instant.
        story: `story_of` the facts, if it was computed before: several rules share it.

    Returns:
        The changes, and the next instant that changes them (0: none).
    """
    outcome, created_ms, handed_ms, funnel = story or story_of(facts)
    changes: list[Change] = []
    wakes_ms: list[int] = []
    if funnel is not None:
        changes.append(Change(series, *funnel))
    if rule.marketing.matches(attributes):
        goal = rule.of_series(series.values).goal
        counts_by = goal.counts if goal else "created"
        delivered_ms = handed_ms if counts_by == "handed_over" else created_ms
        is_active = True
        if rule.activity and handed_ms is not None:
            is_active = _activity(facts, handed_ms) >= rule.activity
            changes.append(Change(series, handed_ms, (("asked", 1), *((("active", 1),) if is_active else ()))))
        if delivered_ms is not None and (is_active or counts_by == "created"):
            weight = rule.weights.of(attributes)
            changes.append(Change(series, delivered_ms, (("delivered", 1), ("delivered_weight", weight))))
        if rule.close_within_ms and created_ms is not None:
            found, wake_ms = _close(rule, series, created_ms, outcome, now_ms)
            changes += found
            wakes_ms.append(wake_ms)
    if outcome is not None:
        changes.append(_closed(outcome, rule, attributes, series))
    elif now_ms < (forgotten_ms := facts[-1].time_ms + rule.give_up_after_ms):
        changes.append(Change(series, LIVE, (("open", 1),)))
        wakes_ms.append(forgotten_ms)
    if handed_ms is not None:
        for found, wake_ms in (
            _speed(lead_id, facts, rule, series, calendar, handed_ms, now_ms),
            _depth(facts, rule, series, handed_ms, now_ms),
        ):
            changes += found
            wakes_ms.append(wake_ms)
    return changes, min((one for one in wakes_ms if one), default=0)


def story_of(facts: Sequence[Fact]) -> Story:
    """Return what the facts of a lead say. They are ordered."""
    outcome = _outcome(facts)
    created_ms = _first_ms(facts, "created")
    funnel = None if created_ms is None else _funnel(facts, created_ms, outcome)
    return Story(outcome, created_ms, _first_ms(facts, "handed_over"), funnel)


def _first_ms(facts: Sequence[Fact], kind: str) -> int | None:
    return next((fact.time_ms for fact in facts if fact.type == kind), None)


def _outcome(facts: Sequence[Fact]) -> Outcome | None:
    """Return the outcome by the last run of equal outcome facts: the run's first instant, its newest amount."""
    found: Outcome | None = None
    for fact in facts:
        if fact.type in _OUTCOMES:
            cents = _cents(fact.attributes.get("amount"))
            if found is None or found.kind != fact.type:
                found = Outcome(fact.type, fact.time_ms, cents)
            elif cents is not None:
                found = found._replace(cents=cents)
    return found


def _cents(amount: Value | None) -> int | None:
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        return None
    exact = Decimal(str(amount))
    return round(exact * 100) if exact.is_finite() and 0 <= exact < _ABSURD else None


def _funnel(facts: Sequence[Fact], created_ms: int, outcome: Outcome | None) -> Funnel:
    kinds = {fact.type for fact in facts if fact.type != "attempted" or is_human(fact)} - _OUTCOMES
    if "contacted" in kinds:
        kinds.add("attempted")
    if outcome is not None:
        kinds.add(outcome.kind)
    return created_ms, (("created", 1), *((f"then_{stage}", 1) for stage in STAGES if stage in kinds))


def _closed(outcome: Outcome, rule: LeadRule, attributes: Mapping[str, Value], series: SeriesKey) -> Change:
    counts = [(outcome.kind, 1)]
    if outcome.kind == "won":
        cents = outcome.cents or 0
        counts.append(("revenue", cents))
        if outcome.cents is None:
            counts.append(("flagged", 1))
        if rule.marketing.matches(attributes):
            counts += [("won_marketing", 1), ("revenue_marketing", cents)]
    return Change(series, outcome.at_ms, tuple([one for one in counts if one[1]]))


def _activity(facts: Sequence[Fact], handed_ms: int) -> int:
    before = [fact for fact in facts if fact.time_ms <= handed_ms]
    told = next((fact.attributes["activities"] for fact in reversed(before) if "activities" in fact.attributes), None)
    return told if isinstance(told, int) else sum(fact.type == "engaged" for fact in before)


def _close(
    rule: LeadRule, series: SeriesKey, created_ms: int, outcome: Outcome | None, now_ms: int
) -> tuple[list[Change], int]:
    over_ms = created_ms + rule.close_within_ms
    if now_ms < over_ms:
        return [Change(series, one, (("maturing", 1),)) for one in (LIVE, created_ms)], over_ms
    is_won = outcome is not None and outcome.kind == "won" and outcome.at_ms <= over_ms
    return [Change(series, created_ms, (("matured", 1), *((("matured_won", 1),) if is_won else ())))], 0


def _speed(
    lead_id: str,
    facts: Sequence[Fact],
    rule: LeadRule,
    series: SeriesKey,
    calendar: Calendar,
    handed_ms: int,
    now_ms: int,
) -> tuple[list[Change], int]:
    promised_ms = rule.follow_up_within_ms
    first = next((fact for fact in facts if fact.type in _FOLLOWS_UP and is_human(fact)), None)
    if first is not None:
        took_ms = calendar.elapsed(handed_ms, max(handed_ms, first.time_ms))
        counts = [("followed", 1), ("follow_ms", took_ms)]
        if took_ms < promised_ms or (
            took_ms == promised_ms and not rule.strict
        ):  # "within" is inclusive, as for clocks
            counts.append(("followed_within", 1))
        if first.time_ms < handed_ms:
            counts.append(("flagged", 1))
        return [Change(series, handed_ms, tuple([one for one in counts if one[1]]), took_ms)], 0
    waiting = Change(series, LIVE, (("waiting", 1),), call=(lead_id, handed_ms))
    late_ms = calendar.due(handed_ms, promised_ms + (not rule.strict)) if promised_ms else 0
    if not late_ms or now_ms < late_ms:
        return [waiting, *([Change(series, handed_ms, (("waiting", 1),))] if promised_ms else [])], late_ms
    return [waiting, Change(series, LIVE, (("late", 1),)), Change(series, handed_ms, (("waiting_beyond", 1),))], 0


def _depth(
    facts: Sequence[Fact], rule: LeadRule, series: SeriesKey, handed_ms: int, now_ms: int
) -> tuple[list[Change], int]:
    over_ms = handed_ms + rule.depth_within_ms + (not rule.strict)
    attempts = 0
    reached: Fact | None = None
    for fact in facts:
        if fact.time_ms >= over_ms:
            break
        if fact.type == "attempted" and is_human(fact):
            attempts += 1
        elif fact.type in _REACHED:
            reached = fact
            break
    if reached is None and now_ms < over_ms:
        return [Change(series, one, (("following", 1),)) for one in (LIVE, handed_ms)], over_ms
    if reached is not None and reached.type == "contacted":
        attempts = max(1, attempts)
    counts = [("depth_leads", 1), (f"depth_{min(attempts, DEEPEST)}", 1), ("attempts", attempts)]
    if reached is not None or attempts >= rule.attempts:
        counts.append(("depth_kept", 1))
    return [Change(series, handed_ms, tuple([one for one in counts if one[1]]))], 0
