"""A stage for stories of the evaluator: sources that send panes, rows, and what came of it.

Times are in the week of Monday 2026-03-02, UTC (`tests.core.stories`).
"""

from typing import ClassVar

import msgspec

from monitor.core.agreements.book import Book
from monitor.core.agreements.objectives import Objective
from monitor.core.clocks.terms import Plan
from monitor.core.objectives.credits import AccountRow
from monitor.core.series.durations import with_beyond
from monitor.core.series.panes import apply
from monitor.core.series.series import LIVE, Change, Pane, PaneKey, SeriesKey, empty_pane
from monitor.core.time.windows import Window
from monitor.core.windows.budgets import BudgetRow
from monitor.core.windows.consequences import ConsequenceRow
from monitor.core.windows.evaluator import Evaluator
from monitor.core.windows.reports import ReportRow
from monitor.core.windows.rest import MOST_SERIES, RestRow
from monitor.core.windows.rows import MergedPane, WindowRow
from tests.core.stories import agreement, clock, ms, span, when

HOUR_MS = 3_600_000
HOUR = Window("rolling", HOUR_MS)
DAY, MONTH = Window("day"), Window("month")
P1 = SeriesKey("desk", "resolution", ("P1",))
P2 = SeriesKey("desk", "resolution", ("P2",))


class Rows(dict):
    """Rows as a partition keeps them: encoded, so that nothing is shared with whoever put them."""

    TYPES: ClassVar = {
        b"w": MergedPane, b"x": RestRow, b"v": WindowRow, b"b": BudgetRow, b"c": ConsequenceRow, b"a": AccountRow,
        b"r": ReportRow,
    }  # fmt: skip

    def get(self, key):
        encoded = super().get(key)
        return None if encoded is None else msgspec.msgpack.decode(encoded, type=self.TYPES[key[:1]])

    def put(self, key, row):
        if row is None:
            self.pop(key, None)
        else:
            assert type(row) is self.TYPES[key[:1]]
            self[key] = msgspec.msgpack.encode(row)


class Stage:
    """Sources that send panes, and one evaluator."""

    def __init__(self, *agreements, owns=None, max_series=MOST_SERIES):
        self.rows = Rows()
        self.owns = owns
        self.max_series = max_series
        self.evaluator = Evaluator(self.rows, owns, max_series=max_series)
        self.panes = {}
        self.sent = []
        self.statuses, self.alerts, self.statements, self.ended = [], [], [], []
        self.stamp = 0
        self.now = ms("Mon 00:00")
        self.amend(*agreements)

    def amend(self, *agreements):
        self.stamp += 1
        self.book = Book(agreements, self.stamp)
        return self

    def restart(self):
        self.evaluator = Evaluator(self.rows, self.owns, max_series=self.max_series)
        self.evaluator.restore([*self.rows, b"\x00position"])
        return self

    def change(self, change, source="tickets/0"):
        """A source puts a change into its panes and sends them."""
        self.now = max(self.now, change.at_ms)
        plan = Plan(self.book)
        slices = plan.slices(change.series.agreement, change.series.measure)
        if change.value_ms >= 0 and change.series[:2] in plan.near_targets:
            change = with_beyond(change, plan.near_targets[change.series[:2]])
        widths = [("live", 0)] if change.at_ms == LIVE else slices.keep_ms
        for width, _ in widths:
            key = PaneKey(change.series, width, 0 if width == "live" else slices.start_ms(width, change.at_ms))
            pane = self.panes.setdefault((source, key), empty_pane())
            apply([pane], change)
            self.sent.append((source, key))
            self.evaluator.fold(source, key, copied(pane), self.book)
        return self

    def stopped(self, time, outcome="met", elapsed="1h", *, series=P1, source="tickets/0", times=1):
        elapsed_ms = span(elapsed)
        counts = ((outcome, 1), ("elapsed_ms", elapsed_ms), ("wall_ms", elapsed_ms))
        return self.change(Change(series, ms(time), counts, elapsed_ms, times=times), source)

    def live(self, series=P1, source="tickets/0", times=1, **counts):
        return self.change(Change(series, LIVE, tuple(counts.items()), times=times), source)

    def look(self, time, limit=200):
        """Evaluate as of one instant."""
        self.now = ms(time)
        more = True
        while more:
            done = self.evaluator.evaluate(ms(time), self.book, limit=limit)
            self.statuses += [one for one in done.statuses if not one.closed]
            self.statements += [one for one in done.statuses if one.closed]
            self.alerts += done.alerts
            self.ended += [f"{'/'.join((*series.values, window))} {time}" for series, window in done.ended]
            more = done.more
        return self

    def until(self, time):
        """Let time pass: evaluate whenever the evaluator wants it."""
        instant = self.now
        while (due := self.evaluator.next_ms(instant)) is not None and due <= ms(time):
            instant = max(instant, due)
            self.look(when(instant))
        return self.look(time)

    def latest(self, window="day", series=P1):
        return self.evaluator.latest.get((series, window))

    def value(self, indicator="compliance", window="day", series=P1):
        return next(one.value for one in self.latest(window, series).figures if one.indicator == indicator)

    def told(self, promise=None):
        return [
            f"{one.state} {one.reason} {when(one.at_ms)}" for one in self.alerts if promise in (None, one.key.promise)
        ]

    def stated(self, window=None):
        return [
            f"{one.window} {when(one.from_ms)}: {figure(one):g}" if figure(one) is not None else
            f"{one.window} {when(one.from_ms)}: nothing"
            for one in self.statements if window in (None, one.window)
        ]  # fmt: skip


def copied(pane):
    """A pane as it would be after its way through Kafka: the sender goes on changing its own."""
    return None if pane is None else Pane(*(dict(part) for part in pane))


def figure(status, indicator="compliance"):
    return next(one.value for one in status.figures if one.indicator == indicator)


def promise(*windows, id="kept", target=0.9, **more):
    return Objective(
        id=id, target=target, windows=windows,
        **{"measure": "resolution", "indicator": "compliance", "comparison": ">=", **more},
    )  # fmt: skip


def desk(*windows, objectives=(), **more):
    return agreement(clock(windows=windows), objectives=objectives, **more)
