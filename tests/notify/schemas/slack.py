"""Slack, Block Kit."""

from __future__ import annotations

from tests.notify.schemas.shapes import TEXT, exactly, text

MOST_BYTES = 13_000

# https://api.slack.com/reference/block-kit/blocks, https://api.slack.com/reference/block-kit/composition-objects#text
ESCAPED = {"pattern": r"^([^&<>]|&(amp|lt|gt);|<https?://([^<>&|]|&(amp|lt|gt);)+\|Dashboards>)*$"}
SCHEMA = exactly(
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
