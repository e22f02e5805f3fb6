"""Instants and durations as people read them in commands, pages, reports and messages: worded here, nowhere else."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitor.core.time.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from monitor.wire.instants import EPOCH, rfc3339

Zone = str | None
"""A name of the IANA database; None: the reader's zone, which is that of this machine (``TZ``)."""
READERS: Final = None


def instant(instant_ms: int, zone: Zone = "UTC", now_ms: int | None = None, *, seconds: bool = False) -> str:
    """Return an instant in a zone: ``2026-11-23 14:05 CET``, to the second where it is not on a minute.

    With ``seconds`` it is always told to the second, for lines below each other. Beside ``now_ms`` it is told to the
    minute: ``14:05 CET`` on the same day, ``Sat 21 Nov, 14:05 CET`` in the same year, else with its year.
    """
    if now_ms is None:
        plain = zone == "UTC" and not seconds
        return _in_utc(instant_ms) if plain else _written(in_zone(instant_ms, zone), seconds=seconds)
    at, now = in_zone(instant_ms, zone), in_zone(now_ms, zone)
    clock = f"{at:%H:%M} {_zone_name(at)}"
    if at.date() == now.date():
        return clock
    year = "" if at.year == now.year else f" {at.year}"
    return f"{at:%a} {at.day} {at:%b}{year}, {clock}"


def in_zone(instant_ms: int, zone: Zone) -> datetime:
    """Return an instant as the date and time on the clocks of a zone; in UTC where this machine does not know it.

    Raises:
        OverflowError: it lies outside of the years 1 to 9999.
    """
    at = EPOCH + timedelta(milliseconds=instant_ms)
    return at.astimezone() if zone is None else at.astimezone(_zone(zone))


# Each duration is written twice, in the sentence and beside it, and alerts share their budgets.
@lru_cache(maxsize=1024)
def duration(amount_ms: int, *, days: bool = False) -> str:
    """Return an amount of time by its two largest units, cut off, not rounded: ``25 h 1 min``, ``45 s``, ``250 ms``.

    The largest unit is the hour: most amounts are open hours, and a "day" would be taken for 24 of them. With ``days``,
    for amounts around the clock, it is the day: ``3 d 11 h``.
    """
    if amount_ms < 0:
        return f"−{duration(-amount_ms, days=days)}"
    if 0 < amount_ms < SECOND_MS:
        return f"{amount_ms} ms"
    units = ((DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "min"), (SECOND_MS, "s"))
    parts, rest = [], amount_ms
    for length, unit in units if days else units[1:]:
        number, rest = divmod(rest, length)
        parts.append((number, unit))
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{number} {unit}" for place, (number, unit) in enumerate(parts[:2]) if number or not place)


@lru_cache(maxsize=1024)
def _in_utc(instant_ms: int) -> str:
    text = rfc3339(instant_ms)
    until = 16 if instant_ms % MINUTE_MS == 0 else 19
    return f"{text[:10]} {text[11:until]} UTC"


def _written(at: datetime, *, seconds: bool) -> str:
    clock = f"{at:%H:%M:%S}" if seconds or at.second or at.microsecond else f"{at:%H:%M}"
    return f"{at.date().isoformat()} {clock} {_zone_name(at)}"


def _zone_name(at: datetime) -> str:
    """Return the name of a time's zone; many zones have none but their offset: ``UTC-03``."""
    name = at.tzname() or ""
    return f"UTC{name}" if name[:1] in ("+", "-") else name


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
