"""The figures, verdicts and outcomes of all series as lines of a page: which metrics a status has, and its labels."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from monitor.core.measures import subject_of
from monitor.core.objectives import INDICATORS
from monitor.core.sketch import counts_within
from monitor.metrics import catalogue as m
from monitor.metrics.catalogue import ATTRIBUTES, VERDICTS, Metric
from monitor.metrics.outcomes import show_outcomes
from monitor.metrics.shown import FIGURES, LIVE, SPREADS, Spread
from monitor.metrics.text import Line, Lines, labels_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monitor.core.agreement import Agreement
    from monitor.core.figures import Figure, ObjectiveVerdict, WindowStatus
    from monitor.core.series import SeriesKey
    from monitor.metrics.snapshot import Snapshot

_TELLS: Final = {"compliance": "clock", "asa": "call", "availability": "outage", "depth": "lead"}
"""The indicator that only this kind of measure has."""
_VALUE, _NUMERATOR, _DENOMINATOR = 1, 2, 3
"""Where they stand in a `Figure`."""
_AGES: Final = {kind: frozenset(name for name, one in shown.items() if one.age_of) for kind, shown in LIVE.items()}
_FLAGS: Final = (0, 1)
"""The row of a template whose values are always the same."""


def show_figures(page: Lines, snapshot: Snapshot, series: SeriesLabels | None = None) -> None:
    """Show all series, always the same ones where there are too many; ``series`` knows labels of an earlier page."""
    series = series or SeriesLabels()
    series.follow(snapshot.agreements)
    live: dict[SeriesKey, tuple[str, WindowStatus]] = {}
    for (key, window), status in sorted(_newest(snapshot.statuses).items(), key=itemgetter(0)):
        kind = kind_of(status)
        known = live.get(key) if kind else None
        if kind and (known is None or known[1].as_of_ms < status.as_of_ms):
            live[key] = kind, status
        sketch = snapshot.spreads.get((key, window)) if kind in SPREADS else None
        shape = _shape(kind, status)
        if sketch is None and not status.budgets and not status.consequences and page.is_full(shape):
            continue
        labels = series.of_window(status)
        if not page.is_new(labels):
            continue
        page.fill(shape, lambda kind=kind, status=status: _template(kind, status), labels, _rows(status))  # type: ignore[misc]
        show_outcomes(page.put, labels, status)
        if sketch is not None:
            _spread(page, SPREADS[kind], labels, sketch)
    for kind, status in live.values():
        _live(page, series, kind, status, snapshot.now_ms or 0)


def _newest(statuses: Iterable[WindowStatus]) -> dict[tuple[SeriesKey, str], WindowStatus]:
    newest: dict[tuple[SeriesKey, str], WindowStatus] = {}
    for status in statuses:
        if status.closed:  # a statement is history; the period that runs has taken its place
            continue
        key = status.series, status.window
        other = newest.get(key)
        if other is None or other.as_of_ms <= status.as_of_ms:
            newest[key] = status
    return newest


def kind_of(status: WindowStatus) -> str:
    """Return the kind of measure that a status is of, told by its indicators; "" for none that is known."""
    for figure in status.figures:
        if figure.indicator in _TELLS:
            return _TELLS[figure.indicator]
    return ""


def _shape(kind: str, status: WindowStatus) -> tuple[object, ...]:
    """Return all that decides which lines a window has: not its values, but whether they are there."""
    return (
        kind,
        tuple([one[0] if one[_VALUE] is not None else (one[0],) for one in status.figures]),
        tuple([(*one[:3], one.at_risk is None, one.value is None, one.verdict) for one in status.verdicts]),
    )


def _rows(status: WindowStatus) -> list[Any]:
    """Return where a template finds its values."""
    return [_FLAGS, *status.figures, *status.verdicts]


def _template(kind: str, status: WindowStatus) -> list[Line]:
    """Return the lines of all windows of a shape."""
    found: list[Line] = []
    for row, figure in enumerate(status.figures, 1):
        found += _figure_lines(kind, figure, row)
    for row, verdict in enumerate(status.verdicts, 1 + len(status.figures)):
        found += _verdict_lines(kind, verdict, row)
    return found


def _figure_lines(kind: str, figure: Figure, row: int) -> list[Line]:
    shown = FIGURES.get(kind, {}).get(figure.indicator)
    if shown is None:
        return []
    parts = ((shown.value, _VALUE), (shown.numerator, _NUMERATOR), (shown.denominator, _DENOMINATOR))
    return [
        Line(metric, row, field, _divisor(metric), after=shown.extra)
        for metric, field in parts
        if metric is not None and figure[field] is not None
    ]


def _verdict_lines(kind: str, one: ObjectiveVerdict, row: int) -> list[Line]:
    before = (one.objective, one.indicator, one.comparison)
    divisor = 1000 if INDICATORS.get(kind, {}).get(one.indicator) == "ms" else 0
    where = {name: place for place, name in enumerate(one._fields)}
    parts = (
        (m.OBJECTIVE_VALUE, "value", divisor),
        (m.OBJECTIVE_TARGET, "target", divisor),
        (m.OBJECTIVE_WARNING, "at_risk", divisor),
        (m.OBJECTIVE_SAMPLES, "sample", 0),
        (m.OBJECTIVE_MINIMUM, "minimum_sample", 0),
    )
    found = [Line(metric, row, where[name], by, before) for metric, name, by in parts if one[where[name]] is not None]
    return found + [
        Line(m.OBJECTIVE_VERDICT, 0, int(verdict == one.verdict), 0, before, (verdict,)) for verdict in VERDICTS
    ]


def _live(page: Lines, series: SeriesLabels, kind: str, status: WindowStatus, now_ms: int) -> None:
    """Show what is open now in a series."""
    shown = LIVE[kind]
    names = [name for name in shown if name not in _AGES[kind] or status.live.get(shown[name].age_of)]
    shape = kind, *names
    if page.is_full(shape):
        return
    labels = series.of(status)
    if not page.is_new(labels):
        return
    values = []
    for name in names:
        value = status.live.get(name, 0)
        # A status is not told again merely because what is open gets older.
        values.append(value + max(0, now_ms - status.as_of_ms) if name in _AGES[kind] else value)
    page.fill(
        shape,
        lambda: [Line(shown[name].metric, 0, place, _divisor(shown[name].metric)) for place, name in enumerate(names)],
        labels,
        (tuple(values),),
    )


def _spread(page: Lines, shown: Spread, labels: str, sketch: Mapping[int, int]) -> None:
    counts = counts_within(sketch, [bound * 1000 for bound in shown.bounds])
    bounds = [*map(str, shown.bounds), "+Inf"]
    page.put(shown.metric, labels, {((), (bound,)): n for bound, n in zip(bounds, counts, strict=True)})


def _divisor(metric: Metric) -> int:
    """Return what leads from a value of the core, whose durations are milliseconds, to the unit of a metric."""
    return 1000 if metric.unit == "seconds" else 0


class SeriesLabels:
    """The labels of the series as text: made once for all windows of a series, and kept from one page to the next.

    Only those of series that are shown are ever made. They are forgotten when another book holds.
    """

    def __init__(self) -> None:
        self._agreements: Sequence[Agreement] = ()
        self._subjects: dict[tuple[str, int, str], str] = {}
        """The subject that each measure is of."""
        self._heads: dict[tuple[str, int, str], str] = {}
        self._texts: dict[tuple[SeriesKey, int], str] = {}

    def follow(self, agreements: Sequence[Agreement]) -> None:
        """Take over the agreements that hold now."""
        if agreements is not self._agreements or len(self._texts) > 2 * m.MAX_SERIES:
            self._agreements = agreements
            self._subjects = {
                (one.id, one.version, measure.id): subject_of(measure)
                for one in agreements
                for measure in one.measures()
            }
            self._heads.clear()
            self._texts.clear()

    def of(self, status: WindowStatus) -> str:
        """Return the labels of the series (`SERIES`) that a status is of."""
        key = status.series, status.version
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = self._made(status)
        return text

    def of_window(self, status: WindowStatus) -> str:
        """Return the labels of a window (`WINDOWED`)."""
        return f'{self.of(status)},window="{status.window}"'

    def _made(self, status: WindowStatus) -> str:
        measure = status.series.agreement, status.version, status.series.measure
        head = self._heads.get(measure)
        if head is None:
            told = zip(m.SERIES, (measure[0], measure[2], self._subjects.get(measure, "")), strict=False)
            head = self._heads[measure] = labels_text(told)
        labels = status.labels
        own = labels_text([item for item in labels.items() if item[0] in ATTRIBUTES])
        others = [f"{name}={labels[name]}" for name in sorted(labels) if name not in ATTRIBUTES]
        last = labels_text([("other", ",".join(others))])
        return ",".join([one for one in (head, own, last) if one])
