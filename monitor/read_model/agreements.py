"""The published agreements: the documents on their topic, now or at an earlier instant."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import orjson

from monitor.config.agreements.checking import book_of, parse_document
from monitor.config.agreements.document import AgreementDocument
from monitor.config.settings.settings import Settings
from monitor.core.agreements.agreement import Agreement
from monitor.errors import ConfigError
from monitor.read_model.topics import read_all
from monitor.wire.visible import printable


class Published(NamedTuple):
    """The documents on the topic that can be read, by key, and the reasons why the others cannot."""

    documents: dict[bytes, AgreementDocument]
    unreadable: dict[bytes, str]


def texts_of(documents: Collection[AgreementDocument]) -> Sequence[Agreement]:
    """Return all texts with their inherited values.

    Documents that contradict each other are returned as they stand.
    """
    try:
        return book_of(documents).agreements
    except ConfigError:  # they were published side by side
        return [one.agreement for one in documents]


async def read_published(settings: Settings, as_of_ms: int | None = None) -> Published:
    """Return the documents on the topic of agreements; with ``as_of_ms`` only those written up to that instant.

    Raises:
        BrokerError: it does not exist, or Kafka does not answer.
    """
    raw: dict[bytes, bytes | None] = {}
    for record in await read_all(settings, settings.topics.agreements):
        if as_of_ms is None or record.timestamp <= as_of_ms:
            raw[record.key or b""] = record.value
    published = Published({}, {})
    for key, value in raw.items():
        if value is None:
            continue
        try:
            published.documents[key] = parse_document(orjson.loads(value), f"published {printable(key)}")
        except (orjson.JSONDecodeError, ConfigError) as error:
            published.unreadable[key] = " ".join(str(error).split())
    return published
