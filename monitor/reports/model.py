"""A report: everything that is shown of one agreement in one period, whatever the form in which it is written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from monitor.core.agreements.agreement import Agreement, windows_of
from monitor.core.agreements.measures import MeasureKind
from monitor.core.objectives.consequence import MONEY, NO_MONEY, Consequence
from monitor.core.objectives.status import WindowStatus
from monitor.core.series.figures import Figure
from monitor.core.time.windows import COHORT
from monitor.reports.breaches import BreachPart, breach_part
from monitor.reports.leads import LeadPart, lead_parts
from monitor.reports.objectives import KEPT, ObjectivePart, objective_parts, unreported
from monitor.reports.outages import ServiceAxis, service_axes
from monitor.reports.period import Period
from monitor.reports.scope import Scope
from monitor.reports.sources import Excluded, Rejection, Sources
from monitor.reports.words import about
from monitor.wire.promises import Promise, promises_of
from monitor.wire.times import duration
from monitor.wire.wording import plural

_LONGEST_NAME: Final = 100
_HASHED: Final = re.compile(r"-[0-9a-f]{16}$")


class FigureRow(NamedTuple):
    """A figure of one series in the period, promised or not."""

    measure: str
    kind: MeasureKind | None
    about: str
    window: str
    figure: Figure


class Due(NamedTuple):
    """A consequence of the period for one series."""

    about: str
    consequence: Consequence


class Note(NamedTuple):
    """Something that the reader must know to read the figures rightly."""

    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The report of one agreement in one period, for one customer or ("") for the parties that measure."""

    agreement: Agreement
    period: Period
    customer: str
    is_closed: bool
    as_of_ms: int
    origin: str
    objectives: tuple[ObjectivePart, ...]
    figures: tuple[FigureRow, ...]
    breaches: BreachPart
    outages: tuple[ServiceAxis, ...]
    leads: tuple[LeadPart, ...]
    dues: tuple[Due, ...]
    excluded: tuple[Excluded, ...]
    rejections: tuple[Rejection, ...]
    notes: tuple[Note, ...]
    promises: tuple[Promise, ...]

    @property
    def kept(self) -> int:
        """How many objectives were kept in all their series."""
        return sum(one.verdict in KEPT for one in self.objectives)

    @property
    def missed(self) -> int:
        """How many objectives were missed in at least one series."""
        return sum(one.verdict == "breached" for one in self.objectives)

    @property
    def undecided(self) -> int:
        """How many objectives have neither been kept nor missed."""
        return len(self.objectives) - self.kept - self.missed

    @property
    def payable(self) -> dict[str, Decimal]:
        """What is payable, by currency: credits and damages under their caps."""
        found: dict[str, Decimal] = {}
        for due in self.dues:
            one = due.consequence
            if one.kind in MONEY and one.payable:
                found[one.currency] = found.get(one.currency, NO_MONEY) + one.payable
        return found

    @property
    def rights(self) -> tuple[Due, ...]:
        """The rights to terminate, and the warnings before them."""
        return tuple(one for one in self.dues if one.consequence.kind not in MONEY)

    @property
    def lowest_availability(self) -> Figure | None:
        """The availability of the service that was down longest; None: none is measured."""
        found = [one for axis in self.outages if (one := axis.figure("availability")) is not None]
        return min(found, key=lambda one: one.value or 0.0, default=None)

    @property
    def name(self) -> str:
        """The name of the report's file, without its ending."""
        return file_name(self.agreement.id, self.period.name, self.customer)


def file_name(*parts: str) -> str:
    """Return the parts that are not empty as a name of a file: at most 100 letters, digits and ``-_.``.

    Names of customers are other people's: where one had to be changed, a hash keeps it apart from all others, also
    from those that are chosen to look like it.
    """
    text = "-".join(one for one in parts if one)
    name = "".join(one if one.isascii() and (one.isalnum() or one in "-_.") else "_" for one in text)
    name = name if name[:1].isalnum() else f"_{name}"
    if name == text and len(name) <= _LONGEST_NAME and not _HASHED.search(name):
        return name
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{name[: _LONGEST_NAME - len(digest) - 1]}-{digest}"


def make_report(sources: Sources, scope: Scope) -> Report:
    """Return the report of a scope."""
    stated = [
        one
        for one in (sources.statements if scope.closed else (*sources.statements, *sources.running))
        if scope.has(one) and one.window.partition(COHORT)[0] == scope.period.window and scope.period.holds(one.from_ms)
    ]
    objectives = objective_parts(sources, scope)
    for_customer = bool(scope.customer)
    return Report(
        agreement=scope.agreement,
        period=scope.period,
        customer=scope.customer,
        is_closed=scope.closed,
        as_of_ms=sources.as_of_ms,
        origin="" if for_customer else sources.origin,
        objectives=objectives,
        figures=tuple(_figures(scope.agreement, stated)),
        breaches=breach_part(sources, scope),
        outages=service_axes(sources, scope),
        leads=lead_parts(sources, scope),
        dues=tuple(Due(about(one.labels), due) for one in stated if one.closed for due in one.consequences),
        excluded=tuple(sources.excluded),
        # The rows are those of all customers.
        rejections=() if for_customer else tuple(sources.rejections),
        notes=tuple(_notes(sources, scope, stated, objectives)),
        # For whom a promise is made names the agreement's other customers.
        promises=tuple(
            one._replace(where="") if for_customer else one
            for one in promises_of(scope.agreement)
            if _is_shown(one, scope)
        ),
    )


def _figures(agreement: Agreement, stated: Iterable[WindowStatus]) -> Iterable[FigureRow]:
    kinds = {one.id: one.kind for one in agreement.measures()}
    for status in stated:
        for figure in status.figures:
            if figure.value is not None:
                measure = status.series.measure
                yield FigureRow(measure, kinds.get(measure), about(status.labels), status.window, figure)


def _is_shown(promise: Promise, scope: Scope) -> bool:
    """Return whether the reader may read a promise: of measures that it sees, and the objectives on them."""
    if scope.readers is None:
        return True
    objective = next((one for one in scope.agreement.objectives if one.id == promise.id), None)
    return scope.may_see(promise.id if objective is None else objective.measure)


def _notes(
    sources: Sources, scope: Scope, stated: list[WindowStatus], objectives: tuple[ObjectivePart, ...]
) -> Iterable[Note]:
    if not scope.closed:
        yield Note("The period runs", "Figures and verdicts are those so far; nothing follows from them yet.")
    if any(one.parts > 1 for one in stated):
        yield Note(
            "Amended in the period",
            "The agreement was amended within the period. Each part is stated under the version that held in it.",
        )
    uncovered = [
        (about(one.labels), figure)
        for one in stated
        for figure in one.figures
        if figure.indicator == "coverage" and figure.value is not None and figure.value < 1
    ]
    for name, figure in uncovered:
        blind_ms = round(figure.denominator - figure.numerator)
        yield Note(
            f"Not watched: {name}",
            f"For {duration(blind_ms)} of {duration(round(figure.denominator))} the monitor had no data. That time "
            "counts neither as up nor as down.",
        )
    yield from _undecided(objectives)
    yield from _elsewhere(scope)
    for warning in () if scope.customer else sources.warnings:
        yield Note("The data", warning + ".")


def _undecided(objectives: tuple[ObjectivePart, ...]) -> Iterable[Note]:
    for part in objectives:
        lacking = [one for one in part.rows if one.figure.lacking]
        if lacking:
            most = max(one.figure.lacking for one in lacking)
            yield Note(
                part.id,
                f"{plural(len(lacking), 'series', 'series')}: the figure leaves out outages (up to {most:,}) of which "
                "no event tells how many customers they interrupted. So it keeps no promise: it is judged only where "
                "it misses its target already.",
            )
        without_data = sum(one.verdict.verdict == "no_data" and not one.figure.lacking for one in part.rows)
        for verdict, text in (
            ("low_sample", "fewer cases than the agreed minimum: not judged"),
            ("no_data", "nothing happened that it could be judged by"),
            ("provisional", "not judged yet: the promise outlasts the period and is stated later"),
        ):
            if count := without_data if verdict == "no_data" else part.verdicts[verdict]:
                yield Note(part.id, f"{plural(count, 'series', 'series')}: {text}.")


def _elsewhere(scope: Scope) -> Iterable[Note]:
    """Return what is promised or measured, but not by this kind of period."""
    for objective in unreported(scope):
        windows = ", ".join(window.name for window in objective.windows)
        yield Note(objective.id, f"It is promised of other windows ({windows}), and is not part of this report.")
    for measure in scope.agreement.measures():
        if scope.may_see(measure.id) and not any(
            window.kind == scope.period.window for window in windows_of(scope.agreement, measure)
        ):
            yield Note(measure.id, f"It is not measured by the {scope.period.window}.")
