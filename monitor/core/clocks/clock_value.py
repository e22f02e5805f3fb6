"""A clock as stored in the row of its subject: its state, its runs and pauses, its due instant."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from monitor.core.series.series import SeriesKey

ClockState = Literal["running", "paused", "stopped", "cancelled"]
OPEN: Final = ("running", "paused")
"""The states of a clock that has not ended."""


class Extra(NamedTuple):
    """Fields that only few clocks need.

    The present target began to count at ``offset_ms`` of the elapsed time (negative: a share of it was used before).
    The clock's budget is the sum of offset and target. ``outside_ms`` is wall-clock time that does not belong to the
    clock: outside of the states in which it runs, or in the solved gap. ``former`` are the terms before each change of
    target. ``caps`` holds, for each open pause, when it ceases to count (0: never). ``spent`` are the reasons of pauses
    that are open but no longer count. ``by_instant``: the target names its due instant (business days by HH:MM).
    ``counts_late`` is whether the clock, once it has stopped, counts the time by which it missed its target. It is that
    of the rule at the start: what went into a series can be taken out of it.

    ``due_at_ms`` is the due instant of the record, of a clock that takes it from there (0: it has a budget; `NO_DUE`:
    the record has none), and ``due_moves`` whether pauses move it.
    """

    offset_ms: int = 0
    outside_ms: int = 0
    former: list[Former] = []  # noqa: RUF012 - it is never changed in place
    caps: list[int] = []  # noqa: RUF012
    spent: list[str] = []  # noqa: RUF012
    by_instant: bool = False
    counts_late: bool = False
    due_at_ms: int = 0
    due_moves: bool = False
    ended: int = 0
    """The lives before this one whose breach and end were announced: a summed clock has a life until each stop."""


NO_EXTRA: Final = Extra()
EXTRAS: Final = {
    (False, False): None,
    (True, False): Extra(by_instant=True),
    (False, True): Extra(counts_late=True),
    (True, True): Extra(by_instant=True, counts_late=True),
}
"""The extra of a new clock, by whether its target names the due instant, and whether the time missed is counted."""
NO_DUE: Final = -1
"""Stands for the due instant that a record does not have."""


class Clock(NamedTuple):
    """One clock of a subject: a cache of the fold of the subject's ledger.

    The fields up to ``flagged`` are set at its start, the others move with the facts (`moved`). ``elapsed_ms`` is
    business time, up to ``since_ms`` while the clock runs, else in total. ``due_ms`` is 0 unless the clock runs, or
    has a fixed due instant of its record.
    ``runs`` are the closed stretches ``[from, to, from, to, …]`` in which it ran, as wall-clock instants: they explain
    the elapsed time, and a changed calendar is counted over them. ``told`` is the number of at-risk thresholds that
    were announced (thresholds are ordered by their instants). ``breached_ms`` is the instant at which the promise was
    broken, if that was announced (0: not). ``next_ms`` is the next instant at which an announcement is due or a pause
    ceases to count (0: none).
    """

    series: SeriesKey
    """The agreement, the rule as the measure, and the values by which it is counted."""
    version: int
    cycle: int
    start_ms: int
    budget_ms: int
    calendar: str
    ordinal: int
    """How often an announcement was taken back: it makes the ids of repeated announcements differ."""
    flagged: bool
    """A stop came before its start (clock skew): the duration was clamped to 0."""
    state: ClockState
    since_ms: int
    elapsed_ms: int
    stop_ms: int
    due_ms: int
    next_ms: int
    told: int
    breached_ms: int
    runs: list[int]
    pauses: list[str]
    """The reasons of the pauses that are open now ("" for a pause without one)."""
    extra: Extra | None = None


_FIXED: Final = Clock._fields.index("state")
_EXTRA: Final = Clock._fields.index("extra")


class Former(NamedTuple):
    """Terms that held for a clock until its priority changed; ``elapsed_ms`` had elapsed by then in that calendar."""

    until_ms: int
    elapsed_ms: int
    calendar: str
    budget_ms: int


def moved(  # noqa: PLR0917 - the fields in their order
    clock: Clock,
    state: ClockState,
    since_ms: int,
    elapsed_ms: int,
    stop_ms: int,
    due_ms: int,
    next_ms: int,
    told: int,
    breached_ms: int,
    runs: list[int],
    pauses: list[str],
) -> Clock:
    """Return the clock with new values from ``state`` on. Not by ``_replace``, which takes six times as long."""
    return tuple.__new__(
        Clock,
        clock[:_FIXED]  # noqa: RUF005 - unpacking it takes a quarter longer
        + (state, since_ms, elapsed_ms, stop_ms, due_ms, next_ms, told, breached_ms, runs, pauses, clock[_EXTRA]),
    )


def with_extra(clock: Clock, **values: Any) -> Clock:  # noqa: ANN401 - fields of `Extra`
    """Return the clock with new values of its extra fields."""
    return clock._replace(extra=(clock.extra or NO_EXTRA)._replace(**values))
