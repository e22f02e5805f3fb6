"""A small stage for stories: an agreement, a desk, events at readable times, and what was announced.

    story = Story(agreement(clock("resolution", budgets={"*": "4h"})))
    story.at("Mon 09:00", ticket("T-1", "opened"))
    story.until("Mon 14:00")
    assert story.told("T-1") == ["at_risk Mon 12:00", "breached Mon 13:00"]

Times are in the week of Monday 2026-03-02, UTC.
"""

import re
from itertools import count

from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.book import Book
from monitor.core.agreements.lead_measure import LeadRule
from monitor.core.agreements.measures import AtRisk, Budget, CallRule, ClockRule, Filter, OutageRule
from monitor.core.agreements.objectives import Objective
from monitor.core.facts.events import Event, Fact
from monitor.core.series.series import Pane, PaneKey, SeriesKey, encode_pane_key
from monitor.core.subjects.engine import SourceEngine
from monitor.core.subjects.rows import subject_key
from monitor.core.time.calendar import Calendar
from monitor.core.time.opening_hours import CalendarSpec
from monitor.core.time.windows import Window

MONDAY_MS = 1_772_409_600_000  # 2026-03-02T00:00Z
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
DAY_MS = 86_400_000


def ms(text: str) -> int:
    """ "Tue 09:30", "Tue 09:30:15", "Mon+7 09:30" (a week later)."""
    day, clock = text.split()
    name, _, more = day.partition("+")
    hours, minutes, *seconds = map(int, clock.split(":"))
    days = DAYS.index(name) + int(more or 0)
    return MONDAY_MS + days * DAY_MS + hours * 3_600_000 + minutes * 60_000 + (seconds[0] * 1_000 if seconds else 0)


def when(at_ms: int) -> str:
    """The inverse of `ms`, to the second: a breach is told a millisecond after its due instant."""
    days, rest = divmod(at_ms - MONDAY_MS, DAY_MS)
    weeks, day = divmod(days, 7)
    text = f"{DAYS[day]}{f'+{weeks * 7}' if weeks else ''} {rest // 3_600_000:02}:{rest // 60_000 % 60:02}"
    return text + (f":{rest // 1_000 % 60:02}" if rest // 1_000 % 60 else "")


def span(text: str) -> int:
    return sum(int(number) * UNIT_MS[unit] for number, unit in re.findall(r"(\d+)([smhd])", text))


ALWAYS = Calendar.always()
OFFICE = Calendar(CalendarSpec(zone="UTC", hours=(((540, 1020),),) * 5 + ((), ())))  # Mon-Fri 09-17


def clock(metric="resolution", budgets=None, *, subject="ticket", calendar="always", at_risk=("75%",), **more):
    risks = tuple(
        AtRisk(percent=float(one[:-1])) if one.endswith("%") else AtRisk(before_ms=span(one)) for one in at_risk
    )
    return ClockRule(
        id=metric,
        subject=subject,
        metric=metric,
        budgets={
            key: Budget(span(value), calendar) if isinstance(value, str) else Budget(span(value[0]), value[1])
            for key, value in (budgets or {"*": "4h"}).items()
        },
        at_risk=risks,
        **{"by": ("priority",), "windows": (Window("rolling", 86_400_000), Window("month")), **more},
    )


def agreement(*measures, id="desk", version=1, status="accepted", valid_from=0, objectives=(), zone="UTC", **more):
    return Agreement(
        id=id, version=version, name=id, form="customer", provider="IT", customer="ACME", service="desk",
        status=status, valid_from_ms=valid_from, zone=zone, calendars={"always": ALWAYS, "office": OFFICE},
        clocks=tuple(one for one in measures if isinstance(one, ClockRule)),
        calls=tuple(one for one in measures if isinstance(one, CallRule)),
        outages=tuple(one for one in measures if isinstance(one, OutageRule)),
        leads=tuple(one for one in measures if isinstance(one, LeadRule)),
        objectives=tuple(one for one in objectives if isinstance(one, Objective)),
        **{"covers": Filter(), **more},
    )  # fmt: skip


_ids = count(1)


def event(subject, subject_id, type, *, id=None, sequence=0, **attributes):
    """An event without its time; `Story.at` sets it."""
    return Event(subject, subject_id, Fact(0, sequence, id or f"e{next(_ids)}", type, attributes))


def ticket(subject_id, type, **more):
    return event("ticket", subject_id, type, **more)


class Story:
    def __init__(self, *agreements, subject="ticket", retention="14d"):
        self.rows = {}
        self.engine = SourceEngine(subject, self, retention_ms=span(retention))
        self.alerts = []
        self.rejected = []
        self.stamp = 0
        self.amend(*agreements)

    # the rows of a partition
    def get(self, key):
        return self.rows.get(key)

    def put(self, key, row):
        if row is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = row

    def amend(self, *agreements):
        """From now on these are the agreements."""
        self.stamp += 1
        self.book = Book(tuple(agreements), self.stamp)

    def at(self, time, *events, now=None):
        """Events that happen at a time and arrive at once (or, late, at `now`); first what came due before."""
        at_ms = ms(time)
        now_ms = ms(now) if now else at_ms
        self.due(now_ms - 1)
        stamped = [Event(one.subject, one.subject_id, one.fact._replace(time_ms=at_ms)) for one in events]
        self.take(self.engine.batch(stamped, now_ms, self.book))
        return self

    def restart(self):
        """The worker stops, and another one goes on with the rows."""
        self.engine = SourceEngine(self.engine.subject, self, retention_ms=self.engine.retention_ms)
        self.engine.restore(self.rows)
        return self

    def until(self, time):
        """Nothing happens until a time: deadlines only."""
        self.due(ms(time))
        return self

    def due(self, until_ms):
        while True:
            waiting = [
                (row.wake_ms, key) for key, row in self.rows.items() if key[:1] == b"s" and 0 < row.wake_ms <= until_ms
            ]
            if not waiting:
                return
            wake_ms, key = min(waiting)
            self.take(self.engine.due([key], wake_ms, self.book))

    def sweep(self, time):
        """Every row is looked at, as after an amendment."""
        self.take(self.engine.due([key for key in self.rows if key[:1] == b"s"], ms(time), self.book))
        return self

    def take(self, effects):
        self.alerts += effects.alerts
        self.rejected += [reason for _, reason in effects.rejected]

    # what came of it
    def told(self, subject_id=None, promise=None):
        return [
            f"{one.state} {when(one.at_ms)}"
            for one in self.alerts
            if subject_id in (None, one.key.what) and promise in (None, one.key.promise)
        ]

    def row(self, subject_id):
        return self.rows.get(subject_key(subject_id))

    def clocks(self, subject_id):
        return self.row(subject_id).clocks

    def pane(self, series, width="live", start_ms=0):
        return self.rows.get(encode_pane_key(PaneKey(series, width, start_ms)))

    def counts(self, measure="resolution", values=("",), width="live", agreement="desk"):
        """The counts of a series over all its panes of a width."""
        total = {}
        series = SeriesKey(agreement, measure, values)
        prefix = encode_pane_key(PaneKey(series, width, 0)).split(b"\x1f")[:3]
        for key, pane in self.rows.items():
            parts = key.split(b"\x1f")
            if isinstance(pane, Pane) and parts[:3] == prefix and tuple(p.decode() for p in parts[4:]) == values:
                for name, number in pane.counts.items():
                    total[name] = total.get(name, 0) + number
        return {name: number for name, number in total.items() if number}
