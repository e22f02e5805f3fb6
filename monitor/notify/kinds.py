"""What each kind of receiver is: how its request is made, and how its success reads."""

from __future__ import annotations

from monitor.config.settings.receivers import (
    AlertmanagerApiReceiver,
    AlertmanagerReceiver,
    GenericReceiver,
    OpsgenieReceiver,
    PagerDutyReceiver,
    Receiver,
)
from monitor.core.paging.notices import Notice
from monitor.notify import alertmanager, alertmanager_api, generic, opsgenie, pagerduty, slack
from monitor.notify.answers import Reading, is_delivered
from monitor.notify.requests import Request, Sender


def requests_for(receiver: Receiver, notice: Notice, sender: Sender, now_ms: int) -> tuple[Request, ...]:
    """Return the requests that tell a notice to a receiver, one after the other; now is the instant of the attempt."""
    match receiver:
        case GenericReceiver():
            return (generic.request(receiver, notice, sender, now_ms),)
        case AlertmanagerReceiver():
            return (alertmanager.request(receiver, notice, sender, now_ms),)
        case AlertmanagerApiReceiver():
            return (alertmanager_api.request(receiver, notice, sender, now_ms),)
        case PagerDutyReceiver():
            return (pagerduty.request(receiver, notice, sender),)
        case OpsgenieReceiver():
            return opsgenie.requests(receiver, notice, sender)
    return (slack.request(receiver, notice, sender),)


def reading_of(receiver: Receiver) -> Reading:
    """Return what tells delivered from not among the 2xx answers of a receiver."""
    readings = {"pagerduty": pagerduty.accepted, "opsgenie": opsgenie.accepted, "slack": slack.accepted}
    return readings.get(receiver.kind, is_delivered)
