"""``sla-monitor explain``: why the clocks of a ticket, an outage or a lead stand as they do."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import click

from monitor.bootstrap import topic_of
from monitor.cli.agreements import read_published
from monitor.cli.contribution import tell_contribution
from monitor.cli.failing import FAILED
from monitor.cli.kafka import committed
from monitor.cli.options import example, json_option, settings_option
from monitor.cli.output import STYLES, Output
from monitor.cli.progress import LEAST, progress
from monitor.config.agreements import book_of
from monitor.config.settings import Settings
from monitor.core.events import Subject
from monitor.core.explanation import Explanation, Stretch, explain
from monitor.core.measures import METRICS
from monitor.core.plan import Plan
from monitor.core.rows import SubjectRow, subject_key
from monitor.stream.clock import wall_ms
from monitor.stream.topics import changelog_of
from monitor.wire.instants import parse_rfc3339
from monitor.wire.rows import SOURCE_ROWS
from monitor.wire.wording import duration, instant

_SUBJECTS: Final = [subject for subject, metrics in METRICS.items() if metrics]
_WORDS: Final = {"counted": "open", "closed": "closed", "paused": "paused", "solved": "solved", "outside": "not in"}
_LOOKS: Final = {"overdue": "breached", "running": "on_track", "paused": "on_track"}


class _Instant(click.ParamType):
    """RFC 3339 with an offset: milliseconds."""

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the milliseconds since the epoch."""
        if isinstance(value, int):
            return value
        try:
            found = parse_rfc3339(str(value))
        except ValueError:
            found = None
        if found is None:
            self.fail("write it like 2026-03-02T12:00:00Z or 2026-03-02T13:00:00+01:00", param, ctx)
        return found


@click.command(
    "explain",
    epilog=example("sla-monitor explain ticket T-17", "sla-monitor explain outage O-9 --json | jq .stretches"),
)
@click.argument("subject", type=click.Choice(_SUBJECTS))
@click.argument("subject_id", metavar="ID")
@click.option("--at", "at_ms", type=_Instant(), help="Up to when open clocks are told, RFC 3339.  [default: now]")
@settings_option
@json_option
def explain_command(out: Output, settings: Settings, subject: Subject, subject_id: str, at_ms: int | None) -> None:
    """Explain why the clocks of a ticket, an outage or a lead stand as they do.

    For each clock: the agreement, its version and the line that gives the target; when it is due; and the stretches of
    its life (open hours, closed, paused with the reason), which add up to what has elapsed. It is read from the state
    that the workers have committed; with --json each clock is a line, instants and durations in milliseconds.
    """
    now_ms = wall_ms() if at_ms is None else at_ms
    known = asyncio.run(read_published(settings))
    plan = Plan(book_of(known.documents.values()))
    row = asyncio.run(_row(settings, subject, subject_id))
    if row is None:
        out.note(f"no {subject} {subject_id} is known: it is finished for long, or its events have not been read yet")
        click.get_current_context().exit(FAILED)
    if not row.clocks:
        out.say(f"Nothing is promised for {subject} {subject_id}: no agreement that was in force covers it.")
    for clock in row.clocks:
        terms = plan.terms(clock)
        if terms is None:
            out.note(f"version {clock.version} of agreement {clock.series.agreement} is not published any more")
            continue
        _tell(out, subject, subject_id, explain(row, clock, terms, now_ms), now_ms)


async def _row(settings: Settings, subject: Subject, subject_id: str) -> SubjectRow | None:
    """Return the newest row of a subject; its partition is not known, so all of the changelog is read."""
    key, value = subject_key(subject_id), None
    changelog = changelog_of(settings.app_id, topic_of(settings, subject))
    with progress(least=LEAST, transient=True) as on_progress:
        lots = committed(settings, [changelog], on_progress=lambda done, total: on_progress("read", done, total))
        async for records in lots:
            for record in records:
                if record.key == key:
                    value = record.value
    row = None if value is None else SOURCE_ROWS.decode(key, value)
    return row if isinstance(row, SubjectRow) else None


def _tell(out: Output, subject: Subject, subject_id: str, one: Explanation, now_ms: int) -> None:
    out.record(subject=subject, id=subject_id, at_ms=now_ms, **_as_json(one))
    cycle = f", cycle {one.cycle}" if one.cycle > 1 else ""
    standing = one.standing.replace("_", " ")
    out.say(f"{one.clock} of {subject} {subject_id}{cycle}: {standing}", STYLES.get(_LOOKS.get(standing, one.standing)))
    target = f"priority {one.target_of}" if one.target_of != "*" else "all other priorities (*)"
    out.say(
        f"  promised by {one.agreement} version {one.version}: {one.metric} within {duration(one.budget_ms)} of the "
        f"calendar {one.calendar}, the target of {target}"
    )
    due = "never, as it stands" if one.due_ms < 0 else instant(one.due_ms)
    stopped = "" if one.stop_ms < 0 else f", stopped {instant(one.stop_ms)}"
    out.say(f"  started {instant(one.start_ms)}, due {due}{stopped}")
    left_ms = one.budget_ms - one.elapsed_ms
    late = f"{duration(left_ms)} left" if left_ms > 0 else f"{duration(-left_ms)} too long"
    out.say(f"  elapsed {duration(one.elapsed_ms)} ({late}), by the wall clock {duration(one.wall_ms)}")
    if one.flagged:
        out.say("  its stop came before its start (a skewed clock): counted as 0")
    total_ms, rows = 0, []
    for part in one.stretches:
        total_ms += _counted_ms(part)
        what = _WORDS[part.kind] + (f": {part.reason}" if part.reason else "")
        counted = duration(_counted_ms(part)) if part.kind == "counted" else ""
        rows.append((instant(part.start_ms), instant(part.end_ms), what, counted, duration(total_ms)))
    tell_contribution(out, one.contribution)
    out.table(("  from", "to", "", "counts", "elapsed"), [("  " + first, *rest) for first, *rest in rows])


def _counted_ms(part: Stretch) -> int:
    return part.end_ms - part.start_ms if part.kind == "counted" else 0


def _as_json(one: Explanation) -> dict[str, Any]:
    known = {name: None if value == -1 else value for name, value in one._asdict().items()}
    known["contribution"] = one.contribution._asdict()
    return known | {"stretches": [part._asdict() for part in one.stretches]}
