"""Microseconds of an elapsed and of a due question over an hour, a month and four years, beside a loop over days.

And those of "3 business days by 16:00", of a clock's explanation in an alert, and of compiling a year.
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.clock_metrics import METRICS
from monitor.core.agreements.measures import Budget, ClockRule
from monitor.core.alerts.stretches import newest
from monitor.core.clocks.clock import Terms, apply
from monitor.core.clocks.clock import start as start_clock
from monitor.core.clocks.stretches import stretches_of
from monitor.core.facts.events import Fact
from monitor.core.time.calendar import Calendar
from monitor.core.time.opening_hours import CalendarSpec, OpeningHours
from tests.benchmarks import seconds_per_call, write_json

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3_600_000
DAY = 24 * HOUR
SPANS = {"1 hour": HOUR, "1 month": 30 * DAY, "4 years": 1461 * DAY}
FROM_MS = round(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1000)

# An office with a lunch break and ten holidays a year, in a zone with clock changes.
SPEC = CalendarSpec(
    zone="Europe/Berlin",
    hours=(((540, 720), (780, 1020)),) * 5 + ((), ()),
    holidays=frozenset(
        date(year, month, day)
        for year in range(2024, 2029)
        for month, day in [(1, 1), (1, 6), (5, 1), (8, 15), (10, 3), (11, 1), (12, 24), (12, 25), (12, 26), (12, 31)]
    ),
)

AGREEMENT = Agreement(
    id="desk", version=1, name="desk", form="service", provider="p", customer="c", service="s", status="accepted",
    valid_from_ms=0, calendars={},
)  # fmt: skip


def open_spans_by_days(start_ms: int):
    """Walk the calendar as one would without compiling it: day by day, asking the zone for each opening time."""
    zone = ZoneInfo(SPEC.zone)
    day = datetime.fromtimestamp(start_ms / 1000, zone).date()
    while True:
        if day not in SPEC.holidays:
            midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
            for parts in SPEC.hours[day.weekday()]:
                opens, closes = (midnight.replace(hour=m // 60, minute=m % 60).timestamp() for m in parts)
                yield round(opens * 1000), round(closes * 1000)
        day += timedelta(days=1)


def elapsed_by_days(start_ms: int, end_ms: int) -> int:
    total = 0
    for opens, closes in open_spans_by_days(start_ms):
        if opens >= end_ms:
            return total
        total += max(0, min(closes, end_ms) - max(opens, start_ms))
    raise AssertionError


def due_by_days(start_ms: int, budget_ms: int) -> int:
    for opens, closes in open_spans_by_days(start_ms):
        length = max(0, closes - max(opens, start_ms))
        if length >= budget_ms:
            return max(opens, start_ms) + budget_ms
        budget_ms -= length
    raise AssertionError


def main(json_path: Path | None) -> None:
    seeded = random.Random(7)
    calendar = Calendar(SPEC)
    figures: dict[str, object] = {}
    print(f"{'span':8}  {'elapsed':>10}  {'loop':>12}  {'ratio':>7}    {'due':>10}  {'loop':>12}  {'ratio':>7}")
    for name, length in SPANS.items():
        starts = [FROM_MS + seeded.randrange(300 * DAY) for _ in range(1000)]
        spans = [(start, start + length) for start in starts]
        # At least a minute, so that a span in closed time asks for something too.
        dues = [(start, max(60_000, calendar.elapsed(start, end))) for start, end in spans]
        few = 300 if length < DAY else 10
        for question, arguments, slow in (
            (calendar.elapsed, spans, elapsed_by_days),
            (calendar.due, dues, due_by_days),
        ):
            assert all(question(*asked) == slow(*asked) for asked in arguments[:few])

        def timed(question, arguments):
            def batch():
                for a, b in arguments:
                    question(a, b)

            return seconds_per_call(batch, len(arguments)) * 1e6

        elapsed_us, due_us = timed(calendar.elapsed, spans), timed(calendar.due, dues)
        elapsed_loop_us, due_loop_us = timed(elapsed_by_days, spans[:few]), timed(due_by_days, dues[:few])
        figures[name] = {
            "elapsed_us": elapsed_us,
            "elapsed_by_days_us": elapsed_loop_us,
            "elapsed_ratio": elapsed_loop_us / elapsed_us,
            "due_us": due_us,
            "due_by_days_us": due_loop_us,
            "due_ratio": due_loop_us / due_us,
        }
        print(
            f"{name:8}  {elapsed_us:7.2f} µs  {elapsed_loop_us:9.1f} µs  {elapsed_loop_us / elapsed_us:6.0f}x"
            f"    {due_us:7.2f} µs  {due_loop_us:9.1f} µs  {due_loop_us / due_us:6.0f}x"
        )
    figures["others"] = others = {
        "business_days_us": business_days_us(calendar, seeded),
        "stretches_us": stretches_us(calendar),
        "compile_year_us": compile_year_us(),
    }
    print(
        f"3 business days by 16:00  {others['business_days_us']:.2f} µs    stretches of three days and a pause  "
        f"{others['stretches_us']:.1f} µs    a year compiled  {others['compile_year_us']:.0f} µs"
    )
    write_json(figures, json_path)


def business_days_us(calendar: Calendar, seeded: random.Random) -> float:
    starts = [FROM_MS + seeded.randrange(4 * 365 * DAY) for _ in range(1000)]

    def batch():
        for start in starts:
            calendar.budget_of_days(start, 3, 16 * 60)

    return seconds_per_call(batch, len(starts)) * 1e6


def stretches_us(calendar: Calendar) -> float:
    """The explanation that an alert carries: three working days with their breaks, and a pause."""
    rule = ClockRule(id="c", subject="ticket", metric="resolution", budgets={"*": Budget(24 * HOUR, "office")})
    of = Terms(AGREEMENT, rule, METRICS["ticket"]["resolution"], 24 * HOUR, "office", calendar, ())
    start = FROM_MS + 7 * DAY + 9 * HOUR
    facts = [
        Fact(start, 0, "1", "opened", {}),
        Fact(start + DAY, 0, "2", "paused", {"reason": "customer"}),
        Fact(start + DAY + HOUR, 0, "3", "resumed", {"reason": "customer"}),
    ]
    clock = start_clock(AGREEMENT, rule, start, 1, {}, of)
    for fact in facts[1:]:
        clock = apply(clock, fact, of)

    def batch():
        for _ in range(100):
            newest(stretches_of(facts, clock, of, start + 3 * DAY))

    return seconds_per_call(batch, 100) * 1e6


def compile_year_us() -> float:
    hours = OpeningHours(SPEC)
    return seconds_per_call(lambda: hours.year(2026), 1) * 1e6
