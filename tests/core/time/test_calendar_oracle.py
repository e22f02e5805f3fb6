"""Calendars against an oracle: each quarter of an hour is read in the zone with ``whenever``, and counted one by one.

One random calendar is read once and asked many questions: elapsed, due, and both of a real clock with pauses. Hours,
pauses and the changes of these zones fall on quarters; starts, ends and budgets on any millisecond.

``SLA_TEST_CALENDAR_CASES=1000000 pytest tests/core/time/test_calendar_oracle.py`` is the long run (about two minutes).
"""

from __future__ import annotations

import os
import random
from bisect import bisect_left
from dataclasses import replace
from datetime import date, timedelta
from itertools import accumulate

from monitor.core.clocks import clock as clocks
from monitor.core.facts.events import Fact
from monitor.core.time.calendar import Calendar
from monitor.core.time.opening_hours import CalendarSpec
from tests.core.stories import agreement, clock
from tests.core.time.test_calendar import DAY, at, reads_as_open

CASES = int(os.environ.get("SLA_TEST_CALENDAR_CASES", "12000"))
QUESTIONS_OF_ONE = 600
QUARTER = 900_000
DAYS = 16
# With the dates about which their clocks change, or stopped to change.
ZONES = {
    "UTC": ["2026-03-29"],
    "Europe/Berlin": ["2026-03-29", "2026-10-25"],
    "America/New_York": ["2026-03-08", "2026-11-01"],
    "Australia/Lord_Howe": ["2026-04-05", "2026-10-04"],  # by 30 minutes
    "America/Sao_Paulo": ["2018-11-04", "2019-02-17", "2019-11-03"],  # the last changes, and none where one would be
    "Europe/Istanbul": ["2015-11-08", "2016-10-30"],  # stopped in 2016
    "Asia/Kathmandu": ["2026-07-15"],  # +05:45
    "Pacific/Apia": ["2011-12-30"],  # a date that never was
    "Africa/Casablanca": ["2026-02-15", "2026-03-22"],  # back for Ramadan
    "America/St_Johns": ["2026-03-08"],
}


class Oracle:
    """Reads each quarter from a start on; what is open before each is a list that is summed up once."""

    def __init__(self, spec, start_ms):
        self.start_ms = start_ms
        self.open = [reads_as_open(spec, start_ms + n * QUARTER) for n in range(DAYS * DAY // QUARTER)]
        self.before = self.summed(self.open)

    @staticmethod
    def summed(quarters):
        return [0, *accumulate(QUARTER if one else 0 for one in quarters)]

    def open_before(self, at_ms, quarters, before):
        place, rest = divmod(at_ms - self.start_ms, QUARTER)
        return before[place] + (rest if rest and quarters[place] else 0)

    def elapsed(self, start_ms, end_ms, pauses=()):
        quarters, before = self.without(pauses)
        return self.open_before(end_ms, quarters, before) - self.open_before(start_ms, quarters, before)

    def due(self, start_ms, budget_ms, pauses=()):
        """Return the instant, or None after what was read."""
        quarters, before = self.without(pauses)
        target = self.open_before(start_ms, quarters, before) + budget_ms
        place = bisect_left(before, target)
        if place == len(before):
            return None
        return self.start_ms + place * QUARTER - (before[place] - target)

    def without(self, pauses):
        if not pauses:
            return self.open, self.before
        quarters = self.open.copy()
        for from_ms, to_ms in pauses:
            # What a clock's first quarter holds before its start is never asked for.
            first, stop = ((one - self.start_ms) // QUARTER for one in (from_ms, to_ms))
            quarters[first:stop] = [False] * (stop - first)
        return quarters, self.summed(quarters)


def some_hours(seeded, most=3):
    starts_and_ends = ((seeded.randrange(96) * 15, seeded.randrange(97) * 15) for _ in range(seeded.randrange(most)))
    return tuple(starts_and_ends)


def some_spec(seeded):
    zone = seeded.choice(list(ZONES))
    day = date.fromisoformat(seeded.choice(ZONES[zone]))

    def near():
        return day + timedelta(days=seeded.randint(-3, 3))

    partial = {near(): tuple(one for one in some_hours(seeded) if one[0] < one[1]) for _ in range(seeded.randrange(2))}
    week = [some_hours(seeded) for _ in range(7)]
    week[seeded.randrange(7)] = ((0, 720), (780, 1440))  # open at some time in any case
    spec = CalendarSpec(
        zone=zone,
        hours=tuple(week),
        holidays=frozenset([near() for _ in range(seeded.randrange(3))]) | frozenset(partial),
        holiday_zone=seeded.choice([None, None, *ZONES]),
        exceptions={near(): some_hours(seeded) for _ in range(seeded.randrange(3))},
        partial=partial,
    )
    return spec, at(f"{day - timedelta(days=5)} 00:00")


def test_calendars_answer_as_the_oracle_does_that_reads_each_quarter_of_an_hour():
    seeded = random.Random(20260326)
    asked = answered = 0
    while asked < CASES:
        spec, start_ms = some_spec(seeded)
        of, oracle = Calendar(spec), Oracle(spec, start_ms)
        promised = replace(agreement(RULE), calendars={"drawn": of})
        whole_ms = oracle.before[-1]
        for _ in range(QUESTIONS_OF_ONE // 3):
            asked += 3
            from_ms, to_ms = sorted(start_ms + seeded.randrange(DAYS * DAY) for _ in range(2))
            assert of.elapsed(from_ms, to_ms) == oracle.elapsed(from_ms, to_ms), (spec, from_ms, to_ms)
            budget_ms = seeded.randrange(1, whole_ms + 1)
            expected = oracle.due(from_ms, budget_ms)
            assert expected is None or of.due(from_ms, budget_ms) == expected, (spec, from_ms, budget_ms)
            answered += expected is not None
            pauses = tuple(
                (from_quarter, from_quarter + seeded.randrange(1, 200) * QUARTER)
                for from_quarter in (
                    start_ms + seeded.randrange(DAYS * DAY // QUARTER - 200) * QUARTER
                    for _ in range(seeded.randrange(1, 4))
                )
            )
            check_a_clock(clocks.terms(promised, RULE, "drawn", budget_ms), oracle, from_ms, to_ms, pauses)

    assert answered > asked / 12, "most budgets are used up within what was read"


RULE = clock(budgets={"*": ("1h", "drawn")}, at_risk=())


def check_a_clock(terms, oracle, from_ms, to_ms, pauses):
    """A clock with these pauses, overlapping and nested ones too, is due and has elapsed as the oracle says."""
    of, budget_ms = terms.calendar, terms.budget_ms
    one = clocks.start(terms.agreement, RULE, from_ms, 1, {}, terms)
    facts = []
    held = [(max(pause_ms, from_ms), resume_ms) for pause_ms, resume_ms in pauses if resume_ms > from_ms]
    for number, (pause_ms, resume_ms) in enumerate(held):
        facts += [(pause_ms, 1, "paused", str(number)), (resume_ms, 0, "resumed", str(number))]
    for at_ms, sequence, kind, reason in sorted(fact for fact in facts if fact[0] < to_ms):
        one = clocks.apply(one, Fact(at_ms, sequence, f"{at_ms}", kind, {"reason": reason}), terms)

    assert clocks.elapsed_at(one, to_ms, of) == oracle.elapsed(from_ms, to_ms, held)
    if one.state == "running":
        # No pause begins after the instant up to which it was told, so that those are all the due instant knows of.
        known = [(pause_ms, resume_ms) for pause_ms, resume_ms in held if pause_ms < to_ms]
        expected = oracle.due(from_ms, budget_ms, known)
        if expected is not None and expected > one.since_ms:
            assert one.due_ms == expected
