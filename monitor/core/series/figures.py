"""Figures: a value always travels with its numerator, denominator and formula (domain.md §7)."""

from __future__ import annotations

from typing import NamedTuple


class Figure(NamedTuple):
    """One indicator of one series in one window.

    ``value`` is None if nothing was offered (absent, never 0 or 100 %). ``unit`` is ``ratio``, ``ms``, ``count`` or
    ``amount``.
    """

    indicator: str
    value: float | None
    numerator: float
    denominator: float
    unit: str
    formula: str


def quotient(indicator: str, numerator: float, denominator: float, unit: str, formula: str) -> Figure:
    """Return a quotient as a figure; if the denominator is 0, the figure has no value."""
    value = numerator / denominator if denominator else None
    return Figure(indicator, value, numerator, denominator, unit, formula)
