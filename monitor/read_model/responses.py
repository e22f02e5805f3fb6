"""The topic of responses: people's requests (acknowledge, silence, resend, skip), which every worker follows."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from typing import Final

from monitor.config.settings.settings import Settings
from monitor.core.time.units import DAY_MS
from monitor.errors import DecodeError
from monitor.read_model.topics import Outgoing, read_all, send_all
from monitor.wire.responses import Response, SilenceResponse, decode_response, encode_response, response_key

DONE_MS: Final = 7 * DAY_MS
"""What was asked for longer ago was done, or there was nobody to do it."""


def responses_of(settings: Settings) -> dict[bytes, Response]:
    """Return the responses on the topic by key; records of others are left out."""
    found: dict[bytes, Response] = {}
    for record in asyncio.run(read_all(settings, settings.topics.responses)):
        found.pop(record.key, None)
        try:
            if record.value is not None:
                found[record.key] = decode_response(record.value)
        except DecodeError:
            continue
    return found


def respond(settings: Settings, *responses: Response) -> None:
    """Write responses, and take away those that are done with.

    Raises:
        BrokerError: Kafka did not take them.
    """
    now_ms = max(one.at_ms for one in responses)
    done = done_with(responses_of(settings).values(), now_ms)
    asyncio.run(write_responses(settings, responses, without=done))


def withdraw(settings: Settings, key: bytes) -> None:
    """Take a response back.

    Raises:
        BrokerError: Kafka did not take it.
    """
    asyncio.run(write_responses(settings, without=[key]))


async def write_responses(
    settings: Settings, responses: Iterable[Response] = (), *, without: Iterable[bytes] = ()
) -> None:
    """Write responses, and take away those whose keys are in ``without``.

    Raises:
        BrokerError: Kafka did not take them.
    """
    topic = settings.topics.responses
    records = [Outgoing(topic, key, None, partition=0) for key in without]
    records += [Outgoing(topic, *encode_response(one), partition=0) for one in responses]
    await send_all(settings, records)


def done_with(responses: Iterable[Response], now_ms: int) -> list[bytes]:
    """Return the keys of the responses that are done with."""
    return [response_key(one) for one in responses if _is_done(one, now_ms)]


def new_silence(
    agreement: str,
    for_ms: int,
    *,
    now_ms: int,
    promise: str = "",
    labels: Mapping[str, str] | None = None,
    reason: str = "",
    by: str = "",
) -> SilenceResponse:
    """Return a silence that begins now, with an id of its own."""
    return SilenceResponse(
        id=secrets.token_hex(4), agreement=agreement, until_ms=now_ms + for_ms, at_ms=now_ms, promise=promise,
        labels=dict(labels or {}), reason=reason, by=by,
    )  # fmt: skip


def label_of(text: str) -> tuple[str, str]:
    """Return the label that ``NAME=VALUE`` asks for.

    Raises:
        ValueError: it is none.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f"is NAME=VALUE, not {text!r}")
    return name, value


def _is_done(response: Response, now_ms: int) -> bool:
    since_ms = response.until_ms if isinstance(response, SilenceResponse) else response.at_ms
    return now_ms - since_ms > DONE_MS
