"""Records as the workers write them, for pages that read them."""

from __future__ import annotations

import itertools

import orjson
from aiokafka.structs import ConsumerRecord

from monitor.config.settings.settings import TopicSettings
from monitor.wire.announcements import encode_alert, encode_statement, encode_status
from monitor.wire.responses import encode_response

TOPICS = TopicSettings()
SOURCE = "sla-monitor"
_offsets = itertools.count()


def record(topic, key, value, at_ms=0):
    return ConsumerRecord(topic, 0, next(_offsets), at_ms, 0, key, value, None, len(key or b""), len(value or b""), ())


def published(document):
    key = f"{document['agreement']}/{document['version']}".encode()
    return record(TOPICS.agreements, key, orjson.dumps(document, default=str))


def status(one):
    return record(TOPICS.status, *encode_status(one, SOURCE))


def statement(one):
    return record(TOPICS.statements, *encode_statement(one, SOURCE))


def alert(one):
    return record(TOPICS.alerts, *encode_alert(one, SOURCE))


def response(one):
    return record(TOPICS.responses, *encode_response(one))
