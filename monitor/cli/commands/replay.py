"""``sla-monitor replay``: recorded data through the same core as live events, without Kafka; or into Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import orjson

from monitor.cli.terminal.failing import FAILED
from monitor.cli.terminal.instants import Instant
from monitor.cli.terminal.options import example, settings_option
from monitor.cli.terminal.output import Output
from monitor.cli.terminal.places import try_places
from monitor.cli.terminal.progress import progress
from monitor.cli.terminal.recorded import FILE, agreements_option, table_option
from monitor.config.agreements.checking import load_agreements
from monitor.config.settings.settings import Settings
from monitor.core.facts.events import Event
from monitor.installation import topic_of
from monitor.read_model.history import OnProgress
from monitor.read_model.topics import producer, refused_records
from monitor.replay.announced import write_announced
from monitor.replay.chosen import Chosen
from monitor.replay.files import load_tables, replay_files
from monitor.replay.preview import attributes_text
from monitor.replay.preview import preview as preview_of
from monitor.replay.readers import Reading, Table, read_tables
from monitor.replay.result import (
    as_json,
    as_table,
    data_faults,
    fates,
    reading_json,
    rejections_table,
    write_json,
    write_records,
)
from monitor.replay.to_kafka import to_kafka
from monitor.replay.unused import Seen, useless
from monitor.wire.events import encode_event
from monitor.wire.times import READERS, instant
from monitor.wire.wording import plural

_STDOUT = Path("-")
_OF_MEASURING = "--agreements, --json FILE, --records, --announced, --until, --alerts, --of and --window"


@click.command(
    epilog=example(
        "sla-monitor replay incidents.csv.gz --mapping mapping.yaml --agreements agreements/ --json result.json",
        "sla-monitor replay incidents.csv --mapping mapping.yaml --preview 10",
        "sla-monitor replay tickets.csv --mapping tickets.yaml --table replies.csv replies.yaml --agreements sla/",
        "sla-monitor replay calls.csv --mapping calls.yaml --agreements agreements/ --of calls --window month",
        "sla-monitor replay incidents.csv --mapping mapping.yaml --to-kafka --speed 60",
    )
)
@click.argument("data", nargs=-1, required=True, type=FILE)
@click.option("--mapping", required=True, type=FILE, help="How rows become events (YAML).")
@table_option
@click.option(
    "--preview",
    type=click.IntRange(min=1),
    metavar="N",
    help="Only show the first N events, and why rows are refused.",
)
@agreements_option()
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the result as JSON; - is stdout.")
@click.option(
    "--records", type=click.Path(path_type=Path), help="Write one JSON line for each measured clock and each call."
)
@click.option(
    "--until", "until_ms", type=Instant(), help="Where time ends; later events are left out.  [default: data]"
)
@click.option(
    "--announced", type=click.Path(path_type=Path), help="Write alerts and statements as on the topics, for recompute."
)
@click.option(
    "--alerts",
    type=click.Choice(("all", "none")),
    default="all",
    show_default=True,
    help="Keep the alerts in the result, or only how many there were: most of a large result is alerts.",
)
@click.option("--of", multiple=True, metavar="NAME", help="Show this agreement, measure or agreement/measure only.")
@click.option(
    "--window", "windows", multiple=True, metavar="NAME", help="Show the figures by this window too: day, month, year …"
)
@click.option("--to-kafka", "into_kafka", is_flag=True, help="Send the events to the topics instead.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="With --to-kafka: times faster than it happened; 0 is as fast as possible.",
)
@settings_option
def replay(
    settings: Settings,
    data: tuple[Path, ...],
    mapping: Path,
    more: tuple[tuple[Path, Path], ...],
    preview: int | None,
    into_kafka: bool,  # noqa: FBT001 - click's
    speed: float,
    **asked: Any,  # noqa: ANN401 - click's
) -> None:
    """Measure recorded data under agreements, without Kafka.

    CSV, JSON lines or JSON arrays, gzipped or not, run through the same core as live events, in event time; DATA may
    be - for standard input. The result tells every figure with its numerator, denominator, unit, formula and window,
    and the rejected rows by reason with their lines. Several tables about the same subjects are read together: each
    --table has a mapping of its own, and events with the same id belong to the same ticket, call, outage or lead.
    The exit code is 1 if an agreement measured nothing of the data, or if every row of a file was refused.
    With --to-kafka the events go to the topics instead, at the pace at which they happened or faster; a worker measures
    them then.
    """
    of = _Asked(**asked)
    out = Output(as_json=of.json_file == _STDOUT)
    if preview:
        if of.measures_something() or into_kafka:
            raise click.UsageError(f"--preview measures nothing: it goes without --to-kafka, {_OF_MEASURING}.")
        _preview(out, load_tables(data, mapping, more), preview)
        return
    if not into_kafka:
        if not of.agreements:
            raise click.UsageError("Missing option '--agreements' (or --to-kafka, or --preview).")
        _measured(out, data, mapping, more, of)
        return
    if of.measures_something():
        raise click.UsageError(f"--to-kafka only sends events: it goes without {_OF_MEASURING}.")
    _into_kafka(out, settings, load_tables(data, mapping, more), speed)


class _Asked(NamedTuple):
    """The options of a replay that measures."""

    agreements: tuple[Path, ...]
    json_file: Path | None
    records: Path | None
    announced: Path | None
    until_ms: int | None
    alerts: str
    of: tuple[str, ...]
    windows: tuple[str, ...]

    def measures_something(self) -> bool:
        """Return whether anything was asked for that only a measurement has."""
        has_file = self.json_file not in (None, _STDOUT)
        return (
            bool(self.agreements or self.records or self.announced or self.of or self.windows or has_file)
            or self.until_ms is not None
            or self.alerts != "all"
        )


def _measured(
    out: Output, data: tuple[Path, ...], mapping: Path, more: tuple[tuple[Path, Path], ...], asked: _Asked
) -> None:
    try_places((("--json", asked.json_file), ("--records", asked.records), ("--announced", asked.announced)))
    if asked.announced and asked.alerts == "none":
        raise click.UsageError("--announced needs the alerts: it goes without --alerts none.")
    book, chosen = load_agreements(asked.agreements), Chosen(asked.of, asked.windows)
    if mistakes := chosen.mistakes(book):
        raise click.UsageError("\n".join(mistakes))
    seen = Seen()
    with progress() as on_progress:
        result = replay_files(
            data, mapping, book, more=more, until_ms=asked.until_ms, cut=True, keep_alerts=asked.alerts == "all",
            keep_records=asked.records is not None, keep_calls=asked.records is not None, on_progress=on_progress,
            on_events=lambda events: seen.take(events, book),
        )  # fmt: skip
    if asked.records:
        write_records(result, asked.records)
    if asked.announced:
        write_announced(result, asked.announced)
    if asked.json_file == _STDOUT:
        out.raw(orjson.dumps(as_json(result)))
    else:
        if asked.json_file:
            write_json(result, asked.json_file)
        out.console.print(as_table(result, book, chosen))
    findings = useless(result, book, seen)
    for finding in findings:
        out.note(f"warning: {finding}")
    if findings:
        click.get_current_context().exit(FAILED)


def _preview(out: Output, tables: Sequence[Table], most: int) -> None:
    with progress() as on_progress:
        made, count, reading = preview_of(tables, most, on_progress)
    out.record(events=[one.as_json() for one in made], rows=reading_json(reading))
    rows = [
        (
            f"{one.file}:{one.line}",
            instant(one.event.fact.time_ms, READERS),
            f"{one.event.subject} {one.event.subject_id}",
            one.event.fact.type,
            attributes_text(one.event),
        )
        for one in made
    ]
    out.table(("row", "time", "subject", "event", "attributes"), rows, f"The first {plural(len(made), 'event')}")
    out.say(f"{plural(count, 'event')} of {plural(reading.rows, 'row')}: {fates(reading)}.")
    if reading.rejected and not out.as_json:
        out.console.print(rejections_table(reading))
    for sentence in data_faults(reading):
        out.say(sentence)
    if not made:
        said = "the mapping: no row makes an event" if reading.rows else "the file: it has no rows"
        out.note(f"error, for the author of {said}")
        click.get_current_context().exit(FAILED)


def _into_kafka(out: Output, settings: Settings, tables: Sequence[Table], speed: float) -> None:
    with progress() as on_progress:
        reading = read_tables(tables, on_progress)
        sent = asyncio.run(_send(settings, reading, speed, on_progress))
    out.say(f"{plural(sent, 'event')} of {plural(reading.rows, 'row')} sent to {settings.bootstrap}.")
    for reason, count in reading.reasons().items():
        out.say(f"{plural(count, 'row')} rejected: {reason}")
    for sentence in data_faults(reading):
        out.say(sentence)
    out.record(sent=sent, rows=reading.rows, rejected=reading.reasons())


async def _send(settings: Settings, reading: Reading, speed: float, on_progress: OnProgress) -> int:
    failures: list[BaseException] = []

    def told(confirmation: asyncio.Future[Any]) -> None:
        error = None if confirmation.cancelled() else confirmation.exception()
        if error is not None:
            failures.append(error)

    async with producer(settings) as writer:

        async def send(event: Event) -> None:
            if failures:
                raise await refused_records(settings, failures[0], "does not take records")
            key, value = encode_event(event)
            (await writer.send(topic_of(settings, event.subject), key=key, value=value)).add_done_callback(told)

        sent = await to_kafka(
            reading.events,
            send,
            speed=speed or None,
            now=asyncio.get_running_loop().time,
            on_progress=lambda done, total: on_progress("sent", done, total),
        )
    if failures:
        raise await refused_records(settings, failures[0], f"did not take {len(failures)} records")
    return sent
