"""All topics of an installation as an AsyncAPI 3 document: for ``sla-monitor schema asyncapi``.

Names, partitions and configuration are those of the plan of topics, who reads and writes is that of the least rights,
descriptions are those of the settings, and schemas those of the wire formats. Only keys, and which topics are between
the workers alone, stand here (`_CONTENTS`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any, Final, NamedTuple

import msgspec

from monitor.config.agreements.agreement_shape import AgreementShape
from monitor.config.settings.settings import Settings, TopicSettings
from monitor.core.facts.events import SUBJECTS, Subject
from monitor.installation import TOPIC_OF, needed_rights, topic_of, topic_plan
from monitor.stream.kafka.topics import TopicSpec, changelog_of
from monitor.wire.deadletters import LETTER_HEADERS
from monitor.wire.envelopes import ENVELOPES, Kind
from monitor.wire.events import cloudevent_schema, event_schema
from monitor.wire.markers import ClockMarker, SourceMarker
from monitor.wire.responses import Acknowledgement, Enable, Resend, SilenceResponse, Skip

Json = dict[str, Any]

ASYNCAPI: Final = "3.0.0"
_KAFKA: Final = "0.5.0"
"""The version of the bindings for Kafka."""
_SCHEMAS: Final = "#/components/schemas/"
_BINARY: Final[Json] = {"type": "string", "format": "binary"}
INTERNAL: Final[Json] = {
    "name": "internal",
    "description": "An affair of the monitor: what stands there may change with any release.",
}


class Content(NamedTuple):
    """What stands on a topic: the keys of its records in words, and its messages by name.

    ``by_agreement``: the agreement's id, not the key, decides a record's partition.
    """

    key: str
    messages: tuple[str, ...]
    is_internal: bool = False
    by_agreement: bool = False


class Message(NamedTuple):
    """One kind of record: what it is, its schemas, and its content type."""

    summary: str
    payload: Json
    headers: Json | None = None
    content_type: str = "application/json"


_ANNOUNCED: Final[tuple[Kind, ...]] = ("alert", "status", "statement", "report", "delivery")
_RESPONSES: Final = {
    "acknowledgement": Acknowledgement, "silence": SilenceResponse, "resend": Resend, "enable": Enable, "skip": Skip,
}  # fmt: skip
_MARKERS: Final = {"source-marker": SourceMarker, "clock-marker": ClockMarker}

_CONTENTS: Final[Mapping[str, Content]] = {
    **{
        TOPIC_OF[subject]: Content(f"{subject} id", (subject, f"{subject}-cloudevent", f"{subject}-cloudevent-binary"))
        for subject in SUBJECTS
    },
    "agreements": Content("agreement / version", ("agreement",)),
    "alerts": Content("alert key", ("alert",), by_agreement=True),
    "status": Content("series and window", ("status",)),
    "statements": Content("series and period", ("statement",)),
    "reports": Content("agreement, period and receiver", ("report",)),
    "deliveries": Content("notice id", ("delivery",)),
    "responses": Content("page, silence or record", tuple(_RESPONSES)),
    "markers": Content("foreign topic/partition; `clock`", tuple(_MARKERS), is_internal=True),
    "dead_letters": Content("topic/partition/offset", ("dead-letter",)),
    "partials": Content("pane and source", ("partial",), is_internal=True, by_agreement=True),
}
"""By the name under which the settings name the topic."""
_CHANGELOG: Final = Content("row", ("row",), is_internal=True)
_FOREIGN: Final = Content("as its owner writes it", ("foreign",))


def asyncapi_document(settings: Settings) -> Json:
    """Return the document of an installation with these settings.

    Raises:
        ConfigError: a mapping of the settings cannot be read.
    """
    plan = topic_plan(settings)
    contents = {spec.name: _content(spec, settings) for spec in plan}
    messages, schemas = _messages()
    used = {name for content in contents.values() for name in content.messages}
    return {
        "asyncapi": ASYNCAPI,
        "info": {
            "title": settings.app_id,
            "version": version("sla-monitor"),
            "description": "The topics of a monitor of service level agreements: events in, alerts, figures and "
            "statements out. Read what it writes with isolation.level=read_committed.",
        },
        "defaultContentType": "application/json",
        "servers": _servers(settings),
        "channels": {
            spec.name: _channel(spec, contents[spec.name], _description(spec, contents, settings), settings)
            for spec in plan
        },
        "operations": dict(_operations(contents, settings)),
        "components": {
            "messages": {name: _message(name, one) for name, one in messages.items() if name in used},
            "schemas": schemas,
        },
    }


def _content(spec: TopicSpec, settings: Settings) -> Content:
    named = _setting_of(spec.name, settings)
    if named:
        return _CONTENTS[named]
    return _FOREIGN if spec.foreign else _CHANGELOG


def _setting_of(topic: str, settings: Settings) -> str:
    """Return the setting that names a topic; "" for changelogs and topics of others."""
    return next((setting for setting in _CONTENTS if getattr(settings.topics, setting) == topic), "")


def _servers(settings: Settings) -> Json:
    protocol = "kafka" if settings.security.protocol == "PLAINTEXT" else "kafka-secure"
    return {
        f"broker-{number}": {"host": host, "protocol": protocol}
        for number, host in enumerate(settings.bootstrap.split(","), start=1)
    }


def _channel(spec: TopicSpec, content: Content, description: str, settings: Settings) -> Json:
    found: Json = {
        "address": spec.name,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in content.messages},
        "bindings": {"kafka": _binding(spec, settings)},
    }
    return found | ({"tags": [INTERNAL]} if content.is_internal else {})


def _description(spec: TopicSpec, contents: Mapping[str, Content], settings: Settings) -> str:
    if named := _setting_of(spec.name, settings):
        said = TopicSettings.model_fields[named].description or ""
    elif spec.foreign:
        subject = next(one.rows().subject for one in settings.sources if one.topic == spec.name)
        said = f"A topic of others. A mapping makes {subject} events of its records, on {topic_of(settings, subject)}."
    else:
        of = next(one for one in contents if changelog_of(settings.app_id, one) == spec.name)
        said = f"The rows of {of}, and how far it has been read: the workers' state."
    if contents[spec.name].by_agreement:
        said += " The agreement's id decides the partition of a record, not its key."
    return f"{said} A record without a value takes that of its key away." if spec.cleanup == "compact" else said


def _binding(spec: TopicSpec, settings: Settings) -> Json:
    binding: Json = {"topic": spec.name, "partitions": spec.partitions, "bindingVersion": _KAFKA}
    if spec.foreign:
        return binding
    configuration: Json = {"cleanup.policy": [spec.cleanup]}
    for name, value in spec.all_config.items():
        if name != "cleanup.policy":
            configuration[name] = int(value) if value.lstrip("-").isdecimal() else value
    return binding | {"replicas": settings.topics.replication, "topicConfiguration": configuration}


def _operations(contents: Mapping[str, Content], settings: Settings) -> Iterable[tuple[str, Json]]:
    """Yield what a worker does with its topics, as its least rights say it."""
    actions = {"Read": ("receive", "reads"), "Write": ("send", "writes")}
    for right in needed_rights(settings, "worker"):
        if right.kind == "topic" and right.operation in actions:
            action, does = actions[right.operation]
            yield (
                f"{action}-{right.name}".replace(".", "_"),
                {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{right.name}"},
                    "summary": f"The monitor {does} {right.name}.",
                    **({"tags": [INTERNAL]} if contents[right.name].is_internal else {}),
                },
            )


def _message(name: str, one: Message) -> Json:
    key = next(content.key for content in (*_CONTENTS.values(), _CHANGELOG, _FOREIGN) if name in content.messages)
    found: Json = {
        "name": name,
        "summary": one.summary,
        "contentType": one.content_type,
        "payload": one.payload,
        "bindings": {"kafka": {"key": {"type": "string", "description": key}, "bindingVersion": _KAFKA}},
    }
    return found | ({} if one.headers is None else {"headers": one.headers})


def _messages() -> tuple[dict[str, Message], Json]:
    """Return all messages by their names, and the schemas that they refer to."""
    written: dict[str, type] = {**_RESPONSES, **_MARKERS, **{kind: ENVELOPES[kind] for kind in _ANNOUNCED}}
    made, schemas = msgspec.json.schema_components(written.values(), ref_template=_SCHEMAS + "{name}")
    messages = {name: Message(_summary(of), schema) for (name, of), schema in zip(written.items(), made, strict=True)}
    for subject in SUBJECTS:
        plain, cloud = (_bare(of(subject)) for of in (event_schema, cloudevent_schema))
        schemas |= {f"{subject}-event": plain, f"{subject}-cloudevent": cloud}
        messages |= dict(_events(subject, cloud))
    keys = list(AgreementShape.model_fields)
    messages |= {
        "agreement": Message(
            "A version of an agreement, as its file says it: see sla-monitor check.",
            {
                "type": "object",
                "required": ["agreement", "version", "valid_from"],
                "properties": {"agreement": {"type": "string"}, "version": {"type": "integer", "minimum": 1}},
                "propertyNames": {"enum": keys},
            },
        ),
        "dead-letter": Message(
            "The original bytes of a record that could not be used; the headers say whose, and why.",
            _BINARY,
            {
                "type": "object",
                "required": [name for name, (_, is_always) in LETTER_HEADERS.items() if is_always],
                "properties": {
                    name: {"type": "string", "description": said} for name, (said, _) in LETTER_HEADERS.items()
                },
            },
            "application/octet-stream",
        ),
        "partial": Message("A pane of a source partition, or its progress.", _BINARY, None, "application/msgpack"),
        "row": Message("A row of a partition's state.", _BINARY, None, "application/msgpack"),
        "foreign": Message("A record of others.", {}, None, "application/octet-stream"),
    }
    return messages, schemas


def _events(subject: Subject, cloud: Json) -> Iterable[tuple[str, Message]]:
    """Yield the three forms of an event. In binary mode the attributes of a CloudEvent are headers."""
    yield subject, Message(f"An event of a {subject}.", {"$ref": f"{_SCHEMAS}{subject}-event"})
    yield (
        f"{subject}-cloudevent",
        Message(
            f"An event of a {subject} as a structured CloudEvent.",
            {"$ref": f"{_SCHEMAS}{subject}-cloudevent"},
            None,
            "application/cloudevents+json",
        ),
    )
    headers = {f"ce_{name}": of for name, of in cloud["properties"].items() if name != "data"}
    yield (
        f"{subject}-cloudevent-binary",
        Message(
            f"An event of a {subject} as a CloudEvent in binary mode: its attributes are headers.",
            cloud["properties"]["data"],
            {"type": "object", "required": [f"ce_{name}" for name in cloud["required"]], "properties": headers},
        ),
    )


def _summary(of: type) -> str:
    return (of.__doc__ or "").strip().partition("\n")[0]


def _bare(schema: Json) -> Json:
    """Return a schema without the marks of a document of its own."""
    return {name: value for name, value in schema.items() if name not in ("$schema", "$id")}
