"""The outages of a period on a time axis: what was down, announced as maintenance, and not watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from monitor.core.agreements.measures import OutageRule
from monitor.core.objectives.status import WindowStatus
from monitor.core.outages.composite import composite_records
from monitor.core.outages.silence import with_silence
from monitor.core.series.figures import Figure
from monitor.core.series.series import LIVE, OutageRecord, SeriesKey, labels_in
from monitor.reports.period import Period
from monitor.reports.scope import Scope
from monitor.reports.sources import Sources
from monitor.reports.words import about, shown

_SHOWN_FIGURES: Final = (
    "availability", "downtime", "failures", "mtbf", "mttr_acknowledge", "mttr_respond", "mttr_restore", "mttr_resolve",
    "coverage", "saidi", "saifi", "caidi", "asai", "maifi", "saidi_net", "saifi_net", "caidi_net", "major_event_days",
)  # fmt: skip


_KINDS: Final = {"outage": "outage", "maintenance": "maintenance", "blind": "not watched"}
LISTED: Final = 20
"""The longest stretches of a service that are listed."""


class Stretch(NamedTuple):
    """A stretch of a service's time, cut to the period. ``weight`` is the largest share of it that was down (outages).

    ``is_open``: an outage that was not over at the instant of the report.
    """

    kind: Literal["outage", "maintenance", "blind"]
    id: str
    from_ms: int
    to_ms: int
    weight: float
    is_open: bool

    @property
    def length_ms(self) -> int:
        """Its length within the period."""
        return self.to_ms - self.from_ms

    @property
    def words(self) -> str:
        """Its kind as people read it."""
        return _KINDS[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAxis:
    """The time axis of one series of an outage measure, and its figures in the period."""

    measure: str
    labels: Mapping[str, str]
    about: str
    stretches: tuple[Stretch, ...]
    figures: tuple[Figure, ...]

    @property
    def outages(self) -> tuple[Stretch, ...]:
        """The outages alone."""
        return tuple(one for one in self.stretches if one.kind == "outage")

    @property
    def longest(self) -> list[tuple[str, Stretch]]:
        """Its longest stretches, each with the name of the service."""
        return [(self.about, one) for one in sorted(self.stretches, key=lambda one: -one.length_ms)[:LISTED]]

    def figure(self, indicator: str) -> Figure | None:
        """Return a figure of the period; None: it has none of that name."""
        return next((one for one in self.figures if one.indicator == indicator and one.value is not None), None)


def service_axes(sources: Sources, scope: Scope) -> tuple[ServiceAxis, ...]:
    """Return the axis of each series of the agreement's outage measures, the longest downtime first."""
    rules = {one.id: one for one in scope.agreement.outages if scope.may_see(one.id)}
    records: dict[SeriesKey, dict[str, OutageRecord]] = {}
    for one in sources.changes:
        series, item = one.change.series, one.change.outage
        if item is None or one.change.at_ms == LIVE or series.agreement != scope.agreement.id:
            continue
        rule = rules.get(series.measure)
        if rule is not None and scope.shows(rule.id, labels_in(rule.by, series)):
            records.setdefault(series, {})[item[0]] = item[1]
    figures = _figures(sources, scope, rules)
    found = [
        _axis(rules[series.measure], series, records.get(series, {}), figures.get(series), scope, sources.as_of_ms)
        for series in sorted({*records, *figures})
    ]
    return tuple(
        sorted((one for one in found if one.figures or one.stretches), key=lambda one: (one.measure, -_down(one)))
    )


def _figures(sources: Sources, scope: Scope, rules: Mapping[str, OutageRule]) -> dict[SeriesKey, WindowStatus]:
    """Return the statement (or the running status) of each series of outage measures."""
    found: dict[SeriesKey, WindowStatus] = {}
    for status in sources.statements if scope.closed else sources.running:
        if (
            status.series.measure in rules
            and scope.has(status)
            and status.window == scope.period.window
            and scope.period.holds(status.from_ms)
        ):
            found[status.series] = status
    return found


def _axis(
    rule: OutageRule,
    series: SeriesKey,
    records: Mapping[str, OutageRecord],
    status: WindowStatus | None,
    scope: Scope,
    as_of_ms: int,
) -> ServiceAxis:
    named = with_silence(rule, records.items())
    if rule.parts:
        named = composite_records(rule, named)
    # What a composite service is down for has no id of its own.
    stretches = [
        found
        for name, record in named
        if (found := _stretch("" if rule.parts else name, record, scope.period, as_of_ms)) is not None
    ]
    labels = labels_in(rule.by, series)
    wanted = {} if status is None else {one.indicator: one for one in status.figures if one.value is not None}
    return ServiceAxis(
        measure=rule.id,
        labels=labels,
        about=about(labels) if labels else rule.id,
        stretches=tuple(sorted(stretches, key=lambda one: (one.from_ms, one.kind, one.id))),
        figures=tuple(wanted[name] for name in _SHOWN_FIGURES if name in wanted),
    )


def _stretch(name: str, record: OutageRecord, period: Period, as_of_ms: int) -> Stretch | None:
    """Return a record cut to the period; None if it lies outside of it."""
    end_ms = record.restored_ms or as_of_ms
    from_ms, to_ms = max(record.start_ms, period.from_ms), min(end_ms, period.to_ms)
    if record.kind == "heard" or from_ms >= to_ms:
        return None
    weight = max((weight for _, weight in record.weights), default=1.0)
    return Stretch(record.kind, shown(name.partition("\x1f")[0]), from_ms, to_ms, weight, not record.restored_ms)


def _down(axis: ServiceAxis) -> float:
    figure = axis.figure("downtime")
    if figure is not None and figure.value is not None:
        return figure.value
    return float(sum(one.to_ms - one.from_ms for one in axis.outages))
