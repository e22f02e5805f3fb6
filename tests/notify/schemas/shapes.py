"""Pieces that several schemas are made of."""

TEXT = {"type": "string"}
TEXTS = {"type": "object", "additionalProperties": TEXT}


def text(most, least=0):
    return {"type": "string", "minLength": least, "maxLength": most}


def exactly(required, **properties):
    return {"type": "object", "properties": properties, "required": required.split(), "additionalProperties": False}


DATE = {"type": "string", "format": "date-time"}
# https://prometheus.io/docs/concepts/data_model/
LABELS = {**TEXTS, "propertyNames": {"pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"}}
