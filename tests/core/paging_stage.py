"""A stage for on-call: alerts at readable times, and what each receiver is told. Times as in `tests.core.stories`."""

from __future__ import annotations

from monitor.core.agreements.agreement import Notify, Step
from monitor.core.agreements.book import Book
from monitor.core.alerts.alert import Alert, AlertKey, alert_id
from monitor.core.paging.mutes import Silence, Silences
from monitor.core.paging.pages import AlertRow, PageRow
from monitor.core.paging.paging import Paging
from tests.core.stories import agreement, clock, ms, span, when

DAY_MS = 86_400_000


def notify(receivers="on-call", at_risk="", ladder=(), wait="10s", interval="1m"):
    return Notify(
        receivers=tuple(receivers.split()),
        at_risk=tuple(at_risk.split()),
        group_wait_ms=span(wait),
        group_interval_ms=span(interval),
        escalation=tuple(Step(span(after), tuple(who.split()), *hours) for after, who, *hours in ladder),
    )


def desk(told=None, **more):
    return agreement(clock(), notify=told or notify(), **more)


def alert(ticket="T-1", state="breached", time="Mon 09:00", *, agreement="desk", promise="resolution", **more):
    key = AlertKey("ticket", ticket, agreement, promise, 1)
    labels = {"agreement": agreement, "customer": "acme", **more.pop("labels", {})}
    return Alert(alert_id(key, state, "", 0), key, state, ms(time), "due", 1, labels, **more)


class Rows(dict):
    """Rows of a partition, without bytes."""

    def put(self, key, row):
        if row is None:
            self.pop(key, None)
        else:
            self[key] = row


class OnCall:
    """Paging of one partition; its notices are as good as delivered."""

    def __init__(self, *agreements, rows=None, repeat=None, installation="prod"):
        self.rows = Rows() if rows is None else rows
        self.repeat = {receiver: span(every) for receiver, every in (repeat or {}).items()}
        self.installation = installation
        self.paging = Paging(
            self.rows, too_old_ms=DAY_MS, installation=installation,
            repeat_ms=lambda receiver: self.repeat.get(receiver, 0), not_told=self._take,
        )  # fmt: skip
        self.not_told = []
        self.paging.restore(self.rows)
        self.notices = []
        self.skipped = []
        self.amend(*agreements)

    def amend(self, *agreements):
        self.paging.book = Book(agreements, 1)
        return self

    def restart(self):
        """Lose all that is not in the rows."""
        again = OnCall(*self.paging.book.agreements, rows=self.rows, installation=self.installation)
        again.repeat = self.repeat
        again.notices, again.paging.silences = self.notices, self.paging.silences
        again.not_told = self.not_told
        return again

    def at(self, time, *states, happened=None, **more):
        """What a ticket's clock announces at a time: ``("T-1", "breached")``; first what came due before."""
        self.until(time)
        for ticket, state in states:
            self.paging.hear(alert(ticket, state, happened or time, **more), ms(time))
        return self

    def until(self, time):
        """Nothing happens but that time goes by."""
        end_ms = ms(time)
        while due := [
            (row.wake_ms, key)
            for key, row in self.rows.items()
            if isinstance(row, AlertRow | PageRow) and 0 < row.wake_ms <= end_ms
        ]:
            now_ms, key = min(due)
            self._do(key, now_ms)
        return self

    def _take(self, one):
        self.not_told.append(one)

    def reasons(self):
        """Why nobody was told: ``T-1 breached silenced Mon 09:00``."""
        return [f"{one.alert.key.what} {one.alert.state} {one.reason} {when(one.at_ms)}" for one in self.not_told]

    def _do(self, key, now_ms):
        if key[:1] == b"a":
            self.paging.look(key, now_ms)
            return
        turn = self.paging.turn(key, now_ms)
        if turn is None:  # it was to be told again, and somebody has answered meanwhile
            return
        (self.skipped if turn.idle else self.notices).append((turn.page.receiver, turn.notice))

    def silence(self, time, length, **more):
        """Set a silence, and have it noticed."""
        self.until(time)
        silence = Silence("s", "desk", ms(time) + span(length), **more)
        self.paging.silences = Silences((silence,))
        return self.sweep(time)

    def sweep(self, time):
        """Look at all alerts, as after any change."""
        for key in [key for key in self.rows if key[:1] == b"a"]:
            self.paging.look(key, ms(time))
        return self

    def told(self, receiver=None):
        """What was told: ``on-call trigger Mon 09:00:10 T-1=breached``."""
        return [
            f"{who} {one.action} {when(one.at_ms)} "
            + " ".join(f"{alert.key.what}={alert.state}" for alert in one.alerts)
            for who, one in self.notices
            if receiver in (None, who)
        ]

    @property
    def keys(self):
        return {one.key for _, one in self.notices}
