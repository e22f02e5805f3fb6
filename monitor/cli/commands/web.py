"""``sla-monitor web``: the pages as a process of their own."""

from __future__ import annotations

import asyncio
import logging
import signal
from functools import partial

import click

from monitor.cli.terminal.log import LEVELS, log_to_stderr
from monitor.cli.terminal.options import example, json_option, settings_option
from monitor.cli.terminal.output import Output
from monitor.config.settings.settings import Settings
from monitor.pages.access import Access
from monitor.pages.access import new_token as make_token
from monitor.pages.app import make_app
from monitor.pages.server import PagesServer
from monitor.pages.site import Site
from monitor.read_model.arrivals import Lookout
from monitor.read_model.due import due_next
from monitor.read_model.live import Bounds, Follower
from monitor.read_model.responses import write_responses
from monitor.read_model.subjects import newest_row
from monitor.reports.topics import read_report
from monitor.stream.partitions.clock import WallClock
from monitor.stream.partitions.worker import loop_factory

log = logging.getLogger(__name__)


@click.command(epilog=example("sla-monitor web", "sla-monitor web --settings monitor.yaml --port 8080"))
@click.option("--port", type=click.IntRange(0, 65_535), help="Instead of the setting pages.port; 0 takes a free one.")
@click.option("--new-token", is_flag=True, help="Make a token for pages.tokens, print it with its hash, and end.")
@settings_option
@json_option
def web(out: Output, settings: Settings, port: int | None, new_token: bool) -> None:  # noqa: FBT001 - click's
    """Serve the pages until SIGTERM or SIGINT. Run as many as you like.

    They show what is broken, what breaks next and how long is left, live, in a browser. They are made of the topics of
    agreements, status, alerts, statements and responses, and need no database. They listen on this machine only, unless
    the settings name tokens (pages.tokens) or a proxy that signs people in (pages.proxy_addresses): then each reader
    sees what his role may see. They write nothing, unless operators may acknowledge and silence (pages.respond). The
    log goes to stderr, with --json as JSON lines.
    """
    if new_token:
        _tell_token(out)
        return
    log_to_stderr(LEVELS[settings.log_level], as_json=out.as_json)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_run(settings, settings.pages.port if port is None else port))


def _tell_token(out: Output) -> None:
    token, sha256 = make_token()
    out.record(token=token, sha256=sha256)
    out.say(f"token   {token}   (give it to one reader; it is not kept anywhere)")
    out.say(f"sha256  {sha256}   (for pages.tokens in the settings)")


async def _run(settings: Settings, port: int) -> None:
    follower = Follower(settings, Bounds(settings.pages.keep_alerts, settings.pages.keep_statements))
    write = partial(write_responses, settings) if settings.pages.respond else None
    clock, access = WallClock(), Access.of(settings.pages)
    lookout = Lookout(settings, lambda: follower.live.clock.at(clock.now_ms()))
    reports = partial(read_report, settings)
    site = Site(follower, clock, write=write, arrivals=lookout.arrivals, report_of=reports)
    app = make_app(
        site,
        partial(newest_row, settings),
        access,
        read_due=partial(due_next, settings),
        max_streams=settings.pages.max_streams,
    )
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    server = PagesServer(app, settings.pages.host, port, connections=settings.pages.max_connections)
    async with server, asyncio.TaskGroup() as tasks:
        log.info("serving the pages on %s", server.address)
        running = (follower.run(), lookout.run(), _told_of(server, stopping))
        parts = [tasks.create_task(one) for one in running]
        await stopping.wait()
        for part in parts:
            part.cancel()
    log.info("the pages stopped")


async def _told_of(server: PagesServer, stopping: asyncio.Event) -> None:
    """Have the process stop if its server has ended by itself."""
    await server.ended()
    stopping.set()
