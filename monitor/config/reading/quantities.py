"""Quantities as people write them: durations, percents, targets, windows, dates, hours, zones, sizes.

Each parser takes a value of the file and returns the core's value, or raises an error that shows the right form.
Numbers are parsed as decimals: ``95 %`` is 0.95, not 95.0 / 100 after other roundings.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from pydantic import PlainValidator

from monitor.config.reading.shape import did_you_mean, wrong
from monitor.core.agreements.measures import AtRisk
from monitor.core.agreements.objectives import Comparison
from monitor.core.time.opening_hours import EARLIEST_YEAR, LATEST_YEAR, DayHours
from monitor.core.time.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from monitor.core.time.windows import TUMBLING, WIDTH_MS, Window, WindowKind, width_for

_UNITS_MS: Final = {"ms": 1, "s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_PART: Final = r"(\d{1,12}(?:\.\d{1,9})?)\s*(ms|s|m|h|d)"
_DURATION: Final = re.compile(rf"{_PART}(?:\s*{_PART})*", re.ASCII)
_PERCENT: Final = re.compile(r"(\d{1,3}(?:\.\d{1,12})?)\s*%", re.ASCII)
_AVERAGE: Final = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)\s*(?:interruptions?|points?)", re.ASCII)
_TARGET: Final = re.compile(r"(>=|<=|≥|≤|=>|=<|>|<|=)?\s*(.*)", re.DOTALL)
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_RANGE: Final = re.compile(r"\s*(\S+?)\s*(?:-|–|to)\s*(\S+?)\s*")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MONEY: Final = re.compile(r"\d{1,12}(?:\.\d{1,2})?", re.ASCII)
_WEIGHT: Final = re.compile(r"\d{1,3}(?:\.\d{1,3})?", re.ASCII)
_SIZE: Final = re.compile(r"(\d{1,9})\s*(KiB|MiB)?", re.ASCII)
_DURATION_HINT: Final = "write a number and a unit: 90s, 15m, 4h, 2d (d is 24 h of counted time), 1h30m"
LONGEST_DURATION_MS: Final = 3660 * _UNITS_MS["d"]
"""Ten years: nothing that is promised takes longer, and a number of milliseconds stays far from 64 bits."""
_WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PERIODS: Final[tuple[WindowKind, ...]] = ("day", "week", "month", "quarter", "year")
_LONGEST_WINDOW_MS: Final = 366 * _UNITS_MS["d"]


def duration(value: object) -> int:
    """Return the milliseconds of ``90s``, ``15m``, ``4h``, ``2d`` or ``1h30m``; d is 24 h of counted time."""
    if not isinstance(value, str) or not _DURATION.fullmatch(value.strip()):
        raise wrong(f"is no duration: {_shown(value)}", _DURATION_HINT)
    total = sum(Decimal(number) * _UNITS_MS[unit] for number, unit in re.findall(_PART, value))
    if total > LONGEST_DURATION_MS:
        raise wrong(f"is longer than ten years: {value!r}", "at most 3660d")
    if total != int(total):
        raise wrong(f"is no whole number of milliseconds: {value!r}")
    return int(total)


def duration_text(duration_ms: int) -> str:
    """Return a duration as `duration` reads it: ``1h30m``."""
    text = ""
    for unit, unit_ms in reversed(_UNITS_MS.items()):
        count, duration_ms = divmod(duration_ms, unit_ms)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def positive_duration(value: object) -> int:
    """Return the milliseconds of a duration that is not 0."""
    parsed = duration(value)
    if not parsed:
        raise wrong("must be longer than 0", "leave the entry out where nothing is promised")
    return parsed


def percent(value: object) -> float:
    """Return the share that ``95 %`` is: 0.95. It lies between 0 and 1."""
    found = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    share = Decimal(found[1]) / 100 if found else Decimal(-1)
    if not 0 <= share <= 1:
        raise wrong(f"is no percent from 0 % to 100 %: {_shown(value)}", "write 95 %")
    return float(share)


class Amount(NamedTuple):
    """A number with its unit, as the units of `monitor.core.agreements.indicators.INDICATORS`."""

    unit: Literal["ratio", "ms", "count"]
    value: float


class Target(NamedTuple):
    """An amount and the side of it that is promised; None: the usual side of the indicator."""

    comparison: Comparison | None
    amount: Amount


def amount(value: object) -> Amount:
    """Return a percent as a ratio, a duration as milliseconds, a whole number or ``1.2 interruptions`` as a count.

    An average score is written ``4.2 points``.
    """
    if isinstance(value, str):
        text = value.strip()
        if text.endswith("%"):
            return Amount("ratio", percent(text))
        if text.isascii() and text.isdigit():
            return Amount("count", float(text))
        if counted := _AVERAGE.fullmatch(text):
            return Amount("count", float(counted[1]))
        if _DURATION.fullmatch(text):
            return Amount("ms", float(duration(text)))
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Amount("count", float(value))
    raise wrong(f"is no percent, duration or count: {_shown(value)}", "write 95 %, 30s or 3")


def money(value: object) -> Decimal:
    """Return an amount of money: a number with at most two digits after the point, as it is written in the file."""
    found = _MONEY.fullmatch(str(value).strip()) if isinstance(value, str | int | float) else None
    if isinstance(value, bool) or found is None:
        raise wrong(
            f"is no amount of money: {_shown(value)}", "write 12000 or 12000.50: no sign, no currency, cents at most"
        )
    return Decimal(found[0])


def cents(value: object) -> int:
    """Return the cents of an amount of money above 0."""
    amount = money(value)
    if not amount:
        raise wrong(f"is no amount above 0: {_shown(value)}", "write 48000 or 799.50")
    return int(amount * 100)


def weight(value: object) -> int:
    """Return a lead's weight in thousandths: ``2``, ``1.5``, ``0.25``."""
    found = _WEIGHT.fullmatch(str(value).strip()) if isinstance(value, str | int | float) else None
    if isinstance(value, bool) or found is None:
        raise wrong(f"is no weight: {_shown(value)}", "write 2, 1.5 or 0.25: below 1000, at most three decimals")
    return int(Decimal(found[0]) * 1000)


def score(value: object) -> float:
    """Return the number that a lead's score must reach: ``80``."""
    found = _WEIGHT.fullmatch(str(value).strip()) if isinstance(value, str | int | float) else None
    if isinstance(value, bool) or found is None:
        raise wrong(f"is no score: {_shown(value)}", "write 80")
    return float(found[0])


def target(value: object) -> Target:
    """Return the target of ``">= 95 %"``, ``"<= 30s"`` or ``95 %``."""
    if not isinstance(value, str):
        return Target(None, amount(value))
    found = _TARGET.fullmatch(value.strip())
    sign, rest = (found[1], found[2]) if found else (None, value)
    if sign in (">", "<", "=", "=>", "=<"):
        raise wrong(f"{sign!r} is not known", "write '>= 95 %' or '<= 30s' in quotes: the target itself is kept")
    side: Comparison | None = None if sign is None else ">=" if sign in (">=", "≥") else "<="
    return Target(side, amount(rest))


def at_risk(value: object) -> AtRisk:
    """Return ``75%`` of the budget, or ``30m`` before it is due."""
    if isinstance(value, str) and value.strip().endswith("%"):
        found = _PERCENT.fullmatch(value.strip())
        share = Decimal(found[1]) if found else Decimal(0)
        if not 0 < share < 100:  # noqa: PLR2004 - percent
            raise wrong(f"is beyond the budget: {value!r}", "write a percent above 0 % and below 100 %")
        return AtRisk(percent=float(share))
    return AtRisk(before_ms=positive_duration(value))


def window(value: object) -> Window:
    """Return a rolling window (``30m``, ``24h``), a tumbling one (``tumbling-4h``) or a period (``day`` …)."""
    kind: WindowKind = "rolling"
    if isinstance(value, str):
        word = value.strip()
        for period in _PERIODS:
            if word == period:
                return Window(period)
        if word.startswith(TUMBLING):
            kind, word = "tumbling", word.removeprefix(TUMBLING)
        if not _DURATION.fullmatch(word):
            raise wrong(
                f"is no window: {value!r}",
                did_you_mean(word, _PERIODS) if word.isalpha() else "write 30m, 24h, 30d, tumbling-4h, day or month",
            )
        value = word
    found = Window(kind, positive_duration(value))
    step_ms = WIDTH_MS[width_for(found)]
    if found.length_ms % step_ms or found.length_ms > _LONGEST_WINDOW_MS:
        raise wrong(
            f"no {kind} window can have this length: {value!r}",
            "whole minutes up to 2h, quarters of an hour up to 48h, whole hours up to 366d",
        )
    return found


def day(value: object) -> date:
    """Return the date that ``2026-12-24`` is, in the range of calendars."""
    try:
        parsed = date.fromisoformat(value) if isinstance(value, str) and _DATE.fullmatch(value) else None
    except ValueError:
        parsed = None
    if parsed is None:
        raise wrong(f"is no date: {_shown(value)}", "write 2026-12-24")
    if not EARLIEST_YEAR <= parsed.year <= LATEST_YEAR:
        raise wrong(f"is outside of the years {EARLIEST_YEAR} to {LATEST_YEAR}: {value!r}")
    return parsed


def moment(value: object) -> date | datetime:
    """Return a date, or the instant that ``2026-01-01T08:00:00+01:00`` is."""
    if not isinstance(value, str) or not _DATE.match(value) or _DATE.fullmatch(value):
        return day(value)
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise wrong(f"is no date or instant: {value!r}", "write 2026-01-01 or 2026-01-01T08:00:00+01:00") from None
    if parsed.tzinfo is None:
        raise wrong(f"an instant needs its offset: {value!r}", f"write {parsed.isoformat()}+01:00 or …Z")
    day(parsed.date().isoformat())
    return parsed


def instant_ms(value: date | datetime, zone: str) -> int:
    """Return epoch milliseconds; a date is the start of that day in the zone."""
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=ZoneInfo(zone))
    return (value.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def zone(value: object) -> str:
    """Return the IANA name of a zone that exists."""
    if isinstance(value, str):
        try:
            ZoneInfo(value)
        except (ValueError, OSError, KeyError):
            raise wrong(f"is no time zone: {value!r}", did_you_mean(value, available_timezones())) from None
        return value
    raise wrong(f"is no time zone: {_shown(value)}", "write a name such as Europe/Berlin")


def weekdays(value: object) -> tuple[int, ...]:
    """Return the days (Monday 0) of ``mon``, ``mon-fri``, ``fri-mon`` or ``mon, wed``."""
    days: list[int] = []
    for part in str(value).lower().split(","):
        found = _RANGE.fullmatch(part)
        names = [found[1], found[2]] if found else [part.strip()]
        for name in names:
            if name not in _WEEK:
                raise wrong(f"is no day of the week: {name!r}", "write mon, mon-fri or mon,wed,fri")
        first, last = _WEEK.index(names[0]), _WEEK.index(names[-1])
        days += [number % 7 for number in range(first, last + 1 + (7 if last < first else 0))]
    if len(set(days)) < len(days):
        raise wrong(f"names a day twice: {value!r}")
    return tuple(days)


def day_hours(value: object) -> DayHours:
    """Return the open intervals of a day: a list of ``08:00-12:00``, one such text, or ``closed``.

    An end that is not after its start lies on the next day.
    """
    if value == "closed":
        return ()
    intervals = []
    for part in value if isinstance(value, list) else [value]:
        found = _RANGE.fullmatch(part) if isinstance(part, str) else None
        if found is None:
            raise wrong(f"is no interval: {_shown(part)}", "write 08:00-12:00, or closed for none")
        intervals.append((_minute(found[1], "23:59"), _minute(found[2], "24:00")))
    return tuple(intervals)


def time_of_day(value: object) -> int:
    """Return the minutes of the day of ``17:00``; 24:00 is its end."""
    if not isinstance(value, str):
        raise wrong(f"is no time of day: {_shown(value)}", 'write "17:00"')
    return _minute(value, "24:00")


def clock_text(minute: int) -> str:
    """Return minutes of the day as ``17:00``."""
    return f"{minute // 60:02}:{minute % 60:02}"


def size(value: object) -> int:
    """Return the bytes of ``1 MiB``, ``64 KiB`` or a whole number of bytes."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    found = _SIZE.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None or not int(found[1]):
        raise wrong(f"is no size: {_shown(value)}", "write 1 MiB, 64 KiB or a number of bytes")
    return int(found[1]) << {None: 0, "KiB": 10, "MiB": 20}[found[2]]


def _minute(text: str, latest: str) -> int:
    found = _CLOCK.fullmatch(text)
    if found is None or int(found[2]) > 59 or f"{int(found[1]):02}:{found[2]}" > latest:  # noqa: PLR2004 - minutes
        raise wrong(f"is no time of day: {text!r}", f"write 08:00, from 00:00 to {latest}")
    return int(found[1]) * 60 + int(found[2])


def _shown(value: Any) -> str:  # noqa: ANN401 - whatever stood in the file
    if value is None:
        return "it is empty"
    return repr(value) if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


Duration = Annotated[int, PlainValidator(duration)]
PositiveDuration = Annotated[int, PlainValidator(positive_duration)]
AmountField = Annotated[Amount, PlainValidator(amount)]
TargetField = Annotated[Target, PlainValidator(target)]
AtRiskField = Annotated[AtRisk, PlainValidator(at_risk)]
WindowField = Annotated[Window, PlainValidator(window)]
Day = Annotated[date, PlainValidator(day)]
Moment = Annotated[date | datetime, PlainValidator(moment)]
Zone = Annotated[str, PlainValidator(zone)]
Weekdays = Annotated[str, PlainValidator(lambda value: weekdays(value) and str(value))]
"""Kept as written: ``mon,tue`` and ``mon-tue`` are two keys that name the same days."""
DayHoursField = Annotated[DayHours, PlainValidator(day_hours)]
TimeOfDay = Annotated[int, PlainValidator(time_of_day)]
Percent = Annotated[float, PlainValidator(percent)]
Money = Annotated[Decimal, PlainValidator(money)]
Cents = Annotated[int, PlainValidator(cents)]
Score = Annotated[float, PlainValidator(score)]
Weight = Annotated[int, PlainValidator(weight)]
Size = Annotated[int, PlainValidator(size)]
