"""Parts of an agreement that mean nothing, warned of when it is checked: what nothing can meet, miss or start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.agreements.indicators import NAMED
from monitor.core.agreements.measures import ANY

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from monitor.config.agreements.agreement_shape import AgreementShape
    from monitor.config.agreements.calendars import Told
    from monitor.config.agreements.measure_shape import CallsShape, ClockShape, LeadsShape, OutagesShape
    from monitor.core.agreements.objectives import Objective

    _Measured = CallsShape | ClockShape | LeadsShape | OutagesShape

_NEVER_MISSED: Final = "is a target that nothing can miss"
_NEITHER: Final = "is a target that nothing can meet or miss"


def warn_of_the_pointless(shape: AgreementShape, objectives: Sequence[Objective | None], warn: Told) -> None:
    """Warn of targets that decide nothing, of clocks that never run, and of measures that cover nothing.

    Args:
        shape: the agreement as it is written.
        objectives: its objectives, in their order; None for those that are refused.
        warn: takes the path in the agreement, the finding and a hint.
    """
    for number, clock in enumerate(shape.clocks):
        at = ("clocks", number)
        for priority in _without_subjects(clock, shape.covers):
            hint = "leave it out, or let where and covers name the priority"
            warn((*at, "targets", priority), f"{_NEITHER}: no {clock.subject} that it covers has this priority", hint)
        if clock.states and all(_is_held(state, clock.pause_on or ()) for state in clock.states):
            warn((*at, "states"), "pause_on holds the clock in each of its states: it never runs", "leave out pause_on")
    sections: dict[str, Sequence[_Measured]] = {
        "clocks": shape.clocks, "calls": shape.calls, "outages": shape.outages, "leads": shape.leads,
    }  # fmt: skip
    for section, entries in sections.items():
        for number, entry in enumerate(entries):
            for name, values in entry.where.items():
                if name in shape.covers and not set(values) & set(shape.covers[name]):
                    message = f"covers nothing: the agreement itself covers {name} {', '.join(shape.covers[name])}"
                    warn((section, number, "where", name), message, "its targets can be neither met nor missed")
    for number, objective in enumerate(objectives):
        if objective is not None and (what := _undecided(objective)):
            warn(("objectives", number, "target"), what, "compare the figure with a value that it can have")


def _without_subjects(clock: ClockShape, covers: Mapping[str, Collection[str]]) -> list[str]:
    """Return the priorities with a target that no subject can have, because ``where`` or ``covers`` name others."""
    named = [set(one["priority"]) for one in (clock.where, covers) if "priority" in one]
    if not named:
        return []
    possible = set.intersection(*named)
    targets = clock.targets or {}
    found = [priority for priority in targets if priority not in {*possible, ANY}]
    return [*found, ANY] if ANY in targets and possible <= targets.keys() else found


def _is_held(state: str, pauses: Collection[str]) -> bool:
    """Return whether a state is a pause for a reason that holds the clock."""
    kind, _, reason = state.partition(":")
    return kind == "waiting" and reason in pauses


def _undecided(objective: Objective) -> str:
    """Return why a target decides nothing; "": it does."""
    unit = NAMED[objective.indicator].unit
    decides = objective.target > 0 if objective.comparison == ">=" else unit != "ratio" or objective.target < 1
    return "" if decides else _NEVER_MISSED
