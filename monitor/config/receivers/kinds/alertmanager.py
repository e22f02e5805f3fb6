"""Receivers of Alertmanager's webhook: the payload, version 4, that Alertmanager itself would post.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
The page is the group: its key is ``groupKey`` and the label ``page`` of all its alerts.
"""

from __future__ import annotations

import re
from typing import Any, Final, Literal, NamedTuple

from pydantic import Field

from monitor.config.receivers.base import HeaderValue, ReceiverSettings, Url
from monitor.config.receivers.kind import Kind
from monitor.config.receivers.requests import LONGEST_VALUE, Request, Sender, fitted, is_over, post, severity_of, told
from monitor.config.receivers.texts import cut, cut_apart
from monitor.core.alerts.alert import Alert
from monitor.core.paging.notices import Notice
from monitor.wire.instants import rfc3339
from monitor.wire.visible import visible

MAX_BODY: Final = 512 << 10
"""Bytes; what does not fit is counted in ``truncatedAlerts``."""
MAX_ALERTS: Final = 500

NEVER: Final = "0001-01-01T00:00:00Z"
"""How Alertmanager writes that an alert has not ended."""

_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_]")
_OFFSET: Final = 0xCBF29CE484222325
_PRIME: Final = 0x100000001B3
_64_BITS: Final = (1 << 64) - 1


class AlertmanagerReceiver(ReceiverSettings):
    """Whatever takes the webhook of Alertmanager (version 4 of its payload)."""

    kind: Literal["alertmanager"]
    url: Url = Field(description="Where the payload is posted.")
    authorization: HeaderValue | None = Field(default=None, description="Authorization header: Bearer …, Basic …")


class Line(NamedTuple):
    """One alert as Alertmanager sees it. The labels never change in its life; all that does is in the annotations."""

    labels: dict[str, str]
    annotations: dict[str, str]
    start_ms: int
    end_ms: int | None


def requests(receiver: AlertmanagerReceiver, notice: Notice, sender: Sender, now_ms: int) -> tuple[Request, ...]:
    """Return the one request with the payload."""
    link = receiver.link.get_secret_value() if receiver.link else ""
    page = {"page": _label(notice.key)}
    shown_most = notice._replace(alerts=notice.alerts[:MAX_ALERTS])
    lines = [one._replace(labels=one.labels | page) for one in lines_of(shown_most, sender.zone, now_ms)]
    total = max(len(notice.alerts), len(lines))
    is_firing = notice.action != "resolve" and not (notice.alerts and all(map(is_over, notice.alerts)))
    alerts = [
        {
            "status": "firing" if one.end_ms is None else "resolved",
            "labels": one.labels,
            "annotations": one.annotations,
            "startsAt": rfc3339(one.start_ms),
            "endsAt": NEVER if one.end_ms is None else rfc3339(one.end_ms),
            "generatorURL": link,
            "fingerprint": fingerprint(one.labels),
        }
        for one in lines
    ]

    def payload(shown: int) -> dict[str, Any]:
        return {
            "version": "4",
            "groupKey": notice.key,
            "truncatedAlerts": total - shown,
            "status": "firing" if is_firing else "resolved",
            "receiver": sender.receiver,
            "groupLabels": page,
            "commonLabels": _common([one.labels for one in lines]),
            "commonAnnotations": _common([one.annotations for one in lines]),
            "externalURL": link,
            "alerts": alerts[:shown],
        }

    authorization = receiver.authorization.get_secret_value() if receiver.authorization else None
    body = fitted(payload, len(alerts), MAX_BODY)
    return (post(receiver.url.get_secret_value(), body, {"Authorization": authorization}),)


def lines_of(notice: Notice, zone: str, now_ms: int) -> list[Line]:
    """Return the alerts of a notice, or one that stands for the notice where it has none."""
    shared = {
        "page": notice.key,
        "title": notice.title,
        "action": notice.action,
        **({"step": str(notice.step)} if notice.step else {}),
        **({"test": "true"} if notice.is_test else {}),
    }
    shared = {name: cut(value, LONGEST_VALUE) for name, value in shared.items()}
    if not notice.alerts:
        name = "SLATest" if notice.is_test else "SLANotice"
        start_ms = min(notice.at_ms, now_ms)
        annotations = {**shared, "summary": shared["title"], "severity": notice.severity}
        labels = {"alertname": name, "key": _label(notice.key)}
        labels |= {"installation": notice.installation} if notice.installation else {}
        return [Line(labels, annotations, start_ms, start_ms if notice.action == "resolve" else None)]
    return [_line(alert, notice, shared, zone, now_ms) for alert in notice.alerts]


def _line(alert: Alert, notice: Notice, shared: dict[str, str], zone: str, now_ms: int) -> Line:
    key = alert.key
    labels = alert.labels | {
        "alertname": "SLATest" if notice.is_test else f"SLA{key.kind.capitalize()}",
        "kind": key.kind,
        "what": key.what,
        "agreement": key.agreement,
        "promise": key.promise,
        "cycle": str(key.cycle),
        # Two monitors of the same subjects may tell one Alertmanager. A page that an earlier version began has none.
        "installation": notice.installation,
    }
    annotations = {**told(alert, zone), **shared, "severity": notice.severity if notice.is_test else severity_of(alert)}
    # Clocks of producers differ: nothing may begin or end in Alertmanager's future.
    at_ms = min(alert.at_ms, now_ms)
    return Line(
        {label_name(name): _label(value) for name, value in sorted(labels.items()) if value},
        {label_name(name): value for name, value in annotations.items()},
        at_ms,
        at_ms if is_over(alert) or notice.action == "resolve" else None,
    )


def _label(value: str) -> str:
    """Return the value of a label: it identifies the alert, and people see it."""
    return cut_apart(visible(value), LONGEST_VALUE)


def label_name(name: str) -> str:
    """Return a name as Prometheus allows it; it keeps letters of ASCII, digits and ``_``."""
    plain = _NOT_IN_NAMES.sub("_", name)[:LONGEST_VALUE] or "_"
    return f"_{plain}" if plain[0].isdigit() else plain


def fingerprint(labels: dict[str, str]) -> str:
    """Return the fingerprint that Alertmanager gives to labels: FNV-1a of names and values, sorted by name.

    https://github.com/prometheus/common/blob/main/model/signature.go
    """
    value = _OFFSET
    for name in sorted(labels):
        for byte in name.encode() + b"\xff" + labels[name].encode() + b"\xff":
            value = ((value ^ byte) * _PRIME) & _64_BITS
    return f"{value:016x}"


def _common(maps: list[dict[str, str]]) -> dict[str, str]:
    first, *others = maps
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


KIND: Final = Kind(AlertmanagerReceiver, requests, MAX_BODY)
