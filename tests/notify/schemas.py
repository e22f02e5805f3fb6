"""What the services accept, written down from what they publish."""

TEXT = {"type": "string"}
TEXTS = {"type": "object", "additionalProperties": TEXT}


def text(most, least=0):
    return {"type": "string", "minLength": least, "maxLength": most}


def exactly(required, **properties):
    return {"type": "object", "properties": properties, "required": required.split(), "additionalProperties": False}


# https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/cloudevents.json; names of attributes: spec.md
CLOUDEVENT = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": text(10_000, 1),
        "source": {"type": "string", "minLength": 1, "format": "uri-reference"},
        "type": text(10_000, 1),
        "subject": text(10_000, 1),
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": text(100, 1),
        "data": {"type": ["object", "string", "number", "array", "boolean", "null"]},
    },
    "propertyNames": {"pattern": "^[a-z0-9]+$|^data_base64$"},
}

# https://github.com/PagerDuty/api-schema/blob/main/reference/events-v2/openapiv3.json; lengths:
# https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
LINK = exactly("href", href={"type": "string", "pattern": "^https?://"}, text=TEXT)
PAGERDUTY = exactly(
    "routing_key event_action dedup_key",
    routing_key={"type": "string", "pattern": "^[A-Za-z0-9]{32}$"},
    event_action={"enum": ["trigger", "acknowledge", "resolve"]},
    dedup_key=text(255, 1),
    client=TEXT,
    client_url={"type": "string", "pattern": "^https?://"},
    links={"type": "array", "items": LINK},
    payload=exactly(
        "summary severity source",
        summary=text(1024, 1),
        timestamp={"type": "string", "format": "date-time"},
        severity={"enum": ["critical", "error", "warning", "info"]},
        source=text(1024, 1),
        component=TEXT,
        group=TEXT,
        custom_details={"type": "object"},
        **{"class": TEXT},
    ),
)
PAGERDUTY["if"] = {"properties": {"event_action": {"const": "trigger"}}}
PAGERDUTY["then"] = {"required": ["payload"]}

# https://github.com/opsgenie/opsgenie-oas/blob/master/definitions/alert.yaml; lengths:
# https://docs.opsgenie.com/docs/alerts-and-alert-fields
OPSGENIE_CREATE = exactly(
    "message",
    message=text(130, 1),
    alias=text(512, 1),
    description=text(15_000),
    responders={
        "type": "array",
        "maxItems": 50,
        "items": exactly("type", type={"enum": ["team", "user", "escalation", "schedule"]}, name=TEXT),
    },
    tags={"type": "array", "maxItems": 20, "items": text(50)},
    details=TEXTS,
    entity=text(512),
    source=text(100),
    priority={"enum": ["P1", "P2", "P3", "P4", "P5"]},
)
OPSGENIE_ACTION = exactly("note", source=text(100), note=text(25_000, 1), user=text(100))
OPSGENIE_PRIORITY = exactly("priority", priority=OPSGENIE_CREATE["properties"]["priority"])

# https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml; names:
# https://prometheus.io/docs/concepts/data_model/
LABELS = {**TEXTS, "propertyNames": {"pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"}}
DATE = {"type": "string", "format": "date-time"}
ALERTMANAGER_API = {
    "type": "array",
    "minItems": 1,
    "items": exactly(
        "labels",
        labels={**LABELS, "minProperties": 1},
        annotations=LABELS,
        startsAt=DATE,
        endsAt=DATE,
        generatorURL=TEXT,
    ),
}

# https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
STATUS = {"enum": ["firing", "resolved"]}
ALERTMANAGER = exactly(
    "version groupKey truncatedAlerts status receiver groupLabels commonLabels commonAnnotations externalURL alerts",
    version={"const": "4"},
    groupKey=TEXT,
    truncatedAlerts={"type": "integer", "minimum": 0},
    status=STATUS,
    receiver=TEXT,
    groupLabels=LABELS,
    commonLabels=LABELS,
    commonAnnotations=LABELS,
    externalURL=TEXT,
    alerts={
        "type": "array",
        "items": exactly(
            "status labels annotations startsAt endsAt generatorURL fingerprint",
            status=STATUS,
            labels=LABELS,
            annotations=LABELS,
            startsAt=DATE,
            endsAt=DATE,
            generatorURL=TEXT,
            fingerprint={"type": "string", "pattern": "^[0-9a-f]{16}$"},
        ),
    },
)

# https://api.slack.com/reference/block-kit/blocks, https://api.slack.com/reference/block-kit/composition-objects#text
ESCAPED = {"pattern": r"^([^&<>]|&(amp|lt|gt);|<https?://([^<>&|]|&(amp|lt|gt);)+\|Dashboards>)*$"}
SLACK = exactly(
    "text blocks",
    channel=TEXT,
    text={**text(4_000, 1), **ESCAPED},
    unfurl_links={"type": "boolean"},
    unfurl_media={"type": "boolean"},
    blocks={
        "type": "array",
        "minItems": 1,
        "maxItems": 50,
        "items": {
            "oneOf": [
                exactly(
                    "type text",
                    type={"const": "section"},
                    text=exactly("type text", type={"const": "mrkdwn"}, text={**text(3_000, 1), **ESCAPED}),
                ),
                exactly(
                    "type elements",
                    type={"const": "context"},
                    elements={
                        "type": "array",
                        "maxItems": 10,
                        "items": exactly("type text", type={"const": "mrkdwn"}, text={**text(2_000, 1), **ESCAPED}),
                    },
                ),
            ]
        },
    },
)
