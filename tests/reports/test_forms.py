"""The forms of a report, read back as their readers do."""

from __future__ import annotations

import csv
import io
import re
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from monitor.core.agreements.parties import Party
from monitor.errors import ReportError
from monitor.reports.forms import check_form, write
from monitor.reports.table import safe
from tests.reports.desk import FORMULA, HOSTILE, report


def _prints() -> bool:
    try:
        check_form("pdf")
    except ReportError:
        return False
    return True


printing = pytest.mark.skipif(not _prints(), reason="WeasyPrint finds no Pango on this machine")


@pytest.fixture(scope="module")
def page() -> str:
    return write(report(), "html").decode()


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_page_shows_hostile_names_as_they_are_and_runs_and_fetches_nothing(page: str):
    seen = _Page()
    seen.feed(page)
    assert "script" not in seen.tags
    assert any(HOSTILE in text for text in seen.texts)
    assert any("Desk & network <b>" in text for text in seen.texts)
    assert len(seen.addresses) == 3  # two trends and the axis
    assert all(one.startswith("data:image/svg+xml;base64,") for one in seen.addresses)
    assert "default-src 'none'" in page


def test_a_report_says_the_details_of_the_service_and_who_does_what():
    """An agreement had them as fields, and its report only the names of provider and customer."""
    plain = report()
    parties = (
        Party("NN", "provider", ("the line",), "the socket"), Party("ACME", "customer"), Party("Copper", "supplier"),
    )  # fmt: skip
    whole = replace(
        plain, agreement=replace(plain.agreement, parties=parties, details={"bandwidth": "10 Gbit/s", "<b>": "=1+1"})
    )

    facts = write(whole, "html").decode().partition('<dl class="facts">')[2].partition("</dl>")[0]
    summary = load_workbook(io.BytesIO(write(whole, "xlsx"))).worksheets[0]

    assert re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", facts)[2:6] == [
        ("Bandwidth", "10 Gbit/s"),
        ("&lt;b&gt;", "=1+1"),
        ("Provider", "NN: the line; up to the socket"),
        ("Supplier", "Copper"),
    ]
    told = [(one[0].value, one[1].value, one[1].data_type) for one in summary.iter_rows(max_col=2)]
    assert ("Bandwidth", "10 Gbit/s", "s") in told
    assert ("Supplier", "Copper", "s") in told
    assert "f" not in {kind for _, _, kind in told}


def test_columns_fill_their_table_and_what_holds_the_longest_words_is_the_widest(page: str):
    """Ids of twenty characters were cut into three lines."""
    tables = re.findall(r"<colgroup>([^/]*)</colgroup>\s*<thead><tr>(.*?)</tr>", page, re.DOTALL)
    found = [
        dict(
            zip(re.findall(r"<th[^>]*>(.*?)</th>", heads), map(int, re.findall(r'class="w(\d+)"', widths)), strict=True)
        )
        for widths, heads in tables
    ]
    assert all(sum(one.values()) == 100 for one in found)
    for title, others in (("What", {"From", "Windows"}), ("Subject", {"Promise"})):
        wide = [one for one in found if title in one and others & one.keys()]
        assert wide
        assert all(one[title] == max(one.values()) >= 30 for one in wide), title


def test_the_same_report_is_the_same_page(page: str):
    assert write(report(), "html").decode() == page


def test_a_page_without_matplotlib_has_no_pictures_and_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "monitor.reports.plots", raising=False)
    told: list[str] = []
    page = write(report(), "html", tell=told.append).decode()
    assert "<img" not in page
    assert told == ["the page has no pictures: matplotlib is not installed (pip install 'sla-monitor[reports]')"]


@pytest.mark.parametrize(
    ("form", "module", "missing", "name"),
    [("xlsx", "sheet", "xlsxwriter", "XlsxWriter"), ("pdf", "pdf", "weasyprint", "WeasyPrint"),
     ("html", "html", "jinja2", "Jinja2"), ("pdf", "plots", "matplotlib", "matplotlib")],
)  # fmt: skip
def test_a_missing_library_is_named_with_how_to_install_it(
    form: Any, module: str, missing: str, name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, f"monitor.reports.{module}", raising=False)
    with pytest.raises(ReportError, match=rf"a report as {form} needs {name}: pip install 'sla-monitor\[reports\]'"):
        check_form(form)


def test_a_table_needs_no_library_and_has_a_row_for_each_objective(monkeypatch: pytest.MonkeyPatch):
    for missing in ("jinja2", "matplotlib", "weasyprint", "xlsxwriter"):
        monkeypatch.setitem(sys.modules, missing, None)
    rows = list(csv.DictReader(io.StringIO(write(report(), "csv").decode(), newline="")))
    assert [(one["objective"], one["verdict"]) for one in rows] == [
        ("resolved", "breached"),
        ("resolved", "breached"),
        ("resolved", "met"),
        ("available", "breached"),
    ]
    network = rows[-1]
    assert float(network["numerator"]) / float(network["denominator"]) == float(network["value"])
    assert (network["payable"], network["currency"], network["period"]) == ("100.00", "EUR", "2024-02")
    assert all(not value.startswith(("=", "+", "-", "@")) for row in rows for value in row.values())


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1"])
def test_a_text_that_a_spreadsheet_would_compute_is_made_a_text(text: str):
    assert safe(text) == f"'{text}"
    assert safe(f"a{text}") == f"a{text}"


def test_a_spreadsheet_has_numbers_durations_and_instants_and_no_formula():
    book = load_workbook(io.BytesIO(write(report(), "xlsx")))
    assert book.sheetnames == [
        "Summary", "Objectives", "Trend", "Figures", "Missed targets", "Outages", "What follows", "Not counted",
        "Rejected rows", "Promises",
    ]  # fmt: skip
    assert not any(cell.data_type == "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    network = list(book["Objectives"].iter_rows(values_only=True))[-1]
    made = report().objectives[-1].worst
    assert network[6] == pytest.approx(made.verdict.value)
    assert network[10:12] == (made.figure.numerator, made.figure.denominator)
    missed = {(one[1], one[2]): one for one in book["Missed targets"].iter_rows(min_row=2, values_only=True)}
    late = missed["T3", "resolution"]
    assert late[7] == datetime(2024, 2, 5, 12, 0)  # noqa: DTZ001 - a cell has no zone: it is that of the agreement
    assert late[11] == timedelta(hours=3, minutes=30)
    assert missed[FORMULA, "resolution"]
    assert book["Rejected rows"]["C2"].value == FORMULA


@printing
def test_a_pdf_has_the_texts_of_all_parts_on_numbered_pages():
    read = PdfReader(io.BytesIO(write(report(), "pdf")))
    pages = [" ".join(one.extract_text().split()) for one in read.pages]
    whole = " ".join(pages)
    for heading in ("Summary", "Objectives", "Missed targets", "Outages", "What follows", "What is not counted"):
        assert heading in whole
    assert "Service level report, February 2024" in pages[0]
    assert f"page 1 of {len(pages)}" in pages[0]
    assert "Desk & network <b> · Everybody · February 2024 · as of 2024-03-05 11:30 (Europe/Berlin)" in pages[-1]
    assert "<script>alert(1)</script>" in whole


@printing
def test_a_pdf_of_leads_has_the_calculation():
    read = PdfReader(io.BytesIO(write(report("sales"), "pdf")))
    whole = " ".join(" ".join(one.extract_text().split()) for one in read.pages)
    assert "Marketing's goal, as agreed and recomputed" in whole
    assert "= leads needed, rounded up 10 40" in whole


@pytest.mark.parametrize("customer", ["acme", HOSTILE, FORMULA])
def test_no_form_of_a_customers_report_holds_anything_of_others(customer: str):
    """Given three customers, when one gets its report, then it names no other, no team, file or service."""
    made = report(customer=customer)
    seen = _Page()
    seen.feed(write(made, "html").decode())
    book = load_workbook(io.BytesIO(write(made, "xlsx")))
    cells = [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    table = write(made, "csv").decode()
    others = {"acme": ["T1", "T2", "T6"], HOSTILE: ["T3"], FORMULA: ["T5"]}
    own = others.pop(customer)
    hidden = [name for name in (*others, *(one for ids in others.values() for one in ids)) if name not in own]
    for name in (*hidden, "first line", "desk.csv", "O1", "available", "inner"):
        if name == FORMULA and customer == HOSTILE:
            continue  # a ticket of its own has this id
        found = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)").search
        assert not any(found(one) for one in (*seen.texts, *cells, table))
    assert any(customer in one for one in seen.texts)


def test_missing_libraries_of_the_system_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Given a system without Pango, which WeasyPrint loads when it is imported, then the error says what to install."""
    (tmp_path / "weasyprint").mkdir()
    (tmp_path / "weasyprint" / "__init__.py").write_text("raise OSError(\"cannot load library 'libpango-1.0-0'\")")
    for name in [name for name in sys.modules if name.partition(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "monitor.reports.pdf", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ReportError, match=r"apt-get install libpango-1\.0-0 .* \(cannot load library 'libpango"):
        check_form("pdf")
