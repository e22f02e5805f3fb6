"""Figures, instants and names as reports show them; the words are those of the commands (`monitor.wire.wording`)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from monitor.core.agreements.indicators import NAMED
from monitor.core.time.units import HOUR_MS
from monitor.wire.times import duration, in_zone
from monitor.wire.visible import for_terminal
from monitor.wire.wording import quantity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.core.series.figures import Figure

LONGEST: Final = 120
"""Characters of a name that are shown: names are other people's, and may be of any length."""
_OVER_TIME: Final = frozenset({"downtime", "failures", "major_event_days"})
"""Figures beside whose numerator the length of the period stands, not a number of events."""


def shown(text: object) -> str:
    """Return another person's text on one line, with every character escaped that would change the text around it."""
    told = for_terminal(" ".join(str(text).split()))
    return told if len(told) <= LONGEST else told[: LONGEST - 1] + "…"


def about(labels: Mapping[str, str]) -> str:
    """Return whom a series is about: ``customer acme, priority P1``; ``all`` if it is not split."""
    return ", ".join(f"{name} {shown(value) or '(none)'}" for name, value in labels.items()) or "all"


@lru_cache(maxsize=4096)
def when(instant_ms: int, zone: str) -> str:
    """Return an instant in a zone, which the report names once, cut off to the minute: ``2026-11-23 13:05``."""
    return local(instant_ms, zone).isoformat(" ")[:16]


def local(instant_ms: int, zone: str) -> datetime:
    """Return an instant as the time on the clocks of a zone, without an offset."""
    return in_zone(instant_ms, zone).replace(tzinfo=None)


def verdict_words(verdict: str) -> str:
    """Return a verdict as people read it: ``at risk``."""
    return verdict.replace("_", " ")


def indicator_words(indicator: str) -> str:
    """Return the name of an indicator as people read it: ``depth kept``; short names in capitals stay."""
    return indicator.replace("_", " ")


def figure_value(figure: Figure) -> str:
    """Return the value of a figure in its unit; ``–`` without one."""
    return "–" if figure.value is None else quantity(figure.unit, figure.value)


def counted(figure: Figure) -> str:
    """Return numerator and denominator, each as what it counts: ``43 of 50``; failures are ``3 in 720 h``."""
    word = "in" if figure.indicator == "failures" else "of"
    return f"{numerator_words(figure)} {word} {denominator_words(figure)}"


def numerator_words(figure: Figure) -> str:
    """Return a numerator: of shares of time and of means a duration; of customers their time out."""
    facts = NAMED.get(figure.indicator)
    if facts is None:
        return number(figure.numerator)
    if facts.counts == "customers" and figure.unit != "count":
        return f"{number(figure.numerator / HOUR_MS)} customer h"
    if facts.counts == "time" or (figure.unit == "ms" and facts.sample != "durations"):
        return duration(round(figure.numerator))
    return number(figure.numerator)


def denominator_words(figure: Figure) -> str:
    """Return a denominator: of shares of time a duration, else a number."""
    facts = NAMED.get(figure.indicator)
    if facts is not None and (facts.counts == "time" or figure.indicator in _OVER_TIME):
        return duration(round(figure.denominator))
    if facts is not None and facts.counts == "customers" and figure.unit == "ratio":
        return f"{number(figure.denominator / HOUR_MS)} customer h"
    return number(figure.denominator)


def number(value: float) -> str:
    """Return a number with thousands apart, and two decimals unless it is whole."""
    return f"{value:,.0f}" if not value % 1 else f"{value:,.2f}"
