"""The fold of one subject: facts move its clocks, and what was announced is kept true.

A fact that is newer than all before it is applied to the clocks as they are. An older one, one that changes what the
subject is promised (its priority, say), one that may disprove what was told, or another book of agreements folds the
whole ledger again and announces the difference to what was announced before: nothing is erased silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from monitor.core import clock as clocks
from monitor.core.alerts import Alert, AlertKey, AlertState, alert_id
from monitor.core.course import Course
from monitor.core.driven import applied, begun, late_promises, retargeted
from monitor.core.events import Fact, Subject
from monitor.core.explanation import stretches_of
from monitor.core.ledger import Rejected, attributes_of, enter
from monitor.core.plan import RESTARTS, STARTS, Plan
from monitor.core.reporting import completed, may_start
from monitor.core.rows import OPEN, Clock, SubjectRow
from monitor.core.starting import clocks_started
from monitor.core.stretches import newest
from monitor.core.supporting import missed_under

Told = tuple[Clock, AlertState, int, str]
"""What a clock told: itself at that moment, the state, the instant, the reason."""

Word = tuple[AlertState, int, str]
"""The state, the instant and the reason of an announcement."""

DETAILS: Final = ("customer", "service", "priority", "team", "agent", "queue", "severity", "channel")
"""The attributes that may change while an alert lives: they go into its details, never into its labels."""


class Folding:
    """One subject while facts and time are applied to it: its ledger, attributes and clocks, and its announcements.

    The row that it starts from is not changed.
    """

    __slots__ = (
        "_course", "_followed", "_noted", "alerts", "attributes", "clocks", "facts", "gone", "plan", "rejected",
        "repeats", "subject", "subject_id",
    )  # fmt: skip

    def __init__(self, subject: Subject, subject_id: str, plan: Plan, row: SubjectRow) -> None:
        self.subject = subject
        self.subject_id = subject_id
        self.plan = plan
        self.facts = row.facts.copy()
        self.attributes = row.known()
        self.clocks = row.clocks.copy()
        self.gone = row.gone
        self.alerts: list[Alert] = []
        self.rejected: list[Rejected] = []
        self.repeats = 0
        self._course: Course | None = None
        """Where the subject stands after the first ``_followed`` facts; None: nobody needs to know."""
        self._followed = 0
        self._noted: list[Told] | None = None
        """While the ledger is folded again: what its clocks tell, to be compared with what was announced."""

    def take(self, fact: Fact) -> None:
        """Take one fact, in the order of arrival: so that no batch boundary changes what is announced."""
        place = enter(self.facts, fact)
        if isinstance(place, Rejected):
            self.rejected.append(place)
        elif place is None:
            self.repeats += 1
        elif place < len(self.facts) - 1:
            self.attributes = attributes_of(self.facts)
            self.again(fact.time_ms)
        elif self._redecides(fact):
            self.until(fact.time_ms)
            self.again(fact.time_ms)
        elif self._is_belated(fact):
            self.again(fact.time_ms)
        else:
            self._apply(place)

    def until(self, now_ms: int) -> None:
        """Tell what came due up to now."""
        for index, clock in enumerate(self.clocks):
            if clock.next_ms and clock.next_ms <= now_ms:
                of = self.plan.terms(clock)
                if of is not None:
                    self.clocks[index] = self._pass_thresholds(clock, now_ms, of)

    def again(self, cause_ms: int) -> None:
        """Fold the whole ledger again and announce the difference to what was announced before.

        ``cause_ms`` is when what caused it happened.
        """
        before, self.clocks, self._noted = [*self.gone, *self.clocks], [], []
        self._course = None
        for place in range(len(self.facts)):
            self._apply(place)
        self._pass_what_was_told(before)
        noted, self._noted = self._noted, None
        self._announce_difference(before, noted, cause_ms)

    def _pass_what_was_told(self, before: Sequence[Clock]) -> None:
        """Bring clocks that still run as far as they were judged before: the last fact may be older than that."""
        told_ms = {}
        for was in before:
            of = self.plan.terms(was)
            if of is not None and was.state == "running" and (was.told or was.breached_ms):
                told_ms[_identity(was)] = clocks.told_until_ms(was, of)
        for index, clock in enumerate(self.clocks):
            until_ms = told_ms.get(_identity(clock), 0)
            of = self.plan.terms(clock)
            if of is not None and clock.next_ms and clock.next_ms <= until_ms:
                self.clocks[index] = self._pass_thresholds(clock, until_ms, of)

    def _redecides(self, fact: Fact) -> bool:
        """Take over a fact's attributes; return whether they change what a known subject is promised."""
        known, brought = self.attributes, fact.attributes
        if not known and not self.clocks:
            self.attributes = brought
            return False
        if brought.items() <= known.items():
            return False
        self.attributes = {**known, **brought}
        if self.clocks or self.plan.book.requires:
            deciding = self.plan.book.deciding
            for name, value in brought.items():
                if name in deciding and known.get(name) != value:
                    return True
        return False

    def _is_belated(self, fact: Fact) -> bool:
        """Return whether a fact happened before something that was told already: then it may disprove it."""
        for clock in self.clocks:
            if clock.since_ms > fact.time_ms and clock.state in OPEN and clock.extra:
                return True  # a capped pause has ended since
            if clock.state == "running" and (clock.told or clock.breached_ms):
                of = self.plan.terms(clock)
                if of is not None:
                    told_ms = clock.budget_ms if clock.breached_ms else of.thresholds[clock.told - 1].elapsed_ms
                    if clocks.elapsed_at(clock, fact.time_ms, of.calendar) < told_ms:
                        return True
        return False

    def _apply(self, place: int) -> None:
        """Apply the fact at a place of the ledger to all clocks."""
        fact = self.facts[place]
        course = self._course_at(place) if self.subject in self.plan.followed else None
        for index, clock in enumerate(self.clocks):
            if clock.state == "cancelled":
                continue
            of = self.plan.terms(clock)
            if of is None:
                continue
            if clock.next_ms and clock.next_ms <= fact.time_ms:
                clock = self._pass_thresholds(clock, fact.time_ms, of)  # noqa: PLW2901 - the same clock, one step on
            after = clocks.apply(clock, fact, of) if course is None else self._follow(clock, fact, of, course)
            self.clocks[index] = after
            if after is not clock and after.state not in OPEN:
                self._end(after)
        kind = fact.type
        if kind in STARTS[self.subject]:
            self._start(fact, self.facts[:place], course)
        elif kind in RESTARTS[self.subject]:
            self._restart(fact)
        if self.plan.book.requires:
            self.clocks += completed(self.subject, self.facts[: place + 1], self.attributes, self.plan, self.clocks)
        if course is not None:
            self._begin(self.facts[: place + 1], course)

    def _course_at(self, place: int) -> Course:
        """Return where the subject stands after the fact at a place."""
        course = self._course
        if course is None or self._followed != place:
            course = self._course = Course(self.facts[:place])
        course.advance(self.facts[place])
        self._followed = place + 1
        return course

    def _follow(self, clock: Clock, fact: Fact, of: clocks.Terms, course: Course) -> Clock:
        """Return a clock after a fact that leaves its subject where it stands on its course.

        With the target of another priority, what was told and holds no more is told anew.
        """
        if not of.metric.course:
            clock = clocks.apply(clock, fact, of)
        elif clock.state in OPEN:
            clock = applied(clock, fact, of, course)
        if clock.state not in OPEN or not course.changed_priority or of.rule.on_change == "retroactive":
            return clock
        after = retargeted(clock, fact.time_ms, of, course, self.plan)
        if after.ordinal != clock.ordinal:
            self._tell(clock, "rearmed", fact.time_ms, "due_moved")
        return after

    def _begin(self, facts: Sequence[Fact], course: Course) -> None:
        """Begin the clocks that the newest of these facts begins, as it leaves the subject."""
        if facts[-1].type in self.plan.touching[self.subject] or self.plan.book.requires:
            for place, clock in list(begun(facts, self.attributes, course, self.clocks, self.plan, self.subject)):
                if place < 0:
                    self._enter(clock)
                else:
                    self.clocks[place] = clock
        if course.changed_priority:
            for clock in list(late_promises(facts, self.attributes, course, self.clocks, self.plan, self.subject)):
                self._enter(clock)

    def _enter(self, clock: Clock) -> None:
        """Take a clock that has just started; one that has been there before goes on with its ordinals."""
        if self.gone and self._noted is None:
            for was in self.gone:
                if _identity(was) == _identity(clock):
                    clock = clock._replace(ordinal=was.ordinal + bool(was.told or was.breached_ms))
            self.gone = tuple([one for one in self.gone if _identity(one) != _identity(clock)])
        self.clocks.append(clock)

    def _start(self, fact: Fact, before: Sequence[Fact], course: Course | None) -> None:
        """Start the clocks that were promised for the subject and do not exist yet."""
        existing = {clock.series[:2] for clock in self.clocks}
        then = None if course is None else course.priority
        for clock, of in clocks_started(self.subject, fact, self.attributes, self.plan, then):
            if clock.series[:2] not in existing and may_start(of, [*before, fact]):
                self._enter(clocks.started_late(clock, before, of) if before else clock)

    def _restart(self, fact: Fact) -> None:
        """Begin the next cycle of each stopped clock that this fact restarts."""
        last = {clock.series[:2]: clock for clock in self.clocks}
        for clock in last.values():
            of = self.plan.terms(clock)
            if of is None or clock.state != "stopped" or fact.type not in of.metric.restart:
                continue
            if of.rule.cycles not in ("each", "last"):
                continue
            # The new cycle is a new promise: the version that holds now, with today's budget.
            agreement = self.plan.book.version(clock.series.agreement, fact.time_ms) or of.agreement
            rule = next((one for one in agreement.clocks if one.id == of.rule.id), of.rule)
            is_followed = self._course is not None and rule.on_change != "retroactive"
            priority = self._course.priority if self._course and is_followed else self.attributes.get("priority")
            now = self.plan.terms_for(agreement, rule, priority, fact.time_ms)
            if now is not None:
                cycle = clock.cycle + 1
                self._enter(clocks.start(agreement, rule, fact.time_ms, cycle, self.attributes, now))

    def _pass_thresholds(self, clock: Clock, until_ms: int, of: clocks.Terms) -> Clock:
        """Tell what a clock gets past up to an instant."""
        clock, passed = clocks.passed(clock, until_ms, of)
        for threshold, at_ms in passed:
            if threshold < len(of.thresholds):
                self._tell(clock, "at_risk", at_ms, of.thresholds[threshold].reason)
            else:
                self._tell(clock, "breached", at_ms, "due")
        return clock

    def _end(self, clock: Clock) -> None:
        """Tell the end of a clock of which anything was told before."""
        if not clock.told and not clock.breached_ms:
            return
        if clock.state == "cancelled":
            self._tell(clock, "voided", clock.stop_ms, "cancelled")
        else:
            self._tell(clock, "resolved", clock.stop_ms, "stopped" if clock.breached_ms else "stopped_in_time")

    def _tell(self, clock: Clock, state: AlertState, at_ms: int, reason: str) -> None:
        if self._noted is None:
            self._announce(clock, state, at_ms, reason)
        else:
            self._noted.append((clock, state, at_ms, reason))

    def _announce(self, clock: Clock, state: AlertState, at_ms: int, reason: str) -> None:
        key = AlertKey(self.subject, self.subject_id, *clock.series[:2], clock.cycle)
        of = self.plan.terms(clock)
        labels = {"agreement": key.agreement, "promise": key.promise, "subject": self.subject}
        elapsed_ms = due_ms = -1
        stretches = None
        if of is not None:
            stretches = newest(stretches_of(self.facts, clock, of, at_ms))
            labels["metric"] = of.rule.metric
            elapsed_ms = clocks.elapsed_at(clock, at_ms, of.calendar)
            due_ms = clocks.due_or_missed_ms(clock, of.calendar)
        for fact in self.facts:
            if fact.time_ms > clock.start_ms:
                break  # what a subject is called later goes into the details: labels never change during a life
            for name in ("customer", "service"):
                if name in fact.attributes:
                    labels[name] = str(fact.attributes[name])
        self.alerts.append(
            Alert(
                alert_id(key, state, reason if state == "at_risk" else "", clock.ordinal),
                key,
                state,
                at_ms,
                reason,
                clock.version,
                labels,
                clock.start_ms,
                due_ms,
                clock.budget_ms,
                elapsed_ms,
                clocks.wall_at(clock, at_ms, of) if of else max(0, at_ms - clock.start_ms),
                details=tuple([(name, str(self.attributes[name])) for name in DETAILS if name in self.attributes]),
                stretches=stretches,
                supporting=missed_under(clock, at_ms, self.clocks, self.plan) if state == "breached" else (),
            )
        )

    def _announce_difference(self, before: Sequence[Clock], noted: Sequence[Told], cause_ms: int) -> None:
        """Announce what leads from what was announced of the old clocks to what holds of the new ones."""
        old = {_identity(clock): clock for clock in before}
        for index, clock in enumerate(self.clocks):
            was = old.pop(_identity(clock), None)
            said = [one for one in noted if _identity(one[0]) == _identity(clock)]
            # A warning that another target in mid-life gave once more is one warning.
            said = list({(one[0].ordinal, one[1], one[3]): one for one in said}.values())
            if was is None:
                for told in said:
                    self._announce(*told)
                continue
            # A summed clock that was reopened has lived before; only its present life can need correction.
            said = [one for one in said if one[0].ordinal == clock.ordinal]
            down, announce = _corrections(was, clock, said, cause_ms, self._warned(was), self._warned(clock))
            if down is not None:
                self._announce(clock._replace(ordinal=was.ordinal), *down)
            # Once something was taken back, or begins again after its end, the ids of what follows are new ones.
            anew = down is not None or (_has_ended(was) and (bool(announce) or not _has_ended(clock)))
            self.clocks[index] = after = clock._replace(ordinal=was.ordinal + anew)
            for word in announce:
                self._announce(after, *word)
        for clock in old.values():
            if clock.state != "cancelled" and (clock.breached_ms or (clock.told and clock.state in OPEN)):
                of = self.plan.terms(clock)
                self._announce(
                    clock, "voided", cause_ms, "never_began" if of and of.metric.course else "agreement_changed"
                )
        self.gone = tuple([
            one._replace(state="cancelled") for one in old.values() if one.told or one.breached_ms or one.ordinal
        ])  # fmt: skip

    def _warned(self, clock: Clock) -> frozenset[str]:
        """Return the reasons of the warnings that a clock told: their order differs with the budget."""
        of = self.plan.terms(clock)
        return frozenset(one.reason for one in of.thresholds[: clock.told]) if of is not None else frozenset()


def _corrections(
    was: Clock, clock: Clock, said: Sequence[Told], cause_ms: int, warned: frozenset[str], now_warned: frozenset[str]
) -> tuple[Word | None, list[Word]]:
    """Return what must be taken back of a re-folded clock, and what announced, so that all that was said is true."""
    if _has_ended(was) and was.state == "stopped" and clock.state == "cancelled":
        # The last word of a cancelled clock is that it is void, also where its end was told before.
        return ("voided", clock.stop_ms, "cancelled"), []
    if _has_ended(was) and (was.state == "cancelled" or clock.state in OPEN):
        # All of it is over: nothing is left to be taken back, and what holds after all is said anew.
        return None, [] if was.state == clock.state else [one[1:] for one in said]
    down = _taken_back(was, clock, cause_ms, is_less=not warned <= now_warned)
    if down is not None and down[0] == "rearmed":
        warned = frozenset()  # the page is over: the warnings that still hold are told anew
    ups = [one[1:] for one in said if one[1] == "at_risk" and one[3] not in warned]
    ups += [one[1:] for one in said if one[1] == "breached" and not was.breached_ms]
    if clock.state not in OPEN and (ups or not _has_ended(was)) and (down is None or down[0] == "rearmed"):
        ups += [one[1:] for one in said if one[1] in ("resolved", "voided")]
    return down, ups


def _has_ended(clock: Clock) -> bool:
    """Return whether something was announced of a clock, and its end too."""
    return clock.state not in OPEN and bool(clock.told or clock.breached_ms)


def _taken_back(was: Clock, clock: Clock, cause_ms: int, *, is_less: bool) -> Word | None:
    """Return how an announcement is taken back that holds no more.

    A late fact that proves that the promise was kept voids its breach; a due instant that moved later re-arms.
    """
    if was.breached_ms and not clock.breached_ms:
        if clock.state in OPEN:
            return "rearmed", cause_ms, "due_moved"
        return "voided", clock.stop_ms, "cancelled" if clock.state == "cancelled" else "stopped_in_time"
    if is_less and was.state in OPEN:
        if clock.state in OPEN:
            return "rearmed", cause_ms, "due_moved"
        if clock.state == "cancelled":
            return "voided", clock.stop_ms, "cancelled"
        return "resolved", clock.stop_ms, "stopped_in_time"
    return None


def _identity(clock: Clock) -> tuple[str, str, int]:
    return clock.series.agreement, clock.series.measure, clock.cycle
