"""Sentences for people: what an alert says to somebody who is woken by it, and quantities as one reads them.

Amounts of time are open hours where the agreement has opening hours, so they are told in hours at most: a "day" would
be taken for 24 of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from monitor.core.alerts import Alert
from monitor.core.measures import HOUR_MS, MINUTE_MS
from monitor.core.objectives import INDICATORS
from monitor.wire.instants import rfc3339

_SECOND_MS: Final = 1000
_LONGEST_NAME: Final = 80
_UNITS: Final = {name: unit for indicators in INDICATORS.values() for name, unit in indicators.items()}
_OWN_LABELS: Final = frozenset(
    {"agreement", "promise", "objective", "measure", "metric", "indicator", "window", "subject"}
)
"""Labels that the sentence tells in its own place; the others say whom it is about."""


def explain(alert: Alert) -> dict[str, str]:
    """Return what an alert tells people: ``summary``, a sentence, and the quantities that change from one to the next.

    A clock has ``elapsed`` and ``remaining`` or ``overdue``, and ``due``; an objective ``value``, ``target`` and
    ``counted``. What is unknown is left out.
    """
    found = {"summary": summary(alert)}
    if alert.key.kind == "objective":
        value, target = _shown_apart(alert)
        if value:
            found["value"] = value
        if target:
            found["target"] = target
        counted = _counted(alert)
        if counted:
            found["counted"] = counted
        return found
    if alert.due_ms >= 0:
        found["due"] = instant(alert.due_ms)
    if alert.elapsed_ms >= 0 and alert.budget_ms >= 0:
        found["elapsed"] = f"{duration(alert.elapsed_ms)} of {duration(alert.budget_ms)}"
        left_ms = alert.budget_ms - alert.elapsed_ms
        if left_ms >= 0:
            found["remaining"] = duration(left_ms)
        else:
            found["overdue"] = duration(-left_ms)
    return found


def summary(alert: Alert) -> str:
    """Return the sentence that tells an alert: who, what was promised, what became of it, and under which agreement."""
    said = _of_objective(alert) if alert.key.kind == "objective" else _of_clock(alert)
    again = " This happened a while ago and is told late." if alert.backfill else ""
    return f"{said} ({_context(alert)}).{again}"


# Each is told twice, in the sentence and beside it, and alerts share their budgets.
@lru_cache(maxsize=1024)
def duration(amount_ms: int) -> str:
    """Return an amount of time by its two largest units, cut off, not rounded: ``25 h 1 min``, ``45 s``, ``250 ms``."""
    if amount_ms < 0:
        return f"−{duration(-amount_ms)}"
    if 0 < amount_ms < _SECOND_MS:
        return f"{amount_ms} ms"
    hours, rest = divmod(amount_ms, HOUR_MS)
    minutes, rest = divmod(rest, MINUTE_MS)
    parts = [(hours, "h"), (minutes, "min"), (rest // _SECOND_MS, "s")]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{number} {unit}" for place, (number, unit) in enumerate(parts[:2]) if number or not place)


@lru_cache(maxsize=1024)
def instant(instant_ms: int) -> str:
    """Return an instant to the minute, or to the second where it is not on a minute: ``2026-11-23 13:05 UTC``."""
    text = rfc3339(instant_ms)
    until = 16 if instant_ms % MINUTE_MS == 0 else 19
    return f"{text[:10]} {text[11:until]} UTC"


def quantity(unit: str, value: float, digits: int = 2) -> str:
    """Return a figure in its unit (``ratio``, ``ms``, ``count``) with up to ``digits`` digits after the point."""
    if unit == "ms":
        return duration(round(value))
    if unit == "ratio":
        return f"{_plain(value * 100, digits)} %"
    return _plain(value, digits)


def shown_apart(unit: str, value: float, target: float) -> tuple[str, str]:
    """Return value and target so that they read differently if they differ: 99.895 % must not read as 99.9 %.

    Durations that share their two largest units are told in seconds: 30.077 s, not the 30 s that it misses.
    """
    for digits in range(2, 10):  # what differs later is noise of floating point
        texts = quantity(unit, value, digits), quantity(unit, target, digits)
        if texts[0] != texts[1] or value == target:
            return texts
    if unit == "ms":
        return f"{_plain(value / 1000, 6)} s", f"{_plain(target / 1000, 6)} s"
    return texts


def _plain(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


_CLOCK_SENTENCES: Final = {
    "at_risk": "{who} is about to miss {promise}: {left} left of {budget}{due}",
    "breached": "{who} missed {promise}: {budget} were allowed{due}",
    "rearmed": "{who} has more time for {promise} than was thought, the alert is taken back: {left} left{due}",
    "resolved/stopped": "{who} is done with {promise}, too late: after {elapsed} of {budget}",
    "resolved/stopped_in_time": "{who} is done with {promise} in time: after {elapsed} of {budget}",
    "voided/stopped_in_time": "{who} did not miss {promise} after all, it came out: done after {elapsed} of {budget}",
    "voided/cancelled": "{who} was cancelled: the alert about {promise} is void",
    "voided/never_began": "{who} never owed {promise}, it came out: the alert is void",
    "voided/agreement_changed": "{who} is promised {promise} no more: the agreement changed, the alert is void",
}
_OBJECTIVE_SENTENCES: Final = {
    "at_risk": "{who} is {value}{window}, close to missing its {target}",
    "breached": "{who} is {value}{window} and misses its {target}",
    "resolved/target_met": "{who} is {value}{window} and keeps its {target} again",
    "resolved/period_closed": "{who} was {value}{window} against its {target}: period and alert are closed",
    "resolved/terminated": "{who}: the agreement ended, and with it the alert about its {target}",
    "resolved/no_data": "{who}: there is nothing left to measure{window}, the alert about its {target} ends",
}
"""By state, or by state and reason."""
_ANY_OTHER: Final = "{who}: the alert about {promise} is {state}, {reason}"


def _sentence(sentences: Mapping[str, str], alert: Alert, **words: str) -> str:
    sentence = sentences.get(alert.state) or sentences.get(f"{alert.state}/{alert.reason}") or _ANY_OTHER
    return sentence.format(state=alert.state, reason=alert.reason.replace("_", " "), **words)


def _of_clock(alert: Alert) -> str:
    key = alert.key
    name = key.what if len(key.what) <= _LONGEST_NAME else key.what[:_LONGEST_NAME] + "…"
    return _sentence(
        _CLOCK_SENTENCES,
        alert,
        who=f"{key.kind.capitalize()} {name}",
        promise=f"{key.promise} (cycle {key.cycle})" if key.cycle > 1 else key.promise,
        budget=duration(alert.budget_ms) if alert.budget_ms >= 0 else "the time allowed",
        elapsed=duration(alert.elapsed_ms) if alert.elapsed_ms >= 0 else "an unknown time",
        left=duration(max(0, alert.budget_ms - max(0, alert.elapsed_ms))),
        due=f", due {instant(alert.due_ms)}" if alert.due_ms >= 0 else "",
    )


def _of_objective(alert: Alert) -> str:
    labels = alert.labels
    about = ", ".join(f"{name} {value}" for name, value in labels.items() if name not in _OWN_LABELS and value)
    who = alert.indicator or alert.key.promise
    if labels.get("measure"):
        who = f"{who} of {labels['measure']}"
    if about:
        who = f"{who} for {about}"
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


def _shown_apart(alert: Alert) -> tuple[str, str]:
    unit = _UNITS.get(alert.indicator, "count")
    if alert.value is None or alert.target is None:
        one = alert.value if alert.value is not None else alert.target
        text = "" if one is None else quantity(unit, one)
        return ("", text) if alert.value is None else (text, "")
    return shown_apart(unit, alert.value, alert.target)


def _counted(alert: Alert) -> str:
    """Return numerator and denominator; durations are told as such, counts as numbers."""
    if alert.numerator is None or alert.denominator is None:
        return ""
    unit = _UNITS.get(alert.indicator, "count")
    over = "ms" if alert.indicator == "availability" or unit == "ms" else "count"
    under = "ms" if alert.indicator == "availability" else "count"
    return f"{quantity(over, alert.numerator)} of {quantity(under, alert.denominator)}"


def _context(alert: Alert) -> str:
    parts = [f"agreement {alert.key.agreement} version {alert.version}"]
    if alert.key.kind != "objective":
        # Labels stay as they were when the clock started; the details are what holds now.
        about = {name: value for name, value in alert.labels.items() if name not in _OWN_LABELS} | dict(alert.details)
        parts += [f"{name} {value}" for name, value in about.items() if value]
    return ", ".join(parts)
