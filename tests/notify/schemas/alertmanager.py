"""The webhook of Alertmanager."""

from __future__ import annotations

from tests.notify.schemas.shapes import DATE, LABELS, TEXT, exactly

MOST_BYTES = 512 << 10

# https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
STATUS = {"enum": ["firing", "resolved"]}
SCHEMA = exactly(
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
