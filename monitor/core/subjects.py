"""One subject's step: ledger in, clocks and announcements out. The only way a fact changes anything.

    step(row, facts, now) -> row, alerts, changes

A fact that is newer than all before it is applied to the clocks as they are. An older one, one that changes what the
subject is promised (its priority, say), or another book of agreements folds the whole ledger again and announces the
difference to what was announced before: nothing is erased silently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from monitor.core import clock as clocks
from monitor.core.agreement import CallRule, OutageRule
from monitor.core.alerts import Alert, AlertKey, AlertState, alert_id
from monitor.core.calls import call_changes
from monitor.core.ledger import Entry, Rejected, attributes_of, enter
from monitor.core.outages import outage_changes
from monitor.core.plan import RESTARTS, STARTS, Plan
from monitor.core.rows import SUBJECT_ROW_VERSION, Clock, SubjectRow
from monitor.core.series import LIVE, Change, SeriesKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.events import Fact, Subject, Value

ClockId = tuple[str, str, int]
Told = tuple[Clock, AlertState, int, str]
"""What a clock told: itself at that moment, the state, the instant, the reason."""

OPEN = ("running", "paused")
DETAILS = ("priority", "team", "agent", "queue", "severity", "channel")
"""The attributes that may change while an alert lives: they go into its details, never into its labels."""


class Step(NamedTuple):
    """What a step makes of a row. ``row`` is None when the subject is to be forgotten."""

    row: SubjectRow | None
    alerts: list[Alert]
    changes: list[Change]
    rejected: list[Rejected]
    repeats: int


EMPTY = SubjectRow(SUBJECT_ROW_VERSION, 0, 0, [], {}, [], [], 0)


class Folding:
    """The fold of one subject: its attributes, its clocks, and what its clocks told on the way."""

    def __init__(self, subject: Subject, subject_id: str, plan: Plan, attributes: dict[str, Value]) -> None:
        self.subject = subject
        self.subject_id = subject_id
        self.plan = plan
        self.attributes = attributes
        self.clocks: list[Clock] = []
        self.told: list[Told] = []

    def apply(self, facts: Sequence[Fact], at: int) -> None:
        """Apply the fact at a place of the ledger to all clocks."""
        fact = facts[at]
        for index, clock in enumerate(self.clocks):
            if clock.state == "cancelled":
                continue
            of = self.plan.terms(clock)
            if of is None:
                continue
            if clock.next_ms and clock.next_ms <= fact.time_ms:
                clock = self.pass_thresholds(clock, fact.time_ms, of)  # noqa: PLW2901 - the same clock, one step on
            self.clocks[index] = after = clocks.apply(clock, fact, of)
            if after is not clock and after.state in ("stopped", "cancelled"):
                self.end(after)
        if fact.type in STARTS[self.subject]:
            self.start(fact, facts[:at])
        if fact.type in RESTARTS[self.subject]:
            self.restart(fact)

    def pass_thresholds(self, clock: Clock, until_ms: int, of: clocks.Terms) -> Clock:
        """Tell what a clock gets past up to an instant."""
        clock, passed = clocks.passed(clock, until_ms, of)
        for index, at_ms in passed:
            if index < len(of.thresholds):
                self.told.append((clock, "at_risk", at_ms, of.thresholds[index].reason))
            else:
                self.told.append((clock, "breached", at_ms, "due"))
        return clock

    def end(self, clock: Clock) -> None:
        """Tell the end of a clock of which anything was told before."""
        if not clock.told and not clock.breach_told:
            return
        if clock.state == "cancelled":
            self.told.append((clock, "voided", clock.stop_ms, "cancelled"))
        else:
            reason = "stopped" if clock.breach_told else "stopped_in_time"
            self.told.append((clock, "resolved", clock.stop_ms, reason))

    def start(self, fact: Fact, before: Sequence[Fact]) -> None:
        """Start the clocks that were promised for the subject and do not exist yet."""
        running = {(clock.agreement, clock.rule) for clock in self.clocks}
        for agreement in self.plan.book.in_force(self.attributes, fact.time_ms):
            for rule in agreement.clocks:
                if rule.subject != self.subject or (agreement.id, rule.id) in running:
                    continue
                if not rule.where.matches(self.attributes):
                    continue
                clock = clocks.start(agreement, rule, fact.time_ms, 1, self.attributes)
                if clock is None:
                    continue
                of = self.plan.terms(clock)
                if of is None or fact.type not in of.metric.start:
                    continue
                self.clocks.append(clocks.started_late(clock, before, of) if before else clock)

    def restart(self, fact: Fact) -> None:
        """Begin the next cycle of each stopped clock that this fact restarts."""
        last = {(clock.agreement, clock.rule): clock for clock in self.clocks}
        for clock in last.values():
            of = self.plan.terms(clock)
            if of is None or clock.state != "stopped" or fact.type not in of.metric.restart:
                continue
            if of.rule.cycles not in ("each", "last"):
                continue
            # The new cycle is a new promise: the version that holds now, with today's budget.
            agreement = self.plan.book.version(clock.agreement, fact.time_ms) or of.agreement
            rule = next((one for one in agreement.clocks if one.id == clock.rule), of.rule)
            begun = clocks.start(agreement, rule, fact.time_ms, clock.cycle + 1, self.attributes)
            if begun is not None:
                self.clocks.append(begun)

    def until(self, now_ms: int) -> None:
        """Tell what came due up to now."""
        for index, clock in enumerate(self.clocks):
            if clock.next_ms and clock.next_ms <= now_ms:
                of = self.plan.terms(clock)
                if of is not None:
                    self.clocks[index] = self.pass_thresholds(clock, now_ms, of)

    def alert(self, clock: Clock, state: AlertState, at_ms: int, reason: str) -> Alert:
        """Return the announcement of what a clock told."""
        key = AlertKey(self.subject, self.subject_id, clock.agreement, clock.rule, clock.cycle)
        of = self.plan.terms(clock)
        labels = {"agreement": clock.agreement, "promise": clock.rule, "subject": self.subject}
        elapsed = due = -1
        if of is not None:
            labels["metric"] = of.rule.metric
            elapsed = clocks.elapsed_at(clock, at_ms, of.calendar)
            # A stopped clock has no due instant any more, but its reader wants to know which one it missed.
            due = clock.due_ms or -1
        for name in ("customer", "service"):
            if name in self.attributes:
                labels[name] = str(self.attributes[name])
        details = tuple([(name, str(self.attributes[name])) for name in DETAILS if name in self.attributes])
        threshold = reason if state == "at_risk" else ""
        return Alert(
            alert_id(key, state, threshold, clock.ordinal), key, state, at_ms, reason, clock.version, labels,
            start_ms=clock.start_ms, due_ms=due, budget_ms=clock.budget_ms, elapsed_ms=elapsed,
            wall_ms=max(0, at_ms - clock.start_ms), details=details,
        )  # fmt: skip


def step(
    subject: Subject,
    subject_id: str,
    row: SubjectRow | None,
    new: Sequence[Fact],
    now_ms: int,
    plan: Plan,
    retention_ms: int,
) -> Step:
    """Return what new facts and the time make of a subject.

    Args:
        subject: the kind of the subject.
        subject_id: its id.
        row: what is known of it so far; None for a new one.
        new: facts, in any order, repeats included; none when only its time has come.
        now_ms: the instant up to which deadlines are judged. While a partition catches up this is its watermark.
        plan: the agreements.
        retention_ms: how long after its last fact a finished subject is kept, for reopenings and late facts.
    """
    row = row or EMPTY
    entry = enter(row.facts, new)
    attributes, redecided = _attributes(row, entry, plan)
    folding = Folding(subject, subject_id, plan, attributes)
    if redecided or entry.inserted or row.stamp != plan.book.stamp:
        for index in range(len(entry.facts)):
            folding.apply(entry.facts, index)
        folding.until(now_ms)
        cause_ms = max((fact.time_ms for fact in (*entry.inserted, *entry.appended)), default=now_ms)
        alerts = _difference(folding, row.clocks, cause_ms)
    else:
        folding.clocks = row.clocks.copy()
        for index in range(len(entry.facts) - len(entry.appended), len(entry.facts)):
            folding.apply(entry.facts, index)
        folding.until(now_ms)
        alerts = [folding.alert(*told) for told in folding.told]
    shown, wake_ms = _shown(folding, entry.facts, now_ms)
    changes = _changes(row, folding, shown, plan)
    ended_ms = 0
    if all(clock.state not in OPEN for clock in folding.clocks) and all(change.at_ms != LIVE for change in shown):
        ended_ms = entry.facts[-1].time_ms if entry.facts else now_ms
        wake_ms = ended_ms + retention_ms
        if wake_ms <= now_ms and not new:
            return Step(None, alerts, changes, entry.rejected, entry.repeats)
    for clock in folding.clocks:
        if clock.next_ms and (not wake_ms or clock.next_ms < wake_ms):
            wake_ms = clock.next_ms
    kept = SubjectRow(
        SUBJECT_ROW_VERSION, wake_ms, plan.book.stamp, entry.facts, attributes, folding.clocks, shown, ended_ms
    )
    return Step(kept, alerts, changes, entry.rejected, entry.repeats)


def _attributes(row: SubjectRow, entry: Entry, plan: Plan) -> tuple[dict[str, Value], bool]:
    """Return the newest attributes, and whether they decide anew what a known subject is promised."""
    if entry.inserted:
        return attributes_of(entry.facts), True
    attributes = row.attributes.copy()
    redecided = False
    for fact in entry.appended:
        for name, value in fact.attributes.items():
            if name not in attributes or attributes[name] != value:
                attributes[name] = value
                redecided = redecided or (name in plan.book.deciding and bool(row.clocks))
    return attributes, redecided


def _difference(folding: Folding, before: Sequence[Clock], cause_ms: int) -> list[Alert]:
    """Return the announcements that lead from what was announced of the old clocks to what holds of the new ones."""
    old = {_identity(clock): clock for clock in before}
    told: dict[ClockId, list[Told]] = {}
    for one in folding.told:
        told.setdefault(_identity(one[0]), []).append(one)
    alerts: list[Alert] = []
    for index, clock in enumerate(folding.clocks):
        was = old.pop(_identity(clock), None)
        said = told.get(_identity(clock), [])
        if was is None:
            alerts.extend(folding.alert(*one) for one in said)
        else:
            folding.clocks[index], found = _corrected(folding, was, clock, said, cause_ms)
            alerts.extend(found)
    alerts.extend(
        folding.alert(clock, "voided", cause_ms, "agreement_changed")
        for clock in old.values()
        if clock.breach_told or (clock.told and clock.state in OPEN)
    )
    return alerts


def _corrected(
    folding: Folding, was: Clock, clock: Clock, said: Sequence[Told], cause_ms: int
) -> tuple[Clock, list[Alert]]:
    """Return a clock that was folded again, and what must be announced so that all that was said of it is true."""
    ended = was.state not in OPEN and bool(was.told or was.breach_told)
    down = _taken_back(was, clock, cause_ms)
    risks = [one for one in said if one[1] == "at_risk"][was.told :]
    ups = risks + [one for one in said if one[1] == "breached" and not was.breach_told]
    # Once something was taken back, or begins again after its end, the ids of what follows must be new ones.
    clock = clock._replace(ordinal=was.ordinal + (down is not None or (ended and bool(ups))))
    announce = [] if down is None else [down]
    announce += [one[1:] for one in ups]
    if clock.state not in OPEN and (ups or not ended) and (down is None or down[0] == "rearmed"):
        announce += [one[1:] for one in said if one[1] in ("resolved", "voided")]
    return clock, [folding.alert(clock, *one) for one in announce]


def _taken_back(was: Clock, clock: Clock, cause_ms: int) -> tuple[AlertState, int, str] | None:
    """Return how an announcement is taken back that holds no more.

    A late fact that proves that the promise was kept voids its breach; a due instant that moved later re-arms.
    """
    if was.breach_told and not clock.breach_told:
        if clock.state in OPEN:
            return "rearmed", cause_ms, "due_moved"
        return "voided", clock.stop_ms, "cancelled" if clock.state == "cancelled" else "stopped_in_time"
    if was.told > clock.told and was.state in OPEN:
        if clock.state in OPEN:
            return "rearmed", cause_ms, "due_moved"
        if clock.state == "cancelled":
            return "voided", clock.stop_ms, "cancelled"
        return "resolved", clock.stop_ms, "stopped_in_time"
    return None


def _identity(clock: Clock) -> ClockId:
    return clock.agreement, clock.rule, clock.cycle


def _shown(folding: Folding, facts: Sequence[Fact], now_ms: int) -> tuple[list[Change], int]:
    """Return what a call or an outage has in its series now, and when that changes by itself."""
    if folding.subject not in ("call", "outage") or not facts:
        return [], 0
    shown: list[Change] = []
    wake_ms = 0
    for agreement in folding.plan.book.in_force(folding.attributes, facts[0].time_ms):
        measures = agreement.calls if folding.subject == "call" else agreement.outages
        for rule in measures:
            if not rule.where.matches(folding.attributes):
                continue
            values = tuple([str(folding.attributes.get(name, "")) for name in rule.by])
            series = SeriesKey(agreement.id, rule.id, values)
            if isinstance(rule, CallRule):
                changes, at_ms = call_changes(folding.subject_id, facts, rule, series, now_ms)
                shown.extend(changes)
                wake_ms = min(wake_ms or at_ms, at_ms or wake_ms)
            elif isinstance(rule, OutageRule):
                shown.extend(outage_changes(folding.subject_id, facts, rule, series))
    return shown, wake_ms


def shown_by(clock: Clock) -> Change | None:
    """Return what a clock has in its series: while it is open in the live pane, once stopped at its stop instant."""
    series = SeriesKey(clock.agreement, clock.rule, clock.values)
    if clock.state == "stopped":
        outcome = "breached" if clocks.is_breached(clock) else "met"
        counts: tuple[tuple[str, int], ...] = (
            (outcome, 1), ("elapsed_ms", clock.elapsed_ms), ("wall_ms", clocks.wall_ms(clock)),
        )  # fmt: skip
        if clock.flagged:
            counts = (*counts, ("flagged", 1))
        return Change(series, clock.stop_ms, counts, clock.elapsed_ms)
    if clock.state == "cancelled":
        return None
    counts = (("open", 1),)
    if clock.state == "paused":
        counts = (("open", 1), ("paused", 1))
    if clock.breach_told:
        counts = (*counts, ("overdue", 1))
    elif clock.told:
        counts = (*counts, ("at_risk", 1))
    return Change(series, LIVE, counts)


def _changes(row: SubjectRow, folding: Folding, shown: list[Change], plan: Plan) -> list[Change]:
    """Return what leads from the old row's place in the series to the new one's: the old out, the new in."""
    changes: list[Change] = []
    if row.clocks is not folding.clocks:
        old = _shown_by_clocks(row.clocks, plan)
        new = _shown_by_clocks(folding.clocks, plan)
        _replace(changes, old, new)
    if row.shown or shown:
        _replace(changes, row.shown, shown)
    return changes


def _replace(changes: list[Change], old: list[Change], new: list[Change]) -> None:
    if old == new:
        return
    changes.extend(change.undone() for change in old if change not in new)
    changes.extend(change for change in new if change not in old)


def _shown_by_clocks(all_clocks: Sequence[Clock], plan: Plan) -> list[Change]:
    shown = []
    last = {(clock.agreement, clock.rule): clock.cycle for clock in all_clocks}
    for clock in all_clocks:
        if clock.state == "stopped" and clock.cycle != last[clock.agreement, clock.rule]:
            of = plan.terms(clock)
            if of is not None and of.rule.cycles == "last":
                continue  # only the last cycle counts
        change = shown_by(clock)
        if change is not None:
            shown.append(change)
    return shown
