"""What each service accepts, written down from what it publishes: one module for each kind of receiver.

Each has ``SCHEMA``, or ``schema_of`` where the schema depends on the request; and ``MOST_BYTES``, the limit of the
service, or None.
"""

from __future__ import annotations

from importlib import import_module


def schema_of(kind, told, request):
    """Return the schema that the body of a request must fulfil."""
    module = module_of(kind)
    return module.schema_of(told, request) if hasattr(module, "schema_of") else module.SCHEMA


def most_bytes(kind):
    """Return how many bytes the service takes, or None where it sets no limit."""
    return module_of(kind).MOST_BYTES


def module_of(kind):
    return import_module(f"tests.notify.schemas.{kind}")
