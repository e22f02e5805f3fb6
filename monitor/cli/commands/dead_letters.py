"""``sla-monitor dead-letters``: the records that could not be used: list, show and replay them, and skip more."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import click
from aiokafka.structs import ConsumerRecord

from monitor.cli.terminal.failing import FAILED
from monitor.cli.terminal.options import by_option, example, json_option, settings_option, yes_option
from monitor.cli.terminal.output import Output
from monitor.cli.terminal.progress import LEAST, progress
from monitor.config.settings.settings import Settings
from monitor.core.facts.events import SUBJECTS, Subject
from monitor.errors import DecodeError
from monitor.installation import consumed_topics, topic_of
from monitor.read_model.buried_panes import BURIED_PANES, Found, find_buried, send_buried
from monitor.read_model.present import clock_of, present_ms
from monitor.read_model.responses import respond
from monitor.read_model.responses import withdraw as take_response_back
from monitor.read_model.topics import Outgoing, read_all, send_all
from monitor.stream.partitions.sources import Place
from monitor.wire.deadletters import DEAD_LETTER_REASONS, DeadLetter, decode_dead_letter
from monitor.wire.events import right_key
from monitor.wire.instants import rfc3339
from monitor.wire.markers import ClockMarker
from monitor.wire.responses import Skip, response_key
from monitor.wire.times import READERS, instant
from monitor.wire.visible import printable
from monitor.wire.wording import plural

_BYTES_PER_LINE: Final = 16
_SHOWN_DETAIL: Final = 100


class Letter(NamedTuple):
    """A dead letter, when it became one (epoch milliseconds), and the key to send it with where that is another one."""

    letter: DeadLetter
    at_ms: int
    key: bytes | None = None

    @property
    def id(self) -> str:
        """Where the record came from: ``topic/partition/offset``."""
        return f"{self.letter.topic}/{self.letter.partition}/{self.letter.offset}"


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    reason = click.option(
        "--reason",
        "reasons",
        multiple=True,
        type=click.Choice(sorted(DEAD_LETTER_REASONS)),
        help="Only of this reason.",
    )
    topic = click.option("--topic", "topics", multiple=True, help="Only from this topic.")
    return reason(topic(command))


@click.group("dead-letters", epilog=example("sla-monitor dead-letters list"))
def dead_letters() -> None:
    """Look at records that could not be used, and send them again."""


@dead_letters.command("list", epilog=example("sla-monitor dead-letters list --reason bad_json --topic tickets"))
@_filters
@click.option("--last", type=click.IntRange(min=1), default=50, show_default=True, help="How many, the newest.")
@settings_option
@json_option
def list_letters(out: Output, settings: Settings, reasons: tuple[str, ...], topics: tuple[str, ...], last: int) -> None:
    """List dead letters with their reasons, the newest last."""
    found = _chosen(_letters(out, settings), (), reasons, topics)
    shown = found[-last:]
    for one in shown:
        out.record(**_as_json(one))
    if not found:
        out.say("No dead letters.")
        return
    out.table(
        ("id", "since", "reason", "detail", "bytes"),
        [
            (
                one.id,
                instant(one.at_ms, READERS, seconds=True),
                one.letter.reason,
                _cut(one.letter.detail or DEAD_LETTER_REASONS.get(one.letter.reason, "")),
                str(len(one.letter.value or b"")),
            )
            for one in shown
        ],
    )
    out.say(
        f"{len(shown)} of {plural(len(found), 'dead letter')}. Look at one: sla-monitor dead-letters show ID",
        style="dim",
    )


@dead_letters.command(epilog=example("sla-monitor dead-letters show tickets/3/1042"))
@click.argument("letter_id", metavar="ID")
@settings_option
@json_option
def show(out: Output, settings: Settings, letter_id: str) -> None:
    """Show one dead letter with its original bytes.

    ID is topic/partition/offset, as the list tells it.
    """
    found = _chosen(_letters(out, settings), (letter_id,), (), ())
    if not found:
        out.note(f"error, for whoever runs this: no dead letter {letter_id}: see sla-monitor dead-letters list")
        click.get_current_context().exit(FAILED)
    one = found[-1]
    letter = one.letter
    out.record(
        **_as_json(one),
        headers={name: printable(value) for name, value in letter.headers},
        value=None if letter.value is None else printable(letter.value),
        value_base64=None if letter.value is None else base64.b64encode(letter.value).decode(),
    )
    out.table(
        ("", ""),
        [
            ("id", one.id),
            ("since", instant(one.at_ms, READERS, seconds=True)),
            ("reason", f"{letter.reason}: {DEAD_LETTER_REASONS.get(letter.reason, 'unknown to this version')}"),
            ("detail", printable(letter.detail.encode())),
            ("key", "none" if letter.key is None else printable(letter.key)),
            *((f"header {name}", printable(value)) for name, value in letter.headers),
            ("cut", ", ".join(letter.truncated) or "nothing"),
            ("value", "none (a tombstone)" if letter.value is None else f"{len(letter.value)} bytes:"),
        ],
    )
    for line in readable(letter.value or b""):
        out.say(line)


@dead_letters.command(
    epilog=example(
        "sla-monitor dead-letters replay --reason unknown_type --topic tickets",
        "sla-monitor dead-letters replay --reason key_mismatch --rekey",
    )
)
@click.argument("ids", metavar="[ID]...", nargs=-1)
@_filters
@click.option("--rekey", is_flag=True, help="Send events whose key is not their subject's id with the right key.")
@yes_option
@settings_option
@json_option
def replay(
    out: Output,
    settings: Settings,
    ids: tuple[str, ...],
    reasons: tuple[str, ...],
    topics: tuple[str, ...],
    rekey: bool,  # noqa: FBT001 - click's
    yes: bool,  # noqa: FBT001 - click's
) -> None:
    """Send records again, once the cause is mended.

    They go out as they came, to the partitions they came from. Events that were taken meanwhile are recognised by their
    ids. Records that were cut cannot be sent again.

    Of the workers' own records those of the partials topic can be sent again, each as long as its key was not written
    again since: it would replace what is newer. Those that were are left out.

    With --rekey those refused for key_mismatch get their subject's id as their key, and go to the partition that
    Kafka's default partitioner (murmur2) finds for it. Use it only where the topic's producers partition so: all events
    of a subject must be in one partition.
    """
    if not (ids or reasons or topics):
        raise click.UsageError("Say which: an ID, --reason or --topic.")
    found = _chosen(_letters(out, settings), ids, reasons, topics)
    missing = set(ids) - {one.id for one in found}
    for letter_id in sorted(missing):
        out.note(f"no dead letter {letter_id}")
    if rekey:
        found = [_rekeyed(out, one, settings) for one in found]
    unsendable = {one.id: why for one in found if (why := _why_not(one.letter, settings))}
    for letter_id, why in unsendable.items():
        out.note(f"{letter_id} cannot be sent again: {why}")
    # The newest of an id is enough; in the order in which they came.
    sending = sorted(
        {one.id: one for one in found if one.id not in unsendable}.values(), key=lambda one: one.letter[:3]
    )
    topic = settings.topics.partials
    panes = asyncio.run(find_buried(settings, [one.letter for one in sending if one.letter.topic == topic]))
    unreadable = _said(out, panes.unreadable, "cannot be sent again")
    replaced = _said(out, panes.replaced, "is left out")
    sending = [one for one in sending if one.id not in unreadable | replaced]
    if sending and not yes:
        click.confirm(f"Send {plural(len(sending), 'record')} again?", abort=True, err=out.as_json)
    replaced |= _send(out, settings, [one for one in sending if one.letter.topic != topic], panes)
    sending = [one for one in sending if one.id not in replaced]
    for one in sending:
        out.record(id=one.id, sent=True)
    for letter_id in sorted(replaced):
        out.record(id=letter_id, sent=False)
    out.say(f"{plural(len(sending), 'record')} sent again.")
    if missing or unsendable or unreadable:
        click.get_current_context().exit(FAILED)


def _send(out: Output, settings: Settings, letters: Sequence[Letter], panes: Found) -> set[str]:
    """Send records again; return the ids of panes that were left out at the last moment."""
    records = [
        Outgoing(
            one.letter.topic,
            one.key or one.letter.key,
            one.letter.value,
            one.letter.headers,
            None if one.key else one.letter.partition,
        )
        for one in letters
    ]
    if records:
        asyncio.run(send_all(settings, records))
    return _said(out, asyncio.run(send_buried(settings, panes)), "is left out") if panes.newest else set()


def _said(out: Output, reasons: Mapping[Place, str], what: str) -> set[str]:
    """Say why records are not sent; return their ids."""
    whys = {f"{topic}/{partition}/{offset}": why for (topic, partition, offset), why in sorted(reasons.items())}
    for letter_id, why in whys.items():
        out.note(f"{letter_id} {what}: {why}")
    return set(whys)


@dead_letters.command(epilog=example("sla-monitor dead-letters skip tickets/3/1042 --reason 'ends each worker, INC-7'"))
@click.argument("record", metavar="TOPIC/PARTITION/OFFSET")
@click.option("--reason", default="", help="Why; it stands in the dead letter.")
@click.option("--withdraw", is_flag=True, help="Take it back: the record is worked on, if it has not been reached yet.")
@by_option
@settings_option
@json_option
def skip(
    out: Output,
    settings: Settings,
    record: str,
    reason: str,
    by: str,
    withdraw: bool,  # noqa: FBT001 - click's
) -> None:
    """Have the workers pass over one record.

    It becomes a dead letter (reason "skipped") without being worked on, also by workers that start later. A record that
    was worked on already stays so.
    """
    if not (reason or withdraw):
        raise click.UsageError("Say why: --reason.")
    topic, partition, offset = _place(record, settings)
    now_ms = asyncio.run(present_ms(settings))
    asked = Skip(topic=topic, partition=partition, offset=offset, reason=reason, at_ms=now_ms, by=by)
    if withdraw:
        take_response_back(settings, response_key(asked))
    else:
        respond(settings, asked)
    out.record(id=record, skipped=not withdraw, reason=reason, by=by)
    out.say(
        f"{record} is worked on again, if it has not been reached yet."
        if withdraw
        else f"{record} will be skipped. See it afterwards: sla-monitor dead-letters list --reason skipped"
    )


def _place(record: str, settings: Settings) -> Place:
    """Return topic, partition and offset that a record's name means; it must be of a topic that workers consume."""
    topic, _, rest = record.partition("/")
    partition, _, offset = rest.partition("/")
    if not (partition.isascii() and partition.isdecimal() and offset.isascii() and offset.isdecimal()):
        raise click.BadParameter(f"{record!r} is not of the form TOPIC/PARTITION/OFFSET, as tickets/3/1042")
    consumed = consumed_topics(settings)
    if topic not in consumed:
        raise click.BadParameter(f"the workers do not consume {topic!r}, but {', '.join(sorted(consumed))}")
    return topic, int(partition), int(offset)


def readable(value: bytes) -> Iterator[str]:
    """Yield the lines of a value: its text if it is UTF-8 that can be shown, else its bytes in hexadecimal."""
    try:
        lines = value.decode().split("\n")
    except UnicodeDecodeError:
        lines = []
    if lines and all(line.replace("\t", " ").rstrip("\r").isprintable() for line in lines):
        yield from lines
        return
    for start in range(0, len(value), _BYTES_PER_LINE):
        part = value[start : start + _BYTES_PER_LINE]
        text = "".join(chr(one) if 0x20 <= one < 0x7F else "." for one in part)  # noqa: PLR2004 - ASCII
        yield f"{start:08x}  {part.hex(' '):<{3 * _BYTES_PER_LINE}} {text}"


def _letters(out: Output, settings: Settings) -> list[Letter]:
    topic = settings.topics.dead_letters
    with progress(least=LEAST, transient=True) as on_progress:
        records = asyncio.run(read_all(settings, topic, lambda done, total: on_progress(topic, done, total)))
    return list(_decoded(out, records, asyncio.run(clock_of(settings))))


def _decoded(out: Output, records: Sequence[ConsumerRecord], clock: ClockMarker) -> Iterator[Letter]:
    for record in sorted(records, key=lambda record: record.timestamp):
        try:
            yield Letter(decode_dead_letter(record.value, record.headers), clock.at(record.timestamp))
        except DecodeError as error:
            out.note(f"{record.topic}/{record.partition}/{record.offset} is no dead letter of ours: {error}")


def _chosen(
    letters: Sequence[Letter], ids: Sequence[str], reasons: Sequence[str], topics: Sequence[str]
) -> list[Letter]:
    return [
        one
        for one in letters
        if (not ids or one.id in ids)
        and (not reasons or one.letter.reason in reasons)
        and (not topics or one.letter.topic in topics)
    ]


def _why_not(letter: DeadLetter, settings: Settings) -> str:
    if letter.topic == settings.topics.partials:  # it goes out as it stands there, whatever its letter says
        return "" if letter.reason in BURIED_PANES else f"it is no record of the monitor's: {letter.reason}"
    if letter.truncated:
        return f"its {' and '.join(letter.truncated)} was cut"
    # Whoever can write dead letters must not be able to have us write to any topic.
    foreign = letter.topic in [source.topic for source in settings.sources]
    if not foreign and _subject_of(letter.topic, settings) is None:
        return f"{letter.topic} is no topic of events in these settings"
    return ""


def _rekeyed(out: Output, one: Letter, settings: Settings) -> Letter:
    """Return the letter with the right key, where only that was wrong."""
    letter = one.letter
    subject = _subject_of(letter.topic, settings)
    if letter.reason != "key_mismatch" or subject is None or letter.truncated:
        return one
    try:
        return one._replace(key=right_key(subject, letter.value, letter.headers))
    except DecodeError as error:
        out.note(f"{one.id} keeps its key: {error}")
        return one


def _subject_of(topic: str, settings: Settings) -> Subject | None:
    return next((one for one in SUBJECTS if topic_of(settings, one) == topic), None)


def _as_json(one: Letter) -> dict[str, object]:
    letter = one.letter
    return {
        "id": one.id,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "reason": letter.reason,
        "detail": letter.detail,
        "since": rfc3339(one.at_ms),
        "since_ms": one.at_ms,
        "key": None if letter.key is None else printable(letter.key),
        "bytes": len(letter.value or b""),
        "truncated": letter.truncated,
    }


def _cut(text: str) -> str:
    shown = printable(text.encode())
    return shown if len(shown) <= _SHOWN_DETAIL else shown[: _SHOWN_DETAIL - 1] + "…"
