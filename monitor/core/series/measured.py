"""The input and the result when a kind of measure computes the figures of a window of a series.

`monitor.core.kinds` maps each kind to its package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

from monitor.core.agreements.indicators import NAMED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.series.figures import Figure
    from monitor.core.series.series import OutageRecord, Pane
    from monitor.core.time.spans import Span
    from monitor.core.time.windows import Width, Window


class Panes(Protocol):
    """The panes of one series, from all its sources. A kind that needs more of them extends this protocol."""

    def live(self) -> Pane:
        """Return the live pane: the counts and items of open subjects."""

    def total(self, window: Window, span: Span) -> Pane:
        """Return the sum of a running window. The sum is kept and moved on, so the caller must not change it."""

    def sum_of(self, window: Window, span: Span) -> Pane:
        """Return the sum of the panes that start in a span, without keeping it."""

    def starts(self, width: Width) -> Collection[int]:
        """Return the starts of the panes of a width, in no order."""

    def between(self, width: Width, from_ms: int) -> list[int]:
        """Return the starts of the panes of a width from an instant on, in their order."""

    def pane(self, width: Width, start_ms: int) -> Pane:
        """Return the pane of a width that starts at an instant."""

    def overdue_from(self, width: Width, from_ms: int) -> int:
        """Return how many clocks came to be overdue from an instant on, less those that ceased to be."""


P_co = TypeVar("P_co", bound=Panes, covariant=True)


class WindowView(NamedTuple, Generic[P_co]):
    """One window of one series, as of an instant."""

    panes: P_co
    agreement: Agreement
    """The version of the agreement that holds."""
    window: Window
    span: Span
    """The span that the window covers."""
    shown: Span
    """The part of the span in which the agreement held."""
    values: tuple[str, ...]
    """The values of the series; none for the rest."""
    as_of_ms: int
    """The instant of the evaluation, or of the close."""
    zone: str
    """The zone in which the panes of days begin."""
    closed: bool
    """Whether the period is closed, so that the result is a statement."""
    wanted: frozenset[str] | None = None
    """The indicators that are wanted, where others need not be right; None: all."""

    def summed(self) -> Pane:
        """Return the sum of the window's panes: the kept one, or for a closed period one made for this call.

        Without the durations if only indicators are wanted that need none: percentiles are half of the work.
        """
        total = self.panes.sum_of(self.window, self.span) if self.closed else self.panes.total(self.window, self.span)
        return total if self.wants("sample", "durations") else total._replace(buckets={})

    def wants(self, fact: str, value: str) -> bool:
        """Return whether an indicator is wanted of which a fact (`Indicator`) has this value."""
        return self.wanted is None or any(getattr(NAMED[one], fact) == value for one in self.wanted)

    def longest_open_ms(self) -> int:
        """Return how long the oldest open item has been open; 0: no item is open."""
        items = self.panes.live().calls
        return max(0, self.as_of_ms - min(items.values())) if items else 0


class Measured(NamedTuple):
    """The result: figures, live counts, the number of durations measured, and the span that the figures cover."""

    figures: tuple[Figure, ...]
    live: dict[str, int]
    durations: int
    shown: Span


class Stretch(NamedTuple):
    """A stretch of time for which figures are computed without the other panes of the series.

    For measures that add up, ``pane`` is the sum; for others, ``records`` are the records by id.
    """

    agreement: Agreement
    span: Span
    as_of_ms: int
    pane: Pane
    live: Pane
    records: Iterable[tuple[str, OutageRecord]] = ()
    parts: Sequence[tuple[tuple[str, ...], Mapping[str, OutageRecord]]] = ()
    """Where several series are measured together: the values of each, and its records by id."""
