"""The figures, verdicts and outcomes of all series as lines of a page: the metrics of a status, and its labels."""

from __future__ import annotations

from functools import lru_cache, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from monitor.core.agreements.indicators import KIND_OF, NAMED
from monitor.core.series.sketch import counts_within
from monitor.metrics import catalogue as m
from monitor.metrics.declaring import ATTRIBUTES, CODES, MAX_SERIES, SERIES, VERDICTS, Metric
from monitor.metrics.outcomes import show_outcomes
from monitor.metrics.shown import FIGURES, LIVE, SPREADS, Spread
from monitor.metrics.text import Line, Lines, labels_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.objectives.status import ObjectiveVerdict, WindowStatus
    from monitor.core.series.figures import Figure
    from monitor.core.series.series import SeriesKey
    from monitor.metrics.snapshot import Snapshot

_VALUE, _NUMERATOR, _DENOMINATOR, _LACKING = 1, 2, 3, 6
"""The places of these fields in a `Figure`."""
_AGES: Final = {kind: frozenset(name for name, one in shown.items() if one.age_of) for kind, shown in LIVE.items()}
_ALL: Final = {kind: tuple(shown) for kind, shown in LIVE.items()}
_FLAGS: Final = (0, 1, 2, 3, 4, 5)
"""The row of a template whose values are always the same: each stands in its own place."""


def show_figures(page: Lines, snapshot: Snapshot, known: Known | None = None) -> None:
    """Show all series. If there are too many, every page shows the same ones; ``known`` is from an earlier page."""
    known = known or Known()
    known.follow(snapshot.agreements)
    now_ms, spreads = snapshot.now_ms or 0, snapshot.spreads
    newest: WindowStatus | None = None
    """The newest status of the series at hand. Its windows follow each other and have the same open subjects."""
    for status, shape in known.in_order(snapshot.statuses):
        kind = shape[0]
        if newest is not None and newest.series != status.series:
            _live(page, known, newest, now_ms)
            newest = None
        if kind and (newest is None or newest.as_of_ms < status.as_of_ms):
            newest = status
        sketch = spreads.get((status.series, status.window)) if spreads and kind in SPREADS else None
        if sketch is None and not status.budgets and not status.consequences and page.is_full(shape):
            continue
        labels = known.labels_of_window(status)
        if not page.is_new(labels):
            continue
        page.fill(shape, partial(_template, kind, status), labels, _rows(status))
        show_outcomes(page.put, labels, status)
        if sketch is not None:
            _spread(page, SPREADS[kind], labels, sketch)
    if newest is not None:
        _live(page, known, newest, now_ms)


def kind_of(status: WindowStatus) -> str:
    """Return the kind of measure of a status, known from its indicators; "" if it is unknown."""
    return _kind_of(tuple(map(_NAME, status.figures)))


@lru_cache(maxsize=256)
def _kind_of(indicators: tuple[str, ...]) -> str:
    return next((KIND_OF[one] for one in indicators if one in KIND_OF), "")


_NAME: Final = itemgetter(0)
_PRESENT: Final = itemgetter(_VALUE)


Shape = tuple[str, tuple[str, ...], tuple[str, ...], tuple[object, ...]]


def _shape(status: WindowStatus) -> Shape:
    """Return the shape of a window: everything that decides which lines it has.

    That is its kind, its indicators, those of them without a value, its verdicts, and the objectives with a value in
    the period before; the values themselves do not matter.
    """
    figures = status.figures
    names = tuple(map(_NAME, figures))
    gaps = tuple([one[0] for one in figures if one[_VALUE] is None]) if None in map(_PRESENT, figures) else ()
    verdicts = tuple([(*one[:3], one.at_risk is None, one.value is None, one.verdict) for one in status.verdicts])
    stated = tuple([name for name, _ in status.before])
    return _kind_of(names), names, gaps, (*verdicts, stated) if stated else verdicts


def _rows(status: WindowStatus) -> list[Any]:
    """Return the rows in which a template finds its values."""
    before = [tuple([value for _, value in status.before])] if status.before else []
    return [_FLAGS, *status.figures, *status.verdicts, *before]


def _template(kind: str, status: WindowStatus) -> list[Line]:
    """Return the lines of all windows of a shape."""
    found: list[Line] = []
    for row, figure in enumerate(status.figures, 1):
        found += _figure_lines(kind, figure, row)
    for row, verdict in enumerate(status.verdicts, 1 + len(status.figures)):
        found += _verdict_lines(verdict, row)
    row = 1 + len(status.figures) + len(status.verdicts)
    judged = {one.objective: one for one in status.verdicts}
    for place, (objective, _) in enumerate(status.before):
        if (now := judged.get(objective)) is not None:
            names = (now.objective, now.indicator, now.comparison)
            found.append(Line(m.OBJECTIVE_STATED, row, place, _of_duration(now), names))
    return found


def _figure_lines(kind: str, figure: Figure, row: int) -> list[Line]:
    shown = FIGURES[kind][figure.indicator]
    parts = (
        (shown.value, _VALUE),
        (shown.numerator, _NUMERATOR),
        (shown.denominator, _DENOMINATOR),
        (shown.lacking, _LACKING),
    )
    return [
        Line(metric, row, field, _divisor(metric), after=shown.extra)
        for metric, field in parts
        if metric is not None and figure[field] is not None
    ]


def _verdict_lines(one: ObjectiveVerdict, row: int) -> list[Line]:
    before = (one.objective, one.indicator, one.comparison)
    divisor = _of_duration(one)
    where = {name: place for place, name in enumerate(one._fields)}
    parts = (
        (m.OBJECTIVE_VALUE, "value", divisor),
        (m.OBJECTIVE_TARGET, "target", divisor),
        (m.OBJECTIVE_WARNING, "at_risk", divisor),
        (m.OBJECTIVE_SAMPLES, "sample", 0),
        (m.OBJECTIVE_MINIMUM, "minimum_sample", 0),
    )
    found = [Line(metric, row, where[name], by, before) for metric, name, by in parts if one[where[name]] is not None]
    if one.verdict in CODES:
        found.append(Line(m.OBJECTIVE_CODE, 0, CODES[one.verdict], 0, before))
    return found + [
        Line(m.OBJECTIVE_VERDICT, 0, int(verdict == one.verdict), 0, before, (verdict,)) for verdict in VERDICTS
    ]


def _of_duration(one: ObjectiveVerdict) -> int:
    """Return the divisor from the value of a verdict to its metric: durations are shown in seconds."""
    return 1000 if NAMED[one.indicator].unit == "ms" else 0


def _live(page: Lines, known: Known, status: WindowStatus, now_ms: int) -> None:
    """Show the numbers of the subjects of a series that are open now."""
    kind, counts = kind_of(status), status.live
    shown, ages = LIVE[kind], _AGES[kind]
    # Without open subjects there is no age to show.
    names = tuple([one for one in shown if one not in ages or counts.get(shown[one].age_of)]) if ages else _ALL[kind]
    shape = kind, names
    if page.is_full(shape):
        return
    labels = known.labels(status)
    if not page.is_new(labels):
        return
    values = []
    for name in names:
        value = counts.get(name, 0)
        # No new status is sent merely because the open subjects get older.
        values.append(value + max(0, now_ms - status.as_of_ms) if name in ages else value)
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
    """Return the divisor from a value of the core (durations are milliseconds) to the unit of a metric; 0: none."""
    return 1000 if metric.unit == "seconds" else 0


class Known:
    """The memory from one page to the next: labels as text, the order of the windows, and their shapes.

    Most statuses are the same objects as at the last scrape. Labels are made only for series that are shown. They are
    forgotten when another book is in force.
    """

    def __init__(self) -> None:
        self._agreements: Sequence[Agreement] = ()
        self._subjects: dict[tuple[str, int, str], str] = {}
        """The subject of each measure."""
        self._heads: dict[tuple[str, int, str], str] = {}
        self._texts: dict[tuple[SeriesKey, int], str] = {}
        self._statuses: Sequence[WindowStatus] = ()
        self._shapes: list[Shape] = []
        """The shape of each status."""
        self._distinct: dict[Shape, Shape] = {}
        self._order: list[int] | None = None
        """The places of the statuses by series and window; None: there are statements or older ones among them."""

    def follow(self, agreements: Sequence[Agreement]) -> None:
        """Apply the agreements that hold now."""
        if agreements is not self._agreements or len(self._texts) > 2 * MAX_SERIES:
            self._agreements = agreements
            self._subjects = {
                (one.id, one.version, measure.id): measure.subject_kind
                for one in agreements
                for measure in one.measures()
            }
            self._heads.clear()
            self._texts.clear()

    def in_order(self, statuses: Sequence[WindowStatus]) -> list[tuple[WindowStatus, Shape]]:
        """Return the newest status of each window with its shape, by series and window, without the statements.

        A statement is history: the running period has replaced it.
        """
        before = self._statuses
        if self._order is not None and len(before) == len(statuses) and all(map(_is_of_the_same, before, statuses)):
            shapes = [
                shape if one is was else self._shape_of(one)
                for one, was, shape in zip(statuses, before, self._shapes, strict=True)
            ]
            order = self._order
        else:
            self._distinct.clear()
            shapes = [self._shape_of(one) for one in statuses]
            order = _order(statuses)
            self._order = order if len(order) == len(statuses) else None
        self._statuses, self._shapes = statuses, shapes
        return [(statuses[place], shapes[place]) for place in order]

    def _shape_of(self, status: WindowStatus) -> Shape:
        shape = _shape(status)
        return self._distinct.setdefault(shape, shape)

    def labels(self, status: WindowStatus) -> str:
        """Return the labels (`SERIES`) of the series of a status."""
        key = status.series, status.version
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = self._made(status)
        return text

    def labels_of_window(self, status: WindowStatus) -> str:
        """Return the labels of a window (`WINDOWED`)."""
        return f'{self.labels(status)},window="{status.window}"'

    def _made(self, status: WindowStatus) -> str:
        measure = status.series.agreement, status.version, status.series.measure
        head = self._heads.get(measure)
        if head is None:
            told = zip(SERIES, (measure[0], measure[2], self._subjects.get(measure, "")), strict=False)
            head = self._heads[measure] = labels_text(told)
        labels = status.labels
        own = labels_text([item for item in labels.items() if item[0] in ATTRIBUTES])
        others = [f"{name}={labels[name]}" for name in sorted(labels) if name not in ATTRIBUTES]
        last = labels_text([("other", ",".join(others))])
        return ",".join([one for one in (head, own, last) if one])


def _is_of_the_same(before: WindowStatus, now: WindowStatus) -> bool:
    """Return whether a status has replaced an earlier one of the same window."""
    return before is now or (before.series == now.series and before.window == now.window and not now.closed)


def _order(statuses: Sequence[WindowStatus]) -> list[int]:
    """Return the places of the newest status of each window, by series and window."""
    newest: dict[tuple[SeriesKey, str], int] = {}
    for place, status in enumerate(statuses):
        if not status.closed:
            key = status.series, status.window
            other = newest.get(key)
            if other is None or statuses[other].as_of_ms <= status.as_of_ms:
                newest[key] = place
    return [place for _, place in sorted(newest.items())]
