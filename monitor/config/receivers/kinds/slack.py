"""Slack, by an incoming webhook or as a bot (chat.postMessage): a message for each notice.

Limits: 3,000 characters in a section, 2,000 in an element of a context, 50 blocks in a message
(https://api.slack.com/reference/block-kit/blocks); all blocks together must stay below some 13,000 characters, or
``msg_blocks_too_long`` is answered (https://github.com/slackapi/bolt-js/issues/2509). ``&``, ``<`` and ``>`` are
escaped (https://api.slack.com/reference/surfaces/formatting#escaping): no text mentions anybody or makes a link.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal

from pydantic import Field, model_validator

from monitor.config.reading.shape import Text, wrong
from monitor.config.receivers.base import HeaderValue, ReceiverSettings, Url
from monitor.config.receivers.kind import Kind
from monitor.config.receivers.requests import Answer, Request, Sender, fitted, post, severity_of, told
from monitor.config.receivers.texts import cut, width
from monitor.core.paging.notices import Notice, OutcomeKind, Severity

POST_MESSAGE: Final = "https://slack.com/api/chat.postMessage"
MAX_SECTION: Final = 3_000
MAX_CONTEXT: Final = 2_000
MAX_BODY: Final = 12_000
"""Bytes of the whole: never more characters than that."""
MAX_TITLE: Final = 500
MAX_ALERTS: Final = 20

_SIGNS: Final[dict[Severity, str]] = {
    "critical": ":red_circle:",
    "warning": ":large_orange_circle:",
    "info": ":white_circle:",
}
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_REFUSALS: Final = frozenset({
    "invalid_arguments", "invalid_attachments", "invalid_blocks", "invalid_blocks_format", "invalid_json",
    "invalid_form_data", "invalid_post_type", "json_not_object", "missing_post_type", "msg_blocks_too_long",
    "msg_too_long", "no_text", "too_many_attachments",
})  # fmt: skip
"""Errors of the Web API that refuse the message (https://api.slack.com/methods/chat.postMessage#errors)."""
_STRANGER: Final = frozenset({
    "access_denied", "account_inactive", "channel_not_found", "ekm_access_denied", "enterprise_is_restricted",
    "invalid_auth", "is_archived", "missing_scope", "no_permission", "not_allowed_token_type", "not_authed",
    "not_in_channel", "org_login_required", "restricted_action", "team_access_not_granted", "token_expired",
    "token_revoked", "two_factor_setup_required",
})  # fmt: skip
"""Those that do not pass before somebody mends the token, its rights, or the channel. All others may pass."""


class SlackReceiver(ReceiverSettings):
    """A channel of Slack: an incoming webhook (url), or a bot (token and channel)."""

    url_is_secret: ClassVar[bool] = True

    kind: Literal["slack"]
    url: Url | None = Field(
        default=None, description="URL of an incoming webhook; with a token, of another chat.postMessage than Slack's."
    )
    token: HeaderValue | None = Field(default=None, description="Token of a bot with chat:write (xoxb-…).")
    channel: Text | None = Field(default=None, description="Channel that the bot posts to.")

    @model_validator(mode="after")
    def _one_way(self) -> SlackReceiver:
        if (self.token is None) != (self.channel is None):
            raise wrong("token and channel need each other")
        if self.url is None and self.token is None:
            raise wrong("needs url, or token and channel", "url is that of an incoming webhook")
        return self


def requests(receiver: SlackReceiver, notice: Notice, sender: Sender, _now_ms: int) -> tuple[Request, ...]:
    """Return the one request that posts the message."""
    sign = ":white_check_mark:" if notice.action == "resolve" else _SIGNS[notice.severity]
    title = escaped(("Test: " if notice.is_test else "") + notice.title, MAX_TITLE)
    # The title first: it begins the line that a phone shows.
    fallback = f"{escaped(notice.title, MAX_TITLE)} ({notice.action}, {notice.severity})"
    lines = [
        _section(f"{_SIGNS[severity_of(alert)]} {escaped(told(alert, sender.zone)['summary'], MAX_SECTION - 40)}")
        for alert in notice.alerts[:MAX_ALERTS]
    ]
    context = [
        f"{notice.action}, {notice.severity}" + (f", step {notice.step}" if notice.step else ""),
        f"page {escaped(notice.key, MAX_TITLE)}",
        f"from {escaped(sender.source, MAX_TITLE)}",
    ]
    if receiver.link:
        link = escaped(receiver.link.get_secret_value().replace("|", "%7C"), MAX_CONTEXT - 20)
        context.append(f"<{link}|Dashboards>")

    def message(shown: int) -> dict[str, Any]:
        more = len(notice.alerts) - shown
        return {
            **({"channel": receiver.channel} if receiver.token else {}),
            "text": fallback,
            "blocks": [
                _section(f"{sign} *{title}*"),
                *lines[:shown],
                *([_section(f"… and {more:,} more")] if more else []),
                {"type": "context", "elements": [{"type": "mrkdwn", "text": text} for text in context]},
            ],
            "unfurl_links": False,
            "unfurl_media": False,
        }

    body = fitted(message, len(lines), MAX_BODY)
    url = receiver.url.get_secret_value() if receiver.url else POST_MESSAGE
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if receiver.token:
        headers["Authorization"] = f"Bearer {receiver.token.get_secret_value()}"
    return (post(url, body, {**headers}),)


def accepted(answer: Answer) -> OutcomeKind:
    """Read a 2xx answer: a webhook says ``ok``, the Web API ``{"ok": true}`` or 200 with an error."""
    said = answer.json()
    if answer.body.strip() == b"ok" or (isinstance(said, dict) and said.get("ok") is True):
        return "delivered"
    error = said.get("error") if isinstance(said, dict) else None
    if not isinstance(error, str):
        return "retry"
    return "rejected" if error in _REFUSALS else "misconfigured" if error in _STRANGER else "retry"


def escaped(text: str, limit: int) -> str:
    """Return a text as one line of mrkdwn of at most ``limit`` units; it is never cut within an ``&amp;``."""
    line = cut(text, limit)
    while width(found := "".join(_ENTITIES.get(character, character) for character in line)) > limit:
        line = cut(line, width(line) - max(1, (width(found) - limit) // 5))
    return found


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


KIND: Final = Kind(SlackReceiver, requests, MAX_BODY, accepted)
