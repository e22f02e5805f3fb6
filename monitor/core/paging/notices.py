"""Notices: the messages to one receiver of on-call staff; all notices of one page share one key.

Several alerts of one storm make one page, so a notice may carry many alerts. `monitor.core.paging.paging` decides who
gets a notice, when, and when again. `monitor.config.receivers` turns each notice into the requests that its receiver
understands; `monitor.notify` sends them.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, Protocol

from monitor.core.alerts.alert import Alert  # at run time: notices are kept in rows, whose codec reads the annotations

Action = Literal["trigger", "update", "resolve"]
"""Begin a page, update one that is open, end it."""

Severity = Literal["critical", "warning", "info"]
"""``critical``: a promise is broken; ``warning``: one is at risk; ``info``: all others."""

MAX_KEY: Final = 255
"""The most characters of a key (the shortest limit among the receivers: PagerDuty's)."""


class Notice(NamedTuple):
    """One message to one receiver.

    ``id`` is the same for every attempt, also after a restart, so that a receiver can drop repeats. ``key`` is the same
    from the first trigger to the resolve. ``alerts`` holds the newest announcement of each alert of the page, the most
    urgent first; in a resolve, the announcements that ended the page. ``step`` is the step of the escalation ladder
    (0: the first). ``is_test``: a harmless message that was requested by hand. ``installation`` distinguishes the pages
    of two monitors at one receiver; it is empty in pages that an earlier version began. ``is_repeat``: nothing has
    happened since the page's last notice, the page is still open and nobody has acknowledged it.
    """

    id: str
    key: str
    action: Action
    severity: Severity
    at_ms: int
    title: str
    alerts: tuple[Alert, ...]
    step: int = 0
    is_test: bool = False
    installation: str = ""
    is_repeat: bool = False


OutcomeKind = Literal["delivered", "retry", "rejected", "misconfigured", "gone"]
"""``rejected``: the receiver itself refuses the content (400, 413, 422); ``misconfigured``: no attempt succeeds until
somebody mends the settings (401, 403, a receiver without settings); ``gone``: 410, the receiver refuses all further
notices; ``retry``: every other failure."""


class Outcome(NamedTuple):
    """The outcome of one attempt.

    ``status`` is the HTTP status (0: no answer). ``retry_after_ms`` is the pause that the receiver asked for.
    ``detail`` is for people; it never holds a URL or a secret.
    """

    kind: OutcomeKind
    status: int
    detail: str
    retry_after_ms: int | None = None


class Courier(Protocol):
    """Delivers notices. Attempts never raise: every failure is an outcome."""

    def knows(self, receiver: str) -> bool:
        """Return whether the settings have a receiver of this name."""
        ...

    def places(self, receiver: str) -> int:
        """Return how many attempts to a receiver of the settings may be under way at the same time."""
        ...

    async def deliver(self, receiver: str, notice: Notice) -> Outcome:
        """Attempt one delivery."""
        ...
