"""A window of a series as the kind of its measure is asked for figures, and what the kind answers.

`monitor.core.kinds` says which package answers for which kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.series.figures import Figure
    from monitor.core.series.series import OutageRecord, Pane
    from monitor.core.time.spans import Span
    from monitor.core.time.windows import Width, Window


class Panes(Protocol):
    """The panes of one series, from all its sources. A kind that needs more of them extends this protocol."""

    def live(self) -> Pane:
        """Return what is open now."""

    def total(self, window: Window, span: Span) -> Pane:
        """Return the sum of a running window, which is kept and moved on. It must not be changed."""

    def sum_of(self, window: Window, span: Span) -> Pane:
        """Return the sum of the panes that start in a span, made for once."""

    def starts(self, width: Width) -> Collection[int]:
        """Return the starts of the panes of a width, in no order."""

    def pane(self, width: Width, start_ms: int) -> Pane:
        """Return one pane."""


P_co = TypeVar("P_co", bound=Panes, covariant=True)


class WindowView(NamedTuple, Generic[P_co]):
    """One window of one series, as of an instant."""

    panes: P_co
    agreement: Agreement
    """The version that holds."""
    window: Window
    span: Span
    """The span that the window covers."""
    shown: Span
    """The part of it in which the agreement held."""
    values: tuple[str, ...]
    """The values of the series; none of the rest."""
    as_of_ms: int
    """The instant of the evaluation, or of the close."""
    zone: str
    """The zone in which the panes of days begin."""
    closed: bool
    """The period is over: a statement."""

    def summed(self) -> Pane:
        """Return the sum of the window's panes. The kept one is that of the running window."""
        return self.panes.sum_of(self.window, self.span) if self.closed else self.panes.total(self.window, self.span)

    def longest_open_ms(self) -> int:
        """Return for how long the oldest open item has been open; 0: none is."""
        items = self.panes.live().calls
        return max(0, self.as_of_ms - min(items.values())) if items else 0


class Measured(NamedTuple):
    """The answer: figures, counts of what is open, how many durations were measured, and the part that was shown."""

    figures: tuple[Figure, ...]
    live: dict[str, int]
    durations: int
    shown: Span


class Stretch(NamedTuple):
    """A stretch of time of which figures are made without the other panes of the series.

    Measures that add up have their sum in ``pane``, others their ``records`` by id.
    """

    agreement: Agreement
    span: Span
    as_of_ms: int
    pane: Pane
    live: Pane
    records: Iterable[tuple[str, OutageRecord]] = ()
