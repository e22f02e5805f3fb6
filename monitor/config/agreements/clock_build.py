"""From the shape of a clock to the core's `ClockRule`: defaults of its metric, and parts that do not go together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.config.reading.shape import did_you_mean
from monitor.core.agreements.clock_metrics import METRICS
from monitor.core.agreements.measures import Cycles
from monitor.core.clocks.ticket_state import STATES
from monitor.core.facts.events import DUE_ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.config.agreements.calendars import Told
    from monitor.config.agreements.measure_shape import ClockShape
    from monitor.core.agreements.clock_metrics import Metric

_WAITING: Final = "waiting:"
_STATED: Final[dict[str, frozenset[str]]] = {"requester_wait": frozenset({"waiting_for_customer"})}
"""The pauses that a metric leaves out where the clock names none: the requester does not wait for himself."""
_ONE_WAY: Final[dict[str, Cycles]] = {"resolution_gross": "sum", "resolution_net": "sum", "ownership": "each"}
"""The cycles of metrics that mean nothing with others."""


class Course(NamedTuple):
    """The pauses, states and cycles that follow from a clock's metric and shape."""

    pause_on: frozenset[str] | None
    pause_caps: Mapping[str, int]
    states: frozenset[str]
    cycles: Cycles
    by: tuple[str, ...]
    """What its figures are split by where the shape does not say; empty: as those of other clocks."""


def course(shape: ClockShape, told: Told) -> Course:
    """Return the course that drives a clock. ``told`` takes the mistakes, with the path below the clock."""
    metric = METRICS[shape.subject].get(shape.metric)
    is_stated = metric is not None and metric.course == "states"
    pause_on = None if shape.pause_on is None else frozenset(shape.pause_on)
    caps = {reason: cap for reason, cap in shape.pause_on.items() if cap} if isinstance(shape.pause_on, dict) else {}
    if is_stated and pause_on is None:
        pause_on = _STATED.get(shape.metric, frozenset())
    if is_stated and caps:
        told(("pause_on",), "a clock that states drive has no caps", "leave out the durations")
    by = ("team",) if metric is not None and metric.course == "owner" else ()
    return Course(pause_on, caps, _states(shape, metric, told), _cycles(shape, told), by)


def due_attribute(shape: ClockShape, told: Told) -> str:
    """Return the attribute that brings a clock's due instant; "": none does, it has targets."""
    # Not a rule of the shape: there, a target with a mistake would hide all other mistakes of its clock.
    if (shape.targets is None) == (shape.due_at is None):
        message = "has no targets" if shape.targets is None else "has both targets and due_at"
        told((), message, "write targets: {'*': 4h}, or due_at: the attribute that brings the due instant")
    if shape.due_at is None:
        if shape.pauses_move_due:
            told(("pauses_move_due",), "is of clocks with due_at: pauses always move a target", "leave it out")
        return ""
    if shape.due_at not in DUE_ATTRIBUTES:
        hint = did_you_mean(shape.due_at, DUE_ATTRIBUTES)
        told(("due_at",), f"is no attribute that brings a due instant: {shape.due_at!r}", hint)
    metric = METRICS[shape.subject].get(shape.metric)
    if metric is not None and metric.course == "states":
        told(("due_at",), "time in states is an amount: it has no due instant", "write targets: {'*': 4h}")
    if isinstance(shape.pause_on, dict) and any(shape.pause_on.values()) and not shape.pauses_move_due:
        told(
            ("pause_on",), "caps are of pauses that move the due instant", "add pauses_move_due: true, or drop the caps"
        )
    if shape.on_change != "retroactive":
        told(("on_change",), "is of targets by priority: a due instant is the record's own", "leave it out")
    return shape.due_at


def _cycles(shape: ClockShape, told: Told) -> Cycles:
    only = _ONE_WAY.get(shape.metric)
    if shape.cycles is None:
        return only or "each"
    if only is not None and shape.cycles != only:
        told(("cycles",), f"{shape.metric} knows only {only!r}", "leave it out")
    return shape.cycles


def _states(shape: ClockShape, metric: Metric | None, told: Told) -> frozenset[str]:
    if metric is None or metric.course != "states" or metric.states:
        if shape.states is not None:
            told(("states",), f"{shape.metric} has its own states", "states are those of metric: time_in")
        return frozenset()
    if shape.states is None:
        told((), "time_in needs states", "for instance states: [in_progress, 'waiting:waiting_for_supplier']")
        return frozenset()
    for place, state in enumerate(shape.states):
        if state not in STATES and not (state.startswith(_WAITING) and state != _WAITING):
            hint = did_you_mean(state, (*STATES, "waiting:<reason>"))
            told(("states", place), f"is no state of a ticket: {state!r}", hint)
        elif state == "closed":
            told(("states", place), "a ticket stays closed: the clock would never stop", "leave it out")
    return frozenset(shape.states)
