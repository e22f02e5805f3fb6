"""Figures: a value never travels without what it was made of (domain.md §7)."""

from __future__ import annotations

from typing import NamedTuple


class Figure(NamedTuple):
    """One indicator of one series in one window.

    ``value`` is None where nothing was offered (absent, never 0 or 100). ``unit`` is ``ratio``, ``ms``, ``count`` or
    ``amount``.
    """

    indicator: str
    value: float | None
    numerator: float
    denominator: float
    unit: str
    formula: str


def quotient(indicator: str, numerator: float, denominator: float, unit: str, formula: str) -> Figure:
    """Return a quotient as a figure; without a denominator it has no value."""
    value = numerator / denominator if denominator else None
    return Figure(indicator, value, numerator, denominator, unit, formula)
