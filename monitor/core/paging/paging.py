"""Paging: who is told of an alert, when, and again.

An alert that breached goes to the agreement's ``receivers``, one at risk to those under ``at_risk``; each climbs a
ladder of its own while nobody acknowledges it. All alerts of an agreement that one receiver is told of are one page:
the first notice waits a little for more of the storm, later ones come together, and the page ends with its last alert.

    hear: an announcement ─┐
    look: a step is due,  ─┼─► AlertRow ──► PageRow ──► turn: trigger, update, resolve
          a silence ends  ─┘

- Who knows an alert follows its life: also its breach, if only its risk was to be told.
- ``backfill``, and whatever is older than ``too_old_ms``, pages nobody new; who was told hears of it.
- What ends before its first notice was made is told to nobody.
- An acknowledgement holds for the alerts that are out. One that breaks later climbs the ladder anew.
- A silence withholds triggers, updates and the ladder, never the end of a page that is out: it would stay open for
  ever. When it ends the alert is told, and its ladder begins then.
- A page that holds a breach which nobody has acknowledged and no silence mutes is told again after ``repeat_ms`` of its
  receiver without a notice. However long nobody looked (a stop), it is told again once, not once for each time missed.
- Every announcement that nobody is told of has a reason (`monitor.core.paging.not_told`), reported once: when it is
  heard, and for silences and acknowledgements when they begin. Looking again at what is known reports nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from monitor.core.agreements.agreement import Agreement, Notify, Step
from monitor.core.agreements.book import Book
from monitor.core.alerts.alert import Alert
from monitor.core.paging.mutes import Silences
from monitor.core.paging.not_told import NotTold, NotToldReason
from monitor.core.paging.notices import Action, Notice, Severity
from monitor.core.paging.pages import (
    ENDED,
    AlertRow,
    Group,
    PageRow,
    alert_row_key,
    fitting,
    notice_of,
    page_key,
    page_row_key,
    severity_of,
)
from monitor.core.rows import Rows

NOBODY: Final = Notify()
_ORDER: Final[tuple[Severity, ...]] = ("info", "warning", "critical")


class Turn(NamedTuple):
    """What a page has to tell. ``idle``: its receiver never heard of it, so it need not hear of its end."""

    page: PageRow
    notice: Notice
    idle: bool = False


class Paging:
    """The alerts and pages of one partition. What it keeps besides the rows is found again from them."""

    def __init__(
        self,
        rows: Rows,
        *,
        too_old_ms: int,
        installation: str = "",
        repeat_ms: Callable[[str], int] = lambda _receiver: 0,
        not_told: Callable[[NotTold], None] = lambda _told: None,
    ) -> None:
        """``installation`` stands in the keys of new pages; ``repeat_ms`` is asked for each receiver (0: never).

        ``not_told`` takes each decision not to tell.
        """
        self.too_old_ms = too_old_ms
        self.book = Book()
        self.silences = Silences()
        self._rows = rows
        self._installation = installation
        self._repeat_ms = repeat_ms
        self._not_told = not_told
        self._groups: dict[tuple[str, str], Group] = {}

    def restore(self, keys: Iterable[bytes]) -> None:
        """Find again which alerts each page holds."""
        for key in keys:
            if key[:1] == b"a":
                row = self._alert(key)
                assert row is not None
                self._index(key, row)

    def open_pages(self) -> Counter[str]:
        """Return how many pages each receiver has."""
        return Counter(receiver for _, receiver in self._groups)

    # -- what comes in

    def hear(self, alert: Alert, now_ms: int) -> None:
        """Take an announcement."""
        key = alert_row_key(alert.key)
        row = self._alert(key)
        late: NotToldReason = "backfill" if alert.backfill else "too_old"
        if now_ms - alert.at_ms > self.too_old_ms:
            alert = alert.told_late()
        if alert.state in ENDED:
            if row is None:
                self._pass_over(alert, "never_told", now_ms)
            else:
                self._end(key, row, alert, now_ms)
            return
        if row is None:
            if alert.backfill:
                self._pass_over(alert, late, now_ms)
            elif not self._first(alert, now_ms):
                self._pass_over(alert, "nobody_named", now_ms)
            else:
                self._route(key, self._begun(alert, now_ms, []), now_ms, changed=True)
            return
        if row.alert.state == "breached" and alert.state == "at_risk":
            self._not_told(NotTold(alert, "superseded", now_ms))  # announced out of order: the breach stands
            return
        if alert.backfill and not row.told:
            self._rows.put(key, None)
            self._not_told(NotTold(alert, late, now_ms))
            return
        # If it breached, or is out again, an earlier acknowledgement was of something else.
        same = row.alert.state == alert.state
        row = row._replace(alert=alert) if same else self._begun(alert, now_ms, row.told)
        self._route(key, row, now_ms, changed=True)

    def look(self, key: bytes, now_ms: int) -> None:
        """Look at an alert again: a step is due, a silence or the agreement has changed."""
        row = self._alert(key)
        if row is not None and not row.over:
            self._route(key, row, now_ms, changed=False)

    def acknowledge(self, target: str, now_ms: int) -> int:
        """Take note that somebody looks after an alert, or after all alerts of a page; return how many there were."""
        keys = [f"a{target}".encode()]
        for (agreement, receiver), group in self._groups.items():
            page = self._page(agreement, receiver)
            if page is not None and page.key == target:
                keys = list(group.members)
        count = 0
        for key in keys:
            row = self._alert(key)
            if row is not None and not row.over:
                count += 1
                if row.unanswered:  # all else climbs no ladder and is not told again
                    self._not_told(NotTold(row.alert, "acknowledged", now_ms))
                wake_ms = row.wake_ms if row.silenced else 0
                self._store(key, row._replace(acknowledged=True, wake_ms=wake_ms))
        return count

    def lost(self, agreement: str, receiver: str, key: str, *, lost: bool = True) -> None:
        """Take note that a page's receiver was never told that it began, or (not ``lost``) that he is after all."""
        page = self._page(agreement, receiver)
        if page is not None and page.key == key:
            self._rows.put(page_row_key(agreement, receiver), page._replace(lost=lost))

    # -- what goes out

    def turn(self, key: bytes, now_ms: int) -> Turn | None:
        """Return what a page that is due has to tell."""
        page = self._rows.get(key)
        if not isinstance(page, PageRow) or not 0 < page.wake_ms <= now_ms:
            return None
        group = self._groups[page.agreement, page.receiver]
        if page.again:
            page = self._planned(page, now_ms)
            if not 0 < page.wake_ms <= now_ms:  # somebody has answered meanwhile
                self._rows.put(key, page)
                return None
        alerts = fitting([row.alert for one in group.to_tell() if (row := self._alert(one)) is not None])
        counts = group.counts()
        # Ends that find no room are told with the next notice.
        ended = [one for alert in alerts if (one := alert_row_key(alert.key)) in group.over]
        is_over = len(ended) == len(group.members)
        action: Action = "resolve" if is_over else "update" if page.notices and not page.lost else "trigger"
        notice = notice_of(page, action, alerts, counts, now_ms)
        rest_ms = self._notify(page.agreement, now_ms).group_interval_ms
        for one in ended:
            row = self._alert(one)
            assert row is not None
            self._leave(one, row, page.receiver)
        if is_over:
            return Turn(page, notice, page.lost)
        told = page._replace(
            wake_ms=now_ms + rest_ms if group.over else 0, told_ms=now_ms, notices=page.notices + 1, lost=False,
            severity=max(page.severity, severity_of(counts), key=_ORDER.index), again=False,
        )  # fmt: skip
        told = self._planned(told, now_ms)
        self._rows.put(key, told)
        return Turn(told, notice)

    # -- alerts

    def _begun(self, alert: Alert, now_ms: int, told: list[str]) -> AlertRow:
        return AlertRow(0, alert, now_ms, acknowledged=False, silenced=False, steps=[], told=told)

    def _first(self, alert: Alert, now_ms: int) -> tuple[str, ...]:
        """Return who is told of an alert before it climbs the ladder."""
        notify = self._notify(alert.key.agreement, now_ms)
        return notify.receivers if alert.state == "breached" else notify.at_risk

    def _pass_over(self, alert: Alert, reason: NotToldReason, now_ms: int) -> None:
        """Report that nobody is told of an alert: for this reason, unless its agreement could not page anybody."""
        agreement = self._agreement(alert.key.agreement, now_ms)
        if agreement is None:
            reason = "no_agreement"
        elif not agreement.notify.names_anybody:
            reason = "no_on_call"
        self._not_told(NotTold(alert, reason, now_ms))

    def _route(self, key: bytes, row: AlertRow, now_ms: int, *, changed: bool) -> None:
        """Have everybody told who is to be told by now, and find out when the next one is."""
        until_ms = self.silences.until_ms(row.alert, now_ms)
        if until_ms is not None:
            if changed or not row.silenced:
                self._not_told(NotTold(row.alert, "silenced", now_ms, until_ms))
            self._silence(key, row, until_ms)
            return
        if row.silenced:
            row, changed = row._replace(silenced=False, since_ms=now_ms), True
        row = row._replace(wake_ms=0)
        reached: dict[str, int] = {}
        if not row.alert.backfill:
            reached = dict.fromkeys(self._first(row.alert, now_ms), 0)
            if row.alert.state == "breached" and not row.acknowledged:
                row = self._climb(row, reached, now_ms)
        known = tuple(row.told)
        joined = [receiver for receiver in reached if receiver not in known]
        self._store(key, row._replace(told=[*known, *joined]))
        for receiver in known:
            step = reached.get(receiver, 0)
            if changed or step:
                self._news(row.alert, receiver, now_ms, step)
            else:
                self._plan(row.alert.key.agreement, receiver, now_ms)
        for receiver in joined:
            self._join(row.alert, receiver, now_ms, reached[receiver])
        if changed and not known and not joined:
            self._pass_over(row.alert, "nobody_named", now_ms)

    def _climb(self, row: AlertRow, reached: dict[str, int], now_ms: int) -> AlertRow:
        """Take the steps of the ladder that are due: add whom they reach, and find out when the next one is."""
        agreement = self._agreement(row.alert.key.agreement, now_ms)
        if agreement is None:
            return row
        steps, wake_ms = list(row.steps), 0
        for number, step in enumerate(agreement.notify.escalation):
            if number in row.steps:
                continue
            due_ms = _due_ms(agreement, step, row.since_ms, now_ms)
            if due_ms > now_ms:
                wake_ms = min(wake_ms or due_ms, due_ms)
                continue
            steps.append(number)
            reached.update(dict.fromkeys(step.receivers, number + 1))
        return row._replace(wake_ms=wake_ms, steps=steps)

    def _silence(self, key: bytes, row: AlertRow, until_ms: int) -> None:
        """Mute an alert. It leaves the pages of which nothing was told yet."""
        for receiver in tuple(row.told):
            page = self._page(row.alert.key.agreement, receiver)
            if page is not None and not page.notices:
                row = self._leave(key, row, receiver)
        self._store(key, row._replace(wake_ms=until_ms, silenced=True))

    def _end(self, key: bytes, row: AlertRow, alert: Alert, now_ms: int) -> None:
        row = row._replace(alert=alert, wake_ms=0, silenced=False)
        self._store(key, row)
        waited = bool(row.told)
        for receiver in tuple(row.told):
            page = self._page(alert.key.agreement, receiver)
            if page is not None and page.notices:
                self._news(alert, receiver, now_ms)
            else:  # nobody was told: there is nothing to take back
                row = self._leave(key, row, receiver)
        if not row.told:
            self._not_told(NotTold(alert, "ended_before_notice" if waited else "never_told", now_ms))

    def _leave(self, key: bytes, row: AlertRow, receiver: str) -> AlertRow:
        """Take an alert out of a page, and an empty page that nobody was told of away."""
        agreement = row.alert.key.agreement
        group = self._groups[agreement, receiver]
        group.leave(key)
        if not group.members:
            del self._groups[agreement, receiver]
            self._rows.put(page_row_key(agreement, receiver), None)
        row = row._replace(told=[one for one in row.told if one != receiver])
        self._store(key, row)
        return row

    def _store(self, key: bytes, row: AlertRow) -> None:
        """Keep an alert; one that is over only until all its pages have told so."""
        self._rows.put(key, row if row.told or not row.over else None)
        self._index(key, row)

    def _index(self, key: bytes, row: AlertRow) -> None:
        for receiver in row.told:
            place = row.alert.key.agreement, receiver
            group = self._groups.get(place)
            if group is None:
                group = self._groups[place] = Group()
            group.take(key, row)

    # -- pages

    def _join(self, alert: Alert, receiver: str, now_ms: int, step: int) -> None:
        """Tell a receiver of an alert that is new to him."""
        agreement = alert.key.agreement
        if self._page(agreement, receiver) is not None:
            self._news(alert, receiver, now_ms, step)
            return
        # Who is told because nobody else came need not wait for the storm to gather.
        wait_ms = 0 if step else self._notify(agreement, now_ms).group_wait_ms
        key = page_key(self._installation, agreement, receiver, alert)
        page = PageRow(now_ms + wait_ms, agreement, receiver, key, now_ms, step=step, installation=self._installation)
        self._rows.put(page_row_key(agreement, receiver), page)

    def _news(self, alert: Alert, receiver: str, now_ms: int, step: int = 0) -> None:
        """Have the next notice of a page made: its end at once, anything else not too soon after the last one."""
        agreement = alert.key.agreement
        page = self._page(agreement, receiver)
        assert page is not None  # it is there as long as it holds an alert
        page = page._replace(step=max(page.step, step))
        if page.notices:
            group = self._groups[agreement, receiver]
            rest_ms = 0 if len(group.over) == len(group.members) else self._notify(agreement, now_ms).group_interval_ms
            # Never 0, which says that there is nothing to tell.
            page = page._replace(wake_ms=max(now_ms, page.told_ms + rest_ms), again=False)
        self._rows.put(page_row_key(agreement, receiver), page)

    # -- telling again

    def _plan(self, agreement: str, receiver: str, now_ms: int) -> None:
        """Find out anew when a page is told again: the settings, the agreement or what people ask for may differ."""
        page = self._page(agreement, receiver)
        assert page is not None  # it is there as long as it holds an alert
        planned = self._planned(page, now_ms)
        if planned != page:
            self._rows.put(page_row_key(agreement, receiver), planned)

    def _planned(self, page: PageRow, now_ms: int) -> PageRow:
        """Return the page with the instant at which it is told again, unless it has something new to tell."""
        if not page.notices or (page.wake_ms and not page.again):
            return page
        due_ms = self._repeat_due_ms(page, now_ms)
        return page._replace(wake_ms=due_ms, again=due_ms > 0)

    def _repeat_due_ms(self, page: PageRow, now_ms: int) -> int:
        """Return when a page is to be told again if nothing happens until then, 0: not at all."""
        is_named = page.receiver in self._notify(page.agreement, now_ms).everybody()
        repeat_ms = self._repeat_ms(page.receiver) if is_named else 0
        unanswered = self._groups[page.agreement, page.receiver].unanswered
        return page.told_ms + repeat_ms if repeat_ms and unanswered else 0

    def _alert(self, key: bytes) -> AlertRow | None:
        row = self._rows.get(key)
        return row if isinstance(row, AlertRow) else None

    def _page(self, agreement: str, receiver: str) -> PageRow | None:
        row = self._rows.get(page_row_key(agreement, receiver))
        return row if isinstance(row, PageRow) else None

    def _agreement(self, agreement: str, now_ms: int) -> Agreement | None:
        """Return the text that holds now: who is on call today, whenever the promise was made."""
        return self.book.version(agreement, now_ms)

    def _notify(self, agreement: str, now_ms: int) -> Notify:
        found = self._agreement(agreement, now_ms)
        return NOBODY if found is None else found.notify


def _due_ms(agreement: Agreement, step: Step, since_ms: int, now_ms: int) -> int:
    """Return when a step is to be taken: not before its hours open."""
    return agreement.calendars[step.hours].next_open(max(since_ms + step.after_ms, now_ms))
