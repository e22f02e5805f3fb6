"""``sla-monitor explain``: why the clocks of a ticket, a call, an outage or a lead stand as they do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from monitor.cli.terminal.contribution import tell_contribution
from monitor.cli.terminal.failing import FAILED
from monitor.cli.terminal.instants import Instant
from monitor.cli.terminal.options import example, json_option, settings_option
from monitor.cli.terminal.output import STYLES, Output
from monitor.cli.terminal.progress import LEAST, progress
from monitor.cli.terminal.recorded import Recorded, recorded_option
from monitor.config.agreements.checking import book_of
from monitor.config.settings.settings import Settings
from monitor.core.agreements.clock_metrics import METRICS
from monitor.core.agreements.parties import by_party
from monitor.core.alerts.alert import AlertKey, SupportingMiss
from monitor.core.alerts.stretches import Stretch
from monitor.core.clocks.due import missed_ms
from monitor.core.clocks.reporting import missing
from monitor.core.clocks.supporting import Misses
from monitor.core.clocks.terms import Plan
from monitor.core.facts.events import Event, Subject
from monitor.core.series.series import LIVE, Change, SeriesKey
from monitor.core.subjects.explanation import Explanation, explain
from monitor.core.subjects.rows import SubjectRow
from monitor.read_model.agreements import read_published
from monitor.read_model.deliveries import read_deliveries
from monitor.read_model.present import present_ms
from monitor.read_model.subjects import newest_row
from monitor.replay.odd_subjects import odd_subjects
from monitor.replay.one_subject import row_of
from monitor.wire.times import duration, instant
from monitor.wire.visible import printable
from monitor.wire.wording import quantity, stretch, supporting_text, time_allowed, why, within

_SUBJECTS: Final = [subject for subject, metrics in METRICS.items() if metrics]
_LOOKS: Final = {"overdue": "breached", "running": "on_track", "paused": "on_track"}


@click.command(
    "explain",
    epilog=example(
        "sla-monitor explain ticket T-17",
        "sla-monitor explain outage O-9 --json | jq .stretches",
        "sla-monitor explain ticket T-17 --data tickets.csv --mapping tickets.yaml --agreements agreements/",
    ),
)
@click.argument("subject", type=click.Choice(_SUBJECTS))
@click.argument("subject_id", metavar="ID")
@click.option("--at", "at_ms", type=Instant(), help="Up to when open clocks are told, RFC 3339.  [default: now]")
@recorded_option
@settings_option
@json_option
def explain_command(
    out: Output,
    settings: Settings,
    subject: Subject,
    subject_id: str,
    at_ms: int | None,
    recorded: Recorded | None,
) -> None:
    """Explain why the clocks of a ticket, a call, an outage or a lead stand as they do.

    For each clock: why it is met, at risk or breached; the agreement, its version and the line that gives the target;
    when it is due; and the stretches of its life (open hours, closed, holidays by name, paused with the reason), which
    add up to what has elapsed. The alerts that nobody was told of follow, with the reason. For a lead also where it
    counts. It is read from the state that the workers have committed, or with --data from recorded events, without
    Kafka (open clocks are then told up to the end of the data); with --json each clock (and each such alert, and
    each instant at which a lead counts) is a line, all in milliseconds. Times are in the zone of the agreement.
    """
    plan, row, now_ms, why_not = _known(out, settings, subject, subject_id, at_ms, recorded)
    if row is None:
        out.note(f"no {subject} {subject_id} is known: {why_not}")
        click.get_current_context().exit(FAILED)
    for agreement in plan.book.in_force(row.known(), row.facts[0].time_ms) if row.facts else ():
        lacks = missing(agreement.report, row.known())
        if lacks:
            out.record(subject=subject, id=subject_id, agreement=agreement.id, missing=lacks)
            until = "its clocks run" if agreement.report.incomplete_clock == "starts" else "its clocks wait for them"
            out.say(f"Incomplete: {agreement.id} requires {', '.join(lacks)}, {until}.")
    if not row.clocks and not row.shown:
        odd = odd_subjects(Event(subject, subject_id, fact) for fact in row.facts)
        why_none = f"it {odd[0].sentence}" if odd else "no agreement that was in force covers it"
        out.say(f"Nothing is promised for {subject} {subject_id}: {why_none}.")
    misses = Misses(row.clocks, plan)
    for clock in row.clocks:
        terms = plan.terms(clock)
        if terms is None:
            out.note(f"version {clock.version} of agreement {clock.series.agreement} is not published any more")
            continue
        missed_at_ms = missed_ms(clock, terms)
        under = misses.under(clock, missed_at_ms) if missed_at_ms is not None and missed_at_ms <= now_ms else ()
        newest = plan.book.version(clock.series.agreement, now_ms)
        has_on_call = newest is not None and newest.notify.names_anybody
        found = explain(row, clock, terms, now_ms)
        held = plan.book.exact(clock.series.agreement, clock.version)
        parties = by_party(held.parties if held else (), found.contribution.teams)
        zone = terms.agreement.zone
        _tell(out, subject, subject_id, found, now_ms, under, parties, zone, has_on_call=has_on_call)
    if recorded is None:
        _tell_silences(out, settings, subject, subject_id, plan, now_ms)
    if subject == "lead":
        for measure in dict.fromkeys(change.series for change in row.shown):
            changes = [one for one in row.shown if one.series == measure]
            _tell_counts(out, subject_id, measure, changes, _zone(plan, measure.agreement, now_ms))


def _known(
    out: Output, settings: Settings, subject: Subject, subject_id: str, at_ms: int | None, recorded: Recorded | None
) -> tuple[Plan, SubjectRow | None, int, str]:
    """Return the agreements, the row of a subject, the instant as of which it is told, and why there may be no row."""
    if recorded is not None:
        plan, reading = Plan(recorded.book()), recorded.read(out)
        row, now_ms = row_of(reading.events, subject, subject_id, plan.book, at_ms)
        odd = [one.sentence for one in reading.odd if (one.subject, one.subject_id) == (subject, subject_id)]
        return plan, row, now_ms, f"it {odd[0]}, and is not measured" if odd else "the data has no event of it"
    plan = Plan(book_of(asyncio.run(read_published(settings)).documents.values()))
    row = asyncio.run(_row(settings, subject, subject_id))
    now_ms = asyncio.run(present_ms(settings)) if at_ms is None else at_ms
    return plan, row, now_ms, "it is finished for long, or its events are not read yet"


def _zone(plan: Plan, agreement_id: str, now_ms: int) -> str:
    found = plan.book.version(agreement_id, now_ms)
    return found.zone if found else "UTC"


def _tell_silences(out: Output, settings: Settings, subject: Subject, subject_id: str, plan: Plan, now_ms: int) -> None:
    """Tell of which alerts of the subject nobody was told, and why."""
    begin = AlertKey(subject, subject_id, "", "", 0).text().removesuffix("//0")
    for one in read_deliveries(settings, out.note).not_told:
        if not one.key.startswith(begin):
            continue
        out.record(
            subject=subject, id=subject_id, alert=one.key, not_told=one.reason, at_ms=one.at_ms, until_ms=one.next_ms,
            why=one.detail,
        )  # fmt: skip
        zone = _zone(plan, one.agreement, now_ms)
        until = f", until {instant(one.next_ms, zone)}" if one.next_ms is not None else ""
        at = instant(one.at_ms, zone)
        out.say(f"nobody was told at {at}: {printable(one.title.encode())}: {one.reason}{until} ({one.detail})")


async def _row(settings: Settings, subject: Subject, subject_id: str) -> SubjectRow | None:
    """Return the newest row of a subject, telling how far its topic was read."""
    with progress(least=LEAST, transient=True) as on_progress:
        return await newest_row(settings, subject, subject_id, lambda done, total: on_progress("read", done, total))


def _tell(
    out: Output, subject: Subject, subject_id: str, one: Explanation, now_ms: int, under: Sequence[SupportingMiss],
    parties: Mapping[str, int], zone: str, *, has_on_call: bool,
) -> None:  # fmt: skip
    missed = [miss._asdict() for miss in under]
    out.record(
        subject=subject, id=subject_id, at_ms=now_ms, **_as_json(one, zone), parties=parties, supporting=missed,
        has_on_call=has_on_call,
    )  # fmt: skip
    cycle = f", cycle {one.cycle}" if one.cycle > 1 else ""
    standing = one.standing.replace("_", " ")
    out.say(f"{one.clock} of {subject} {subject_id}{cycle}: {standing}", STYLES.get(_LOOKS.get(standing, one.standing)))
    out.say(f"  {why(one, zone)}")
    target = f"priority {one.target_of}" if one.target_of != "*" else "all other priorities (*)"
    allowed = time_allowed(one.target)
    if one.days:
        allowed += f" ({duration(one.budget_ms)} from its start)"
    promised = f"{within(one.strict)} {allowed} of the calendar {one.calendar}, the target of {target}"
    if one.due_at:
        promised = f"{'before' if one.strict else 'by'} the instant that its events bring as {one.due_at}"
    out.say(f"  promised by {one.agreement} version {one.version}: {one.metric} {promised}")
    if one.origin.agreement != one.agreement:
        level = f"{one.origin.level} level, {one.origin.agreement} version {one.origin.version}"
        out.say(f"  inherited from the {level}")
    for miss in under:
        out.say(f"  missed under it: {supporting_text(miss, zone)}")
    if not has_on_call:
        out.say(f"  {one.agreement} names nobody under notify: nobody is told of its alerts (no_on_call)")
    never = "never, as it stands" if one.standing != "undated" else f"never: no event brings {one.due_at}"
    due = never if one.due_ms is None else instant(one.due_ms, zone)
    stopped = "" if one.stop_ms is None else f", stopped {instant(one.stop_ms, zone)}"
    out.say(f"  started {instant(one.start_ms, zone)}, due {due}{stopped}")
    left_ms = one.budget_ms - one.elapsed_ms
    late = f"{duration(left_ms)} left" if left_ms >= 0 else f"{duration(-left_ms)} too long"
    as_of = f", as of {instant(now_ms, zone)}" if one.stop_ms is None else ""
    of_target = "" if one.due_at else f" ({late})"
    out.say(
        f"  elapsed {duration(one.elapsed_ms)}{of_target}, around the clock {duration(one.wall_ms, days=True)}{as_of}"
    )
    if one.flagged:
        out.say("  its stop came before its start (a skewed clock): counted as 0")
    total_ms, rows = 0, []
    for part in one.stretches:
        total_ms += _counted_ms(part)
        counted = duration(_counted_ms(part)) if part.kind == "counted" else ""
        rows.append(
            (instant(part.start_ms, zone), instant(part.end_ms, zone), stretch(part), counted, duration(total_ms))
        )
    tell_contribution(out, one.contribution, parties)
    out.table(("  from", "to", "", "counts", "elapsed"), [("  " + first, *rest) for first, *rest in rows])


def _tell_counts(out: Output, lead_id: str, series: SeriesKey, changes: list[Change], zone: str) -> None:
    """Tell where a lead counts: it has figures besides its clocks."""
    of = f"{series.measure} of {series.agreement}" + "".join(f", {value}" for value in series.values if value)
    out.say(f"lead {lead_id} counts in {of}")
    rows = []
    for change in sorted(changes, key=lambda one: (one.at_ms == LIVE, one.at_ms)):
        at_ms = None if change.at_ms == LIVE else change.at_ms
        out.record(
            subject="lead", id=lead_id, agreement=series.agreement, measure=series.measure, values=series.values,
            counts_at_ms=at_ms, counts=dict(change.counts),
        )  # fmt: skip
        words = ", ".join(_counted(name, number) for name, number in change.counts)
        rows.append(("  now" if at_ms is None else "  " + instant(at_ms, zone), words))
    out.table(("  at", "as"), rows)


def _counted(name: str, number: int) -> str:
    """Return a count of a lead in words: ``handed over since``, ``1.5 delivered weight``."""
    words = name.removeprefix("then_").replace("_", " ")
    if name.startswith("then_"):
        return f"{words} since"
    if name == "follow_ms":
        return f"after {duration(number)}"
    if name.startswith("revenue"):
        return f"{words} {quantity('amount', number / 100)}"
    if name == "delivered_weight":
        return f"weight {number / 1000:g}"
    if name.startswith("depth_") and name[6:].isdigit():
        return "follow-up over"
    return f"{number} {words}" if number != 1 or name == "attempts" else words


def _counted_ms(part: Stretch) -> int:
    return part.end_ms - part.start_ms if part.kind == "counted" else 0


def _as_json(one: Explanation, zone: str) -> dict[str, Any]:
    return one._asdict() | {
        "target": time_allowed(one.target),
        "why": why(one, zone),
        "stretches": [part._asdict() for part in one.stretches],
        "origin": one.origin._asdict(),
        "contribution": one.contribution._asdict(),
    }
