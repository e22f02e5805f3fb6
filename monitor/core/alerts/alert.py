"""Alerts: what is announced of a clock or an objective, on one key for its whole life (domain.md §9)."""

from __future__ import annotations

import hashlib
from typing import Final, Literal, NamedTuple

from monitor.core.alerts.stretches import Stretches

AlertState = Literal["at_risk", "breached", "resolved", "voided", "rearmed"]


OF_SERIES: Final = frozenset({"objective", "burn", "termination"})
"""The kinds of alerts that are about a series: an objective, its error budget, or what follows from misses of it."""


class AlertKey(NamedTuple):
    """Who the alert is about: a subject (its id) or a series (its label values), agreement, objective, cycle.

    ``kind`` is the subject kind for clocks and one of `OF_SERIES` for objectives; ``what`` is the subject id or the
    label values with the window, joined; ``promise`` is the clock's or the objective's id.
    """

    kind: str
    what: str
    agreement: str
    promise: str
    cycle: int

    def text(self) -> str:
        """Return the key as one string; parts are JSON-free and joined with ``/`` (a part's ``/`` becomes ``%2F``)."""
        kind, what, agreement, promise, cycle = self
        text = f"{kind}/{what}/{agreement}/{promise}/{cycle}"
        if "%" not in text and text.count("/") == len(self) - 1:
            return text
        parts = (kind, what, agreement, promise, str(cycle))
        return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)


class SupportingMiss(NamedTuple):
    """A clock of a supporting agreement (``kind``: ola or uc) on the same subject that missed its target, and when."""

    agreement: str
    version: int
    kind: str
    clock: str
    missed_ms: int


class Alert(NamedTuple):
    """One announcement. The key and the labels never change during its life; what changes is elsewhere.

    ``id`` is the same on every run over the same events: a hash of key, state, threshold and ordinal. ``at_ms`` is
    when the state truly changed (event time), not when it was noticed. ``reason`` is a word: ``elapsed_75``,
    ``before_due_900000``, ``due``, ``stopped``, ``stopped_in_time``, ``cancelled``, ``agreement_changed``,
    ``never_began``, ``due_moved``, ``below_target``, ``near_target``, ``target_met`` …. Elapsed, budget and due are
    those of a clock (milliseconds; -1: none); value, target, numerator, denominator those of an objective.
    """

    id: str
    key: AlertKey
    state: AlertState
    at_ms: int
    reason: str
    version: int
    labels: dict[str, str]
    start_ms: int = -1
    due_ms: int = -1
    budget_ms: int = -1
    elapsed_ms: int = -1
    wall_ms: int = -1
    indicator: str = ""
    window: str = ""
    value: float | None = None
    target: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    backfill: bool = False
    details: tuple[tuple[str, str], ...] = ()
    """What may change during the alert's life (priority, team, agent …): for the reader, never for grouping."""
    stretches: Stretches | None = None
    """Of a clock: what its elapsed time is made of."""
    supporting: tuple[SupportingMiss, ...] = ()
    """Of the breach of an SLA's clock: what was missed under it, at ``at_ms``."""

    def told_late(self) -> Alert:
        """Return it marked ``backfill``. On the path of a backlog: ``_replace`` takes six times as long."""
        return tuple.__new__(Alert, (*self[:_BACKFILL], True, *self[_BACKFILL + 1 :]))


_BACKFILL: Final = Alert._fields.index("backfill")


def alert_id(key: AlertKey, state: AlertState, threshold: str, ordinal: int) -> str:
    """Return the id of an announcement: 32 hexadecimal digits of BLAKE2b over what makes it one of its kind.

    ``threshold`` tells the announcements of one state apart (which at-risk threshold); ``ordinal`` counts repeats of
    the same state and threshold on the key (at risk again after a re-arming).
    """
    text = "\x1f".join((*key[:4], str(key.cycle), state, threshold, str(ordinal)))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
