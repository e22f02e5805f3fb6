"""Values of foreign rows: looked up by path, read as instants, durations and the types of our attributes.

A row is a line of CSV or a JSON object: texts, numbers, booleans, nested objects and lists. A path is a key of the row,
or keys joined with dots that lead into nested objects and lists (``incident.states.0.name``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache, partial
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from monitor.core.facts.events import ATTRIBUTES, Value
from monitor.core.time.units import DAY_MS, HOUR_MS, MINUTE_MS
from monitor.errors import DecodeError
from monitor.wire.contract import EARLIEST_MS, LATEST_MS, MAX_INTEGER, SECONDS
from monitor.wire.mapping_rules import Unit
from monitor.wire.time_patterns import Cut, cut_by

RFC3339: Final = "rfc3339"
EPOCH_S: Final = "epoch_s"
EPOCH_MS: Final = "epoch_ms"
EPOCH_US: Final = "epoch_us"
SPECIAL_FORMATS: Final = frozenset({RFC3339, EPOCH_S, EPOCH_MS, EPOCH_US})
"""Time formats that are no ``strptime`` patterns."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_QUARTER: Final = timedelta(hours=6)
_NO_TIME: Final = timedelta()
_DIGITS: Final = 17
_LONGEST_TIME: Final = 100
"""No time has more characters, even with white space and names of days. The bound is for the cache of parsed times."""
_MOST_KEPT: Final = 1 << 16
"""Dates, and times of day, that are kept for one pattern: the seconds of most of a day."""
_DIGITS_OF_DAYS: Final = 5
_SPANS: Final[dict[Unit, tuple[re.Pattern[str], tuple[int, ...], str]]] = {
    # The pattern, what its groups are in milliseconds, and an example.
    "h:m:s": (
        re.compile(r"(\d{1,6}):([0-5]?\d):([0-5]?\d(?:\.\d{1,6})?)", re.ASCII),
        (3_600_000, 60_000, 1000),
        "0:02:45",
    ),
    "h:m": (re.compile(r"(\d{1,6}):([0-5]?\d)", re.ASCII), (3_600_000, 60_000), "0:02"),
    "m:s": (re.compile(r"(\d{1,6}):([0-5]?\d(?:\.\d{1,6})?)", re.ASCII), (60_000, 1000), "2:45"),
}
_UNITS_MS: Final[dict[Unit, int]] = {"ms": 1, "s": 1000, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_LONGEST_MS: Final = 100 * 366 * DAY_MS
"""A century: a longer length of time leads out of the calendar from everywhere."""
_TRUE: Final = frozenset({"true", "yes", "1", "t", "y"})
_FALSE: Final = frozenset({"false", "no", "0", "f", "n"})


def lookup(row: Mapping[str, object], path: str) -> object:
    """Return the value at a path of a row; None if there is none. A key that contains dots itself comes first."""
    if path in row:
        return row[path]
    found: object = row
    for part in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(part)
        elif isinstance(found, Sequence) and not isinstance(found, str) and part.isdecimal():
            place = int(part)
            found = found[place] if place < len(found) else None
        else:
            return None
    return found


def text_of(value: object) -> str:
    """Return a value as text, without white space around it: ``true`` and ``1.5`` as JSON writes them.

    Raises:
        DecodeError: ``wrong_type``: lists or objects nested too deeply.
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        return str(value)
    except RecursionError:
        raise DecodeError("wrong_type", f"{type(value).__name__} nested too deeply to be a text") from None


def instant_ms(text: str, formats: tuple[str, ...], zone: str) -> int:
    """Return the instant of a text in epoch milliseconds, by the first format that fits.

    A time without an offset is read in ``zone``. A local time that occurs twice is read as the earlier instant.

    Raises:
        DecodeError: ``bad_time`` no format fits; ``nonexistent_time`` clocks skipped it; ``absurd_time``.
    """
    if len(text) > _LONGEST_TIME:
        raise DecodeError("bad_time", f"{text[:_LONGEST_TIME]!r} … has {len(text):,} characters")
    return _known_instant_ms(text, formats, zone)


@lru_cache(maxsize=64)
def instants_by(formats: tuple[str, ...], zone: str) -> Callable[[str], int]:
    """Return `instant_ms` for fixed formats in a fixed zone: several times as fast."""
    dates = _dates_by(formats, zone)
    return partial(instant_ms, formats=formats, zone=zone) if dates is None else lru_cache(maxsize=1 << 15)(dates.read)


@lru_cache(maxsize=64)
def joined_instants_by(formats: tuple[str, ...], zone: str) -> Callable[[str, str], int]:
    """Return `instants_by` for a date and a time of day from two columns, which a space joins."""
    dates = _dates_by(formats, zone)
    if dates is None or dates.cut.between != " ":
        known = instants_by(formats, zone)
        return lambda date, clock: known(f"{date} {clock}")
    read, dates_ms, clocks_ms = dates.read, dates.dates_ms, dates.clocks_ms

    def joined(date: str, clock: str) -> int:
        date_ms, clock_ms = dates_ms.get(date), clocks_ms.get(clock)
        return read(f"{date} {clock}") if not date_ms or clock_ms is None else date_ms + clock_ms

    return joined


@lru_cache(maxsize=64)
def _dates_by(formats: tuple[str, ...], zone: str) -> _Dates | None:
    cut = cut_by(formats[0]) if len(formats) == 1 and formats[0] not in SPECIAL_FORMATS else None
    return None if cut is None else _Dates(cut, formats, zone)


class _Dates:
    """Reads times of one pattern, and works out each date and each time of day once.

    A date on which the clocks of the zone change, and a text that needs ``strptime``, are read by the definition.
    """

    def __init__(self, cut: Cut, formats: tuple[str, ...], zone: str) -> None:
        self.cut = cut
        self.dates_ms: dict[str, int] = {}
        """The instants at which dates begin; 0 for those whose times are read by the definition."""
        self.clocks_ms: dict[str, int] = {}
        """How long after midnight times of day are."""
        self._formats = formats
        self._zone = zone

    def read(self, text: str) -> int:
        """Return the instant of a text, as `instant_ms` does."""
        found = self.cut.match(text)
        if found is None:
            return instant_ms(text, self._formats, self._zone)
        date, clock = found.group("date", "clock")
        date_ms = self.dates_ms.get(date)
        if date_ms is None:
            date_ms = _kept(self.dates_ms, date, _date_ms(self.cut.date(found), self._zone))
        clock_ms = self.clocks_ms.get(clock)
        if clock_ms is None:
            clock_ms = self.cut.clock_ms(found)
            if clock_ms is not None:
                _kept(self.clocks_ms, clock, clock_ms)
        return date_ms + clock_ms if date_ms and clock_ms is not None else instant_ms(text, self._formats, self._zone)


def _kept(known: dict[str, int], text: str, found: int) -> int:
    if len(known) >= _MOST_KEPT:
        known.clear()
    known[text] = found
    return found


def _date_ms(local: datetime | None, zone: str) -> int:
    """Return the instant at which a local date begins; 0 if the clocks of the zone change on it, or it is none."""
    if local is None or not zone:
        return 0
    try:
        # No zone changes its clocks and changes them back within six hours.
        offsets = {ZoneInfo(zone).utcoffset(local + _QUARTER * number) for number in range(5)}
        first_ms = (local.replace(tzinfo=UTC) - (offsets.pop() or _NO_TIME) - _EPOCH) // _MILLISECOND
    except OverflowError:
        return 0
    return first_ms if not offsets and EARLIEST_MS <= first_ms <= LATEST_MS - DAY_MS else 0


@lru_cache(maxsize=1 << 15)
def _known_instant_ms(text: str, formats: tuple[str, ...], zone: str) -> int:
    return _instant_ms(text, formats, zone)


def _instant_ms(text: str, formats: tuple[str, ...], zone: str) -> int:
    for one in formats:
        found = _by_format(text, one, zone)
        if found is None:
            continue
        if not EARLIEST_MS <= found < LATEST_MS:
            raise DecodeError("absurd_time", f"{text!r} is not between 1970-01-02 and the year 2100")
        return found
    raise DecodeError("bad_time", f"{text!r} is not of the form {' or '.join(formats)}")


def _by_format(text: str, form: str, zone: str) -> int | None:
    try:
        if form == EPOCH_S:
            return round(float(text) * 1000)
        if form in (EPOCH_MS, EPOCH_US):
            found = int(text) // (1 if form == EPOCH_MS else 1000)
            # As in events: so small a number is of another unit, which another format may name.
            return None if 0 < found < SECONDS[1] else found
        moment = datetime.fromisoformat(text) if form == RFC3339 else datetime.strptime(text, form)  # noqa: DTZ007
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        # RFC 3339 demands the offset; a pattern without one is read in the zone.
        return None if form == RFC3339 else _local_ms(moment, zone)
    return (moment - _EPOCH) // _MILLISECOND


def _local_ms(moment: datetime, zone: str) -> int:
    if not zone:
        raise DecodeError("bad_time", f"{moment.isoformat(' ')} has no offset, and the mapping names no zone")
    local = moment.replace(tzinfo=ZoneInfo(zone))
    try:
        instant = local.astimezone(UTC)
    except OverflowError:
        raise DecodeError("absurd_time", f"{moment.isoformat(' ')} is at an end of the calendar") from None
    if instant.astimezone(local.tzinfo).replace(tzinfo=None) != moment:
        raise DecodeError("nonexistent_time", f"{moment.isoformat(' ')} was skipped by the clocks of {zone}")
    return (instant - _EPOCH) // _MILLISECOND


def day_ms(text: str, since: date, zone: str) -> int:
    """Return the midnight, in a zone, of the day that is a number of days after a date, in epoch milliseconds.

    Raises:
        DecodeError: ``bad_time``, ``absurd_time``, ``nonexistent_time``.
    """
    if not text.isdecimal() or len(text) > _DIGITS_OF_DAYS:
        raise DecodeError("bad_time", f"{text!r} is no number of days")
    found = _local_ms(datetime.combine(since + timedelta(days=int(text)), time()), zone)
    if not EARLIEST_MS <= found < LATEST_MS:
        raise DecodeError("absurd_time", f"{text!r} is not between 1970-01-02 and the year 2100")
    return found


def next_day_ms(at_ms: int, zone: str) -> int:
    """Return the same time of the day after, in a zone (without one: 24 hours later).

    Raises:
        DecodeError: ``nonexistent_time``: the clocks of the zone skip it on that day.
    """
    if not zone:
        return at_ms + _UNITS_MS["d"]
    local = (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return _local_ms(local + timedelta(days=1), zone)


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """Return the names of all zones. The first call reads folders, so it is made before any record is."""
    return frozenset(available_timezones())


def zone_of(text: str) -> str:
    """Return the name of a zone that a record holds.

    Raises:
        DecodeError: ``bad_zone``.
    """
    # The name becomes part of a path when the zone is loaded: only names that are known get there.
    if text not in known_zones():
        raise DecodeError("bad_zone", f"{text[:_LONGEST_TIME]!r} is no time zone such as Europe/Berlin")
    return text


def span_ms(text: str, unit: Unit = "h:m:s") -> int:
    """Return a length of time in milliseconds: hours, minutes and seconds (``0:02:45``), or a number of a unit.

    Raises:
        DecodeError: ``bad_number``.
    """
    if unit in _UNITS_MS:
        number = number_of(text, _UNITS_MS[unit])
        if not 0 <= number <= _LONGEST_MS:
            raise DecodeError("bad_number", f"{text!r} is no length of time in {unit}")
        return round(number)
    pattern, sizes, example = _SPANS[unit]
    found = pattern.fullmatch(text)
    if found is None:
        raise DecodeError("bad_number", f"{text!r} is no length of time as {example}")
    return sum(round(float(part) * size) for part, size in zip(found.groups(), sizes, strict=True))


def number_of(text: str, times: float = 1.0) -> float:
    """Return a text as a finite number, multiplied by ``times``.

    Raises:
        DecodeError: ``bad_number``.
    """
    try:
        number = float(text) * times
    except ValueError:
        number = float("nan")
    if not abs(number) < float("inf"):
        raise DecodeError("bad_number", f"{text!r} is no number")
    return number


def whole_number_of(text: str) -> int:
    """Return a text as a whole number, truncated, small enough to be multiplied and kept in 64 bits.

    Raises:
        DecodeError: ``bad_number``.
    """
    number = int(text) if text.isdecimal() and len(text) < _DIGITS else int(number_of(text))
    if abs(number) >= 10 ** (_DIGITS - 1):
        raise DecodeError("bad_number", f"{text!r} is too large")
    return number


def attribute_of(name: str, text: str, times: float = 1.0) -> Value:
    """Return a text converted to the type of the attribute with this name.

    Raises:
        DecodeError: ``bad_number``, ``bad_value``.
    """
    kind = ATTRIBUTES[name]
    if kind is str:
        return text
    if kind is bool:
        word = text.lower()
        if word not in _TRUE | _FALSE:
            raise DecodeError("bad_value", f"{name}: {text!r} is neither true nor false")
        return word in _TRUE
    number = number_of(text, times)
    if kind is not int:
        return number
    if abs(number) > MAX_INTEGER:
        raise DecodeError("bad_number", f"{name}: {text!r} is too large")
    return round(number)
