"""Deliveries: the rows of notices that wait or have failed, the result of each attempt, and the pause after it.

| key | row |
|---|---|
| ``o`` + the page's key | `OutboxRow`: the notices of one page that wait for one receiver, in order |
| ``f`` + the page's key | `FailedRow`: notices that were not delivered, kept for a while to be sent again by hand |
| ``d`` + receiver | `DisabledRow`: a receiver that refuses all further notices (410) |
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from monitor.core.paging.notices import Notice
from monitor.core.paging.pages import hash_of
from monitor.core.time.units import DAY_MS

FIRST_PAUSE_MS: Final = 10_000
LONGEST_PAUSE_MS: Final = 600_000
SHORTEST_PAUSE_MS: Final = 1_000
KEPT_MS: Final = 7 * DAY_MS
"""How long a failed notice is kept to be sent again."""
MOST_REFUSALS: Final = 5
"""The refusals after which a notice is given up. Not the first: a proxy between us and the receiver may refuse too."""

DeliveryResult = Literal[
    "pending", "delivered", "retry", "rejected", "misconfigured", "gone", "expired", "replaced", "skipped"
]
"""``pending``: the notice waits for its first attempt; ``retry``: this attempt failed, another follows; ``rejected``:
the receiver refused the content, and another attempt follows a few times; ``misconfigured``: somebody must mend the
settings, another attempt follows; ``gone``: the receiver refuses all further notices and is disabled; ``replaced``: a
newer notice of the page carries the content; ``skipped``: the page is over and the receiver was never notified of it,
so no resolve is sent."""
FAILED: Final[frozenset[DeliveryResult]] = frozenset({"rejected", "expired", "skipped"})
"""The results after which a notice is sent again only by hand, unless the delivery says when the next attempt is."""


class Waiting(NamedTuple):
    """A notice that waits: since when, when its next attempt is, and its numbers of attempts and of refusals.

    ``misconfigured``: the last attempt failed because of the settings.
    """

    notice: Notice
    queued_ms: int
    next_ms: int
    attempts: int = 0
    refusals: int = 0
    misconfigured: bool = False


class OutboxRow(NamedTuple):
    """The notices that wait for one receiver under one page's key, in order."""

    agreement: str
    receiver: str
    waiting: list[Waiting]


class Failed(NamedTuple):
    """A notice that could not be delivered, and how often it was attempted."""

    notice: Notice
    attempts: int


class FailedRow(NamedTuple):
    """The undelivered notices of a page: the newest one that failed, and the resolve after it that was skipped.

    ``wake_ms`` is the instant at which the row is forgotten.
    """

    wake_ms: int
    agreement: str
    receiver: str
    failed: list[Failed]


class DisabledRow(NamedTuple):
    """A receiver that answered 410; ``stamp`` identifies the receiver's settings at that time."""

    receiver: str
    since_ms: int
    stamp: str


class Delivery(NamedTuple):
    """One record in the history of a notice: for each attempt, and when the notice begins or ends to wait."""

    notice: Notice
    agreement: str
    receiver: str
    result: DeliveryResult
    at_ms: int
    queued_ms: int
    attempt: int = 0
    status: int = 0
    detail: str = ""
    next_ms: int | None = None
    """The instant of the next attempt; None: there is none."""


class Attempt(NamedTuple):
    """A notice to be delivered now."""

    receiver: str
    notice: Notice


class Settled(NamedTuple):
    """The result of an outcome: the deliveries to announce; ``lost`` is the key of a page that never began, or ""."""

    deliveries: list[Delivery]
    agreement: str
    receiver: str
    lost: str = ""


def pause_ms(notice_id: str, attempts: int) -> int:
    """Return the pause after an attempt: exponential, with full jitter that is derived from the notice's id."""
    longest_ms = min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS << min(attempts - 1, 16))
    share = int(hash_of(notice_id, str(attempts))[:8], 16) / (1 << 32)
    return SHORTEST_PAUSE_MS + round(share * (longest_ms - SHORTEST_PAUSE_MS))


def outbox_key(page: str) -> bytes:
    """Return the row key of the notices that wait under a page's key."""
    return b"o" + page.encode()


def failed_key(page: str) -> bytes:
    """Return the row key of the notices that failed under a page's key."""
    return b"f" + page.encode()


def disabled_key(receiver: str) -> bytes:
    """Return the row key of a disabled receiver."""
    return b"d" + receiver.encode()
