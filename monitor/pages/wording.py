"""Words and figures as the pages show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from monitor.core.objectives.status import ObjectiveVerdict
from monitor.wire.outcome_words import value_and_target

VERDICTS: Final[Mapping[str, str]] = {
    "breached": "broken",
    "at_risk": "at risk",
    "on_track": "on track",
    "met": "kept",
    "low_sample": "too few",
    "provisional": "provisional",
    "no_data": "no data",
    "resolved": "resolved",
    "voided": "taken back",
    "rearmed": "more time",
}
"""A verdict or the state of an alert, in the words of the pages. One scheme everywhere."""
SIGNS: Final[Mapping[str, str]] = {
    "breached": "✕",
    "at_risk": "▲",
    "on_track": "✓",
    "met": "✓",
    "resolved": "✓",
    "voided": "↩",
    "rearmed": "↻",
}
"""The sign beside the colour: nobody has to tell colours apart."""


def verdict(word: str) -> str:
    """Return a verdict in words; one that this release does not know as it is."""
    return VERDICTS.get(word, word.replace("_", " "))


def sign(word: str) -> str:
    """Return the sign of a verdict."""
    return SIGNS.get(word, "○")


def percent(share: float) -> str:
    """Return a share for people: ``62 %``."""
    return f"{share * 100:.0f} %".replace("-", "−")


def promised(target: str) -> str:
    """Return a target with its comparison as people write it: ``≥ 95 %``."""
    return target.replace(">=", "≥").replace("<=", "≤")


def figures(one: ObjectiveVerdict) -> tuple[str, str]:
    """Return the value and the promised target of a verdict, told apart if they differ. Without a value it is ``–``."""
    value, target = value_and_target(one)
    return value or "–", promised(target)
