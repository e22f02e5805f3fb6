"""``sla-monitor traffic``: simulated events in real time, into the topics of a Kafka that is there."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from itertools import cycle
from math import inf
from pathlib import Path
from typing import Final

import click

from monitor.cli.feeding import feed
from monitor.cli.terminal.options import example, json_option, settings_option, yes_option
from monitor.cli.terminal.output import Output
from monitor.config.settings.settings import Settings
from monitor.core.facts.events import Subject
from monitor.core.time.units import HOUR_MS, MINUTE_MS
from monitor.demo.hours import always_busy
from monitor.demo.simulate import Simulator, bad_records
from monitor.installation import topic_of
from monitor.read_model.topics import are_empty, producer
from monitor.stream.partitions.clock import wall_ms
from monitor.stream.partitions.worker import loop_factory

SIMULATED: Final[tuple[Subject, ...]] = ("ticket", "call", "outage", "lead")
FEED_S: Final = 0.5
STEP_MS: Final = HOUR_MS
"""The past is sent in pieces of so much: all of it at once would take much memory."""
TELL_MS: Final = MINUTE_MS
"""How often it says how much it has sent."""
BROKEN_MS: Final = 5 * MINUTE_MS
"""Between two broken records."""
SCENES_AGO_MS: Final = 9 * MINUTE_MS
"""The scenes have begun when the traffic does: what they promise breaks within minutes, not within the hour."""
SCENES_EVERY_MS: Final = 2 * HOUR_MS


@click.command(
    epilog=example("sla-monitor traffic --bootstrap kafka:9092", "sla-monitor traffic --yes --for 60 --json")
)
@click.option(
    "--history",
    "history_h",
    type=click.FloatRange(min=1, max=72),
    default=24.0,
    show_default=True,
    metavar="HOURS",
    help="What happened before, where the topics are empty: windows have figures at once.",
)
@click.option(
    "--intensity",
    type=click.FloatRange(min=0, min_open=True, max=50),
    default=1.0,
    show_default=True,
    help="Multiplies how much comes in.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Chooses the course of chance.")
@click.option("--for", "for_s", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="End after that.")
@click.option(
    "--heartbeat",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    metavar="FILE",
    help="Touch this file whenever Kafka has taken all events: its age tells a health check whether they flow.",
)
@yes_option
@settings_option
@json_option
def traffic(
    out: Output,
    settings: Settings,
    history_h: float,
    intensity: float,
    seed: int,
    for_s: float | None,
    heartbeat: Path | None,
    yes: bool,  # noqa: FBT001 - click's
) -> None:
    """Send simulated tickets, calls, outages and leads to the topics, in real time, for trying out.

    It is as busy as on a weekday afternoon at any hour. The promises of deploy/agreements bind for it. It goes on until
    SIGTERM or SIGINT (exit code 0); exit code 1: Kafka did not take the events.
    """
    topics = [topic_of(settings, subject) for subject in SIMULATED]
    if not yes:
        question = f"Write simulated events to {', '.join(topics)} at {settings.bootstrap}?"
        click.confirm(question, abort=True, err=out.as_json)

    async def run() -> int:
        stopping = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stopping.set)
        empty = await are_empty(settings, topics)
        started_ms = wall_ms()
        # Topics that hold traffic already get no second past: it would count twice.
        scenes_ms = started_ms - SCENES_AGO_MS if empty else started_ms
        history_ms = round(history_h * HOUR_MS) - SCENES_AGO_MS if empty else 0
        simulator = Simulator(
            seed,
            scenes_ms,
            history_ms=history_ms,
            intensity=intensity,
            day=always_busy,
            suffix=f"-{started_ms:x}",  # other tickets than those of the run before
            scenes_every_ms=SCENES_EVERY_MS,
        )
        end_ms = inf if for_s is None else started_ms + for_s * 1000
        return await _send(out, settings, simulator, stopping, end_ms=end_ms, heartbeat=heartbeat)

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        sent = runner.run(run())
    out.say(f"Ended: {sent:,} events sent.")
    out.record(kind="end", sent=sent)


async def _send(
    out: Output,
    settings: Settings,
    simulator: Simulator,
    stopping: asyncio.Event,
    *,
    end_ms: float,
    heartbeat: Path | None,
) -> int:
    sent, told_ms, broken_ms = 0, 0, 0
    bad = cycle(bad_records())
    async with producer(settings) as writer:
        is_past = True
        while not stopping.is_set() and (is_past or wall_ms() < end_ms):
            now_ms = wall_ms()
            is_past = simulator.now_ms + STEP_MS < now_ms
            events = simulator.until(min(now_ms, simulator.now_ms + STEP_MS))
            broken = []
            if now_ms >= broken_ms + BROKEN_MS:
                broken_ms = now_ms
                broken = [next(bad)]
            await feed(writer, settings, events, broken)
            sent += len(events)
            if heartbeat is not None:
                heartbeat.touch()  # noqa: ASYNC240 - one call of the system, twice a second
            if is_past:
                continue
            if now_ms >= told_ms + TELL_MS:
                told_ms = now_ms
                out.say(f"{sent:,} events sent to {settings.bootstrap}")
                out.record(kind="sent", sent=sent, at_ms=now_ms)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), FEED_S)
    return sent
