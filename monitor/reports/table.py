"""A report as a table (CSV): one row for each objective of each series."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from monitor.wire.instants import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.reports.model import Report
    from monitor.reports.objectives import ObjectiveRow

COLUMNS: Final = (
    "agreement", "version", "customer", "period", "from", "to", "as_of", "closed", "window", "objective", "measure",
    "series", "indicator", "value", "comparison", "target", "unit", "numerator", "denominator", "formula", "verdict",
    "sample", "minimum_sample", "payable", "currency",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Beginnings of texts that a spreadsheet would take for a formula."""


def as_csv(report: Report) -> bytes:
    """Return the objectives of a report. Shares are fractions of 1, durations milliseconds, absent values ""."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for part in report.objectives:
        for row in part.rows:
            writer.writerow([safe(one) if isinstance(one, str) else one for one in _cells(report, row)])
    return target.getvalue().encode()


def safe(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: one that begins like one gets an apostrophe before it."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _cells(report: Report, row: ObjectiveRow) -> Iterable[str | int | float | None]:
    verdict, figure = row.verdict, row.figure
    own = [
        one.consequence
        for one in report.dues
        if one.consequence.objective == row.objective
        and one.about == row.about
        and (one.consequence.window, one.consequence.from_ms) == (row.window, row.from_ms)
        and one.consequence.payable
    ]
    return (
        report.agreement.id,
        row.version,
        report.customer,
        report.period.name,
        rfc3339(row.from_ms),
        rfc3339(row.to_ms),
        rfc3339(report.as_of_ms),
        "yes" if report.is_closed else "no",
        row.window,
        row.objective,
        row.measure,
        "; ".join(f"{name}={value}" for name, value in row.labels.items()),
        verdict.indicator,
        verdict.value,
        verdict.comparison,
        verdict.target,
        row.unit,
        figure.numerator,
        figure.denominator,
        figure.formula,
        verdict.verdict,
        verdict.sample,
        verdict.minimum_sample,
        f"{sum(one.payable for one in own):f}" if own else "",
        own[0].currency if own else "",
    )
