"""CloudEvents."""

from __future__ import annotations

from tests.notify.schemas.shapes import text

MOST_BYTES = 256 << 10

# https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/cloudevents.json; names of attributes: spec.md
SCHEMA = {
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
