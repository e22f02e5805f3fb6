"""An independent computation over the public data: plain Python over the CSV files, nothing of the monitor.

What each function returns are lists of measured facts; the tests make figures of them and compare.
"""

from __future__ import annotations

import csv
import gzip
from bisect import bisect_right, insort
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
WAITING = {"Awaiting User Info", "Awaiting Vendor", "Awaiting Problem", "Awaiting Evidence"}
SOLVED = {"Resolved", "Closed"}
WORKED_ON = {"Active", *WAITING}
PRIORITIES = {"1 - Critical": "P1", "2 - High": "P2", "3 - Moderate": "P3", "4 - Low": "P4"}


def rows_of(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class OfficeHours:
    """Monday to Friday from 08:00 to 18:00 in a zone, as seconds of open time before an instant."""

    def __init__(self, zone: ZoneInfo, first: date, last: date) -> None:
        self.starts: list[float] = []
        self.ends: list[float] = []
        self.before: list[float] = []
        total, day = 0.0, first
        while day <= last:
            if day.weekday() < 5:
                start, end = (datetime.combine(day, time(hour), zone).timestamp() for hour in (8, 18))
                self.starts.append(start)
                self.ends.append(end)
                self.before.append(total)
                total += end - start
            day += timedelta(days=1)

    def until(self, instant: float) -> float:
        place = bisect_right(self.starts, instant) - 1
        return 0.0 if place < 0 else self.before[place] + min(instant, self.ends[place]) - self.starts[place]

    def elapsed(self, start: float, end: float) -> float:
        return self.until(end) - self.until(start)

    def goes_on(self, instant: float) -> float:
        """Return from when on, at this instant or later, time counts again."""
        place = bisect_right(self.starts, instant) - 1
        return instant if instant < self.ends[place] else self.starts[place + 1]


class Always:
    def goes_on(self, instant: float) -> float:
        return instant

    def elapsed(self, start: float, end: float) -> float:
        return end - start


class Measured(NamedTuple):
    """One clock: seconds of counted time and of all time; ``stop`` is None where it never stopped."""

    subject: str
    clock: str
    cycle: int
    priority: str
    start: float
    stop: float | None
    elapsed: float
    wall: float
    budget: float

    @property
    def met(self) -> bool:
        return self.elapsed <= self.budget


HOUR = 3_600.0
BUDGETS = {
    "acknowledge": {"P1": 0.5 * HOUR, "P2": HOUR, "P3": 4 * HOUR, "P4": 10 * HOUR},
    "resolution": {"P1": 8 * HOUR, "P2": 10 * HOUR, "P3": 40 * HOUR, "P4": 80 * HOUR},
}


def uci_instant(text: str) -> float:
    return datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=SAO_PAULO).timestamp()


def uci_clocks(path: Path) -> list[Measured]:
    """Return the clocks of all incidents, told by the changes of their state and nothing else."""
    incidents: dict[str, list[dict[str, str]]] = {}
    for row in rows_of(path):
        meaningless = row["incident_state"] == "-100"
        if not meaningless and uci_instant(row["sys_updated_at"]) >= uci_instant(row["opened_at"]):
            incidents.setdefault(row["number"], []).append(row)
    office, always = OfficeHours(SAO_PAULO, date(2016, 1, 1), date(2018, 12, 31)), Always()
    measured: list[Measured] = []
    for number, rows in incidents.items():
        rows.sort(key=lambda row: int(row["sys_mod_count"]))
        priority = PRIORITIES[rows[-1]["priority"]]
        hours = always if priority == "P1" else office
        opened = uci_instant(rows[0]["opened_at"])
        changes: list[tuple[float, str, str]] = []
        before = ""
        for row in rows:
            if row["incident_state"] != before:
                changes.append((uci_instant(row["sys_updated_at"]), before, row["incident_state"]))
                before = row["incident_state"]
        changes.sort(key=lambda change: change[0])
        seen = next((at for at, _, state in changes if state in WORKED_ON | SOLVED), None)
        if seen is not None:
            elapsed, budget = hours.elapsed(opened, seen), BUDGETS["acknowledge"][priority]
            measured.append(Measured(number, "acknowledge", 1, priority, opened, seen, elapsed, seen - opened, budget))
        measured += _resolutions(number, opened, changes, hours, priority)
    return measured


def _resolutions(
    number: str, opened: float, changes: list[tuple[float, str, str]], hours: OfficeHours | Always, priority: str
) -> list[Measured]:
    found: list[Measured] = []
    budget = BUDGETS["resolution"][priority]
    start: float | None = opened
    elapsed, running_since, cycle = 0.0, opened, 1
    paused = False
    for at, before, state in changes:
        solved = state in SOLVED
        if start is None:
            if solved or before not in SOLVED:
                continue
            cycle, start, elapsed, running_since, paused = cycle + 1, at, 0.0, at, False
        if not paused and (solved or state == "Awaiting User Info"):
            elapsed += hours.elapsed(running_since, at)
            paused = True
        elif paused and state != "Awaiting User Info":
            running_since, paused = at, False
        if solved:
            found.append(Measured(number, "resolution", cycle, priority, start, at, elapsed, at - start, budget))
            start = None
    return found


class Call(NamedTuple):
    day: str
    started: float
    wait: float


def calls(path: Path) -> list[Call]:
    found = []
    for row in rows_of(path):
        started, answered = (
            datetime.strptime(f"{row['date']} {row[column]}", "%Y-%m-%d %I:%M:%S %p").replace(tzinfo=UTC).timestamp()
            for column in ("call_started", "call_answered")
        )
        found.append(Call(row["date"], started, answered - started))
    return found


class DayOfCalls(NamedTuple):
    """A day of the daily call table; the averages in seconds."""

    offered: int
    answered: int
    abandoned: int
    answer_speed: int
    talk: int


def days_of_calls(path: Path, most: int) -> list[DayOfCalls]:
    found = []
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in list(csv.DictReader(file, delimiter=";"))[:most]:
            counts = [int(row[f"{name} Calls"]) for name in ("Incoming", "Answered", "Abandoned")]
            means = [row[f"{name} (AVG)"].split(":") for name in ("Answer Speed", "Talk Duration")]
            found.append(DayOfCalls(*counts, *[int(h) * 3600 + int(m) * 60 + int(s) for h, m, s in means]))
    return found


class Incident(NamedTuple):
    severity: str
    products: list[str]
    begin: float
    created: float
    end: float


def incidents(path: Path) -> list[Incident]:
    found = []
    for row in rows_of(path):
        if row["end"]:
            begin, created, end = (
                datetime.fromisoformat(row[name]).timestamp() for name in ("begin", "created", "end")
            )
            products = [name.strip() for name in row["affected_products"].split("|")]
            found.append(Incident(row["severity"], products, begin, created, end))
    return found


def union(spans: list[tuple[float, float]]) -> float:
    """Return the seconds that at least one span covers."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def percentile(values: list[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]


class Opportunity(NamedTuple):
    """A line of the sales pipeline; days are ISO dates, "" where it has none."""

    product: str
    stage: str
    engaged: str
    closed: str
    cents: int


def opportunities(path: Path) -> list[Opportunity]:
    return [
        Opportunity(
            row["product"].replace("GTXPro", "GTX Pro"),
            row["deal_stage"],
            row["engage_date"],
            row["close_date"],
            int(row["close_value"] or 0) * 100,
        )
        for row in rows_of(path)
    ]


class PowerOutage(NamedTuple):
    """One outage of the utility: seconds since the epoch; ``end`` is None where it never went."""

    region: str
    start: float
    end: float | None
    steps: list[tuple[float, int]]
    """When a number of customers without power was told first, and the number."""


def power_outages(path: Path) -> list[PowerOutage]:
    """Return the outages by what was seen at the polls, up to the first poll at which each was gone."""
    seen: dict[str, list[dict[str, str]]] = {}
    for row in rows_of(path):
        seen.setdefault(row["id"], []).append(row)
    found = []
    for rows in seen.values():
        rows.sort(key=lambda row: row["observed_at"])
        if rows[0]["event"] == "gone":
            continue
        start = datetime.fromisoformat(rows[0]["dateOff"]).timestamp()
        steps, end = [(start, int(rows[0]["numCustomersOut"]))], None
        for row in rows[1:]:
            at = datetime.fromisoformat(row["observed_at"]).timestamp()
            if row["event"] == "gone":
                end = at
                break
            steps.append((at, int(row["numCustomersOut"])))
        found.append(PowerOutage(rows[-1]["regionName"], start, end, steps))
    return found


def customer_seconds(outage: PowerOutage, last: float) -> tuple[float, int]:
    """Return the customers' time without power, up to ``last`` where it never went, and how many lost it."""
    total, lost, before = 0.0, 0, 0
    ends = [at for at, _ in outage.steps[1:]] + [last if outage.end is None else outage.end]
    for (at, number), until in zip(outage.steps, ends, strict=True):
        total += number * max(0.0, min(until, last) - at)
        lost += max(0, number - before)
        before = number
    return total, lost


def worst_customer_seconds(outages: list[PowerOutage], last: float) -> float:
    """Return the integral over time of the customers of the largest outage that is open, up to ``last``."""
    changes = []
    for outage in outages:
        ends = [at for at, _ in outage.steps[1:]] + [last if outage.end is None else outage.end]
        for (at, number), until in zip(outage.steps, ends, strict=True):
            if until > at:
                changes += [(at, number, True), (until, number, False)]
    total, before, out = 0.0, 0.0, [0]
    for at, number, is_start in sorted(changes):
        total += out[-1] * (at - before)
        before = at
        if is_start:
            insort(out, number)
        else:
            out.remove(number)
    return total
