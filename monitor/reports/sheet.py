"""A report as a spreadsheet (XLSX): a sheet for each part, with numbers, durations and instants as such.

Every text is written as a text, never as a formula or a link, whatever it begins with.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import xlsxwriter

from monitor.core.time.units import DAY_MS
from monitor.reports import words
from monitor.reports.model import Report
from monitor.reports.sentences import evidence_words, particulars, row_span
from monitor.wire.outcome_words import follows
from monitor.wire.times import duration
from monitor.wire.wording import of_number

_WIDEST: Final = 48
_NARROWEST: Final = 9
_LARGEST_DAYS: Final = 2_958_465
"""The days after which a spreadsheet knows no date and no length of time any more."""


class Length(NamedTuple):
    """A duration in milliseconds: written as a length of time."""

    ms: float


class Share(NamedTuple):
    """A share of 1: written as a percentage."""

    part: float


Cell = str | int | float | datetime | Length | Share | None


def as_xlsx(report: Report) -> bytes:
    """Return the spreadsheet of a report. Instants are those of the agreement's zone."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {
        "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    })  # fmt: skip
    book.set_properties(
        {"title": f"{report.agreement.name}: {report.period.title}", "created": _day(report.as_of_ms, report)}
    )
    writer = _Writer(book)
    for name, columns, rows in _sheets(report):
        lines = list(rows)
        if lines or name in ("Summary", "Objectives"):
            writer.sheet(name, columns, lines)
    book.close()
    return target.getvalue()


class _Writer:
    """Writes sheets with one set of formats."""

    def __init__(self, book: Any) -> None:  # noqa: ANN401 - it publishes no types
        self._book = book
        self._head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self._length = book.add_format({"num_format": "[h]:mm:ss"})
        self._share = book.add_format({"num_format": "0.00##%"})
        self._instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})

    def sheet(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Write one sheet: a head that stays in place and can be filtered, and the rows."""
        sheet = self._book.add_worksheet(name)
        for place, column in enumerate(columns):
            sheet.write_string(0, place, column, self._head)
            longest = max((len(_text(row[place])) for row in rows), default=0)
            sheet.set_column(place, place, min(_WIDEST, max(_NARROWEST, len(column) + 2, longest + 1)))
        for line, row in enumerate(rows, 1):
            for place, cell in enumerate(row):
                self._cell(sheet, line, place, cell)
        sheet.freeze_panes(1, 0)
        if rows:
            sheet.autofilter(0, 0, len(rows), len(columns) - 1)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        sheet.set_footer("&L&A&Rpage &P of &N")

    def _cell(self, sheet: Any, line: int, place: int, cell: Cell) -> None:  # noqa: ANN401 - it publishes no types
        match cell:
            case None | "":
                pass
            case str():
                sheet.write_string(line, place, cell)
            case datetime():
                sheet.write_datetime(line, place, cell, self._instant)
            case Length(ms):
                sheet.write_number(line, place, min(ms / DAY_MS, _LARGEST_DAYS), self._length)
            case Share(part):
                sheet.write_number(line, place, part, self._share)
            case _:
                sheet.write_number(line, place, cell)


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case datetime():
            return cell.isoformat()
        case Length():
            return "000:00:00"
        case Share():
            return "00.0000%"
        case float():
            return f"{cell:.2f}"
    return str(cell)


_Sheet = tuple[str, Sequence[str], Iterable[Sequence[Cell]]]


def _sheets(report: Report) -> Iterable[_Sheet]:
    yield "Summary", ("", "Value"), _summary(report)
    yield (
        "Objectives",
        ("Objective", "Measure", "For", "Window", "Counts", "Indicator", "Value", "Comparison", "Target", "Verdict",
         "Numerator", "Denominator", "Formula", "Sample", "Least sample", "Budget used", "Forecast"),
        _objectives(report),
    )  # fmt: skip
    yield ("Trend", ("Objective", "For", "Window", "Period", "Value", "Target", "Verdict"), _trend(report))
    yield (
        "Figures",
        ("Measure", "For", "Window", "Indicator", "Value", "Numerator", "Denominator", "Unit", "Formula"),
        (
            (row.measure, row.about, row.window, row.figure.indicator, _in_unit(row.figure.unit, row.figure.value),
             row.figure.numerator, row.figure.denominator, row.figure.unit, row.figure.formula)
            for row in report.figures
        ),
    )  # fmt: skip
    yield (
        "Missed targets",
        ("Subject", "Id", "Promise", "Cycle", "Priority", "Customer", "Team", "Due", "Done", "Allowed", "Used",
         "Over by", "Where the time went", "Missed under it"),
        (
            (one.kind, one.subject, one.promise, one.cycle, one.priority, one.customer, one.team,
             _day(one.due_ms, report), "still open" if one.is_open else _day(one.done_ms, report),
             _length(one.allowed_ms), _length(one.used_ms), _length(one.over_ms), one.reason, one.supporting)
            for one in report.breaches.rows
        ),
    )  # fmt: skip
    yield (
        "Outages",
        ("Measure", "Service", "What", "Id", "From", "To", "Length", "Share down", "Open"),
        (
            (axis.measure, axis.about, one.words, one.id, _day(one.from_ms, report), _day(one.to_ms, report),
             Length(one.length_ms), Share(one.weight) if one.kind == "outage" else None, "yes" if one.is_open else "")
            for axis in report.outages
            for one in axis.stretches
        ),
    )  # fmt: skip
    yield ("Leads", ("Measure", "For", "What", "Class", "As agreed", "As it happened"), _leads(report))
    yield (
        "What follows",
        ("Objective", "For", "What", "Amount", "Payable", "Currency", "Claim until", "In words", "Evidence"),
        (
            (due.consequence.objective, due.about, due.consequence.kind, float(due.consequence.amount),
             float(due.consequence.payable), due.consequence.currency,
             _day(due.consequence.claim_until_ms or None, report), follows(due.consequence), evidence_words(due))
            for due in report.dues
        ),
    )  # fmt: skip
    yield (
        "Not counted",
        ("Number", "What", "Why"),
        (
            *((one.number, of_number(one.number, one.what), one.detail) for one in report.excluded),
            *((None, one.title, one.text) for one in report.notes),
        ),
    )
    yield (
        "Rejected rows",
        ("Place", "Reason", "What stood there"),
        ((one.place, one.reason, words.shown(one.detail)) for one in report.rejections),
    )
    yield (
        "Promises",
        ("Promise", "Of", "What", "For", "Windows"),
        ((one.id, one.of, one.what, words.shown(one.where), one.windows) for one in report.promises),
    )


def _summary(report: Report) -> Iterable[Sequence[Cell]]:
    agreement, period = report.agreement, report.period
    yield "Agreement", words.shown(agreement.name)
    yield "Id and version", f"{agreement.id}, version {agreement.version}"
    if report.customer:
        yield "For", words.shown(report.customer)
    yield "Provider", words.shown(agreement.provider)
    yield "Customer", words.shown(agreement.customer)
    yield "Service", words.shown(agreement.service)
    yield from particulars(agreement)
    yield "Period", period.title + ("" if report.is_closed else " (still running)")
    yield "From", _day(period.from_ms, report)
    yield "To", _day(period.to_ms, report)
    yield "As of", _day(report.as_of_ms, report)
    yield "Zone of all times", period.zone
    yield "Objectives kept", report.kept
    yield "Objectives missed", report.missed
    yield "Objectives not judged", report.undecided
    yield "Clocks that missed their target", len(report.breaches.rows)
    for currency, amount in report.payable.items():
        yield f"Payable, {currency}", float(amount)
    if report.origin:
        yield "Made from", words.shown(report.origin)


def _objectives(report: Report) -> Iterable[Sequence[Cell]]:
    for part in report.objectives:
        for row in part.rows:
            verdict, figure, budget = row.verdict, row.figure, row.budget
            used = None if budget is None or budget.consumed_share is None else Share(budget.consumed_share)
            yield (
                row.objective, row.measure, row.about, row.window, row_span(row, report), verdict.indicator,
                _in_unit(row.unit, verdict.value), verdict.comparison, _in_unit(row.unit, verdict.target),
                words.verdict_words(verdict.verdict), figure.numerator, figure.denominator, figure.formula,
                verdict.sample, verdict.minimum_sample, used, row.forecast,
            )  # fmt: skip


def _trend(report: Report) -> Iterable[Sequence[Cell]]:
    for part in report.objectives:
        for row in part.rows:
            for past in row.past:
                if past.verdict:
                    yield (
                        row.objective, row.about, row.window, past.name, _in_unit(row.unit, past.value),
                        _in_unit(row.unit, past.target), words.verdict_words(past.verdict),
                    )  # fmt: skip


def _leads(report: Report) -> Iterable[Sequence[Cell]]:
    for part in report.leads:
        for term in part.goal:
            agreed, measured = (_in_unit(term.unit, one) for one in (term.agreed, term.measured))
            yield part.measure, part.about, "goal", term.name, agreed, measured
        before: Cell = ""
        for one in part.speed:
            name = f"later than {before}" if one.to_ms is None else f"within {duration(one.to_ms)}"
            before = "" if one.to_ms is None else duration(one.to_ms)
            yield part.measure, part.about, "speed of follow-up", name, None, one.leads
        for depth in part.depth:
            yield part.measure, part.about, "depth of follow-up", f"{depth.attempts} attempts", None, depth.leads
        for stage, leads in part.funnel:
            yield part.measure, part.about, "leads created, by now", words.verdict_words(stage), None, leads
        for day in part.days:
            end = words.local(day.end_ms - 1, report.period.zone).date().isoformat()
            yield part.measure, part.about, "delivered to date", end, day.needed, day.delivered


def _in_unit(unit: str, value: float | None) -> Cell:
    if value is None:
        return None
    if unit == "ratio":
        return Share(value)
    return Length(value) if unit == "ms" else value


def _length(ms: float | None) -> Cell:
    return None if ms is None else Length(ms)


def _day(at_ms: int | None, report: Report) -> datetime | None:
    return None if at_ms is None else words.local(at_ms, report.period.zone)
