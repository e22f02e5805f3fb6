"""The figures of a replay by day, month or another window, as a table: a row for each figure of each period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from monitor.core.agreements.indicators import NAMED
from monitor.core.time.periods import period_text, period_window
from monitor.core.time.units import DAY_MS, HOUR_MS

if TYPE_CHECKING:
    from monitor.core.agreements.book import Book
    from monitor.core.objectives.status import WindowStatus
    from monitor.core.series.figures import Figure
    from monitor.replay.chosen import Chosen
    from monitor.replay.local import ReplayResult

_HOURS_UP_TO_MS: Final = 2 * DAY_MS
_COLUMNS: Final = ("measure", "series", "period", "indicator", "value", "numerator", "denominator", "verdict")
_OVER_TIME: Final = frozenset({"downtime", "failures", "major_event_days"})
"""Figures beside whose numerator the length of the period stands, not a number of events."""


def by_window(result: ReplayResult, window: str, book: Book | None, chosen: Chosen) -> Table:
    """Return the figures of all periods of a window: those that closed, and the one that runs at the end."""
    table = Table(title=f"Figures by {window}", title_justify="left")
    for name in _COLUMNS:
        table.add_column(name, justify="right" if name in ("value", "numerator", "denominator") else "left")
    found = [one for one in (*result.statements, *result.statuses) if one.window == window and chosen.has(one.series)]
    before = None
    for one in sorted(found, key=lambda one: (one.series, one.from_ms, not one.closed)):
        figures = [figure for figure in one.figures if figure.value is not None]
        if before is not None and one.series != before:
            table.add_section()
        shown = (
            f"{one.series.agreement}/{one.series.measure}" if one.series != before else "",
            ", ".join(f"{key}={value}" for key, value in one.labels.items()) if one.series != before else "",
        )
        before = one.series
        verdicts = {verdict.indicator: verdict.verdict.replace("_", " ") for verdict in one.verdicts}
        period = _period(one, book)
        for figure in figures:
            cells = figure_cells(figure)[:3]
            table.add_row(
                shown[0], Text(shown[1]), period, figure.indicator, *cells, verdicts.get(figure.indicator, "")
            )
            shown, period = ("", ""), ""
        if not figures:
            table.add_row(shown[0], Text(shown[1]), period, "no data", "", "", "", "")
    return table


def _period(status: WindowStatus, book: Book | None) -> str:
    if period_window(status.window) is None:
        return "at the end"
    agreement = None if book is None else book.exact(status.series.agreement, status.version)
    began = period_text(status.window, agreement.zone if agreement else "UTC", status.from_ms)
    return began if status.closed else f"{began}, running"


def figure_cells(figure: Figure) -> tuple[str, str, str, Text]:
    """Return value, numerator, denominator and formula of a figure: an amount of time as such, not as a number."""
    return _value(figure), _part(figure, figure.numerator), _below(figure), Text(figure.formula)


def _value(figure: Figure) -> str:
    value = figure.value
    if value is None:
        return "no data"
    if figure.unit == "ratio":
        return f"{value:.4%}"
    if figure.unit == "ms":
        return time_text(value)
    return f"{value:,.2f}" if figure.unit == "amount" or value % 1 else f"{value:,.0f}"


def _part(figure: Figure, value: float) -> str:
    """Return a numerator: of shares of time and of means a duration; of customers their time out."""
    facts = NAMED[figure.indicator]
    if facts.counts == "customers" and figure.unit != "count":
        return f"{value / HOUR_MS:,.2f} customer h"
    if facts.counts == "time" or (figure.unit == "ms" and facts.sample != "durations"):
        return time_text(value)
    return _number(value)


def _below(figure: Figure) -> str:
    facts = NAMED[figure.indicator]
    if facts.counts == "time" or figure.indicator in _OVER_TIME:
        return time_text(figure.denominator)
    if facts.counts == "customers" and figure.unit == "ratio":
        return f"{figure.denominator / HOUR_MS:,.2f} customer h"
    return _number(figure.denominator)


def _number(value: float) -> str:
    return f"{value:,.0f}" if not value % 1 else f"{value:,.2f}"


def time_text(value_ms: float) -> str:
    """Return an amount of time: ``1,234.500 s``, ``26.50 h``, ``3.25 d``."""
    if value_ms < HOUR_MS:
        return f"{value_ms / 1000:,.3f} s"
    if value_ms < _HOURS_UP_TO_MS:
        return f"{value_ms / HOUR_MS:,.2f} h"
    return f"{value_ms / DAY_MS:,.2f} d"
