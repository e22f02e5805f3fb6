"""Deliveries: the rows of notices that wait or have failed, what became of each attempt, and when the next one is.

| key | row |
|---|---|
| ``o`` + the page's key | `OutboxRow`: what one receiver has still to be told of one page, in order |
| ``f`` + the page's key | `FailedRow`: what could not be delivered, for a while, to be sent again by hand |
| ``d`` + receiver | `DisabledRow`: a receiver that wants no more (410) |
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
"""How long what failed can be sent again."""
MOST_REFUSALS: Final = 5
"""How often the receiver may refuse what is sent before the notice is given up. A proxy in front of it refuses too."""

DeliveryResult = Literal[
    "pending", "delivered", "retry", "rejected", "misconfigured", "gone", "expired", "replaced", "skipped"
]
"""``pending``: it waits for its first attempt; ``retry``: this attempt failed, another follows; ``rejected``: the
receiver refused what was sent, another attempt follows a few times; ``misconfigured``: somebody must mend the settings,
another attempt follows; ``gone``: the receiver wants no more and is disabled; ``replaced``: a newer notice of its page
tells it; ``skipped``: the receiver never heard of the page that is over."""
FAILED: Final[frozenset[DeliveryResult]] = frozenset({"rejected", "expired", "skipped"})
"""The results after which only a hand sends it again, unless they say when the next attempt follows."""


class Waiting(NamedTuple):
    """A notice that waits: since when, until when, how often it was attempted, and how often its content was refused.

    ``misconfigured``: its last attempt failed because of the settings.
    """

    notice: Notice
    queued_ms: int
    next_ms: int
    attempts: int = 0
    refusals: int = 0
    misconfigured: bool = False


class OutboxRow(NamedTuple):
    """What waits for one receiver under one page's key, in order."""

    agreement: str
    receiver: str
    waiting: list[Waiting]


class Failed(NamedTuple):
    """A notice that could not be delivered, and how often it was attempted."""

    notice: Notice
    attempts: int


class FailedRow(NamedTuple):
    """What could not be delivered of a page: its newest notice, and the resolve behind it that was skipped.

    ``wake_ms`` is when it is forgotten.
    """

    wake_ms: int
    agreement: str
    receiver: str
    failed: list[Failed]


class DisabledRow(NamedTuple):
    """A receiver that answered 410; ``stamp`` is that of its setting at the time."""

    receiver: str
    since_ms: int
    stamp: str


class Delivery(NamedTuple):
    """What became of a notice: one for each attempt, and one whenever it begins or ends to wait."""

    notice: Notice
    agreement: str
    receiver: str
    result: DeliveryResult
    at_ms: int
    queued_ms: int
    attempt: int = 0
    status: int = 0
    detail: str = ""
    next_ms: int = -1
    """When the next attempt follows; -1: none does."""


class Attempt(NamedTuple):
    """A notice to be delivered now."""

    receiver: str
    notice: Notice


class Settled(NamedTuple):
    """What an outcome means: what is to be told, and the key of the page that never began (``lost``), if it is so."""

    deliveries: list[Delivery]
    agreement: str
    receiver: str
    lost: str = ""


def pause_ms(notice_id: str, attempts: int) -> int:
    """Return how long to wait after an attempt: exponential, with full jitter that follows from the notice's id."""
    longest_ms = min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS << min(attempts - 1, 16))
    share = int(hash_of(notice_id, str(attempts))[:8], 16) / (1 << 32)
    return SHORTEST_PAUSE_MS + round(share * (longest_ms - SHORTEST_PAUSE_MS))


def outbox_key(page: str) -> bytes:
    """Return the row key of what waits under a page's key."""
    return b"o" + page.encode()


def failed_key(page: str) -> bytes:
    """Return the row key of what has failed under a page's key."""
    return b"f" + page.encode()


def disabled_key(receiver: str) -> bytes:
    """Return the row key of a disabled receiver."""
    return b"d" + receiver.encode()
