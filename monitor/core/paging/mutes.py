"""Silences: for a while no notices are sent for some alerts. They mute delivery, never the clock or the figures."""

from __future__ import annotations

from typing import NamedTuple

from monitor.core.alerts.alert import Alert


class Silence(NamedTuple):
    """Mutes the alerts of one agreement (of one promise, with these labels), until an instant, exclusive."""

    id: str
    agreement: str
    until_ms: int
    promise: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    by: str = ""
    at_ms: int = 0
    """The instant at which the silence was set, for display only."""

    def mutes(self, alert: Alert, now_ms: int) -> bool:
        """Return whether this silence mutes an alert at an instant."""
        return (
            now_ms < self.until_ms
            and alert.key.agreement == self.agreement
            and self.promise in ("", alert.key.promise)
            and all(alert.labels.get(name) == value for name, value in self.labels)
        )


class Silences:
    """All silences that are in force."""

    def __init__(self, silences: tuple[Silence, ...] = ()) -> None:
        self._by_agreement: dict[str, list[Silence]] = {}
        for one in silences:
            self._by_agreement.setdefault(one.agreement, []).append(one)

    def until_ms(self, alert: Alert, now_ms: int) -> int | None:
        """Return the latest end of the silences that mute an alert now; None if none does."""
        return max(
            (one.until_ms for one in self._by_agreement.get(alert.key.agreement, ()) if one.mutes(alert, now_ms)),
            default=None,
        )
