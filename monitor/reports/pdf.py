"""A report as PDF: its page, printed by WeasyPrint. Nothing is fetched: the page holds all that it shows."""

from __future__ import annotations

import logging

from weasyprint import HTML
from weasyprint.urls import URLFetcher

logging.getLogger("weasyprint").setLevel(logging.ERROR)  # it warns of each rule that is for screens


def as_pdf(page: bytes) -> bytes:
    """Return the printed page of a report."""
    fetcher = URLFetcher(allowed_protocols=("data",))
    printed: bytes = HTML(string=page.decode(), url_fetcher=fetcher).write_pdf()
    return printed
