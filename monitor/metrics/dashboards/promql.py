"""Queries in PromQL, made from the metrics of the catalogue: a metric or label that does not exist is an error here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.agreements.indicators import NAMED
from monitor.metrics import catalogue as m
from monitor.metrics import own
from monitor.metrics.declaring import ATTRIBUTES, CODES, OBJECTIVE, SERIES, Metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.core.objectives.status import Verdict

SERIES_NAME: Final = "series"
"""The label that `named` adds: all attributes of a series in one text."""


class Regex(NamedTuple):
    """A matcher's value that is a regular expression."""

    pattern: str


class Back(NamedTuple):
    """How far the period before one of these windows lies back."""

    windows: Regex
    offset: str


PERIODS: Final = (
    Back(Regex("day|[0-9]+[smh]"), "1d"),
    Back(Regex("week|7d"), "1w"),
    Back(Regex("month|30d"), "30d"),
    Back(Regex("quarter|90d"), "13w"),
    Back(Regex("year|365d"), "52w"),
)
"""A window shorter than a day is compared with that of the day before: nights differ from days, Sundays from Mondays.

In PromQL no offset is a month long: 30 days before, as much of that month was over, give or take a day.
"""
BEFORE: Final = ", a period before"
"""What the names of series of a period before end in (`as_before`)."""


def one_of(values: Iterable[str]) -> Regex:
    """Return a matcher for any of some words."""
    return Regex("|".join(values))


def indicators(unit: str) -> Regex:
    """Return a matcher for the indicators of a unit: ``ratio``, ``ms`` or ``count``."""
    return one_of(name for name, one in NAMED.items() if one.unit == unit)


def select(
    metric: Metric,
    matchers: Mapping[str, str | Regex],
    *,
    bucket: bool = False,
    at_end: bool = False,
    back: Back | None = None,
) -> str:
    """Return a selector of a metric's samples; ``bucket``: of a histogram's buckets.

    ``at_end``: at each instant those of the end of the time range, so that which rows are shown does not change in it.
    ``back``: those of windows of a length, as they stood one period before.

    Raises:
        ValueError: the metric has no such label, or no such samples.
    """
    unknown = matchers.keys() - set(metric.labels)
    if unknown:
        raise ValueError(f"{metric.name} has no label {', '.join(sorted(unknown))}: it has {', '.join(metric.labels)}")
    if bucket != (metric.kind == "histogram"):
        raise ValueError(f"{metric.name} is a {metric.kind}: only a histogram has buckets, and nothing else is drawn")
    name = f"{metric.name}_bucket" if bucket else metric.name
    every = [*matchers.items(), *([("window", back.windows)] if back else ())]
    inside = ", ".join(
        f'{label}=~"{value.pattern}"' if isinstance(value, Regex) else f'{label}="{value}"' for label, value in every
    )
    found = f"{name}{{{inside}}}" if inside else name
    return found + (" @ end()" if at_end else "") + (f" offset {back.offset}" if back else "")


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
    ends: bool = False
    """Whether at each instant the samples of the end of the time range are meant (`at_end`)."""

    def at_end(self) -> Scope:
        """Return the scope at the end of the time range: what is chosen by it is the same at each instant."""
        return replace(self, ends=True)

    def of(self, metric: Metric, /, **matchers: str | Regex) -> str:
        """Return the selector of a metric within the scope.

        What is chosen of an attribute also finds the series that are not split by it: they hold for each of its values.
        To leave them out would hide their breaches, and what is left would look fine.
        """
        return select(metric, self._matchers(metric, matchers), at_end=self.ends)

    def _matchers(self, metric: Metric, matchers: Mapping[str, str | Regex]) -> dict[str, str | Regex]:
        found: dict[str, str | Regex] = {label: value for label, value in self.fixed.items() if label in metric.labels}
        for label in self.labels:
            if label in metric.labels:
                found[label] = Regex(f"${label}|" if label in ATTRIBUTES else f"${label}")
        if self.window and "window" in metric.labels:
            found["window"] = f"${self.window}"
        return found | dict(matchers)

    def a_period_before(self, metric: Metric, by: str, /, **matchers: str | Regex) -> str:
        """Return `each` as it stood one period before (`PERIODS`)."""
        found = self._matchers(metric, matchers)
        samples = " or ".join(select(metric, found, back=back) for back in PERIODS)
        return f"max by ({by}) ({named(samples)})"

    def of_chosen(self, metric: Metric, /, **matchers: str | Regex) -> str:
        """Return the selector of a metric within the scope, of the measure that was chosen."""
        return self.of(metric, measure=f"${self.measure}", **matchers)

    def whole(self) -> Scope:
        """Return the scope over all windows."""
        return replace(self, window="")

    def verdicts(self, by: str, /, **matchers: str | Regex) -> str:
        """Return the most urgent verdict of each group, as its code in `CODES`, in the chosen window.

        An objective that has no such window has the most urgent verdict of its own ones.
        """
        chosen = f"max by ({by}) ({named(self.of(m.OBJECTIVE_CODE, **matchers))})"
        if not self.window:
            return chosen
        own = f"max by ({by}) ({named(self.whole().of(m.OBJECTIVE_CODE, **matchers))})"
        known = "agreement, objective" if "objective" in by else "agreement"
        return f"{chosen} or ({own} unless on ({known}) {chosen})"

    def urgent(self, by: str, rows: int, /, **matchers: str | Regex) -> str:
        """Return `verdicts` of at most so many groups that are breached or at risk at the end of the time range.

        They are those that miss their targets most, or are nearest to it.
        """
        end = self.at_end()
        now = f"({end.verdicts(by, **matchers)}) >= {CODES['at_risk']}"
        shown = f"topk({rows}, {end.whole().off_target(by, **matchers)} and on ({by}) ({now}))"
        return f"({self.verdicts(by, **matchers)}) and on ({by}) {shown}"

    def objectives(self, verdict: Verdict | None = None, /, **matchers: str | Regex) -> str:
        """Return how many objectives there are, or have a verdict as the most urgent one of all series and windows.

        Nothing, not 0, where there is no objective at all.
        """
        each = f"max by (agreement, objective) ({self.whole().of(m.OBJECTIVE_CODE, **matchers)})"
        return f"sum({each} == bool {CODES[verdict]})" if verdict else f"count({each})"

    def each(self, metric: Metric, by: str, /, **matchers: str | Regex) -> str:
        """Return the largest number of each group."""
        return f"max by ({by}) ({named(self.of(metric, **matchers))})"

    def off_target(self, by: str, /, **matchers: str | Regex) -> str:
        """Return by which share of its target each objective misses it; below 0: it keeps the target by so much."""
        target = self.of(m.OBJECTIVE_TARGET, **matchers)
        size = f"(abs({target}) + ({target} == bool 0))"
        at_least = self.of(m.OBJECTIVE_VALUE, comparison=Regex(">=|>"), **matchers)
        at_most = self.of(m.OBJECTIVE_VALUE, comparison=Regex("<=|<"), **matchers)
        same = f"on ({', '.join(OBJECTIVE)})"
        off = f"(({target} - {same} {at_least}) or ({at_most} - {same} {target})) / {same} {size}"
        return f"max by ({by}) ({named(off)})"

    def worst(self, by: str, rows: int, /, **matchers: str | Regex) -> str:
        """Return the groups that miss their targets most, or are nearest to it, at the end of the time range."""
        return f"topk({rows}, {self.at_end().off_target(by, **matchers)})"


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


def as_before(expression: str) -> str:
    """Return an expression whose series are named as those of a period before."""
    return _rewritten(expression, "(.*)", f"$1{BEFORE}")


def said_in_a_row(words: str, number: float) -> str:
    """Return what a table of promises shows where it would have no row: words in the column of the promise."""
    return f'label_replace(vector({number:g}), "measure", "{words}", "", "")'


def total(expression: str) -> str:
    """Return the sum of a number over all series; two workers that both show one, at a handover, count once."""
    return f"sum(max by ({', '.join(SERIES)}) ({expression}))"


def age_of(newest: str) -> str:
    """Return how long ago an instant was, by the clock of the monitor (in a demonstration it is not the wall clock)."""
    return f"scalar(max({select(own.MONITOR_TIME, {})})) - {newest}"


def spread(selector: str) -> str:
    """Return how many durations were at most each bound, under the label by which a heatmap makes its rows."""
    return f'sum by (le) (label_replace({selector}, "le", "$1", "at_most", "(.*)"))'


def grown(selector: str) -> str:
    """Return by how much numbers have grown since one column of a picture earlier."""
    return f"clamp_min({selector} - {selector} offset $__interval, 0)"


def worded(expression: str, label: str) -> str:
    """Return an expression with the words of a label's values apart: ``at risk``, not ``at_risk``."""
    return f'label_replace({expression}, "{label}", "$1 $2", "{label}", "(.*?)_(.*)")'


def told_apart(value: str, code: str) -> str:
    """Return a value under the label ``verdict``: its words are those of `panels.LOOKS_OF_VERDICT`, by a verdict."""
    judged = CODES["met"]
    cases = {
        "kept": f"({value}) and on () (({code}) >= {judged} < {CODES['at_risk']})",
        "at risk": f"({value}) and on () (({code}) == {CODES['at_risk']})",
        "breached": f"({value}) and on () (({code}) == {CODES['breached']})",
        "not judged": f"({value}) unless on () (({code}) >= {judged})",
    }
    return any_of(cases, "verdict")


def any_of(cases: Mapping[str, str], label: str) -> str:
    """Return expressions side by side, each under the label's value that is its key."""
    parts = (f'label_replace({case}, "{label}", "{word}", "", "")' for word, case in cases.items())
    return f"max by ({label}) ({' or '.join(parts)})"
