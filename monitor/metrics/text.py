"""The figures of a scrape as lines of text: microseconds a line.

The client library would make objects of each line first.

Lines are the same in both formats that the library knows; the heads of the families (help, type) come from it. A window
is shown by a template: thousands of series have the same lines, and only their labels and values differ.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Final, NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from monitor.metrics.catalogue import CATALOGUE
from monitor.metrics.declaring import Metric
from monitor.wire.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    Encode = Callable[[CollectorRegistry], bytes]
    """Makes the text of a registry in one of the formats."""
    _Place = tuple[list[str], str, str, int, int, int]
    """The lines of a metric, the texts before and after the labels, and the row, field and divisor of the value."""
    Row = tuple[float, ...]
    """A row of values for a template: a figure, a verdict, or the counts of open subjects."""

_END: Final = b"# EOF\n"
"""The end of a page of OpenMetrics."""


class Line(NamedTuple):
    """One line of a template: its metric, the labels before and after those of the series, and the place of its value.

    The value is field ``field`` of row ``row``, divided by ``divisor`` if that is not 0.
    """

    metric: Metric
    row: int
    field: int
    divisor: int = 0
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


class _Ready:
    """A template in use: those of its lines that have room on the page.

    ``dropped`` counts, by metric, the lines that have no room; ``times`` counts the windows for which that was so.
    ``most`` is the highest number of lines of one metric.
    """

    __slots__ = ("dropped", "lines", "most", "times")

    def __init__(self, lines: list[_Place], dropped: dict[str, int], most: int) -> None:
        self.lines = lines
        self.dropped = dropped
        self.most = most
        self.times = 0


class Lines:
    """The lines of one scrape by metric, limited in number for each metric. The caller adds them in sorted order.

    A window's lines of one metric mean little without each other: either all of them are shown, or none.
    """

    def __init__(self, max_series: int) -> None:
        self._dropped: dict[str, int] = {}
        self._max_series = max_series
        self._lines: dict[str, list[str]] = {}
        self._seen: set[str] = set()
        self._ready: dict[Hashable, _Ready] = {}
        self._room = max_series
        """How many lines surely have room in every metric of the templates, without checking each metric."""

    def is_full(self, shape: Hashable) -> bool:
        """Return whether no line of a window of this shape has room. If so, count the window as dropped."""
        ready = self._ready.get(shape)
        if ready is None or ready.lines:
            return False
        ready.times += 1
        return True

    def is_new(self, labels: str) -> bool:
        """Return whether no line had these labels before: two lines with the same labels make the whole scrape fail."""
        if labels in self._seen:
            return False
        self._seen.add(labels)
        return True

    def fill(self, shape: Hashable, template: Callable[[], Sequence[Line]], labels: str, rows: Sequence[Row]) -> None:
        """Add the lines of a template, which is made once for each shape, with the labels and values of a series."""
        ready = self._ready.get(shape)
        if ready is not None and self._room < ready.most:
            # Some templates may have no room any more: prepare all of them again.
            for one in self._ready.values():
                self._drop(one.dropped, one.times)
            self._ready.clear()
            ready, self._room = None, self._max_series
        if ready is None:
            ready = self._prepare(shape, template())
        self._room -= ready.most
        for lines, head, tail, row, field, divisor in ready.lines:
            value = rows[row][field]
            lines.append(f"{head}{labels}{tail}{value / divisor if divisor else value}\n")
        ready.times += 1

    def put(self, metric: Metric, labels: str, values: Mapping[tuple[tuple[str, ...], tuple[str, ...]], float]) -> None:
        """Add the lines of one metric of a window, by their labels before and after those of the series.

        The metric must be in no template: templates do not check the room again.
        """
        lines = self._lines.setdefault(metric.name, [])
        if len(lines) + len(values) > self._max_series:
            self._drop({metric.name: len(values)})
            return
        for (before, after), value in values.items():
            head, tail = around(metric, before, after)
            lines.append(f"{head}{labels}{tail}{number(value)}\n")

    def dropped(self) -> dict[str, int]:
        """Return how many lines were left out for lack of room, by the names of their metrics."""
        for one in self._ready.values():
            self._drop(one.dropped, one.times)
            one.times = 0
        return self._dropped

    def _drop(self, lines: Mapping[str, int], times: int = 1) -> None:
        for name, n in lines.items() if times else ():
            self._dropped[name] = self._dropped.get(name, 0) + n * times

    def page(self, encode: Encode) -> list[bytes]:
        """Return the text of all families, in the order of the catalogue."""
        found = []
        for metric in CATALOGUE.values():
            if lines := self._lines.get(metric.name):
                found += [head_of(metric, encode), "".join(lines).encode()]
        return found

    def _prepare(self, shape: Hashable, template: Sequence[Line]) -> _Ready:
        """Find out which lines of a template have room."""
        counts: dict[str, int] = {}
        for line in template:
            counts[line.metric.name] = counts.get(line.metric.name, 0) + 1
        room = {name: self._max_series - len(self._lines.setdefault(name, [])) for name in counts}
        shown = [
            (self._lines[line.metric.name], *around(line.metric, line.before, line.after), *line[1:4])
            for line in template
            if counts[line.metric.name] <= room[line.metric.name]
        ]
        dropped = {name: n for name, n in counts.items() if n > room[name]}
        most = max((n for name, n in counts.items() if name not in dropped), default=0)
        self._room = min([self._room, *(room[name] for name in counts if name not in dropped)])
        ready = self._ready[shape] = _Ready(shown, dropped, most)
        return ready


class _Empty(Collector):
    def __init__(self, metric: Metric) -> None:
        self._family = Family(metric.name.removesuffix("_total"), metric.help, metric.kind, metric.unit)

    def collect(self) -> Iterable[Family]:
        return (self._family,)


def head_of(metric: Metric, encode: Encode) -> bytes:
    """Return the head of a family in a format (help and type), as the client library writes it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Empty(metric))
    return encode(registry).removesuffix(_END)


def around(metric: Metric, before: tuple[str, ...], after: tuple[str, ...]) -> tuple[str, str]:
    """Return the texts before and after the labels of a series in a line of a metric."""
    names = metric.labels
    first = labels_text(zip(names, before, strict=False))
    last = labels_text(zip(names[len(names) - len(after) :], after, strict=True))
    return f"{metric.name}{{{first}{',' if first else ''}", f"{',' if last else ''}{last}}} "


def labels_text(labels: Iterable[tuple[str, str]]) -> str:
    """Return labels as text. An empty label is left out: for Prometheus it is an absent one."""
    return ",".join([f'{name}="{_escaped(value)}"' for name, value in labels if value])


def number(value: float) -> str:
    """Return a number in the notation of both formats."""
    return str(value) if isfinite(value) else {"inf": "+Inf", "-inf": "-Inf"}.get(str(value), "NaN")


def _escaped(value: str) -> str:
    """Return a label value in its escaped form. One lone surrogate would make the whole scrape fail."""
    value = visible(value)
    if '"' in value or "\\" in value or "\n" in value:
        value = value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    return value if value.isascii() else value.encode("utf-8", "replace").decode()
