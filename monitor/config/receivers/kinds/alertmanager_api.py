"""Alertmanagers: alerts are posted to their API, version 2, and grouped, silenced and routed there.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
An alert is its labels. It is ended by posting it again with an end; should that get lost, it ends by itself when
`expires_after` has passed since the last that was heard of it. An Alertmanager that is restarted has forgotten its
alerts until the next notice tells of them.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from monitor.config.reading.quantities import LONGEST_DURATION_MS, PositiveDuration
from monitor.config.reading.shape import Text, wrong
from monitor.config.receivers.base import BaseUrl, HeaderValue, ReceiverSettings
from monitor.config.receivers.kind import Kind
from monitor.config.receivers.kinds.alertmanager import lines_of
from monitor.config.receivers.requests import Request, Sender, post
from monitor.core.paging.notices import Notice
from monitor.wire.instants import rfc3339

TEST_EXPIRES_AFTER_MS: Final = 300_000
"""A test leaves nothing behind."""
_LABEL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _expiry(value: int) -> int:
    if not 60_000 <= value <= LONGEST_DURATION_MS:  # noqa: PLR2004 - a minute
        raise wrong("is shorter than 1m", "an alert that is not posted again would end by itself")
    return value


def _label(value: str) -> str:
    if not _LABEL.fullmatch(value):
        raise wrong(f"is no name of a label: {value[:100]!r}", "use letters, digits and '_', and begin with no digit")
    return value


Expiry = Annotated[PositiveDuration, AfterValidator(_expiry)]
LabelName = Annotated[str, AfterValidator(_label)]


class AlertmanagerApiReceiver(ReceiverSettings):
    """An Alertmanager, which groups, silences and routes. Of a cluster each member is a receiver."""

    kind: Literal["alertmanager_api"]
    url: BaseUrl = Field(description="Address of the Alertmanager, without /api/v2.")
    authorization: HeaderValue | None = Field(default=None, description="Authorization header: Bearer …, Basic …")
    labels: dict[LabelName, Text] = Field(default={}, description="Labels that every alert gets, for its routes.")
    expires_after_ms: Expiry = Field(
        default=604_800_000,
        alias="expires_after",
        description="An alert of which nothing more is heard ends after this, should its end get lost.",
    )


def requests(receiver: AlertmanagerApiReceiver, notice: Notice, sender: Sender, now_ms: int) -> tuple[Request, ...]:
    """Return the one request with every alert of the notice: what is left out would never end."""
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
        for one in lines_of(notice, sender.zone, now_ms)
    ]
    url = receiver.url.get_secret_value().rstrip("/") + "/api/v2/alerts"
    authorization = receiver.authorization.get_secret_value() if receiver.authorization else None
    return (post(url, alerts, {"Authorization": authorization}),)


KIND: Final = Kind(AlertmanagerApiReceiver, requests, max_body=None)
