"""Whether the native package takes part. It is told by the setting ``native``; ``None`` leaves that as it is."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from monitor.config.settings.settings import Settings

INSTALLED = find_spec("sla_monitor_native") is not None
BOTH_WAYS = INSTALLED and "native" in Settings.model_fields


def settings(native: str | None) -> dict[str, Any]:
    """Return the settings for a way of folding: ``required``, ``off``, or None for that of a worker that is not told.

    Raises:
        ValueError: workers are not asked yet whether they fold by the native package.
    """
    if native is None:
        return {}
    if "native" not in Settings.model_fields:
        raise ValueError("there is no setting `native`")
    return {"native": native}
