"""Queries in PromQL, made from the metrics of the catalogue: a metric or label that does not exist is an error here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.agreements.indicators import NAMED
from monitor.metrics import catalogue as m
from monitor.metrics.declaring import ATTRIBUTES, SERIES, Metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.core.objectives.status import Verdict

SERIES_NAME: Final = "series"
"""The label that `named` adds: all attributes of a series in one text."""

CODES: Final[dict[Verdict, int]] = {
    "no_data": 0,
    "low_sample": 1,
    "met": 2,
    "on_track": 3,
    "at_risk": 4,
    "breached": 5,
}
"""Verdicts as numbers that can be drawn and compared: the more urgent, the larger."""


class Regex(NamedTuple):
    """A matcher's value that is a regular expression."""

    pattern: str


def one_of(values: Iterable[str]) -> Regex:
    """Return a matcher for any of some words."""
    return Regex("|".join(values))


def indicators(unit: str) -> Regex:
    """Return a matcher for the indicators of a unit: ``ratio``, ``ms`` or ``count``."""
    return one_of(name for name, one in NAMED.items() if one.unit == unit)


def select(metric: Metric, matchers: Mapping[str, str | Regex], *, bucket: bool = False) -> str:
    """Return a selector of a metric's samples; ``bucket``: of a histogram's buckets.

    Raises:
        ValueError: the metric has no such label, or no such samples.
    """
    unknown = matchers.keys() - set(metric.labels)
    if unknown:
        raise ValueError(f"{metric.name} has no label {', '.join(sorted(unknown))}: it has {', '.join(metric.labels)}")
    if bucket != (metric.kind == "histogram"):
        raise ValueError(f"{metric.name} is a {metric.kind}: only a histogram has buckets, and nothing else is drawn")
    name = f"{metric.name}_bucket" if bucket else metric.name
    inside = ", ".join(
        f'{label}=~"{value.pattern}"' if isinstance(value, Regex) else f'{label}="{value}"'
        for label, value in matchers.items()
    )
    return f"{name}{{{inside}}}" if inside else name


@dataclass(frozen=True, slots=True)
class Scope:
    """The limits that the variables of a dashboard set to its queries.

    ``labels`` are the labels that have a variable of their own name; ``window`` and ``measure`` name the variables that
    choose one window and one measure; ``fixed`` always holds. Each is applied where a metric has the label.
    """

    labels: tuple[str, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)
    window: str = ""
    measure: str = ""

    def of(self, metric: Metric, **matchers: str | Regex) -> str:
        """Return the selector of a metric within the scope."""
        found: dict[str, str | Regex] = {label: value for label, value in self.fixed.items() if label in metric.labels}
        found |= {label: Regex(f"${label}") for label in self.labels if label in metric.labels}
        if self.window and "window" in metric.labels:
            found["window"] = f"${self.window}"
        return select(metric, found | matchers)

    def of_chosen(self, metric: Metric, **matchers: str | Regex) -> str:
        """Return the selector of a metric within the scope, of the measure that was chosen."""
        return self.of(metric, measure=f"${self.measure}", **matchers)

    def whole(self) -> Scope:
        """Return the scope over all windows."""
        return Scope(self.labels, self.fixed, "", self.measure)

    def verdicts(self, by: str, **matchers: str | Regex) -> str:
        """Return the most urgent verdict of each group, as its code in `CODES`."""
        each = (f"{self.of(m.OBJECTIVE_VERDICT, verdict=word, **matchers)} * {code}" for word, code in CODES.items())
        return f"max by ({by}) ({named(' or '.join(each))})"

    def each(self, metric: Metric, by: str, **matchers: str | Regex) -> str:
        """Return the largest number of each group."""
        return f"max by ({by}) ({named(self.of(metric, **matchers))})"


def named(expression: str) -> str:
    """Return an expression whose samples have all attributes of their series in the label ``series``.

    A series that is split by nothing has the name "all".
    """
    labels = ", ".join(f'"{name}"' for name in (*ATTRIBUTES, "other"))
    joined = f'label_join({expression}, "{SERIES_NAME}", " ", {labels})'
    trimmed = _rewritten(joined, " *(.*?) *", "$1")
    return _rewritten(_rewritten(trimmed, "(.*?)  +(.*)", "$1 $2"), "", "all")


def _rewritten(expression: str, pattern: str, text: str) -> str:
    return f'label_replace({expression}, "{SERIES_NAME}", "{text}", "{SERIES_NAME}", "{pattern}")'


def total(expression: str) -> str:
    """Return the sum of a number over all series; two workers that both show one, at a handover, count once."""
    return f"sum(max by ({', '.join(SERIES)}) ({expression}))"


def age_of(newest: str) -> str:
    """Return how long ago an instant was, by the clock of the monitor (in a demonstration it is not the wall clock)."""
    return f"scalar(max({select(m.MONITOR_TIME, {})})) - {newest}"


def spread(selector: str) -> str:
    """Return how many durations were at most each bound, under the label by which a heatmap makes its rows."""
    return f'sum by (le) (label_replace({selector}, "le", "$1", "at_most", "(.*)"))'
