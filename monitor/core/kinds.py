"""The kinds of measures: for each kind the module that makes its changes and figures. A new kind is one line here.

Properties that depend on the rule alone are in the class of the rule (`monitor.core.agreements.measures.Measure`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from monitor.core.agreements.measures import for_each_kind
from monitor.core.calls import figures as call_figures
from monitor.core.calls import kind as calls
from monitor.core.calls.kind import CallPanes
from monitor.core.clocks import figures as clock_figures
from monitor.core.clocks import kind as clocks
from monitor.core.leads import figures as lead_figures
from monitor.core.leads import kind as leads
from monitor.core.outages import kind as outages
from monitor.core.outages.kind import OutagePanes
from monitor.core.tickets import kind as tickets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.measures import Measure, MeasureKind
    from monitor.core.agreements.objectives import Objective
    from monitor.core.facts.events import Fact, Value
    from monitor.core.pieces import Pieces
    from monitor.core.series.figures import Figure, Share
    from monitor.core.series.measured import Measured, Stretch, WindowView
    from monitor.core.series.series import Change, SeriesKey


class KindPanes(CallPanes, OutagePanes, Protocol):
    """The panes of a series, with every method that a kind needs."""


R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)


class Kind(Protocol[R_contra]):
    """The interface of a kind of measure: its figures, its live counts, and when time alone changes them."""

    def measured(self, rule: R_contra, of: WindowView[KindPanes]) -> Pieces[Measured]:
        """Return the figures and live counts of a window, in pieces. The panes must not change meanwhile."""

    def wakes_ms(self, rule: R_contra, of: WindowView[KindPanes], live: Mapping[str, int]) -> Pieces[list[int]]:
        """Return the instants at which time alone changes the figures of a window.

        ``live`` are the live counts of the last evaluation. Instants at which a pane leaves a rolling window are not
        included: the caller knows them.
        """

    def budget_figures(self, rule: R_contra, of: Stretch) -> Pieces[tuple[Figure, ...]]:
        """Return the figures of a timeslice or of a burn rate's window, from which the bad share is computed."""

    def whole_figures(self, rule: R_contra, of: Stretch, values: Sequence[str] | None) -> tuple[Figure, ...]:
        """Return the figures of all data of a replay, given in one pane.

        ``values`` are the values of the series; None: all series of the measure together.
        """


class CountedKind(Kind[R], Protocol[R]):
    """The interface of a kind that counts its subjects: a subject's changes in its series follow from its facts."""

    def story_of(self, facts: Sequence[Fact]) -> Any:  # noqa: ANN401 - of the kind's own type
        """Return what the facts of a subject say, whatever the rule: it is asked for once for all rules."""

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
        story: Any,  # noqa: ANN401 - of the kind's own type
    ) -> tuple[list[Change], int]:
        """Return a subject's changes in its series at an instant, and the next instant that alters them (0: none).

        ``story`` is `story_of` the facts.
        """

    def lasts_until_ms(self, facts: Sequence[Fact]) -> int:
        """Return the instant at which a subject with nothing open is over, from its facts (at least one)."""


COUNTED: Final[Mapping[str, CountedKind[Any]]] = {
    "call": calls,
    "outage": outages,
    "lead": leads,
    "ticket": tickets,
}
"""The kinds that count subjects, by the kind of the subject: one for each. All else in series comes from clocks."""
KINDS: Final[Mapping[MeasureKind, Kind[Any]]] = for_each_kind({"clock": clocks, **COUNTED})
"""All kinds. A missing kind is an error at import."""

SHARES: Final[Mapping[MeasureKind, Mapping[str, Share]]] = for_each_kind({
    "clock": clock_figures.SHARES, "call": call_figures.SHARES, "lead": lead_figures.SHARES, "outage": {}, "ticket": {},
})  # fmt: skip
"""By kind and indicator: the counts that a share is made of. Other figures follow from more than counts."""

_OWN_TURNS: Final[Mapping[MeasureKind, Callable[..., Pieces[list[int]]]]] = {
    "call": calls.turns_ms,
    "outage": outages.turns_ms,
}
"""The kinds whose figures change with time more often than their verdicts may."""

_STARTS: Final[Mapping[MeasureKind, Callable[..., bool]]] = for_each_kind({
    "clock": clocks.is_judged_from_the_start,
    "call": lambda *_: False,
    "outage": outages.is_judged_from_the_start,
    "lead": leads.is_judged_from_the_start,
    "ticket": lambda *_: False,
})  # fmt: skip
"""Whether a period may begin with a broken promise: most begin with nothing."""


def turns_ms(
    rule: Measure,
    of: WindowView[KindPanes],
    figures: Sequence[Figure],
    live: Mapping[str, int],
    objectives: Sequence[Objective],
) -> Pieces[list[int]]:
    """Return the instants at which time alone may next change a verdict on these objectives (`Look.shows` is off).

    They are those at which time changes the figures, but for the kinds that know better. ``figures`` and ``live`` are
    those of the last evaluation.
    """
    own = _OWN_TURNS.get(rule.kind)
    return KINDS[rule.kind].wakes_ms(rule, of, live) if own is None else own(rule, of, figures, live, objectives)


def is_judged_from_the_start(rule: Measure, live: Mapping[str, int], objectives: Sequence[Objective]) -> bool:
    """Return whether a verdict on a new period may be told at its start (`Look.shows` is off).

    Calls count in the period in which they were queued, so a new one has none. Outages that last count in it at once.
    """
    return any(one.budget is not None for one in objectives) or _STARTS[rule.kind](rule, live)
