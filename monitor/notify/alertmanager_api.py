"""Alertmanagers: alerts are posted to their API, version 2, and grouped, silenced and routed there.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
An alert is its labels. It is ended by posting it again with an end; should that get lost, it ends by itself when
`expires_after` has passed since the last that was heard of it. An Alertmanager that is restarted has forgotten its
alerts until the next notice tells of them.
"""

from __future__ import annotations

from typing import Final

from monitor.config.settings.receivers import AlertmanagerApiReceiver
from monitor.core.paging.notices import Notice
from monitor.notify.alertmanager import lines_of
from monitor.notify.requests import Request, Sender, post
from monitor.wire.instants import rfc3339

TEST_EXPIRES_AFTER_MS: Final = 300_000
"""A test leaves nothing behind."""


def request(receiver: AlertmanagerApiReceiver, notice: Notice, sender: Sender, now_ms: int) -> Request:
    """Return the request with every alert of the notice: what is left out would never end."""
    expires_ms = now_ms + (TEST_EXPIRES_AFTER_MS if notice.is_test else receiver.expires_after_ms)
    link = {"generatorURL": receiver.link.get_secret_value()} if receiver.link else {}
    alerts = [
        {
            "labels": {**receiver.labels, **one.labels},
            "annotations": {**one.annotations, "source": sender.source},
            "startsAt": rfc3339(one.start_ms),
            "endsAt": rfc3339(expires_ms if one.end_ms is None else one.end_ms),
            **link,
        }
        for one in lines_of(notice, now_ms)
    ]
    url = receiver.url.get_secret_value().rstrip("/") + "/api/v2/alerts"
    return post(
        url,
        alerts,
        {"Authorization": receiver.authorization.get_secret_value() if receiver.authorization else None},
    )
