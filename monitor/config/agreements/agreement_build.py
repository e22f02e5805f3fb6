"""From the shape of an agreement to the core's `Agreement`: references, defaults, mistakes across parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.config.agreements.agreement_fields import filter_of
from monitor.config.agreements.calendars import ALWAYS, compile_calendar, is_in_hours, overlapping, uses_up
from monitor.config.agreements.clock_build import course, due_attribute
from monitor.config.agreements.consequences_build import consequences
from monitor.config.agreements.customers import warn_of_unknown_customers
from monitor.config.agreements.damages_build import with_lateness
from monitor.config.agreements.lead_build import leads
from monitor.config.agreements.notify_build import notify
from monitor.config.agreements.objective_build import objective
from monitor.config.agreements.outage_build import composite_rule, outage_rule
from monitor.config.agreements.parties_build import details, parties
from monitor.config.agreements.pointless import warn_of_the_pointless
from monitor.config.agreements.reports_build import reports
from monitor.config.agreements.term_build import term
from monitor.config.reading.quantities import clock_text, duration_text, instant_ms
from monitor.config.reading.shape import did_you_mean
from monitor.core.agreements.agreement import Agreement, Contact, Report, Support
from monitor.core.agreements.clock_metrics import METRICS
from monitor.core.agreements.measures import ANY, Budget, CallRule, ClockRule
from monitor.core.agreements.ticket_measure import TicketRule
from monitor.core.time.units import DAY_MS, HOUR_MS
from monitor.core.time.windows import Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.config.agreements.agreement_shape import AgreementShape, ContactShape, ObjectiveShape
    from monitor.config.agreements.calendars import Told
    from monitor.config.agreements.measure_shape import (
        CallsShape,
        ClockShape,
        CompositeShape,
        LeadsShape,
        OutagesShape,
        TicketsShape,
    )
    from monitor.config.reading.yaml_file import YamlDocument
    from monitor.core.agreements.lead_measure import LeadRule
    from monitor.core.agreements.measures import CompositeRule, Measure, OutageRule
    from monitor.core.time.calendar import Calendar
    from monitor.errors import Mistake

    _Named = ClockShape | CallsShape | OutagesShape | CompositeShape | LeadsShape | TicketsShape | ObjectiveShape

_ALWAYS: Final = "always"

CLOCK_WINDOWS: Final = (Window("rolling", DAY_MS), Window("month"))
CALL_WINDOWS: Final = (
    Window("rolling", HOUR_MS // 2),
    Window("rolling", DAY_MS),
    Window("day"),
    Window("month"),
)
"""The windows of measures that name none."""
GIVE_UP_AFTER_MS: Final = 4 * HOUR_MS
"""When a call without an outcome is lost by default; after twice ``answer_within`` where that is longer."""
CLOCK_BY: Final = {"ticket": ("priority",), "outage": ("service",), "lead": ("team",), "call": ("queue",)}
"""What the clocks of a subject are split by that name nothing; calls: queue, outages: service."""


def build(
    shape: AgreementShape, document: YamlDocument, mistakes: list[Mistake], warnings: list[Mistake]
) -> Agreement | None:
    """Return the agreement, or None after adding all that is wrong with it to ``mistakes``."""
    builder = _Builder(shape, document, warnings)
    agreement = builder.agreement()
    mistakes.extend(builder.mistakes)
    return None if builder.mistakes else agreement


class _Builder:
    """Builds one agreement and collects its mistakes."""

    def __init__(self, shape: AgreementShape, document: YamlDocument, warnings: list[Mistake]) -> None:
        self.mistakes: list[Mistake] = []
        self._shape = shape
        self._document = document
        self._warnings = warnings
        self._used: set[str] = set()

    def agreement(self) -> Agreement:
        shape = self._shape
        valid_from_ms = instant_ms(shape.valid_from, shape.zone)
        terminates_ms = None if shape.terminates is None else instant_ms(shape.terminates, shape.zone)
        self._check_status(valid_from_ms, terminates_ms)
        agreed, terminates_ms = term(shape.term, shape.zone, valid_from_ms, terminates_ms, self._wrong, self._warn)
        self._check_levels()
        calendars = self._calendars()
        names = frozenset(shape.calendars) | {_ALWAYS}
        clocks = tuple(self._clock(number, one, names, calendars) for number, one in enumerate(shape.clocks))
        calls = tuple(self._calls(number, one) for number, one in enumerate(shape.calls))
        outages = (
            *(self._outages(number, one, names) for number, one in enumerate(shape.outages)),
            *(self._composite(number, one, names) for number, one in enumerate(shape.composites)),
        )
        lead_rules = tuple(self._leads(number, one, names) for number, one in enumerate(shape.leads))
        counted = tuple([_tickets(one) for one in shape.tickets])
        measures = (*clocks, *calls, *outages, *lead_rules, *counted)
        self._check_ids()
        objectives = [
            objective(one, measures, self._below("objectives", number)) for number, one in enumerate(shape.objectives)
        ]
        promised = [one for one in objectives if one is not None]
        told = notify(shape.notify, calendars, self._below("notify"))
        self._used.update(step.hours for step in told.escalation)
        self._warn_of_what_does_nothing(measures)
        warn_of_the_pointless(shape, objectives, self._warn)
        warn_of_unknown_customers(shape, objectives, self._warn)
        follows = consequences(shape.consequences, promised, measures, self._below("consequences"))
        return Agreement(
            id=shape.agreement,
            version=shape.version,
            name=shape.name,
            form=shape.form,
            provider=shape.provider,
            customer=shape.customer,
            service=shape.service.name,
            parties=parties(shape, self._told),
            binding=shape.binding or "",
            details=details(shape.service, self._told),
            status=shape.status,
            valid_from_ms=valid_from_ms,
            terminates_ms=terminates_ms,
            zone=shape.zone,
            covers=filter_of(shape.covers),
            calendars=calendars,
            clocks=with_lateness(clocks, promised, follows.damages),
            calls=calls,
            outages=outages,
            leads=lead_rules,
            tickets=counted,
            objectives=tuple(promised),
            contacts=tuple(self._contact(number, one) for number, one in enumerate(shape.contacts)),
            notify=told,
            amendments=shape.amendments,
            allowed_lateness_ms=shape.allowed_lateness,
            consequences=follows,
            kind=shape.kind,
            supports=tuple(Support(one, tuple(clocks)) for one, clocks in shape.supports.items()),
            report=Report(tuple(shape.report.contacts), tuple(shape.report.required), shape.report.incomplete.clock),
            reports=reports(shape, measures, self._told, self._warn),
            level=shape.level,
            under=shape.under or "",
            term=agreed,
        )

    def _wrong(self, path: Sequence[str | int], message: str, hint: str = "") -> None:
        self.mistakes.append(self._document.mistake(path, message, hint))

    def _told(self, path: Sequence[str | int], message: str, hint: str) -> None:
        self._wrong(path, message, hint)

    def _below(self, *at: str | int) -> Told:
        def told(path: Sequence[str | int], message: str, hint: str) -> None:
            self._wrong((*at, *path), message, hint)

        return told

    def _warn(self, path: Sequence[str | int], message: str, hint: str = "") -> None:
        self._warnings.append(self._document.mistake(path, message, hint))

    def _check_status(self, valid_from_ms: int, terminates_ms: int | None) -> None:
        shape = self._shape
        if terminates_ms is not None and terminates_ms <= valid_from_ms:
            self._wrong(("terminates",), "is not after valid_from")
        if shape.status == "draft":
            self._warn(("status",), "a draft is shown but not enforced", "set accepted once the customer has agreed")
            return
        for name in ("accepted_by", "accepted_on"):
            if getattr(shape, name) is None:
                self._wrong(
                    ("status",),
                    f"{shape.status!r} needs {name}",
                    "an agreement binds only when the customer has accepted it; until then it is a draft",
                )
        if shape.status == "terminated" and terminates_ms is None:
            self._wrong(("status",), "'terminated' needs terminates", "add terminates: the day after the last one")
        if shape.accepted_on is not None and instant_ms(shape.accepted_on, shape.zone) > valid_from_ms:
            self._warn(("accepted_on",), "is after valid_from: what happened before is judged too")
        if shape.form == "customer" and "customer" not in shape.covers:
            self._warn(("form",), "binds for every customer", "add covers: {customer: […]}")

    def _check_levels(self) -> None:
        shape = self._shape
        if shape.form == "multi-level" and shape.level is None:
            self._wrong(("form",), "'multi-level' needs level", "corporate, customer or service")
        if shape.form != "multi-level" and (shape.level or shape.under):
            self._wrong(("form",), f"{shape.form!r} has no levels", "write form: multi-level")
        if shape.level == "corporate" and shape.under is not None:
            self._wrong(("under",), "the corporate level is the uppermost one", "leave it out")
        if shape.kind == "sla" and shape.supports:
            self._wrong(("supports",), "an SLA supports nothing", "write kind: ola (own teams) or uc (suppliers)")
        if shape.kind != "sla" and not shape.supports:
            self._warn(("kind",), f"this {shape.kind.upper()} supports no SLA", "add supports: [its id]")

    def _calendars(self) -> dict[str, Calendar]:
        compiled: dict[str, Calendar] = {_ALWAYS: ALWAYS}
        for name, shape in self._shape.calendars.items():
            at = ("calendars", name)
            calendar = compile_calendar(shape, self._shape.zone, self._below(*at))
            if calendar is not None:
                compiled[name] = calendar
            if name == _ALWAYS and calendar is not ALWAYS:
                self._wrong(at, "'always' is open around the clock, every day", "choose another name")
            for days, intervals in shape.hours.items():
                if overlapping(intervals):
                    self._warn((*at, "hours", days), "intervals overlap: they count once")
        return compiled

    def _check_budgets(
        self, at: tuple[str | int, ...], budgets: Mapping[str, Budget], compiled: Mapping[str, Calendar]
    ) -> None:
        for priority, budget in budgets.items():
            name = budget.calendar
            if name not in compiled or (budget.days and not self._has_business_days(at, priority, budget, compiled)):
                continue
            if not uses_up(compiled[name], budget):
                allowed = f"{budget.days} business days" if budget.days else duration_text(budget.budget_ms)
                message = f"calendar {name!r} has too little open time for {allowed}"
                self._wrong((*at, "targets", priority), message, "no clock would ever be due: more hours, or less time")

    def _has_business_days(
        self, at: tuple[str | int, ...], priority: str, budget: Budget, compiled: Mapping[str, Calendar]
    ) -> bool:
        name = budget.calendar
        if compiled[name] is ALWAYS:
            message = f"calendar {name!r} is open around the clock and has no business days"
            hint = "name a calendar with hours, as calendar: office; or write within: 3d"
            self._wrong((*at, "targets", priority, "days"), message, hint)
            return False
        if not is_in_hours(self._shape.calendars[name], budget.by_minute):
            hours = sorted({end for day in self._shape.calendars[name].hours.values() for _, end in day})
            ends = ", ".join(clock_text(minute) for minute in hours)
            message = f"{clock_text(budget.by_minute)} lies outside of the hours of calendar {name!r} on every day"
            self._wrong((*at, "targets", priority, "by"), message, f"its hours end at {ends}")
            return False
        return True

    def _clock(
        self, number: int, shape: ClockShape, calendars: frozenset[str], compiled: Mapping[str, Calendar]
    ) -> ClockRule:
        at = ("clocks", number)
        metrics = METRICS[shape.subject]
        if shape.metric not in metrics:
            self._wrong(
                (*at, "metric"),
                f"is no metric of a {shape.subject}: {shape.metric!r}",
                did_you_mean(shape.metric, metrics),
            )
        targets = shape.targets or {}
        budgets = {
            priority: Budget(one.within, one.calendar or shape.calendar, one.days or 0, one.by or 0)
            for priority, one in targets.items()
        } or {ANY: Budget(0, shape.calendar)}
        self._check_calendar((*at, "calendar"), shape.calendar, calendars)
        for priority, one in targets.items():
            if one.calendar is not None:
                self._check_calendar((*at, "targets", priority, "calendar"), one.calendar, calendars)
        if targets:
            self._check_budgets(at, budgets, compiled)
        if ANY not in budgets and shape.subject == "ticket":
            self._warn((*at, "targets"), "other priorities get no clock", f"add '{ANY}': for all the others")
        for place, threshold in enumerate(shape.at_risk):
            beyond = sorted(
                name
                for name, one in budgets.items()
                if targets and not one.days and threshold.before_ms >= one.budget_ms
            )
            if beyond and len(beyond) == len(budgets):
                self._wrong(
                    (*at, "at_risk", place), "is beyond the budget", "less time than every target, or a percent"
                )
            elif beyond:
                self._warn((*at, "at_risk", place), f"warns nobody for {', '.join(beyond)}: that budget is not longer")
        driven = course(shape, self._below(*at))
        return ClockRule(
            id=shape.id,
            where=filter_of(shape.where),
            by=driven.by or CLOCK_BY[shape.subject] if shape.by is None else tuple(shape.by),
            windows=tuple(shape.windows or CLOCK_WINDOWS),
            subject=shape.subject,
            metric=shape.metric,
            budgets=budgets,
            at_risk=tuple(shape.at_risk),
            pause_on=driven.pause_on,
            pause_caps=driven.pause_caps,
            states=driven.states,
            cycles=driven.cycles,
            on_change=shape.on_change,
            strict=shape.strict,
            due_at=due_attribute(shape, self._below(*at)),
            pauses_move_due=shape.pauses_move_due,
        )

    def _calls(self, number: int, shape: CallsShape) -> CallRule:
        give_up_after_ms = shape.give_up_after or max(GIVE_UP_AFTER_MS, 2 * shape.answer_within)
        if give_up_after_ms <= shape.answer_within:
            at = ("calls", number, "give_up_after")
            self._wrong(at, "is not longer than answer_within: no waiting call could be late", "leave it out")
        return CallRule(
            id=shape.id,
            where=filter_of(shape.where),
            by=("queue",) if shape.by is None else tuple(shape.by),
            windows=tuple(shape.windows or CALL_WINDOWS),
            answer_within_ms=shape.answer_within,
            short_abandon_ms=shape.short_abandon,
            give_up_after_ms=give_up_after_ms,
            formula=shape.service_level,
            strict=shape.strict,
            repeat_within_ms=shape.repeat_within or 0,
        )

    def _outages(self, number: int, shape: OutagesShape, calendars: frozenset[str]) -> OutageRule:
        self._check_calendar(("outages", number, "service_hours"), shape.service_hours, calendars)
        return outage_rule(shape, self._shape.zone, self._below("outages", number))

    def _composite(self, number: int, shape: CompositeShape, calendars: frozenset[str]) -> CompositeRule:
        self._check_calendar(("composites", number, "service_hours"), shape.service_hours, calendars)
        return composite_rule(shape, self._below("composites", number))

    def _leads(self, number: int, shape: LeadsShape, calendars: frozenset[str]) -> LeadRule:
        def chosen(path: Sequence[str | int], name: str) -> None:
            self._check_calendar(("leads", number, *path), name, calendars)

        return leads(shape, chosen, self._below("leads", number))

    def _contact(self, number: int, shape: ContactShape) -> Contact:
        at = ("contacts", number)
        if shape.email is not None and not ("@" in shape.email and " " not in shape.email):
            self._wrong((*at, "email"), f"is no address: {shape.email!r}")
        if shape.email is None and shape.phone is None:
            self._wrong(at, "cannot be reached", "add an email or a phone")
        return Contact(role=shape.role, name=shape.name or "", email=shape.email or "", phone=shape.phone or "")

    def _check_calendar(self, path: Sequence[str | int], name: str, calendars: frozenset[str]) -> None:
        self._used.add(name)
        if name not in calendars:
            self._wrong(path, f"there is no calendar {name!r}", did_you_mean(name, calendars))

    def _check_ids(self) -> None:
        shape = self._shape
        self._check_unique(
            ("clocks", shape.clocks),
            ("calls", shape.calls),
            ("outages", shape.outages),
            ("composites", shape.composites),
            ("leads", shape.leads),
            ("tickets", shape.tickets),
        )
        self._check_unique(("objectives", shape.objectives))

    def _check_unique(self, *sections: tuple[str, Sequence[_Named]]) -> None:
        first: dict[str, tuple[str | int, ...]] = {}
        for section, items in sections:
            for number, item in enumerate(items):
                at = (section, number, "id")
                if item.id in first:
                    line = self._document.line_of(first[item.id])
                    self._wrong(at, f"{item.id!r} is used twice" + (f", first in line {line}" if line else ""))
                first.setdefault(item.id, at)

    def _warn_of_what_does_nothing(self, measures: Sequence[Measure]) -> None:
        shape = self._shape
        if not measures and shape.under is None:
            self._wrong((), "measures nothing", "add clocks, calls, outages, leads or tickets")
        for name in shape.calendars:
            if name not in self._used and name != _ALWAYS:
                self._warn(("calendars", name), "is used by nothing")
        for place, role in enumerate(shape.report.contacts):
            if role not in {one.role for one in shape.contacts}:
                hint = did_you_mean(role, {one.role for one in shape.contacts})
                self._wrong(("report", "contacts", place), f"there is no contact with the role {role!r}", hint)
        if not shape.contacts and shape.status == "accepted":
            self._warn((), "has no contacts: nobody is told of a breach")


def _tickets(shape: TicketsShape) -> TicketRule:
    return TicketRule(
        id=shape.id,
        where=filter_of(shape.where),
        by=("team",) if shape.by is None else tuple(shape.by),
        windows=tuple(shape.windows or CLOCK_WINDOWS),
    )
