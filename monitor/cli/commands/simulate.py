"""``sla-monitor simulate``: the verdicts and credits that recorded events would have had under another agreement."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import orjson

from monitor.cli.terminal.instants import Instant
from monitor.cli.terminal.options import example, settings_option
from monitor.cli.terminal.output import Output
from monitor.cli.terminal.places import try_places
from monitor.cli.terminal.progress import progress
from monitor.cli.terminal.recorded import FILE, agreements_option, table_option
from monitor.config.agreements.checking import load_agreements
from monitor.config.settings.settings import Settings
from monitor.core.objectives.consequence import MONEY
from monitor.core.recompute.differences import clock_counts, objective_counts, other_verdicts
from monitor.read_model.history import OnProgress, read_history
from monitor.replay.files import load_tables
from monitor.replay.own_events import read_own_events
from monitor.replay.readers import read_tables
from monitor.replay.result import data_faults
from monitor.replay.simulate import Outcome, as_if_accepted, cut, outcome
from monitor.wire.outcomes import consequence_json
from monitor.wire.times import READERS, instant
from monitor.wire.wording import plural

if TYPE_CHECKING:
    from monitor.core.facts.events import Event

_PATH: Final = click.Path(path_type=Path, exists=True)
_STDOUT: Final = Path("-")
LISTED: Final = 20
"""Subjects that the table lists; the JSON has all of them."""
_CLOCK_VERDICTS: Final = ("met", "breached", "open", "cancelled")
_PERIOD_VERDICTS: Final = ("met", "breached", "low_sample", "no_data", "provisional")


@click.command(
    epilog=example(
        "sla-monitor simulate --agreements draft.yaml --against agreements/ incidents.csv.gz --mapping mapping.yaml",
        "sla-monitor simulate --agreements draft.yaml events.jsonl --json -",
        "sla-monitor simulate --agreements draft.yaml --against agreements/ --from-kafka --from 2026-01-01T00:00:00Z",
    )
)
@click.argument("data", nargs=-1, type=FILE)
@agreements_option("What is tried: ", required=True)
@click.option("--against", multiple=True, type=_PATH, help="What it is compared with: file or folder, repeatable.")
@click.option("--mapping", type=FILE, help="How rows become events (YAML). Without it: our own events as JSON lines.")
@table_option
@click.option("--from-kafka", is_flag=True, help="Take the events of the topics, up to their present ends.")
@click.option("--from", "from_ms", type=Instant(), help="Leave out subjects that began before, RFC 3339.")
@click.option("--until", "until_ms", type=Instant(), help="Let time pass up to then.  [default: to the last event]")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the result as JSON; - is stdout.")
@settings_option
def simulate(  # noqa: PLR0917 - click calls it by name
    settings: Settings,
    data: tuple[Path, ...],
    agreements: tuple[Path, ...],
    against: tuple[Path, ...],
    mapping: Path | None,
    more: tuple[tuple[Path, Path], ...],
    from_kafka: bool,  # noqa: FBT001 - click's
    from_ms: int | None,
    until_ms: int | None,
    json_file: Path | None,
) -> None:
    """Show what recorded events would have come to under other agreements, and what it would have cost.

    The newest version of each agreement under --agreements is taken, a draft too, as if it had been accepted and had
    held since the first event. With --against it is compared with agreements as they are written: verdicts of clocks
    and closed periods under both, the subjects that are judged differently, and credits. Only periods that have closed
    are judged and billed: with --until time passes beyond the last event. Nothing is written to Kafka.
    """
    if bool(data) == from_kafka or (mapping and from_kafka) or (more and not mapping):
        raise click.UsageError("Give files of events (with --mapping or without), or --from-kafka.")
    out = Output(as_json=json_file == _STDOUT)
    try_places((("--json", json_file),))
    tried, known = load_agreements(agreements), load_agreements(against) if against else None
    with progress() as on_progress:
        events = cut(_events(out, settings, data, mapping, more, on_progress), from_ms, until_ms)
        begins_ms = min((event.fact.time_ms for event in events), default=0)
        new = outcome(events, as_if_accepted(tried, begins_ms), until_ms=until_ms, on_progress=on_progress)
        old = None
        if known is not None:
            old = outcome(events, known, until_ms=until_ms, on_progress=on_progress)
    found = _as_json(new, old)
    if json_file == _STDOUT:
        out.raw(orjson.dumps(found))
        return
    if json_file:
        json_file.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    _tell(out, found)


def _events(
    out: Output,
    settings: Settings,
    data: tuple[Path, ...],
    mapping: Path | None,
    more: Sequence[tuple[Path, Path]],
    on_progress: OnProgress,
) -> list[Event]:
    if data:
        reading = (
            read_tables(load_tables(data, mapping, more), on_progress)
            if mapping
            else read_own_events(data, on_progress)
        )
        for one in reading.rejected[:LISTED]:
            out.note(f"rejected: {one.file}:{one.line}: {one.reason}: {one.detail}")
        if len(reading.rejected) > LISTED:
            out.note(f"{plural(len(reading.rejected), 'row')} rejected: {reading.reasons()}")
        for sentence in data_faults(reading):
            out.note(sentence)
        return reading.events
    history = asyncio.run(read_history(settings, on_progress))
    for reason, count in history.rejected.most_common():
        out.note(f"{plural(count, 'record is no event', 'records are no events')}: {reason}")
    return history.events()


def _as_json(new: Outcome, old: Outcome | None) -> dict[str, Any]:
    """Return the result as an object of plain values; ``old`` sides are null where nothing is compared."""
    sides = {"new": new, "old": old}
    clocks = {name: None if side is None else clock_counts(side.verdicts) for name, side in sides.items()}
    periods = {name: None if side is None else objective_counts(side.result.statements) for name, side in sides.items()}
    result = new.result
    return {
        "events": result.events,
        "from_ms": result.from_ms,
        "until_ms": result.until_ms,
        "clocks": [{"agreement": place[0], "clock": place[1], **_counts(clocks, place)} for place in _places(clocks)],
        "objectives": [
            {"agreement": place[0], "objective": place[1], "window": place[2], **_counts(periods, place)}
            for place in _places(periods)
        ],
        "differences": []
        if old is None
        else [
            {**clock._asdict(), "old": was, "new": would}
            for clock, was, would in other_verdicts(old.verdicts, new.verdicts)
        ],
        "credits": {name: None if side is None else _amounts(side.credits()) for name, side in sides.items()},
        "damages": {name: None if side is None else _amounts(side.damages()) for name, side in sides.items()},
        "consequences": {
            name: None if side is None else [consequence_json(one) for one in side.consequences]
            for name, side in sides.items()
        },
    }


def _places(counts: Mapping[str, Mapping[Any, Counter[Any]] | None]) -> list[Any]:
    return sorted({place for side in counts.values() for place in side or ()})


def _counts(counts: Mapping[str, Mapping[Any, Counter[Any]] | None], place: object) -> dict[str, dict[str, int] | None]:
    return {name: None if side is None else dict(side.get(place, {})) for name, side in counts.items()}


def _amounts(payable: Mapping[tuple[str, str], Decimal]) -> list[dict[str, str]]:
    return [
        {"agreement": agreement, "currency": currency, "payable": str(amount)}
        for (agreement, currency), amount in sorted(payable.items())
    ]


def _tell(out: Output, found: dict[str, Any]) -> None:
    compared = found["credits"]["old"] is not None
    if not found["events"]:
        out.say("No events: nothing to simulate.")
        return
    begin, end = (instant(found[name], READERS) for name in ("from_ms", "until_ms"))
    out.say(f"{plural(found['events'], 'event')}, {begin} to {end}.")
    out.table(
        _columns("clock", _CLOCK_VERDICTS, compared=compared),
        [(f"{one['agreement']}/{one['clock']}", *_cells(one, _CLOCK_VERDICTS)) for one in found["clocks"]],
        "Clocks",
    )
    out.table(
        _columns("objective", _PERIOD_VERDICTS, compared=compared),
        [
            (f"{one['agreement']}/{one['objective']} ({one['window']})", *_cells(one, _PERIOD_VERDICTS))
            for one in found["objectives"]
        ],
        "Objectives in closed periods",
    )
    for side in ("old", "new") if compared else ("new",):
        for word in ("credits", "damages"):
            told = ", ".join(f"{one['payable']} {one['currency']} ({one['agreement']})" for one in found[word][side])
            if told or word == "credits":
                out.say(f"{word.capitalize()}, {side}: {told or 'none'}")
        others = Counter(one["kind"] for one in found["consequences"][side] if one["kind"] not in MONEY)
        for kind, count in sorted(others.items()):
            out.say(f"{kind.replace('_', ' ')}, {side}: {count}")
    if compared:
        _tell_differences(out, found["differences"])


def _tell_differences(out: Output, differences: list[dict[str, Any]]) -> None:
    if not differences:
        out.say("No clock is judged differently.")
        return
    rows = [
        (
            f"{one['subject']} {one['subject_id']}",
            f"{one['agreement']}/{one['clock']}",
            str(one["cycle"]),
            one["old"],
            one["new"],
        )
        for one in differences[:LISTED]
    ]
    out.table(("subject", "clock", "cycle", "old", "new"), rows, "Judged differently")
    if len(differences) > LISTED:
        out.say(f"… and {len(differences) - LISTED:,} more (all of them: --json)")


def _columns(first: str, verdicts: tuple[str, ...], *, compared: bool) -> list[str]:
    return [first, *[f"{one}, old → new" if compared else one for one in verdicts]]


def _cells(one: dict[str, Any], verdicts: tuple[str, ...]) -> list[str]:
    old, new = one["old"], one["new"]
    return [
        f"{old.get(name, 0):,} → {new.get(name, 0):,}" if old is not None else f"{new.get(name, 0):,}"
        for name in verdicts
    ]
