"""The HTTP request that tells a receiver a notice, and the functions with which the kinds make theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import orjson

from monitor.config.reading.secrets import shown_url
from monitor.config.receivers.texts import cut
from monitor.core.alerts.alert import Alert
from monitor.core.paging.notices import Severity
from monitor.wire.wording import explain

LONGEST_VALUE: Final = 1024
"""Characters of one value of what is told about an alert."""


class Sender(NamedTuple):
    """Who tells: the CloudEvents source of the installation; and the name that the settings give to the receiver.

    ``zone`` is that of the agreement that a notice is about: sentences tell instants in it, fields for machines in UTC.
    """

    source: str
    receiver: str
    zone: str = "UTC"


class Request(NamedTuple):
    """One HTTP request. The URL is printable ASCII and goes out as it is. Secrets stand in every part of it."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    def __repr__(self) -> str:
        """Return the method, where it goes, and how much it says."""
        return f"Request({self.method} {shown_url(self.url)}, {len(self.body)} bytes)"


class Answer(NamedTuple):
    """What came back: the status, the beginning of the body, and the Retry-After header."""

    status: int
    body: bytes = b""
    retry_after: str | None = None

    def json(self) -> Any:  # noqa: ANN401 - whatever the service says
        """Return the body, or None where it is no JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None


def post(url: str, payload: bytes | object, headers: dict[str, str | None] | None = None) -> Request:
    """Return a POST of a payload as JSON; headers without a value are left out."""
    body = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    given = {name: value for name, value in (headers or {}).items() if value is not None}
    return Request("POST", url, {"Content-Type": "application/json", **given}, body)


def fitted(payload: Callable[[int], bytes | object], most: int, limit: int) -> bytes:
    """Return ``payload(n)`` as JSON with as many of its ``most`` alerts as fit into ``limit`` bytes."""
    told = most
    while True:
        made = payload(told)
        body = made if isinstance(made, bytes) else orjson.dumps(made)
        if len(body) <= limit or not told:
            return body
        told //= 2


def is_over(alert: Alert) -> bool:
    """Return whether the announcement ended its alert."""
    return alert.state not in ("at_risk", "breached")


def severity_of(alert: Alert) -> Severity:
    """Return how bad what an alert tells is; a notice is as bad as the worst of its alerts."""
    severities: dict[str, Severity] = {"breached": "critical", "at_risk": "warning"}
    return severities.get(alert.state, "info")


def told(alert: Alert, zone: str) -> dict[str, str]:
    """Return what an alert tells people, each a bounded line: ``summary``, quantities, and whom it is about."""
    about = {
        **explain(alert, zone),
        "state": alert.state,
        "reason": alert.reason,
        "agreement": f"{alert.key.agreement} version {alert.version}",
        "promise": alert.key.promise,
        alert.key.kind: alert.key.what,
        "key": alert.key.text(),
        **({"backfill": "true"} if alert.backfill else {}),
    }
    # "subject" only repeats the kind; what else is named as one of the above would hide it.
    others = {name: value for name, value in (*alert.labels.items(), *alert.details) if value and name != "subject"}
    about = {**about, **{name: value for name, value in others.items() if name not in about}}
    return {cut(name, LONGEST_VALUE): cut(value, LONGEST_VALUE) for name, value in about.items()}
