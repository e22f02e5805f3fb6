"""Alertmanager, API version 2."""

from __future__ import annotations

from tests.notify.schemas.shapes import DATE, LABELS, TEXT, exactly

MOST_BYTES = None

# https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
SCHEMA = {
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
