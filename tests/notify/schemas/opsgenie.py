"""Opsgenie, Alert API."""

from __future__ import annotations

from tests.notify.schemas.shapes import TEXT, TEXTS, exactly, text

MOST_BYTES = 200_000

# https://github.com/opsgenie/opsgenie-oas/blob/master/definitions/alert.yaml; lengths:
# https://docs.opsgenie.com/docs/alerts-and-alert-fields
CREATE = exactly(
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
ACTION = exactly("note", source=text(100), note=text(25_000, 1), user=text(100))
PRIORITY = exactly("priority", priority=CREATE["properties"]["priority"])


def schema_of(told, request):
    if request.method == "PUT":
        return PRIORITY
    creates = told.action == "trigger" or (told.action == "update" and told.is_repeat)
    return CREATE if creates else ACTION
