"""``sla-monitor recompute``: the verdicts as judged beside those as recomputed. It writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from monitor.cli.terminal.failing import DIFFERENT
from monitor.cli.terminal.instants import Instant
from monitor.cli.terminal.options import example, json_option, settings_option
from monitor.cli.terminal.output import Output
from monitor.cli.terminal.progress import LEAST, progress
from monitor.cli.terminal.recorded import Recorded, recorded_option
from monitor.config.agreements.checking import book_of
from monitor.config.settings.settings import Settings
from monitor.core.alerts.alert import Alert
from monitor.core.facts.events import Event
from monitor.core.objectives.consequence import MONEY
from monitor.core.objectives.status import WindowStatus
from monitor.core.recompute.causes import Arrived
from monitor.core.recompute.differences import Announced
from monitor.core.time.spans import NEVER_MS
from monitor.errors import DecodeError
from monitor.read_model.agreements import read_published
from monitor.read_model.history import OnProgress, read_history
from monitor.read_model.present import clock_of
from monitor.read_model.topics import read_all
from monitor.replay.announced import read_announced
from monitor.replay.by_window import figure_cells
from monitor.replay.recompute import ClockFinding, Judged, PeriodFinding, Recomputed
from monitor.replay.recompute import recompute as compare
from monitor.stream.partitions.clock import wall_ms
from monitor.wire.announcements import decode_alert, decode_statement
from monitor.wire.outcomes import consequence_json
from monitor.wire.times import READERS, instant
from monitor.wire.wording import plural

if TYPE_CHECKING:
    from monitor.core.objectives.consequence import Consequence
    from monitor.core.recompute.causes import Cause
    from monitor.core.series.figures import Figure

_Announcement = TypeVar("_Announcement", Alert, WindowStatus)
_SHOWN_EVENTS: Final = 5
_NOT_ON_TOPICS: Final = "nothing that is on the topics: it may not have been announced yet"
_OF_OTHER_DATA: Final = "the data: other events were judged than are recomputed"


@click.command(
    epilog=example(
        "sla-monitor recompute",
        "sla-monitor recompute --agreement it-service-desk --from 2026-10-01T00:00:00+02:00 --json",
        "sla-monitor recompute --as-of 2026-11-01T08:00:00Z",
        "sla-monitor recompute --announced then.jsonl --data now.csv --mapping m.yaml --agreements agreements/",
    )
)
@click.option("--as-of", "as_of_ms", type=Instant(), help="With what had arrived by then, RFC 3339.  [default: now]")
@click.option("--agreement", "agreement_id", metavar="ID", help="Compare this agreement only.")
@click.option("--from", "from_ms", type=Instant(), default=0, help="Leave out breaches and periods before, RFC 3339.")
@click.option("--until", "until_ms", type=Instant(), help="Up to when time passes.  [default: --as-of, or now]")
@click.option(
    "--announced",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="With --data: what an earlier replay announced (replay --announced).",
)
@recorded_option
@settings_option
@json_option
def recompute(
    out: Output,
    settings: Settings,
    as_of_ms: int | None,
    agreement_id: str | None,
    from_ms: int,
    until_ms: int | None,
    announced: Path | None,
    recorded: Recorded | None,
) -> None:
    """List where what was judged differs from what is recomputed with all that is known.

    Events and agreements on the topics are judged again, as if every event had come in time and every amendment had
    been known; what differs from the alerts and statements that were announced is told, with its cause: late events, or
    another version of the agreement. What was judged stays judged: nothing is written. The exit code is 4 if anything
    differs, 0 if nothing does.

    Without Kafka: --announced is what a replay announced earlier, --data what is known now. Time passes up to --until,
    or just after the last event or announcement.
    """
    if (recorded is None) != (announced is None) or (recorded is not None and as_of_ms is not None):
        raise click.UsageError("--announced goes with --data and --agreements, and without --as-of.")
    with progress(least=LEAST) as on_progress:
        if recorded is not None and announced is not None:
            events, judged = recorded.read(out).events, read_announced(announced)
            end_ms = until_ms if until_ms is not None else _last_ms(events, judged) + 1
            found = compare(
                judged, [Arrived(one, one.fact.time_ms) for one in events], recorded.book(),
                until_ms=end_ms, from_ms=from_ms, agreement=agreement_id, on_progress=on_progress,
            )  # fmt: skip
        else:
            found = asyncio.run(_compared(out, settings, as_of_ms, agreement_id, from_ms, until_ms, on_progress))
    unknown = _OF_OTHER_DATA if recorded is not None else _NOT_ON_TOPICS
    for clock in found.clocks:
        _tell_clock(out, clock, unknown)
    for period in found.periods:
        _tell_period(out, period, unknown)
    if found.in_rest:
        out.note(f"{found.in_rest:,} periods were stated together with others, as other (max_series): not compared")
    if found.not_kept:
        out.note(f"{found.not_kept:,} clocks and periods were judged by events that the topics hold no more")
    many = len(found.clocks) + len(found.periods)
    compared = f"{found.compared_clocks:,} clocks and {found.compared_periods:,} closed periods compared"
    out.say(f"{compared}: {f'{many:,} differ' if many else 'no difference'}.")
    if many:
        click.get_current_context().exit(DIFFERENT)


def _last_ms(events: Sequence[Event], judged: Judged) -> int:
    """Return the last instant of which the data or the announcements tell.

    A breach that was announced after the last event of the data is compared, too: the data may have got shorter.
    """
    told = (at_ms for _, at_ms in (*judged.alerts, *judged.statements))
    return max((*(one.fact.time_ms for one in events), *told), default=0)


async def _compared(
    out: Output,
    settings: Settings,
    as_of_ms: int | None,
    agreement_id: str | None,
    from_ms: int,
    until_ms: int | None,
    on_progress: OnProgress,
) -> Recomputed:
    clock = await clock_of(settings)
    now_ms = clock.at(wall_ms())  # of before the reading: what comes due meanwhile is not among the alerts
    known_by_ms = NEVER_MS if as_of_ms is None else clock.reached(as_of_ms)  # Kafka's instants of records are real time
    judged = Judged(
        alerts=await _told(out, settings, settings.topics.alerts, decode_alert, known_by_ms, on_progress),
        statements=await _told(out, settings, settings.topics.statements, decode_statement, known_by_ms, on_progress),
    )
    history = await read_history(settings, on_progress, as_of_ms=known_by_ms)
    for reason, count in history.rejected.most_common():
        out.note(f"{plural(count, 'record is no event', 'records are no events')}: {reason}")
    published = await read_published(settings, None if as_of_ms is None else known_by_ms)
    end_ms = until_ms if until_ms is not None else as_of_ms if as_of_ms is not None else now_ms
    return compare(
        judged,
        history.arrived,
        book_of(published.documents.values()),
        until_ms=end_ms,
        from_ms=from_ms,
        kept_from_ms=history.kept_from_ms,
        agreement=agreement_id,
        on_progress=on_progress,
    )


async def _told(
    out: Output,
    settings: Settings,
    topic: str,
    decode: Callable[[bytes | None], _Announcement],
    known_by_ms: int,
    on_progress: OnProgress,
) -> list[tuple[_Announcement, int]]:
    """Return the announcements on a topic up to an instant, each with the instant of its record."""
    found = []
    for record in await read_all(settings, topic, lambda done, total: on_progress(topic, done, total)):
        if record.timestamp > known_by_ms:
            continue
        try:
            found.append((decode(record.value), record.timestamp))
        except DecodeError as error:
            out.note(f"{topic}/{record.partition}/{record.offset} is no announcement: {error}")
    return found


def _tell_clock(out: Output, found: ClockFinding, unknown: str) -> None:
    clock, judged, again = found.difference
    out.record(
        kind="clock",
        **clock._asdict(),
        judged=_announced_json(judged),
        recomputed={"verdict": found.verdict, "breached_ms": list(again.breached_ms)},
        cause=found.cause._asdict(),
    )
    cycle = f", cycle {clock.cycle}" if clock.cycle > 1 else ""
    out.say(f"{clock.agreement}/{clock.clock} of {clock.subject} {clock.subject_id}{cycle}", "bold")
    taken_back = f", {judged.taken_back} since" if judged.taken_back else ""
    out.say(f"  as judged      {_breaches(judged)}{taken_back}")
    verdict = "" if again.breached_ms else f", {found.verdict if found.verdict != 'none' else 'not promised'}"
    out.say(f"  as recomputed  {_breaches(again)}{verdict}")
    out.say(f"  because of     {_because(found.cause, unknown)}")


def _tell_period(out: Output, found: PeriodFinding, unknown: str) -> None:
    period, one, other, figures, verdicts = found.difference
    out.record(
        kind="period",
        agreement=period.series.agreement,
        measure=period.series.measure,
        values=list(period.series.values),
        window=period.window,
        from_ms=period.from_ms,
        stated=one is not None,
        recomputed=other is not None,
        figures=[
            {"indicator": each.indicator, "judged": _figure_json(each.one), "recomputed": _figure_json(each.other)}
            for each in figures
        ],
        verdicts=[{"objective": each.objective, "judged": each.one, "recomputed": each.other} for each in verdicts],
        consequences={
            "judged": [consequence_json(each) for each in found.judged],
            "recomputed": [consequence_json(each) for each in found.recomputed],
        },
        cause=found.cause._asdict(),
    )
    values, begin = ", ".join(period.series.values), instant(period.from_ms, READERS)
    out.say(
        f"{period.series.agreement}/{period.series.measure} {values}, {period.window} from {begin}",
        "bold",
    )
    for figure in figures:
        out.say(f"  {figure.indicator}: {_figure(figure.one)} as judged, {_figure(figure.other)} as recomputed")
    for verdict in verdicts:
        was, would = (each or "not judged" for each in verdict[1:])
        out.say(f"  {verdict.objective}: {was} as judged, {would} as recomputed")
    if found.judged != found.recomputed:
        out.say(f"  follows: {_consequences(found.judged)} as judged, {_consequences(found.recomputed)} as recomputed")
    out.say(f"  because of {_because(found.cause, unknown)}")


def _announced_json(one: Announced) -> dict[str, Any]:
    return {
        "verdict": "breached" if one.breached_ms else "not_breached",
        "breached_ms": list(one.breached_ms),
        "taken_back": one.taken_back or None,
        "versions": list(one.versions),
    }


def _figure_json(one: Figure | None) -> dict[str, Any] | None:
    return None if one is None else one._asdict()


def _breaches(one: Announced) -> str:
    return (
        "breached " + ", ".join(instant(at_ms, READERS) for at_ms in one.breached_ms)
        if one.breached_ms
        else "not breached"
    )


def _figure(one: Figure | None) -> str:
    if one is None:
        return "not stated"
    value, numerator, denominator, _ = figure_cells(one)
    return f"{'no value' if one.value is None else value} ({numerator} of {denominator})"


def _consequences(found: tuple[Consequence, ...]) -> str:
    return ", ".join(map(_consequence, found)) or "nothing"


def _consequence(one: Consequence) -> str:
    if one.kind in MONEY:
        return f"{one.payable} {one.currency}" + (" of damages" if one.kind == "damages" else "")
    return one.kind.replace("_", " ") + (f" at once ({one.breach})" if one.breach else "")


def _because(cause: Cause, unknown: str) -> str:
    if cause.kind == "agreement":
        judged, now = (f"version {one}" if one >= 0 else "no agreement" for one in cause.versions)
        return f"the agreement: judged by {judged}, recomputed by {now}"
    if cause.kind == "late_events":
        more = len(cause.events) - _SHOWN_EVENTS
        return f"late events: {', '.join(cause.events[:_SHOWN_EVENTS])}" + (f" and {more:,} more" if more > 0 else "")
    return unknown
