"""PagerDuty, by Events API v2: one alert for each page, told apart by its ``dedup_key``.

Limits: dedup_key 255 and summary 1024 characters, an event 512 KB; a trigger for an open alert is added to its log.
https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
https://developer.pagerduty.com/docs/events-api-v2/overview/
"""

from __future__ import annotations

from typing import Any, Final

from monitor.config.settings.receivers import PagerDutyReceiver
from monitor.core.paging.notices import MAX_KEY, Notice, OutcomeKind
from monitor.notify.requests import Answer, Request, Sender, fitted, post, told
from monitor.notify.texts import cut, cut_apart
from monitor.wire.instants import rfc3339

MAX_SUMMARY: Final = 1024
MAX_BODY: Final = 500_000
"""Bytes: PagerDuty's 512 KB, whichever thousand they mean."""
MAX_ALERTS: Final = 50
"""Alerts that one event tells of in detail."""


def request(receiver: PagerDutyReceiver, notice: Notice, sender: Sender) -> Request:
    """Return the event: ``trigger`` begins or adds to the alert of the key, ``resolve`` ends it."""
    event: dict[str, Any] = {
        "routing_key": receiver.routing_key.get_secret_value(),
        "event_action": "resolve" if notice.action == "resolve" else "trigger",
        "dedup_key": cut_apart(notice.key, MAX_KEY),
    }
    url = receiver.url.get_secret_value()
    if notice.action == "resolve":
        return post(url, event)
    if receiver.link:
        link = receiver.link.get_secret_value()
        event |= {"client_url": link, "links": [{"href": link, "text": "Dashboards"}]}
    first = notice.alerts[0] if notice.alerts else None
    about = {} if first is None else {"component": first.key.promise, "group": first.key.agreement}
    details = [told(alert) for alert in notice.alerts[:MAX_ALERTS]]

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

    return post(url, fitted(trigger, len(details), MAX_BODY))


def accepted(answer: Answer) -> OutcomeKind:
    """Read a 2xx answer: PagerDuty's is 202 (of a proxy's login page, say, nobody is woken)."""
    return "delivered" if answer.status == 202 else "retry"  # noqa: PLR2004 - Accepted
