"""Instants on the wire: RFC 3339 text outside, epoch milliseconds inside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import msgspec

from monitor.core.time.units import MINUTE_MS

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS: Final = -62_135_596_800_000
_LAST_MS: Final = 253_402_300_799_999


def rfc3339(instant_ms: int) -> str:
    """Return an instant as UTC text with milliseconds, ``2026-11-23T13:05:01.123Z``.

    An instant outside the years 1 to 9999 is written as the nearest one inside. Its exact milliseconds stand beside the
    text in every announcement, so an announcement need not fail for it.
    """
    if not _FIRST_MS <= instant_ms <= _LAST_MS:
        instant_ms = _FIRST_MS if instant_ms < _FIRST_MS else _LAST_MS
    minute, rest_ms = divmod(instant_ms, MINUTE_MS)
    digits = str(100_000 + rest_ms)  # a slice of these takes half as long as a format with leading zeros
    return f"{_minute_text(minute)}{digits[1:3]}.{digits[3:]}Z"


def parse_rfc3339(text: str) -> int | None:
    """Return the epoch milliseconds of RFC 3339 text, or None without a zone.

    Parts of a millisecond are cut off.

    Raises:
        ValueError: the text is no such instant.
    """
    try:
        parsed = msgspec.convert(text, datetime)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    return None if parsed.tzinfo is None else milliseconds(parsed)


def milliseconds(instant: datetime) -> int:
    """Return the epoch milliseconds of an instant with a zone; parts of a millisecond are cut off."""
    since = instant - EPOCH
    # Only integers: float seconds times a thousand now and then give another millisecond.
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


@lru_cache(maxsize=1024)
def _minute_text(minute: int) -> str:
    # Alerts that are announced together happened together: most instants share their minute with another.
    return (EPOCH + timedelta(minutes=minute)).isoformat()[:17]
