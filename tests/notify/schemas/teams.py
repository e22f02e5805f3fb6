"""Microsoft Teams: the message that the Workflows app takes, with one Adaptive Card."""

from __future__ import annotations

from tests.notify.schemas.shapes import exactly, text

# https://learn.microsoft.com/en-us/connectors/teams/#known-issues-and-limitations-with-actions: about 28 KB, which are
# counted in UTF-16 (two bytes for a letter):
# https://learn.microsoft.com/en-us/microsoftteams/limits-specifications-teams#chat
MOST_BYTES = 28_000 // 2

# https://adaptivecards.io/schemas/adaptive-card.json, as far as the card uses it. Version 1.2 brought RichTextBlock.
RUN = exactly(
    "type text",
    type={"const": "TextRun"},
    text=text(2_000, 1),
    weight={"enum": ["Default", "Lighter", "Bolder"]},
    size={"enum": ["Default", "Small", "Medium", "Large", "ExtraLarge"]},
    color={"enum": ["Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention"]},
    isSubtle={"type": "boolean"},
)
BLOCK = exactly("type inlines", type={"const": "RichTextBlock"}, inlines={"type": "array", "minItems": 1, "items": RUN})
ACTION = exactly(
    "type title url",
    type={"const": "Action.OpenUrl"},
    title=text(100, 1),
    url={"type": "string", "pattern": "^https?://"},
)
CARD = exactly(
    "type version body",
    type={"const": "AdaptiveCard"},
    version={"enum": ["1.2", "1.3", "1.4", "1.5"]},
    fallbackText=text(1_000, 1),
    body={"type": "array", "minItems": 1, "items": BLOCK},
    actions={"type": "array", "maxItems": 6, "items": ACTION},
    msteams=exactly("width", width={"const": "Full"}),
    **{"$schema": {"const": "http://adaptivecards.io/schemas/adaptive-card.json"}},
)
# https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
SCHEMA = exactly(
    "type attachments",
    type={"const": "message"},
    attachments={
        "type": "array",
        "minItems": 1,
        "maxItems": 1,
        "items": exactly(
            "contentType contentUrl content",
            contentType={"const": "application/vnd.microsoft.card.adaptive"},
            contentUrl={"type": "null"},
            content=CARD,
        ),
    },
)
