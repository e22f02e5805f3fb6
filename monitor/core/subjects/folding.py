"""The fold of one subject: facts move its clocks, and corrections keep its announcements true.

A fact that is newer than all before it is applied to the clocks as they are. The whole ledger is folded again for an
older fact, for one that changes the subject's promises (its priority, say), for one that may disprove an announcement,
and for another book of agreements. Then the differences to the earlier announcements are announced: nothing is erased
silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from monitor.core.alerts.alert import Alert, AlertState
from monitor.core.clocks import clock as clocks
from monitor.core.clocks.announcing import announcement
from monitor.core.clocks.clock_value import OPEN, Clock
from monitor.core.clocks.corrections import Told, difference, identity, told_until, warned
from monitor.core.clocks.due import dated, due_in, is_belated
from monitor.core.clocks.reporting import Reported, completed, may_start
from monitor.core.clocks.starting import clocks_started
from monitor.core.clocks.stretches import Life, life_of
from monitor.core.clocks.supporting import Misses
from monitor.core.clocks.terms import RESTARTS, STARTS, Plan
from monitor.core.clocks.ticket_state import Course
from monitor.core.clocks.ticket_state_clocks import applied, begun, late_promises, retargeted
from monitor.core.facts.events import Fact, Subject, Value
from monitor.core.facts.ledger import Rejected, attributes_of, enter
from monitor.core.pieces import Pieces
from monitor.core.subjects.rewriting import Rewriting, as_of, may_rewrite, rewritten
from monitor.core.subjects.rows import SubjectRow

MOST_AGAIN: Final = 10_000
"""The applications of facts to clocks that a step may spend on folding the ledger again for each late fact. Its other
late facts are announced together: a thousand facts in reverse order would cost half a million of them."""

_FEW: Final = 8  # facts of one subject that are taken without a pause between them
_AT_ONCE: Final = 8  # facts applied again, or clocks compared, between two pauses


class Folding:
    """One subject while facts and time are applied to it: its ledger, attributes and clocks, and its announcements.

    The row that it starts from is not changed.
    """

    __slots__ = (
        "_before", "_by_id", "_cause_ms", "_course", "_followed", "_last", "_left", "_misses", "_noted", "_place",
        "_reported", "_reported_to", "alerts", "attributes", "clocks", "disordered", "facts", "gone", "plan",
        "rejected", "repeats", "rewritten", "subject", "subject_id", "together",
    )  # fmt: skip

    def __init__(self, subject: Subject, subject_id: str, plan: Plan, row: SubjectRow, most: int | None = None) -> None:
        self.subject = subject
        self.subject_id = subject_id
        self.plan = plan
        self.facts = row.facts.copy()
        self._by_id: dict[str, Fact] | None = None
        """Only while many facts are taken."""
        self.attributes = row.known()
        self.clocks = row.clocks.copy()
        self.gone = row.gone
        self.alerts: list[Alert] = []
        self.rejected: list[Rejected] = []
        self.repeats = 0
        self.together = 0  # late facts that were announced together and not one by one
        self.rewritten: list[Rewriting] = []
        self.disordered = False
        self._before: list[Clock] | None = None  # the clocks just before a fact that may rewrite what they counted
        self._left = MOST_AGAIN if most is None else most
        self._place = -1  # of the newest fact that was applied
        self._cause_ms: int | None = None
        """Set while the ledger waits to be folded again: the instant of the newest fact that made it necessary."""
        self._last = {clock.series[:2]: place for place, clock in enumerate(self.clocks)}
        """The place of each rule's last clock: the only clock of the rule that may be open, or be opened again."""
        self._misses = Misses(self.clocks, plan)
        self._reported: dict[str, Value] = {}
        """The attributes of the first ``_reported_to`` facts; only kept if agreements require fields of a report."""
        self._reported_to = 0
        self._course: Course | None = None
        """The ticket's state after the first ``_followed`` facts; None: no clock needs it."""
        self._followed = 0
        self._noted: list[Told] | None = None
        """Set while the ledger is folded again: its clocks' transitions, to be compared with earlier announcements."""

    def taking(self, new: Sequence[Fact]) -> Pieces[None]:
        """Take all facts of a step; if they are many, pause between them."""
        if len(new) > _FEW:
            self._by_id = {fact.id: fact for fact in self.facts}
        for place, fact in enumerate(new):
            cause_ms = self._take(fact)
            if cause_ms is not None:
                yield from self.again(cause_ms)
            if self._before is not None:
                self.rewritten += rewritten(fact.time_ms, self._before, self.clocks, self.plan)
                self._before = None
            if place >= _FEW:
                yield
        yield from self._settle()

    def _take(self, fact: Fact) -> int | None:
        """Take one fact, in the order of arrival, so that no batch boundary changes the announcements.

        Once `MOST_AGAIN` is spent, the effects of the step's other late facts are announced together (`_settle`). The
        final state is the same; an alert that would have been announced and taken back in between is not announced.
        Return the instant of the fact if the ledger must be folded again before the next one, else None.
        """
        place = enter(self.facts, fact, self._by_id)
        if isinstance(place, Rejected):
            self.rejected.append(place)
        elif place is None:
            self.repeats += 1
        elif place < len(self.facts) - 1:
            self.disordered = True
            if self._left > 0:
                self.attributes = attributes_of(self.facts)
            return self._soon(fact)
        elif self._cause_ms is None:  # else it is applied with all others
            redecides = self._redecides(fact)
            if self.clocks and (redecides or may_rewrite(self.subject, (fact,), self.plan)):
                self._before = as_of(self.clocks, fact.time_ms, self.plan)
            if redecides:
                self.until(fact.time_ms)
                return self._soon(fact)
            if is_belated([self.clocks[place] for place in self._last.values()], fact, self.plan):
                return self._soon(fact)
            self._apply(place)
        return None

    def _soon(self, fact: Fact) -> int | None:
        """Return the instant of a fact that needs a new fold; None if the work is spent and the fold is put off."""
        if self._left > 0:
            return fact.time_ms
        self.together += 1
        self.disordered = True
        self._cause_ms = max(self._cause_ms or 0, fact.time_ms)
        return None

    def _settle(self) -> Pieces[None]:
        """Fold the ledger again if that was put off. Called once all facts are taken."""
        if self._cause_ms is not None:
            cause_ms, self._cause_ms = self._cause_ms, None
            self.attributes = attributes_of(self.facts)
            yield from self.again(cause_ms)

    def until(self, now_ms: int) -> None:
        """Announce the warnings and breaches that came due up to an instant."""
        for index, clock in enumerate(self.clocks):
            if clock.next_ms and clock.next_ms <= now_ms:
                of = self.plan.terms(clock)
                if of is not None:
                    self.clocks[index] = self._pass_thresholds(clock, now_ms, of)

    def again(self, cause_ms: int) -> Pieces[None]:
        """Fold the whole ledger again, in pieces, and announce the differences to the earlier announcements.

        ``cause_ms`` is the instant of the fact or change that made it necessary. The row that the step started from
        stays as it was until the fold is done, so a fold that is cut off between two pieces has changed nothing.
        """
        before, self.clocks, self._noted = [*self.gone, *self.clocks], [], []
        self._course, self._misses = None, Misses(self.clocks, self.plan)
        self._last, self._reported, self._reported_to = {}, {}, 0
        starts, told = STARTS[self.subject], len(self.alerts)
        if before or any(fact.type in starts for fact in self.facts):
            for place in range(len(self.facts)):
                self._apply(place)
                if place % _AT_ONCE == _AT_ONCE - 1:
                    yield
            self._left -= len(self.facts)
        self._pass_what_was_told(before)
        noted, self._noted = self._noted, None
        yield from self._announce_difference(before, noted, cause_ms)
        self._left -= len(self.facts) * (len(self._last) + len(self.alerts) - told)

    def _pass_what_was_told(self, before: Sequence[Clock]) -> None:
        """Bring running clocks up to the instant of their last announcement: the last fact may be older than that."""
        told_ms = told_until(before, self.plan)
        for index, clock in enumerate(self.clocks):
            until_ms = told_ms.get(identity(clock), 0)
            of = self.plan.terms(clock)
            if of is not None and clock.next_ms and clock.next_ms <= until_ms:
                self.clocks[index] = self._pass_thresholds(clock, until_ms, of)

    def _redecides(self, fact: Fact) -> bool:
        """Take over a fact's attributes; return whether they change the promises of a subject that is known already."""
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

    def _apply(self, place: int) -> None:
        """Apply the fact at a place of the ledger to all clocks."""
        fact, self._place = self.facts[place], place
        course = self._course_at(place) if self.subject in self.plan.followed else None
        reported = self._reported_at(place) if self.plan.book.requires else None
        for index in sorted(self._last.values()):
            clock = self.clocks[index]
            if clock.state == "cancelled":
                continue
            of = self.plan.terms(clock)
            if of is None:
                continue
            if clock.next_ms and clock.next_ms <= fact.time_ms:
                clock = self._pass_thresholds(clock, fact.time_ms, of)
            after = self._after(clock, fact, of, course)
            self.clocks[index] = after
            if after is not clock and after.state not in OPEN:
                self._end(after)
        kind = fact.type
        if kind in STARTS[self.subject]:
            self._start(fact, self.facts[:place], course, reported)
        elif kind in RESTARTS[self.subject]:
            self._restart(fact)
        if reported is not None:
            self._complete(self.facts[: place + 1], reported)
        if course is not None:
            self._begin(self.facts[: place + 1], course, reported)

    def _complete(self, facts: Sequence[Fact], reported: Reported) -> None:
        """Start the clocks that waited for required fields which the newest of these facts brings."""
        for clock in completed(self.subject, facts, reported, self.attributes, self.plan, self._last):
            self._append(clock)

    def _reported_at(self, place: int) -> Reported:
        """Return the attributes that the facts have brought before the fact at a place, and including it."""
        if self._reported_to != place:
            self._reported = attributes_of(self.facts[:place])
        before = self._reported
        self._reported, self._reported_to = {**before, **self.facts[place].attributes}, place + 1
        return Reported(before, self._reported)

    def _course_at(self, place: int) -> Course:
        """Return the state of the ticket after the fact at a place."""
        course = self._course
        if course is None or self._followed != place:
            course = self._course = Course(self.facts[:place])
        course.advance(self.facts[place])
        self._followed = place + 1
        return course

    def _after(self, clock: Clock, fact: Fact, of: clocks.Terms, course: Course | None) -> Clock:
        """Return a clock after a fact, with the due instant that the fact brings."""
        if of.rule.due_at not in fact.attributes:
            return self._follow(clock, fact, of, course)
        clock, of = self._redated(clock, [fact], fact.time_ms, of)
        after = self._follow(clock, fact, of, course)
        if after.state == "stopped" and 0 < clock.next_ms <= fact.time_ms:
            # It is stopped by the very fact that says that it was due before.
            after = self._follow(self._pass_thresholds(clock, fact.time_ms, of), fact, of, course)
        return after

    def _follow(self, clock: Clock, fact: Fact, of: clocks.Terms, course: Course | None) -> Clock:
        """Return a clock after a fact, given the ticket's state after that fact, if any clock needs it.

        If the fact brings another priority's target, by which a warning no longer holds, the clock is rearmed.
        """
        if course is None or not of.metric.course:
            clock = clocks.apply(clock, fact, of)
        elif clock.state in OPEN:
            clock = applied(clock, fact, of, course)
        is_kept = clock.state not in OPEN or of.rule.on_change == "retroactive"
        if course is None or is_kept or not course.changed_priority:
            return clock
        after = retargeted(clock, fact.time_ms, of, course, self.plan)
        if after.ordinal != clock.ordinal:
            self._tell(clock, "rearmed", fact.time_ms, "due_moved")
        return after

    def _begin(self, facts: Sequence[Fact], course: Course, reported: Reported | None) -> None:
        """Begin the clocks that run in the state of the ticket after the newest of these facts."""
        of_these = facts, self.attributes, course
        if facts[-1].type in self.plan.touching[self.subject] or reported is not None:
            last = {rule: (place, self.clocks[place]) for rule, place in self._last.items()}
            for place, clock in list(begun(*of_these, last, self.plan, self.subject, reported)):
                if place < 0:
                    self._enter(clock)
                else:
                    self.clocks[place] = clock
        if course.changed_priority:
            for clock in list(late_promises(*of_these, self._last, self.plan, self.subject, reported)):
                self._enter(clock)

    def _enter(self, clock: Clock) -> None:
        """Add a clock that has just started; one that was undone and comes back continues the count of its ordinals."""
        if self.gone and self._noted is None:
            for was in self.gone:
                if identity(was) == identity(clock):
                    clock = clock._replace(ordinal=was.ordinal + bool(was.told or was.breached_ms))
            self.gone = tuple([one for one in self.gone if identity(one) != identity(clock)])
        self._append(clock)

    def _redated(self, clock: Clock, facts: Sequence[Fact], at_ms: int, of: clocks.Terms) -> tuple[Clock, clocks.Terms]:
        """Return a clock with the due instant that these facts bring, and its terms; announce what that disproves."""
        after = dated(clock, due_in(facts, of.rule.due_at), at_ms, self.plan)
        if after.ordinal != clock.ordinal:
            self._tell(clock, "rearmed", at_ms, "due_moved")
        return after, self.plan.terms(after) or of

    def _append(self, clock: Clock) -> None:
        of = self.plan.terms(clock) if self.plan.dated[self.subject] else None
        if of is not None and of.rule.due_at:
            clock, _ = self._redated(clock, self.facts[: self._place + 1], clock.start_ms, of)
        self._last[clock.series[:2]] = len(self.clocks)
        self.clocks.append(clock)

    def _start(self, fact: Fact, before: Sequence[Fact], course: Course | None, reported: Reported | None) -> None:
        """Start the clocks that were promised for the subject and do not exist yet."""
        existing = self._last.keys()
        then = None if course is None else course.priority
        for clock, of in clocks_started(self.subject, fact, self.attributes, self.plan, then):
            if clock.series[:2] not in existing and may_start(of, reported):
                self._enter(clocks.started_late(clock, before, of) if before else clock)

    def _restart(self, fact: Fact) -> None:
        """Begin the next cycle of each stopped clock that this fact restarts."""
        for clock in [self.clocks[place] for place in self._last.values()]:
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
        """Announce the thresholds that a clock passes up to an instant."""
        clock, passed = clocks.passed(clock, until_ms, of)
        for threshold, at_ms in passed:
            if threshold < len(of.thresholds):
                self._tell(clock, "at_risk", at_ms, of.thresholds[threshold].reason)
            else:
                self._tell(clock, "breached", at_ms, "due")
        return clock

    def _end(self, clock: Clock) -> None:
        """Announce the end of a clock if a warning or breach of it was announced before."""
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

    def _announce(self, clock: Clock, state: AlertState, at_ms: int, reason: str, life: Life | None = None) -> None:
        of_subject = self.subject, self.subject_id, self.facts, self.attributes, self._misses
        self.alerts.append(announcement((clock, state, at_ms, reason), *of_subject, self.plan, life))

    def _announce_difference(self, before: Sequence[Clock], noted: Sequence[Told], cause_ms: int) -> Pieces[None]:
        """Announce the corrections that replace the old clocks' announcements with those of the new clocks."""
        old = {identity(clock): clock for clock in before}
        told_of: dict[tuple[str, str, int], list[Told]] = {}
        for one in noted:
            told_of.setdefault(identity(one[0]), []).append(one)
        for index, clock in enumerate(self.clocks):
            was = old.pop(identity(clock), None)
            said = told_of.get(identity(clock), [])
            # A change of target may give the same warning again: it counts as one.
            said = list({(one[0].ordinal, one[1], one[3]): one for one in said}.values())
            life = life_of(self.facts, clock, self.plan.terms(clock), [at_ms for _, _, at_ms, _ in said])
            if index % _AT_ONCE == _AT_ONCE - 1:
                yield
            if was is None:
                for one in said:
                    self._announce(*one, life)
                continue
            told = warned(was, self.plan), warned(clock, self.plan)
            words, self.clocks[index] = difference(was, clock, said, cause_ms, *told)
            for ordinal, word in words:
                self._announce(clock._replace(ordinal=ordinal), *word, life)
        for clock in old.values():
            if clock.state != "cancelled" and (clock.breached_ms or (clock.told and clock.state in OPEN)):
                of = self.plan.terms(clock)
                self._announce(
                    clock, "voided", cause_ms, "never_began" if of and of.metric.course else "agreement_changed"
                )
        self.gone = tuple([
            one._replace(state="cancelled") for one in old.values() if one.told or one.breached_ms or one.ordinal
        ])  # fmt: skip
