"""Microsoft Teams, by a webhook of the Workflows app: an Adaptive Card for each notice.

The flow "Post to a channel when a webhook request is received" takes a message with one card
(https://learn.microsoft.com/en-us/connectors/teams/#microsoft-teams-webhook) and answers 202 with an empty body: it
posts the card later. Whoever knows the address may post, for its query holds the signature.

A message has at most 28 KB (https://learn.microsoft.com/en-us/connectors/teams/#known-issues-and-limitations-with-actions),
counted in UTF-16, where a byte of JSON becomes up to two. More than a few requests a second are answered with 429.

Texts are text runs: they know no Markdown, so no text of an alert makes a link
(https://learn.microsoft.com/en-us/adaptive-cards/schema-explorer/text-run). The runs need version 1.2 of the cards.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal

from pydantic import Field

from monitor.config.receivers.base import ReceiverSettings, Url
from monitor.config.receivers.kind import Kind
from monitor.config.receivers.requests import Answer, Request, Sender, fitted, post, severity_of, told
from monitor.config.receivers.texts import cut
from monitor.core.paging.notices import Notice, OutcomeKind, Severity

MAX_BODY: Final = 14_000
"""Bytes of the whole: never more than 28 KB in UTF-16."""
MAX_TITLE: Final = 500
MAX_LINE: Final = 1_000
MAX_ALERTS: Final = 20

_SIGNS: Final[dict[Severity, str]] = {"critical": "🔴", "warning": "🟠", "info": "⚪"}
_COLORS: Final[dict[Severity, str]] = {"critical": "Attention", "warning": "Warning", "info": "Default"}


class TeamsReceiver(ReceiverSettings):
    """A channel or chat of Microsoft Teams, by a webhook of the Workflows app."""

    url_is_secret: ClassVar[bool] = True

    kind: Literal["teams"]
    url: Url = Field(description="URL of a flow that posts to a channel or chat when a webhook request is received.")


def requests(receiver: TeamsReceiver, notice: Notice, sender: Sender, _now_ms: int) -> tuple[Request, ...]:
    """Return the one request that posts the card. A card cannot be changed later: each notice is a card of its own."""
    is_end = notice.action == "resolve"
    sign, color = ("✅", "Good") if is_end else (_SIGNS[notice.severity], _COLORS[notice.severity])
    title = ("Test: " if notice.is_test else "") + cut(notice.title, MAX_TITLE)
    lines = [
        _block(f"{_SIGNS[severity_of(alert)]} {cut(told(alert, sender.zone)['summary'], MAX_LINE)}")
        for alert in notice.alerts[:MAX_ALERTS]
    ]
    about = [
        f"{notice.action}, {notice.severity}" + (f", step {notice.step}" if notice.step else ""),
        f"page {cut(notice.key, MAX_TITLE)}",
        f"from {cut(sender.source, MAX_TITLE)}",
    ]
    link = receiver.link.get_secret_value() if receiver.link else None

    def message(shown: int) -> dict[str, Any]:
        more = len(notice.alerts) - shown
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.2",
            "fallbackText": title or "SLA notice",
            "body": [
                _block(f"{sign} {title}", weight="Bolder", size="Medium", color=color),
                *lines[:shown],
                *([_block(f"… and {more:,} more")] if more else []),
                _block(" · ".join(about), size="Small", isSubtle=True),
            ],
            "msteams": {"width": "Full"},
            **({"actions": [{"type": "Action.OpenUrl", "title": "Dashboards", "url": link}]} if link else {}),
        }
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        return {"type": "message", "attachments": [attachment]}

    return (post(receiver.url.get_secret_value(), fitted(message, len(lines), MAX_BODY)),)


def accepted(answer: Answer) -> OutcomeKind:
    """Read a 2xx answer: 202, or 200 with an empty body (a flow that ends with a response).

    A body of ``1`` is the answer of the connectors that the flows replaced. They answered 200 with a sentence when
    Teams had refused the message, and a proxy's login page is a 200, too.
    """
    return "delivered" if answer.status == 202 or answer.body.strip() in (b"", b"1") else "retry"  # noqa: PLR2004 - Accepted


def _block(text: str, **look: str | bool) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **look}]}


KIND: Final = Kind(TeamsReceiver, requests, MAX_BODY, accepted)
