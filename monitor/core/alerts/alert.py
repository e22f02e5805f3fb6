"""Alerts: the announcements about a clock or an objective, under one key for its whole life (domain.md §9)."""

from __future__ import annotations

import hashlib
from typing import Final, Literal, NamedTuple

from monitor.core.alerts.stretches import Stretches

AlertState = Literal["at_risk", "breached", "resolved", "voided", "rearmed"]


OF_SERIES: Final = frozenset({"objective", "burn", "termination"})
"""The kinds of alerts about a series: its objective, that objective's error budget, or a right to terminate."""


class AlertKey(NamedTuple):
    """The identity of an alert: a subject or a series, the agreement, the promise and the cycle.

    ``kind`` is the kind of the subject for clocks and one of `OF_SERIES` for objectives. The field ``what`` holds the
    subject's id, or the series' label values joined with the window. ``promise`` is the id of the clock or objective.
    """

    kind: str
    what: str
    agreement: str
    promise: str
    cycle: int

    def text(self) -> str:
        """Return the key as one string: its parts joined with ``/``, where a part's ``%`` and ``/`` are escaped."""
        kind, what, agreement, promise, cycle = self
        text = f"{kind}/{what}/{agreement}/{promise}/{cycle}"
        if "%" not in text and text.count("/") == len(self) - 1:
            return text
        parts = (kind, what, agreement, promise, str(cycle))
        return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)


class SupportingMiss(NamedTuple):
    """A clock of a supporting agreement (``kind``: ola or uc) on the same subject that missed its target.

    ``missed_ms`` is when it was due.
    """

    agreement: str
    version: int
    kind: str
    clock: str
    missed_ms: int


class Alert(NamedTuple):
    """One announcement. The key and the labels never change during an alert's life; changing values are in ``details``.

    ``id`` is the same on every run over the same events: a hash of key, state, threshold and ordinal. ``at_ms`` is
    the event time at which the state changed, not the time at which the change was noticed. ``reason`` is a word:
    ``elapsed_75``, ``before_due_900000``, ``due``, ``stopped``, ``stopped_in_time``, ``cancelled``,
    ``agreement_changed``, ``never_began``, ``due_moved``, ``below_target``, ``near_target``, ``target_met`` …. Start,
    due, budget, elapsed and wall belong to a clock (milliseconds; None: unknown, or there is none); value, target,
    numerator and denominator to an objective. In rows -1 stands for None (`monitor.wire.alert_rows`).
    """

    id: str
    key: AlertKey
    state: AlertState
    at_ms: int
    reason: str
    version: int
    labels: dict[str, str]
    start_ms: int | None = None
    due_ms: int | None = None
    budget_ms: int | None = None
    elapsed_ms: int | None = None
    wall_ms: int | None = None
    indicator: str = ""
    window: str = ""
    value: float | None = None
    target: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    backfill: bool = False
    details: tuple[tuple[str, str], ...] = ()
    """Values that may change during the alert's life (priority, team, agent …): for the reader, never for grouping."""
    stretches: Stretches | None = None
    """The stretches that make up the elapsed time; only for a clock."""
    supporting: tuple[SupportingMiss, ...] = ()
    """The clocks of supporting agreements that were missed by ``at_ms``; only for the breach of an SLA's clock."""

    def told_late(self) -> Alert:
        """Return the alert marked ``backfill``. Not by ``_replace``, which takes six times as long in a backlog."""
        return tuple.__new__(Alert, (*self[:_BACKFILL], True, *self[_BACKFILL + 1 :]))


_BACKFILL: Final = Alert._fields.index("backfill")


def alert_id(key: AlertKey, state: AlertState, threshold: str, ordinal: int) -> str:
    """Return the id of an announcement: 32 hexadecimal digits of BLAKE2b over key, state, threshold and ordinal.

    ``threshold`` names the at-risk threshold, so that two announcements of one state have two ids. ``ordinal`` counts
    repeats of the same state and threshold on the key (at risk again after a re-arming).
    """
    text = "\x1f".join((*key[:4], str(key.cycle), state, threshold, str(ordinal)))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
