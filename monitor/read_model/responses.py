"""The topic of responses: people's requests (acknowledge, silence, resend, skip), which every worker follows."""

from __future__ import annotations

import asyncio
from typing import Final

from monitor.config.settings.settings import Settings
from monitor.core.time.units import DAY_MS
from monitor.errors import DecodeError
from monitor.read_model.topics import Outgoing, read_all, send_all
from monitor.wire.responses import Response, SilenceResponse, decode_response, encode_response

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
    topic = settings.topics.responses
    old = [key for key, one in responses_of(settings).items() if _is_done(one, now_ms)]
    records = [Outgoing(topic, key, None, partition=0) for key in old]
    records += [Outgoing(topic, *encode_response(one), partition=0) for one in responses]
    asyncio.run(send_all(settings, records))


def withdraw(settings: Settings, key: bytes) -> None:
    """Take a response back.

    Raises:
        BrokerError: Kafka did not take it.
    """
    asyncio.run(send_all(settings, [Outgoing(settings.topics.responses, key, None, partition=0)]))


def _is_done(response: Response, now_ms: int) -> bool:
    since_ms = response.until_ms if isinstance(response, SilenceResponse) else response.at_ms
    return now_ms - since_ms > DONE_MS
