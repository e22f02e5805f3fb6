"""The outcome of an attempt by its answer: delivered, try again, or somebody must act; and a reason without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import unquote

from monitor.config.reading.secrets import forms_of
from monitor.config.receivers.kind import Reading
from monitor.config.receivers.requests import Answer
from monitor.config.receivers.texts import cut
from monitor.core.paging.notices import Outcome, OutcomeKind
from monitor.wire.instants import milliseconds

LONGEST_RETRY_AFTER_MS: Final = 3_600_000
"""A receiver may put off a page for an hour at most, whatever it asks for."""

_LONGEST_DETAIL: Final = 200
_LONGEST_RETRY_AFTER: Final = 64
"""Characters of the header that are read: a date has 29."""
_REFUSALS: Final = frozenset({400, 413, 422})
"""By these the service itself says that it does not take what it was sent."""
_STRANGER: Final = frozenset({401, 403})
_REASONS: Final = ("message", "error", "errors", "detail", "title", "reason", "result", "status")
# Each of these looks at a character a bounded number of times: an answer may be made to cost time.
_LINK: Final = re.compile(r"[a-z0-9+.-]{1,32}://\S*", re.IGNORECASE)
_TAG: Final = re.compile(r"<[^<>]*>")
_BLANKS: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
_SHORTEST_SECRET: Final = 4
_WORD: Final = re.compile(r"[^\s/?&=:]{6,}")


def outcome(answer: Answer, reading: Reading, secrets: Iterable[str], now_ms: int) -> Outcome:
    """Return what an answer means. Its detail holds no link and none of the secrets or parts of them."""
    status = answer.status
    said = _reason(answer, secrets)
    detail = f"{status}: {said}" if said else str(status)
    retry_after_ms = None
    kind: OutcomeKind
    if 200 <= status < 300:  # noqa: PLR2004 - success
        kind = reading(answer)
        if kind != "delivered":
            detail = f"{detail} (not the answer of this service to a notice that it took)"
    elif status == 410:  # noqa: PLR2004 - Gone
        kind = "gone"
    else:
        # Whatever else it is, a proxy in front of a service that is being deployed answers so for a minute.
        kind = "rejected" if status in _REFUSALS else "misconfigured" if status in _STRANGER else "retry"
        if kind != "rejected":
            retry_after_ms = _retry_after_ms(answer.retry_after, now_ms)
        if 300 <= status < 400:  # noqa: PLR2004 - redirects
            detail = f"{status}: sends elsewhere, which is not followed; write the new address into the settings"
    return Outcome(kind, status, detail, retry_after_ms)


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return a text without links, and without the secrets and the words that they are made of."""
    hidden: set[str] = set()
    for secret in secrets:
        words = _WORD.findall(secret)
        hidden |= {*forms_of(secret), *words, *map(unquote, words)}
    for word in sorted(hidden, key=len, reverse=True):
        if len(word) >= _SHORTEST_SECRET:
            text = text.replace(word, "…")
    return _LINK.sub("…", text)


def _retry_after_ms(header: str | None, now_ms: int) -> int | None:
    """Return how long the receiver asks to be left alone: seconds or a date (RFC 9110, section 10.2.3)."""
    if header is None:
        return None
    text = header[:_LONGEST_RETRY_AFTER].strip()
    if text.isascii() and text.isdigit():
        # More digits than this are beyond the bound anyway, and no number to convert.
        return min(int(text[:9]) * 1000, LONGEST_RETRY_AFTER_MS)
    try:
        when = parsedate_to_datetime(text)
        if when.tzinfo is None:
            return None
        return min(max(milliseconds(when) - now_ms, 0), LONGEST_RETRY_AFTER_MS)
    except (ValueError, IndexError, TypeError, OverflowError):  # OverflowError: a year, a day or a zone beyond all
        return None


def _reason(answer: Answer, secrets: Iterable[str]) -> str:
    value = answer.json()
    text = answer.body.decode("utf-8", "replace") if value is None else "; ".join(_texts(value))
    # Secrets first: a secret that a tag or a cut goes through would be told in part.
    text = _TAG.sub(" ", without_secrets(text, secrets))
    return cut(_BLANKS.sub(" ", text).strip(), _LONGEST_DETAIL)


def _texts(value: Any) -> Iterable[str]:  # noqa: ANN401 - whatever the service says
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (one for one in value if isinstance(one, str))
    elif isinstance(value, dict):
        for name in _REASONS:
            yield from () if isinstance(value.get(name), dict) else _texts(value.get(name))
