"""Sentences for people who are woken by an alert, and quantities in the form in which people read them.

Instants are in UTC, unless the caller gives the zone of whoever reads or of the agreement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from monitor.core.agreements.indicators import NAMED, Unit
from monitor.core.agreements.measures import Budget
from monitor.core.alerts.alert import OF_SERIES, Alert, SupportingMiss
from monitor.core.alerts.stretches import Stretch
from monitor.core.subjects.explanation import Explanation
from monitor.wire.times import Zone, duration, instant

_LONGEST_NAME: Final = 80
_OWN_LABELS: Final = frozenset(
    {"agreement", "promise", "objective", "measure", "metric", "indicator", "window", "subject", "urgency"}
)
"""Labels that the sentence names in a place of their own; the others say whom the alert is about."""


def plural(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun: ``1 breach``, ``1,204 breaches``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def of_number(count: int, told: str) -> str:
    """Return what is told of many as it is told of ``count`` of them: of one, ``rows rejected`` is ``row rejected``."""
    if count != 1:
        return told
    noun, _, rest = told.partition(" ")
    return " ".join([noun.removesuffix("s"), *(_OF_ONE.get(word, word) for word in rest.split())])


_OF_ONE: Final = {"are": "is", "were": "was", "stand": "stands"}


def explain(alert: Alert, zone: Zone = "UTC") -> dict[str, str]:
    """Return the texts of an alert for people: ``summary``, a sentence, and the quantities that change between alerts.

    A clock has ``elapsed`` and ``remaining`` or ``overdue``, and ``due``; an objective ``value``, ``target`` and
    ``counted``. Unknown quantities are left out.
    """
    found = {"summary": summary(alert, zone)}
    if alert.key.kind in OF_SERIES:
        value, target = _shown_apart(alert)
        if value:
            found["value"] = value
        if target:
            found["target"] = target
        counted = _counted(alert)
        if counted:
            found["counted"] = counted
        return found
    if alert.due_ms is not None:
        found["due"] = instant(alert.due_ms, zone)
    if alert.elapsed_ms is not None and alert.budget_ms is not None:
        found["elapsed"] = f"{duration(alert.elapsed_ms)} of {duration(alert.budget_ms)}"
        left_ms = alert.budget_ms - alert.elapsed_ms
        if left_ms >= 0:
            found["remaining"] = duration(left_ms)
        else:
            found["overdue"] = duration(-left_ms)
    if alert.supporting:
        found["supporting"] = "; ".join(supporting_text(one, zone) for one in alert.supporting)
    return found


def summary(alert: Alert, zone: Zone = "UTC") -> str:
    """Return the sentence of an alert: who, the promise, its present state, and under which agreement."""
    said = _of_objective(alert) if alert.key.kind in OF_SERIES else _of_clock(alert, zone)
    again = " This happened a while ago and is told late." if alert.backfill else ""
    under = f" Missed under it: {_names(alert.supporting)}." if alert.supporting else ""
    return f"{said} ({_context(alert)}).{under}{again}"


def supporting_text(one: SupportingMiss, zone: Zone = "UTC") -> str:
    """Return the name of the clock of a supporting agreement that was missed, and when it was due."""
    said = f"{one.clock} of {one.agreement} ({one.kind.upper()}, version {one.version})"
    return f"{said}, due {instant(one.missed_ms, zone)}"


def _names(supporting: tuple[SupportingMiss, ...]) -> str:
    return ", ".join(f"{one.clock} of {one.agreement} ({one.kind.upper()})" for one in supporting)


def time_allowed(budget: Budget) -> str:
    """Return the time that a target allows: ``4 h``, or ``3 business days by 17:00``."""
    if not budget.days:
        return duration(budget.budget_ms)
    days = "1 business day" if budget.days == 1 else f"{budget.days} business days"
    return f"{days} by {budget.by_minute // 60:02}:{budget.by_minute % 60:02}"


def within(strict: bool) -> str:  # noqa: FBT001 - the setting of a promise
    """Return the words before the time that a promise allows. "Within" is inclusive, unless the promise is strict."""
    return "in less than" if strict else "within"


def why(one: Explanation, zone: Zone = "UTC") -> str:  # noqa: PLR0911 - one sentence for each standing
    """Return a sentence on a clock's state: how much of the allowed time has elapsed, and which pauses held it."""
    used = f"{duration(one.elapsed_ms)} of {duration(one.budget_ms)} have elapsed"
    left_ms = one.budget_ms - one.elapsed_ms
    held_ms = sum(part.end_ms - part.start_ms for part in one.stretches if part.kind == "paused")
    held = f", {duration(held_ms)} of pauses not counted" if held_ms else ""
    due = "" if one.due_ms is None else f", due {instant(one.due_ms, zone)}"
    match one.standing:
        case "undated":
            return f"it has no due instant, so it is neither met nor breached: no event brings {one.due_at}{held}"
        case "met":
            left = f"with {duration(left_ms)} left" if left_ms > 0 else "at the very end of its target"
            return f"met: it was stopped {left}, {used}{held}"
        case "breached" | "overdue":
            still = "it is open" if one.due_ms is None else "it still runs"
            late = "it was stopped" if one.standing == "breached" else still
            end = "at the very end of its target" if one.strict else "after its due instant"
            beyond = f"{duration(-left_ms)} beyond its target" if left_ms < 0 else end
            return f"breached: {late} {beyond}, {used}{held}{due.replace('due', 'it was due')}"
        case "at_risk":
            return f"at risk: {duration(left_ms)} are left, {used}{held}{due}"
        case "paused":
            last = one.stretches[-1].reason if one.stretches else ""
            reason = f" ({last})" if last else ""
            return f"on track, and paused{reason}: {duration(left_ms)} are left, {used}{held}"
        case "cancelled":
            return f"it was cancelled and counts nowhere, {used}{held}"
    return f"on track: {duration(left_ms)} are left, {used}{held}{due}"


def stretch(part: Stretch) -> str:
    """Return a stretch in words: ``open``, ``closed``, ``holiday: Christmas Day``, ``paused: customer``, ``solved``."""
    word = {"counted": "open", "outside": "does not run"}.get(part.kind, part.kind)
    return f"{word}: {part.reason}" if part.reason else word


def quantity(unit: str, value: float, digits: int = 2) -> str:
    """Return a figure in its unit (``ratio``, ``ms``, ``count``, ``amount``), with up to ``digits`` decimals."""
    if unit == "ms":
        return duration(round(value))
    if unit == "ratio":
        return f"{_plain(value * 100, digits)} %"
    if unit == "amount":
        return f"{value:,.2f}"
    return _plain(value, digits)


def unit_of(indicator: str) -> Unit:
    """Return the unit of the value and target of an alert or a verdict that was read from a topic.

    Beside the table's indicators these are burn rates and numbers of misses. A name that this release does not know
    comes from a newer one: while workers are replaced one by one, its alerts must be told, with plain numbers.
    """
    return NAMED[indicator].unit if indicator in NAMED else "count"


def shown_apart(unit: str, value: float, target: float) -> tuple[str, str]:
    """Return value and target so that they read differently if they differ: 99.895 % must not read as 99.9 %.

    Durations that share their two largest units are shown in seconds: 30.077 s, not the 30 s that it misses.
    """
    for digits in range(2, 10):  # later digits are noise of floating point
        texts = quantity(unit, value, digits), quantity(unit, target, digits)
        if texts[0] != texts[1] or value == target:
            return texts
    if unit == "ms":
        return f"{_plain(value / 1000, 6)} s", f"{_plain(target / 1000, 6)} s"
    return texts


def _plain(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# Functions, not templates: each alert of a storm fills in no more words than its sentence has.
_CLOCK_SENTENCES: Final[Mapping[str, Callable[[str, str, Alert, Zone], str]]] = {
    "at_risk": lambda who, promise, alert, zone: (
        f"{who} is about to miss {promise}: {_left(alert)} left of {_budget(alert)}{_due(alert, zone)}"
    ),
    "breached": lambda who, promise, alert, zone: (
        f"{who} missed {promise}: {_budget(alert)} were allowed{_due(alert, zone)}"
    ),
    "rearmed": lambda who, promise, alert, zone: (
        f"{who} has more time for {promise} than was thought, the alert is taken back: "
        f"{_left(alert)} left{_due(alert, zone)}"
    ),
    "resolved/stopped": lambda who, promise, alert, _zone: (
        f"{who} is done with {promise}, too late: after {_elapsed(alert)} of {_budget(alert)}"
    ),
    "resolved/stopped_in_time": lambda who, promise, alert, _zone: (
        f"{who} is done with {promise} in time: after {_elapsed(alert)} of {_budget(alert)}"
    ),
    "voided/stopped_in_time": lambda who, promise, alert, _zone: (
        f"{who} did not miss {promise} after all, it came out: done after {_elapsed(alert)} of {_budget(alert)}"
    ),
    "voided/cancelled": lambda who, promise, _alert, _zone: f"{who} was cancelled: the alert about {promise} is void",
    "voided/never_began": lambda who, promise, _alert, _zone: (
        f"{who} never owed {promise}, it came out: the alert is void"
    ),
    "voided/agreement_changed": lambda who, promise, _alert, _zone: (
        f"{who} is promised {promise} no more: the agreement changed, the alert is void"
    ),
}
_OBJECTIVE_SENTENCES: Final = {
    "at_risk": "{who} is {value}{window}, close to missing its {target}",
    "breached": "{who} is {value}{window} and misses its {target}",
    "resolved/target_met": "{who} is {value}{window} and keeps its {target} again",
    "resolved/period_closed": "{who} was {value}{window} against its {target}: period and alert are closed",
    "resolved/terminated": "{who}: the agreement ended, and with it the alert about its {target}",
    "resolved/no_data": "{who}: there is nothing left to measure{window}, the alert about its {target} ends",
}
_OTHER_SENTENCES: Final[dict[str, dict[str, str]]] = {
    "burn": {
        "at_risk": "{who} burns its error budget {value} times too fast{window}, {limit} is too much",
        "breached": "{who} burns its error budget {value} times too fast{window}, {limit} is too much",
        "resolved/burns_less": "{who} burns its error budget less fast again{window}: {value} times",
        "resolved/no_data": "{who}: there is nothing left to measure, the alert about its error budget ends",
    },
    "termination": {
        "at_risk": "{who} missed its target {counted}: one more miss lets the customer terminate",
        "breached": "{who} missed its target {counted}: the customer may terminate",
        "resolved/misses_passed": "{who} missed its target {counted}: the customer may not terminate for that any more",
        "resolved/breach_passed": "{who}: the time in which the customer could terminate at once is over",
    },
}
"""By state, or by state and reason, for the kinds of alerts."""
_AT_ONCE: Final = "{who} broke its promise in a way that lets the customer terminate at once: {breach}"
_ANY_OTHER: Final = "{who}: the alert about {promise} is {state}, {reason}"


def _sentence(sentences: Mapping[str, str], alert: Alert, **words: str) -> str:
    sentence = sentences.get(alert.state) or sentences.get(f"{alert.state}/{alert.reason}") or _ANY_OTHER
    return sentence.format(state=alert.state, reason=alert.reason.replace("_", " "), **words)


def _of_clock(alert: Alert, zone: Zone) -> str:
    key, state = alert.key, alert.state
    name = key.what if len(key.what) <= _LONGEST_NAME else key.what[:_LONGEST_NAME] + "…"
    who = f"{key.kind.capitalize()} {name}"
    promise = f"{key.promise} (cycle {key.cycle})" if key.cycle > 1 else key.promise
    told = _CLOCK_SENTENCES.get(state) or _CLOCK_SENTENCES.get(f"{state}/{alert.reason}")
    return told(who, promise, alert, zone) if told else _sentence({}, alert, who=who, promise=promise)


def _budget(alert: Alert) -> str:
    return "the time allowed" if alert.budget_ms is None else duration(alert.budget_ms)


def _elapsed(alert: Alert) -> str:
    return "an unknown time" if alert.elapsed_ms is None else duration(alert.elapsed_ms)


def _left(alert: Alert) -> str:
    return duration(max(0, (alert.budget_ms or 0) - (alert.elapsed_ms or 0)))


def _due(alert: Alert, zone: Zone) -> str:
    return "" if alert.due_ms is None else f", due {instant(alert.due_ms, zone)}"


def _of_objective(alert: Alert) -> str:
    labels = alert.labels
    about = ", ".join(f"{name} {value}" for name, value in labels.items() if name not in _OWN_LABELS and value)
    who = alert.key.promise if alert.key.kind in _OTHER_SENTENCES else alert.indicator or alert.key.promise
    if labels.get("measure"):
        who = f"{who} of {labels['measure']}"
    if about:
        who = f"{who} for {about}"
    if alert.key.kind in _OTHER_SENTENCES:
        return _of_other(alert, who)
    value, target = _shown_apart(alert)
    counted = _counted(alert)
    return _sentence(
        _OBJECTIVE_SENTENCES,
        alert,
        who=who,
        promise=alert.key.promise,
        value=f"{value or 'without a value'}{f' ({counted})' if counted else ''}",
        window=f" in the window {alert.window}" if alert.window else "",
        target=f"target of {target}" if target else "target",
    )


def _of_other(alert: Alert, who: str) -> str:
    value, limit = _shown_apart(alert)
    window = f" in the windows {alert.window}" if alert.window else ""
    missed, periods = alert.numerator or 0, alert.denominator or 0
    breach = dict(alert.details).get("breach", "") if alert.reason == "may_terminate_at_once" else ""
    return _sentence(
        {"breached": _AT_ONCE} if breach else _OTHER_SENTENCES[alert.key.kind],
        alert,
        who=who,
        promise=f"{alert.key.promise}'s {alert.key.kind.replace('burn', 'error budget')}",
        value=value or "infinitely many",
        window=window,
        limit=limit or "nothing",
        counted=f"in {missed:g} of {periods:g} periods ({alert.window})",
        breach=breach,
    )


def _shown_apart(alert: Alert) -> tuple[str, str]:
    unit = unit_of(alert.indicator)
    if alert.value is None or alert.target is None:
        one = alert.value if alert.value is not None else alert.target
        text = "" if one is None else quantity(unit, one)
        return ("", text) if alert.value is None else (text, "")
    return shown_apart(unit, alert.value, alert.target)


def _counted(alert: Alert) -> str:
    """Return numerator and denominator; durations are shown as such, counts as numbers."""
    if alert.numerator is None or alert.denominator is None:
        return ""
    of_time = alert.indicator in NAMED and NAMED[alert.indicator].counts == "time"
    over = "ms" if of_time or unit_of(alert.indicator) == "ms" else "count"
    under = "ms" if of_time else "count"
    return f"{quantity(over, alert.numerator)} of {quantity(under, alert.denominator)}"


def _context(alert: Alert) -> str:
    said = f"agreement {alert.key.agreement} version {alert.version}"
    if alert.key.kind in OF_SERIES:
        return said
    # Labels stay as they were when the clock started; the details hold the present values.
    about = alert.labels | dict(alert.details)
    for name, value in about.items():
        if value and name not in _OWN_LABELS:
            said += f", {name} {value}"
    return said
