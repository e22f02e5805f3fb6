"""Pages: one receiver's notices about one agreement, from the first alert to the end of the last one.

The rows of a partition of the alerts topic that decide who gets which notice:

| key | row |
|---|---|
| ``a`` + the alert's key | `AlertRow`: an alert that is open, or whose end has still to be sent |
| ``p`` + agreement ␟ receiver | `PageRow`: the page that is open, or waits for more alerts of its storm |
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from heapq import nsmallest
from itertools import chain, zip_longest
from typing import Final, NamedTuple

from monitor.core.alerts.alert import Alert, AlertKey
from monitor.core.paging.notices import MAX_KEY, Action, Notice, Severity

MAX_ALERTS: Final = 200
"""The most alerts that one notice carries, the most urgent ones; its title counts all."""
MAX_CHARACTERS: Final = 120_000
"""The most characters of these alerts' texts together: a row too large for a record would block its partition."""
ENDED: Final = frozenset({"resolved", "voided", "rearmed"})
"""The states in which an alert is over."""

_SEPARATOR: Final = "\x1f"
_LONGEST_NAME: Final = 80
_STRETCH_CHARACTERS: Final = 10
"""The size of a stretch's numbers in a row, counted in characters, which may take four bytes each."""


class AlertRow(NamedTuple):
    """One alert for which receivers are notified, or would be if it were not silenced.

    ``wake_ms`` is when the next step of the ladder is due, or the silence ends. ``since_ms`` is the instant from which
    the ladder counts. ``steps`` are the steps that were taken; ``told`` are the receivers whose pages hold the alert.
    """

    wake_ms: int
    alert: Alert
    since_ms: int
    acknowledged: bool
    silenced: bool
    steps: list[int]
    told: list[str]

    @property
    def over(self) -> bool:
        """Whether the alert has ended, and its end has still to be sent."""
        return self.alert.state in ENDED

    @property
    def unanswered(self) -> bool:
        """Whether the alert is an open breach (no backfill) that is neither acknowledged nor silenced."""
        told = self.alert.state == "breached" and not self.alert.backfill
        return told and not self.acknowledged and not self.silenced


Urgency = tuple[int, int]


class Counts(NamedTuple):
    """The number of a page's alerts in each state."""

    breached: int
    at_risk: int
    over: int


class PageRow(NamedTuple):
    """One page. ``wake_ms`` is when its next notice is due (0: there is nothing to send).

    ``notices`` counts the notices made so far (0: the first one still waits for more alerts). ``lost`` means that the
    trigger did not arrive, so the next notice begins the page anew. ``installation`` is the monitor that owns the page.
    ``again`` means that nothing has happened since the last notice, so at ``wake_ms`` the page is repeated.
    """

    wake_ms: int
    agreement: str
    receiver: str
    key: str
    opened_ms: int
    told_ms: int = 0
    notices: int = 0
    step: int = 0
    severity: Severity = "info"
    lost: bool = False
    installation: str = ""
    again: bool = False


class Group:
    """The alerts of one page by their row keys: the urgency of each, and which have ended or are unanswered."""

    __slots__ = ("members", "over", "unanswered")

    def __init__(self) -> None:
        self.members: dict[bytes, Urgency] = {}
        self.over: set[bytes] = set()
        self.unanswered: set[bytes] = set()

    def take(self, key: bytes, row: AlertRow) -> None:
        """Take over urgency, end and acknowledgement of an alert from its row."""
        self.members[key] = urgency(row.alert)
        (self.over.add if row.over else self.over.discard)(key)
        (self.unanswered.add if row.unanswered else self.unanswered.discard)(key)

    def leave(self, key: bytes) -> None:
        """Forget an alert."""
        self.members.pop(key, None)
        self.over.discard(key)
        self.unanswered.discard(key)

    def to_tell(self) -> list[bytes]:
        """Return the row keys of the alerts that a notice may carry, in the order in which they are given room.

        Ended and other alerts take turns, the most urgent first in both. An end that is never sent would leave the
        alert open for ever at a receiver that knows it.
        """
        ended = nsmallest(MAX_ALERTS, ((self.members[key], key) for key in self.over))
        others = nsmallest(
            MAX_ALERTS, ((urgency, key) for key, urgency in self.members.items() if key not in self.over)
        )
        in_turn = chain.from_iterable(zip_longest(others, ended))
        return [one[1] for one in in_turn if one is not None][:MAX_ALERTS]

    def counts(self) -> Counts:
        """Return the number of alerts in each state."""
        breached = sum(rank == 0 for rank, _ in self.members.values())
        return Counts(breached, len(self.members) - breached - len(self.over), len(self.over))


def alert_row_key(key: AlertKey) -> bytes:
    """Return the row key of an alert."""
    return b"a" + key.text().encode()


def page_row_key(agreement: str, receiver: str) -> bytes:
    """Return the row key of a receiver's page for an agreement."""
    return f"p{agreement}{_SEPARATOR}{receiver}".encode()


def page_key(installation: str, agreement: str, receiver: str, alert: Alert) -> str:
    """Return the key of a page for its whole life, made unique by the id of the alert that began it.

    It also holds the installation, because two installations that watch the same subjects give alerts the same ids.
    """
    text = f"{installation}/{agreement}/{receiver}/{alert.id}"
    return text if len(text) <= MAX_KEY else hash_of(text)


def hash_of(*parts: str) -> str:
    """Return 32 hexadecimal digits of BLAKE2b."""
    return hashlib.blake2b(_SEPARATOR.join(parts).encode(), digest_size=16).hexdigest()


def notice_of(page: PageRow, action: Action, alerts: Sequence[Alert], counts: Counts, now_ms: int) -> Notice:
    """Return the next notice of a page with these alerts, the most urgent first, and the counts of all in its title.

    Its id is derived from the page's key and the number of the notice.
    """
    first = sorted(alerts, key=urgency)
    is_repeat = page.again and action == "update"
    title = title_of(page.agreement, first, counts)
    return Notice(
        hash_of(page.key, str(page.notices + 1)),
        page.key,
        action,
        severity_of(counts) if action != "resolve" else page.severity,
        now_ms,
        f"{title} (told again)" if is_repeat else title,
        tuple(first),
        page.step,
        installation=page.installation,
        is_repeat=is_repeat,
    )


def merged(old: Notice, new: Notice) -> Notice:
    """Return the newer notice with the ended alerts that only the older one carries, so that their ends are sent."""
    known = {alert.key for alert in new.alerts}
    missing = [alert for alert in old.alerts if alert.key not in known and alert.state in ENDED]
    return new._replace(alerts=fitting((*new.alerts, *missing)))


def fitting(alerts: Sequence[Alert]) -> tuple[Alert, ...]:
    """Return as many of the first alerts as a notice may hold, and at least one."""
    left = MAX_CHARACTERS
    for place, alert in enumerate(alerts[:MAX_ALERTS]):
        left -= sum(map(len, chain(alert.key[:4], *alert.labels.items(), *alert.details)))
        if alert.stretches is not None:
            left -= sum(_STRETCH_CHARACTERS + len(one.reason) for one in alert.stretches.newest)
        if left < 0 and place:
            return tuple(alerts[:place])
    return tuple(alerts[:MAX_ALERTS])


def urgency(alert: Alert) -> Urgency:
    """Return an alert's sort key of urgency, smallest first: breached, at risk, over; the oldest first in each."""
    return 0 if alert.state == "breached" else 1 if alert.state == "at_risk" else 2, alert.at_ms


def severity_of(counts: Counts) -> Severity:
    """Return the severity of a page by the states of its alerts."""
    return "critical" if counts.breached else "warning" if counts.at_risk else "info"


def title_of(agreement: str, alerts: Sequence[Alert], counts: Counts) -> str:
    """Return the title of a notice: one line."""
    if sum(counts) == 1:
        key = alerts[0].key
        what = key.what if len(key.what) <= _LONGEST_NAME else key.what[:_LONGEST_NAME] + "…"
        return f"{agreement}: {key.promise} of {key.kind} {what} {_WORDS.get(alerts[0].state, 'is over')}"
    words = ("breached", "at risk", "over")
    return f"{agreement}: " + ", ".join(f"{count} {word}" for count, word in zip(counts, words, strict=True) if count)


_WORDS: Final = {"breached": "is breached", "at_risk": "is at risk"}
