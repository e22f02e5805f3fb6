"""Pages: what one receiver is told of one agreement, from the first alert to the end of the last one.

The rows of a partition of the alerts topic, as far as they decide who is told what:

| key | row |
|---|---|
| ``a`` + the alert's key | `AlertRow`: an alert that is out, or whose end has still to be told |
| ``p`` + agreement ␟ receiver | `PageRow`: the page that is out, or waits for more alerts of its storm |
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import chain
from typing import Final, NamedTuple

from monitor.core.alerts import Alert, AlertKey
from monitor.core.notices import MAX_KEY, Action, Notice, Severity

ALERT_ROW_VERSION: Final = 1
PAGE_ROW_VERSION: Final = 1
MAX_ALERTS: Final = 200
"""Alerts that one notice tells of at most, the most urgent ones; its title counts all."""
MAX_CHARACTERS: Final = 120_000
"""All their texts together at most: a row that no record can hold would hold up its partition for ever."""
ENDED: Final = frozenset({"resolved", "voided", "rearmed"})
"""The states in which an alert is over."""

_SEPARATOR: Final = "\x1f"
_LONGEST_NAME: Final = 80


class AlertRow(NamedTuple):
    """One alert of which somebody is told, or would be if it were not silenced.

    ``wake_ms`` is when the next step of the ladder is due, or the silence ends. ``since_ms`` is the instant from which
    the ladder counts. ``steps`` are the steps that were taken; ``told`` the receivers whose pages hold the alert.
    """

    version: int
    wake_ms: int
    alert: Alert
    since_ms: int
    acknowledged: bool
    silenced: bool
    steps: list[int]
    told: list[str]

    @property
    def over(self) -> bool:
        """Whether the alert has ended, which is still to be told."""
        return self.alert.state in ENDED


class PageRow(NamedTuple):
    """One page. ``wake_ms`` is when its next notice is due (0: there is nothing to tell).

    ``notices`` counts those that were made (0: the first one still waits for more alerts); ``lost`` says that the
    trigger did not arrive: the next notice begins the page anew.
    """

    version: int
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


def alert_row_key(key: AlertKey) -> bytes:
    """Return the row key of an alert."""
    return b"a" + key.text().encode()


def page_row_key(agreement: str, receiver: str) -> bytes:
    """Return the row key of the page that a receiver has of an agreement."""
    return f"p{agreement}{_SEPARATOR}{receiver}".encode()


def page_key(agreement: str, receiver: str, alert: Alert) -> str:
    """Return the key of a page for its whole life: it is told apart by the alert that began it."""
    text = f"{agreement}/{receiver}/{alert.id}"
    return text if len(text) <= MAX_KEY else hash_of(text)


def hash_of(*parts: str) -> str:
    """Return 32 hexadecimal digits of BLAKE2b."""
    return hashlib.blake2b(_SEPARATOR.join(parts).encode(), digest_size=16).hexdigest()


def notice_of(page: PageRow, action: Action, alerts: Sequence[Alert], now_ms: int) -> Notice:
    """Return the next notice of a page. Its id follows from the page's key and the number of the notice."""
    ordered = urgent_first(alerts)
    return Notice(
        hash_of(page.key, str(page.notices + 1)),
        page.key,
        action,
        severity_of(alerts) if action != "resolve" else page.severity,
        now_ms,
        title_of(page.agreement, ordered),
        fitting(ordered),
        page.step,
    )


def merged(old: Notice, new: Notice) -> Notice:
    """Return the newer notice with the alerts that only the older one tells of: their ends would be told to nobody."""
    known = {alert.key for alert in new.alerts}
    missing = [alert for alert in old.alerts if alert.key not in known and alert.state in ENDED]
    return new._replace(alerts=fitting((*new.alerts, *missing)))


def fitting(alerts: Sequence[Alert]) -> tuple[Alert, ...]:
    """Return as many of the first alerts as a notice may hold, and at least one."""
    left = MAX_CHARACTERS
    for place, alert in enumerate(alerts[:MAX_ALERTS]):
        left -= sum(map(len, chain(alert.key[:4], *alert.labels.items(), *alert.details)))
        if left < 0 and place:
            return tuple(alerts[:place])
    return tuple(alerts[:MAX_ALERTS])


def urgent_first(alerts: Sequence[Alert]) -> list[Alert]:
    """Return the alerts in order: breached, at risk, over; of each the oldest first."""
    return sorted(alerts, key=lambda one: (_rank(one), one.at_ms, one.key))


def severity_of(alerts: Sequence[Alert]) -> Severity:
    """Return how urgent alerts are together."""
    states = {alert.state for alert in alerts}
    return "critical" if "breached" in states else "warning" if "at_risk" in states else "info"


def title_of(agreement: str, alerts: Sequence[Alert]) -> str:
    """Return one line for the head of a notice."""
    if len(alerts) == 1:
        key = alerts[0].key
        what = key.what if len(key.what) <= _LONGEST_NAME else key.what[:_LONGEST_NAME] + "…"
        return f"{agreement}: {key.promise} of {key.kind} {what} {_WORDS.get(alerts[0].state, 'is over')}"
    broken = sum(alert.state == "breached" for alert in alerts)
    at_risk = sum(alert.state == "at_risk" for alert in alerts)
    over = len(alerts) - broken - at_risk
    counts = ((broken, "breached"), (at_risk, "at risk"), (over, "over"))
    return f"{agreement}: " + ", ".join(f"{count} {word}" for count, word in counts if count)


_WORDS: Final = {"breached": "is breached", "at_risk": "is at risk"}


def _rank(alert: Alert) -> int:
    return 0 if alert.state == "breached" else 1 if alert.state == "at_risk" else 2
