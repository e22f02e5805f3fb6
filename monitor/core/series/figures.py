"""Figures: a value always travels with its numerator, denominator and formula (domain.md §7)."""

from __future__ import annotations

from typing import NamedTuple


class Figure(NamedTuple):
    """One indicator of one series in one window.

    ``value`` is None if nothing was offered (absent, never 0 or 100 %). ``unit`` is ``ratio``, ``ms``, ``count`` or
    ``amount``. ``lacking`` is how many subjects the figure leaves out because no event says how much they count; the
    formula says so, too.
    """

    indicator: str
    value: float | None
    numerator: float
    denominator: float
    unit: str
    formula: str
    lacking: int = 0


Share = dict[str, tuple[int, int]]
"""How often each count of a pane is in the numerator and in the denominator of a share."""


def quotient(indicator: str, numerator: float, denominator: float, unit: str, formula: str, lacking: int = 0) -> Figure:
    """Return a quotient as a figure; if the denominator is 0, the figure has no value."""
    value = numerator / denominator if denominator else None
    return Figure(indicator, value, numerator, denominator, unit, formula, lacking)
