"""PagerDuty, by Events API v2: one alert for each page, told apart by its ``dedup_key``.

Limits: dedup_key 255 and summary 1024 characters, an event 512 KB; a trigger for an open alert is added to its log.
https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
https://developer.pagerduty.com/docs/events-api-v2/overview/
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, SecretStr

from monitor.config.reading.secrets import Secret, SecretUrl
from monitor.config.reading.shape import wrong
from monitor.config.receivers.base import ReceiverSettings, Url
from monitor.config.receivers.kind import Kind
from monitor.config.receivers.requests import Answer, Request, Sender, fitted, post, told
from monitor.config.receivers.texts import cut, cut_apart
from monitor.core.paging.notices import MAX_KEY, Notice, OutcomeKind
from monitor.wire.instants import rfc3339

MAX_SUMMARY: Final = 1024
MAX_BODY: Final = 500_000
"""Bytes: PagerDuty's 512 KB, whichever thousand they mean."""
MAX_ALERTS: Final = 50
"""Alerts that one event tells of in detail."""
_ROUTING_KEY: Final = re.compile(r"[A-Za-z0-9]{32}")


def _routing_key(value: SecretStr) -> SecretStr:
    if not _ROUTING_KEY.fullmatch(value.get_secret_value()):
        raise wrong("is no integration key", "it has 32 letters and digits: Service, Integrations, Events API V2")
    return value


RoutingKey = Annotated[Secret, AfterValidator(_routing_key)]


class PagerDutyReceiver(ReceiverSettings):
    """A service of PagerDuty, by Events API v2."""

    kind: Literal["pagerduty"]
    routing_key: RoutingKey = Field(description="Integration key of an Events API V2 integration.")
    url: Url = Field(
        default=SecretUrl("https://events.pagerduty.com/v2/enqueue"),
        description="https://events.eu.pagerduty.com/v2/enqueue in the EU.",
    )


def requests(receiver: PagerDutyReceiver, notice: Notice, sender: Sender, _now_ms: int) -> tuple[Request, ...]:
    """Return one request with the event: ``trigger`` begins or adds to the alert of the key, ``resolve`` ends it."""
    event: dict[str, Any] = {
        "routing_key": receiver.routing_key.get_secret_value(),
        "event_action": "resolve" if notice.action == "resolve" else "trigger",
        "dedup_key": cut_apart(notice.key, MAX_KEY),
    }
    url = receiver.url.get_secret_value()
    if notice.action == "resolve":
        return (post(url, event),)
    if receiver.link:
        link = receiver.link.get_secret_value()
        event |= {"client_url": link, "links": [{"href": link, "text": "Dashboards"}]}
    first = notice.alerts[0] if notice.alerts else None
    about = {} if first is None else {"component": first.key.promise, "group": first.key.agreement}
    details = [told(alert, sender.zone) for alert in notice.alerts[:MAX_ALERTS]]

    def trigger(shown: int) -> dict[str, Any]:
        return event | {
            "client": "sla-monitor",
            "payload": {
                "summary": cut(notice.title, MAX_SUMMARY) or "SLA notice",
                "timestamp": rfc3339(notice.at_ms),
                "severity": notice.severity,
                "source": sender.source,
                **{name: cut(value, MAX_SUMMARY) for name, value in about.items()},
                "class": "test" if notice.is_test else first.key.kind if first else "notice",
                "custom_details": {
                    "action": notice.action,
                    "escalation_step": notice.step,
                    "notice": notice.id,
                    "alerts_total": len(notice.alerts),
                    "alerts": details[:shown],
                },
            },
        }

    return (post(url, fitted(trigger, len(details), MAX_BODY)),)


def accepted(answer: Answer) -> OutcomeKind:
    """Read a 2xx answer: PagerDuty's is 202 (of a proxy's login page, say, nobody is woken)."""
    return "delivered" if answer.status == 202 else "retry"  # noqa: PLR2004 - Accepted


KIND: Final = Kind(PagerDutyReceiver, requests, MAX_BODY, accepted)
