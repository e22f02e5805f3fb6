"""Opsgenie, by its Alert API: one alert for each page, told apart by its alias; what follows is added as notes.

Limits: message 130, alias 512, description 15,000, entity 512, source 100, note 25,000 characters, details 8,000 in
all, 20 tags of 50. https://docs.opsgenie.com/docs/alert-api, https://docs.opsgenie.com/docs/alerts-and-alert-fields
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from pydantic import AfterValidator, Field

from monitor.config.reading.secrets import SecretUrl
from monitor.config.reading.shape import Text, wrong
from monitor.config.receivers.base import BaseUrl, HeaderValue, ReceiverSettings
from monitor.config.receivers.kind import Kind
from monitor.config.receivers.requests import Answer, Request, Sender, post, told
from monitor.config.receivers.texts import cut, cut_apart, width
from monitor.core.paging.notices import Notice, OutcomeKind, Severity

MAX_MESSAGE: Final = 130
MAX_ALIAS: Final = 512
MAX_DESCRIPTION: Final = 15_000
MAX_ENTITY: Final = 512
MAX_SOURCE: Final = 100
MAX_NOTE: Final = 25_000
MAX_DETAILS: Final = 8_000
MAX_BODY: Final = 200_000
"""Bytes. Opsgenie limits its fields, not the whole; with every field at its limit a body stays below this."""

_PRIORITIES: Final[dict[Severity, str]] = {"critical": "P1", "warning": "P3", "info": "P5"}
_MOST_TAGS: Final = 20
_LONGEST_TAG: Final = 50


def _tag(value: str) -> str:
    if len(value) > _LONGEST_TAG:
        raise wrong(f"has more than {_LONGEST_TAG} characters")
    return value


Tag = Annotated[Text, AfterValidator(_tag)]


class OpsgenieReceiver(ReceiverSettings):
    """An API integration of Opsgenie (which Atlassian ends in April 2027)."""

    kind: Literal["opsgenie"]
    api_key: HeaderValue = Field(description="Key of an API integration (not of the account).")
    url: BaseUrl = Field(
        default=SecretUrl("https://api.opsgenie.com"), description="https://api.eu.opsgenie.com in the EU."
    )
    teams: list[Text] = Field(default=[], max_length=50, description="Teams that respond; none: the integration's.")
    tags: list[Tag] = Field(default=[], max_length=_MOST_TAGS, description="Tags of the alerts.")


def requests(receiver: OpsgenieReceiver, notice: Notice, sender: Sender, _now_ms: int) -> tuple[Request, ...]:
    """Return what creates the alert, or closes it, or sets its priority (it may have got worse) and adds a note.

    A repeat creates it: of one that is open Opsgenie only counts it, one that was closed by hand is opened anew.
    """
    url = f"{receiver.url.get_secret_value().rstrip('/')}/v2/alerts"
    headers: dict[str, str | None] = {"Authorization": f"GenieKey {receiver.api_key.get_secret_value()}"}
    alias = cut_apart(notice.key, MAX_ALIAS)
    source = {"source": cut(sender.source, MAX_SOURCE)}
    if notice.action == "resolve" or (notice.action == "update" and not notice.is_repeat):
        # The alias is a part of the path here: its slashes and question marks are not those of the path.
        path = f"{url}/{quote(alias, safe='')}"
        note = source | {"note": _lines(notice, f"{notice.title} ({notice.severity})", sender.zone, MAX_NOTE)}
        if notice.action == "resolve":
            return (post(f"{path}/close?identifierType=alias", note, headers),)
        priority = post(f"{path}/priority?identifierType=alias", {"priority": _PRIORITIES[notice.severity]}, headers)
        return priority._replace(method="PUT"), post(f"{path}/notes?identifierType=alias", note, headers)
    first = notice.alerts[0] if notice.alerts else None
    payload: dict[str, Any] = {
        "message": cut(notice.title, MAX_MESSAGE) or "SLA notice",
        "alias": alias,
        "description": _lines(notice, notice.title, sender.zone, MAX_DESCRIPTION),
        "responders": [{"type": "team", "name": team} for team in receiver.teams],
        "tags": list(receiver.tags),
        "details": _details(receiver, notice, sender.zone),
        "entity": cut(f"{first.key.agreement}/{first.key.promise}" if first else sender.source, MAX_ENTITY),
        "priority": _PRIORITIES[notice.severity],
        **source,
    }
    return (post(url, payload, headers),)


def accepted(answer: Answer) -> OutcomeKind:
    """Read a 2xx answer: Opsgenie's is 202, for it works later (https://docs.opsgenie.com/docs/response)."""
    return "delivered" if answer.status == 202 else "retry"  # noqa: PLR2004 - Accepted


def _lines(notice: Notice, title: str, zone: str, limit: int) -> str:
    """Return the title and a line for each alert, as many as fit."""
    text = cut(title, limit // 2)
    for place, alert in enumerate(notice.alerts):
        line = f"\n• {told(alert, zone)['summary']}"
        more = f"\n… and {len(notice.alerts) - place:,} more"
        if width(text) + width(line) + width(more) > limit:
            return text + more
        text += line
    return text


def _details(receiver: OpsgenieReceiver, notice: Notice, zone: str) -> dict[str, str]:
    """Return what the first alert tells, as much as fits."""
    about = {
        "notice": notice.id,
        "severity": notice.severity,
        "step": str(notice.step),
        "alerts": str(len(notice.alerts)),
        **({"test": "true"} if notice.is_test else {}),
        **({"link": receiver.link.get_secret_value()} if receiver.link else {}),
        **(told(notice.alerts[0], zone) if notice.alerts else {}),
    }
    found: dict[str, str] = {}
    left = MAX_DETAILS
    for name, value in about.items():
        size = width(name) + width(value)
        if size <= left:
            found[name] = value
            left -= size
    return found


KIND: Final = Kind(OpsgenieReceiver, requests, MAX_BODY, accepted)
