"""PagerDuty, Events API v2."""

from __future__ import annotations

from tests.notify.schemas.shapes import TEXT, exactly, text

MOST_BYTES = 512_000

# https://github.com/PagerDuty/api-schema/blob/main/reference/events-v2/openapiv3.json; lengths:
# https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
LINK = exactly("href", href={"type": "string", "pattern": "^https?://"}, text=TEXT)
SCHEMA = exactly(
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
SCHEMA["if"] = {"properties": {"event_action": {"const": "trigger"}}}
SCHEMA["then"] = {"required": ["payload"]}
