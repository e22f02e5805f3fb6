"""A report as one page of HTML that is made to be printed: it fetches nothing and runs no script."""

from __future__ import annotations

import base64
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from monitor.reports import words
from monitor.reports.breaches import sentence
from monitor.reports.objectives import KEPT
from monitor.reports.sentences import claim_words, evidence_words, particulars, row_span
from monitor.wire.outcome_words import follows, lacking, value_and_target
from monitor.wire.times import duration
from monitor.wire.wording import of_number, plural, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from monitor.reports.leads import Term
    from monitor.reports.model import Report
    from monitor.reports.objectives import ObjectivePart, ObjectiveRow, Past
    from monitor.reports.outages import ServiceAxis

LISTED_SERIES: Final = 15
"""Series of an objective that the page lists, the worst first; the spreadsheet has all of them."""
LISTED_KEPT: Final = 3
"""Series that were kept and are listed beside those that were not, the closest to their target."""
LISTED_BREACHES: Final = 30
LISTED_OUTAGES: Final = 20
LISTED_SERVICES: Final = 18
_CLASSES: Final = {"met": "good", "on_track": "good", "at_risk": "warn", "breached": "bad"}


class Headline(NamedTuple):
    """One line of the summary: an objective, and its worst series."""

    part: ObjectivePart
    value: str
    target: str
    change: str
    series: str


def as_html(report: Report, plots: ModuleType | None) -> bytes:
    """Return the page of a report; ``plots`` draws its pictures (None: there are none)."""
    environment = Environment(
        loader=PackageLoader("monitor.reports"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    zone = report.agreement.zone
    environment.filters |= {
        "when": lambda at_ms: words.when(at_ms, zone),
        "by_measure": lambda parts: [(name, list(of)) for name, of in groupby(parts, attrgetter("measure"))],
        "days": lambda ms: duration(ms, days=True),
        "duration": lambda ms: duration(round(ms)),
        "shown": words.shown,
        "number": words.number,
        "words": words.verdict_words,
        "named": words.indicator_words,
        "counted": words.counted,
        "lacking": lacking,
        "of_number": lambda told, count: of_number(count, told),
        "figure": words.figure_value,
        "mark": lambda verdict: _CLASSES.get(verdict, "none"),
        "follows": follows,
    }
    template = environment.get_template("report.html.j2")
    page = template.render(
        r=report,
        zone=zone,
        headlines=[_headline(one) for one in report.objectives],
        picture=_Pictures(report, plots),
        texts=_texts,
        sentence=sentence,
        term=_term,
        claim=lambda due: claim_words(due, report),
        evidence=evidence_words,
        particulars=particulars,
        plural=plural,
        listed_rows=_listed,
        left_out=_left_out,
        troubled=_troubled,
        listed_breaches=LISTED_BREACHES,
        listed_outages=LISTED_OUTAGES,
        period_words=lambda row: row_span(row, report),
    )
    return page.encode()


def _headline(part: ObjectivePart) -> Headline:
    row = part.worst
    value, target = value_and_target(row.verdict)
    kept = sum(part.verdicts[one] for one in KEPT)
    judged = kept + part.verdicts["breached"]
    if len(part.rows) == 1:
        series = row.about
    elif judged:
        series = f"{kept:,} of {judged:,} kept; {'worst' if judged > kept else 'closest'}: {row.about}"
    else:
        series = f"none of {len(part.rows):,} judged; {row.about}"
    return Headline(part, value or "–", target, _change(row), series)


def _listed(part: ObjectivePart) -> Sequence[ObjectiveRow]:
    """Return the rows that the page lists: all of them, or where they are many the worst and a few that were kept."""
    if len(part.rows) <= LISTED_SERIES:
        return part.rows
    not_kept = sum(one.verdict.verdict not in KEPT for one in part.rows)
    return part.rows[: min(LISTED_SERIES, not_kept + LISTED_KEPT)]


def _left_out(part: ObjectivePart, listed: int) -> str:
    """Return how many rows the page does not list, and whether all of them were kept."""
    rest = part.rows[listed:]
    if not rest:
        return ""
    kept = ", all kept" if all(one.verdict.verdict in KEPT for one in rest) else ""
    return f"… and {len(rest):,} more{kept}; the spreadsheet has all of them."


def _change(row: ObjectiveRow) -> str:
    """Return how the value differs from that of the period before: ``↗ better``, ``↘ worse``, ``→ as before``."""
    values: Sequence[Past] = row.past[-2:]
    if len(values) < 2 or values[0].value is None or values[1].value is None:  # noqa: PLR2004 - two are compared
        return ""
    before, now = values[0].value, values[1].value
    if before == now:
        return "→ as before"
    return "↗ better" if (now > before) == (row.verdict.comparison == ">=") else "↘ worse"


def _texts(row: ObjectiveRow) -> tuple[str, str]:
    value, target = value_and_target(row.verdict)
    return value or "–", target


def _term(one: Term, value: float | None) -> str:
    return "" if value is None else quantity(one.unit, value, 1 if one.unit == "count" else 2)


def _troubled(axes: Sequence[ServiceAxis]) -> list[ServiceAxis]:
    """Return the services that were down, maintained or not watched; all of them where they are few."""
    return list(axes) if len(axes) <= LISTED_SERVICES else [one for one in axes if one.stretches][:LISTED_SERVICES]


class _Pictures:
    """The pictures of a report as images within its page."""

    def __init__(self, report: Report, plots: ModuleType | None) -> None:
        self._report = report
        self._plots = plots

    def __call__(self, name: str, subject: Any = None, alt: str = "") -> Markup:  # noqa: ANN401 - any part
        """Return an image; nothing where there is nothing to draw, or nothing to draw it with."""
        if self._plots is None:
            return Markup()
        draw = getattr(self._plots, name)
        drawn = draw(subject, self._report.period) if name in ("outages", "pace") else draw(subject)
        if drawn is None:
            return Markup()
        data = base64.b64encode(drawn).decode()
        return Markup('<img class="plot" alt="{}" src="data:image/svg+xml;base64,{}">').format(alt, data)
