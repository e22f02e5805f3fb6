"""Sentences that several forms of a report share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.objectives.consequence import MONEY
from monitor.core.series.figures import Figure
from monitor.reports import words
from monitor.wire.outcome_words import claim_left
from monitor.wire.wording import shown_apart, unit_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.core.agreements.agreement import Agreement
    from monitor.reports.model import Due, Report
    from monitor.reports.objectives import ObjectiveRow


def particulars(agreement: Agreement) -> Iterator[tuple[str, str]]:
    """Yield the details of the service and the shares of the parties, each with its name."""
    for name, value in agreement.details.items():
        yield words.shown(name.replace("_", " ").capitalize()), words.shown(value)
    for one in agreement.parties:
        limit = [f"up to {one.demarcation}"] if one.demarcation else []
        share = "; ".join([*([", ".join(one.does)] if one.does else []), *limit])
        if share or one.role not in ("provider", "customer"):
            yield words.shown(one.role.capitalize()), words.shown(f"{one.name}: {share}" if share else one.name)


def row_span(row: ObjectiveRow, report: Report) -> str:
    """Return what a row counts beside the period as a whole: a part of it, or its cohort."""
    told = []
    if row.is_cohort:
        told.append("cohort, stated once its time was over")
    if row.is_part:
        zone = report.agreement.zone
        told.append(f"{words.when(row.from_ms, zone)} to {words.when(row.to_ms, zone)}, under version {row.version}")
    return "; ".join(told)


def claim_words(due: Due, report: Report) -> str:
    """Return until when a consequence must be claimed, and the time that is left; "" where nothing is to be claimed."""
    one = due.consequence
    if one.kind not in MONEY and not one.breach:
        return ""
    if not one.claim_until_ms:
        return "no limit"
    left = claim_left(one, report.as_of_ms)
    until = words.when(one.claim_until_ms, report.agreement.zone)
    return f"{until} ({'over' if left == 'over' else f'{left} left'})"


def evidence_words(due: Due) -> str:
    """Return the figure that a consequence follows from, with what it counts and its formula."""
    one = due.consequence.evidence
    unit = unit_of(one.indicator)
    value, target = shown_apart(unit, one.value, one.target)
    figure = Figure(one.indicator, one.value, one.numerator, one.denominator, unit, one.formula)
    return f"{words.indicator_words(one.indicator)} {value} against {target} ({words.counted(figure)}; {one.formula})"
