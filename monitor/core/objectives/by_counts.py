"""Whether a verdict turns with what is counted: for a run that shows nothing in between, and judges only then.

A share of events is ``n / d``, where ``n`` and ``d`` are sums of counts. As long as only counts change, both follow
from the last evaluation and the differences of the counts, and so does the verdict, by the rules that judge all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from monitor.core.objectives.verdicts import judge
from monitor.core.time.spans import NEVER_MS, Span
from monitor.core.time.windows import width_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.core.agreements.objectives import Objective
    from monitor.core.objectives.status import Verdict
    from monitor.core.series.figures import Figure, Share
    from monitor.core.time.windows import Width, Window


class ByCounts(NamedTuple):
    """An objective in a window: its figure by what was counted since, and the verdict of the last evaluation.

    ``span`` is what the window covers, in panes of ``width``; what is counted in the live pane counts, too.
    """

    objective: Objective
    share: Share
    figure: Figure
    verdict: Verdict
    width: Width
    span: Span
    is_period: bool

    def counts_in(self, width: Width, start_ms: int) -> bool:
        """Return whether what is counted in a pane counts for the figure."""
        return width == "live" or (width == self.width and self.span.start_ms <= start_ms < self.span.end_ms)

    def after(self, before: Mapping[str, int], now: Mapping[str, int]) -> ByCounts:
        """Return how the objective stands after the counts of a pane have changed."""
        numerator, denominator = self.figure.numerator, self.figure.denominator
        for name, (in_numerator, in_denominator) in self.share.items():
            more = now.get(name, 0) - before.get(name, 0)
            numerator += in_numerator * more
            denominator += in_denominator * more
        value = numerator / denominator if denominator else None
        return self._replace(
            figure=self.figure._replace(value=value, numerator=numerator, denominator=denominator)
        )  # fmt: skip

    def turns(self) -> bool:
        """Return whether the verdict is another one than that of the last evaluation."""
        return _verdict(self.objective, self.figure, is_period=self.is_period) != self.verdict


def by_counts(
    objectives: Sequence[Objective],
    figures: Sequence[Figure],
    shares: Mapping[str, Share],
    window: Window,
    span: Span,
) -> tuple[ByCounts, ...] | None:
    """Return how the objectives of a window stand; None: one of them does not follow from counts alone.

    Args:
        objectives: what was promised for the window.
        figures: its figures.
        shares: by indicator, the counts of the share; all other indicators follow from more than counts.
        window: the window.
        span: the span that it covers. A rolling window goes on, and is judged anew whenever a pane leaves it.
    """
    found = []
    is_period = window.kind != "rolling"
    covered = span if is_period else Span(span.start_ms, NEVER_MS)
    by_name = {one.indicator: one for one in figures}
    for objective in objectives:
        figure, share = by_name.get(objective.indicator), shares.get(objective.indicator)
        if figure is None or share is None or objective.budget is not None:
            return None
        verdict = _verdict(objective, figure, is_period=is_period)
        found.append(ByCounts(objective, share, figure, verdict, width_for(window), covered, is_period))
    return tuple(found)


def _verdict(objective: Objective, figure: Figure, *, is_period: bool) -> Verdict:
    return judge(objective, (figure,), 0, calendar=is_period, closed=False).verdict
