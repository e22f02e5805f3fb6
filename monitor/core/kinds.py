"""The kinds of measures: for each the module that makes its changes and figures. A new kind is a line here.

What follows from a rule alone stands in the class of the rule (`monitor.core.agreements.measures.Measure`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from monitor.core.agreements.measures import for_each_kind
from monitor.core.calls import kind as calls
from monitor.core.calls.kind import CallPanes
from monitor.core.clocks import kind as clocks
from monitor.core.leads import kind as leads
from monitor.core.outages import kind as outages
from monitor.core.outages.kind import OutagePanes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.measures import MeasureKind
    from monitor.core.facts.events import Fact, Value
    from monitor.core.pieces import Pieces
    from monitor.core.series.figures import Figure
    from monitor.core.series.measured import Measured, Stretch, WindowView
    from monitor.core.series.series import Change, SeriesKey


class KindPanes(CallPanes, OutagePanes, Protocol):
    """The panes of a series, with all that any kind asks of them."""


R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)


class Kind(Protocol[R_contra]):
    """The face of a kind of measure: its figures, what is open, and when time alone changes them."""

    def measured(self, rule: R_contra, of: WindowView[KindPanes]) -> Pieces[Measured]:
        """Return the figures of a window and what is open, in pieces. The panes must not change before the last one."""

    def wakes_ms(self, rule: R_contra, of: WindowView[KindPanes], live: Mapping[str, int]) -> Pieces[list[int]]:
        """Return the instants at which time alone changes the figures of a window.

        ``live`` is what was open. That a pane leaves a rolling window goes without saying.
        """

    def budget_figures(self, rule: R_contra, of: Stretch) -> Pieces[tuple[Figure, ...]]:
        """Return the figures of a slice or of a window of a burn rate, which shares are made of."""

    def whole_figures(self, rule: R_contra, of: Stretch, values: Sequence[str] | None) -> tuple[Figure, ...]:
        """Return the figures of a replay's data, which stands in one pane.

        ``values`` are those of the series; None: all series of the measure together.
        """


class CountedKind(Kind[R], Protocol[R]):
    """The face of a kind that counts its subjects: what a subject has in its series follows from its facts."""

    def rules(self, agreement: Agreement) -> Sequence[R]:
        """Return the measures of the kind in an agreement."""

    def changes(
        self,
        subject_id: str,
        facts: Sequence[Fact],
        attributes: Mapping[str, Value],
        rule: R,
        agreement: Agreement,
        series: SeriesKey,
        now_ms: int,
    ) -> tuple[list[Change], int]:
        """Return what a subject has in its series at an instant, and the next instant that changes it (0: none)."""

    def lasts_until_ms(self, facts: Sequence[Fact]) -> int:
        """Return the instant at which a subject is over that has nothing open, from its facts (at least one)."""


COUNTED: Final[Mapping[str, CountedKind[Any]]] = {
    "call": calls,
    "outage": outages,
    "lead": leads,
}
"""The kinds that count subjects, by the kind of the subject. All else that a subject has in series are its clocks."""
KINDS: Final[Mapping[MeasureKind, Kind[Any]]] = for_each_kind({"clock": clocks, **COUNTED})
"""All kinds. One that is missing is an error at import."""
