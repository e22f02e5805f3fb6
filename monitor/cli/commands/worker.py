"""``sla-monitor worker``: one worker as the process."""

from __future__ import annotations

import asyncio
import logging
import signal

import click

from monitor.bootstrap import Monitor
from monitor.cli.terminal.failing import FAILED
from monitor.cli.terminal.log import LEVELS, log_to_stderr
from monitor.cli.terminal.options import example, json_option, settings_option
from monitor.cli.terminal.output import Output
from monitor.config.settings.settings import Settings
from monitor.errors import SlaMonitorError
from monitor.stream.partitions.collector import calm_collector
from monitor.stream.partitions.worker import loop_factory

log = logging.getLogger(__name__)


@click.command(epilog=example("sla-monitor worker --settings monitor.yaml"))
@click.option("--no-check", is_flag=True, help="Do not look at the topics first: where it may not describe them.")
@settings_option
@json_option
def worker(out: Output, settings: Settings, no_check: bool) -> None:  # noqa: FBT001 - click's
    """Run a worker until SIGTERM or SIGINT. Run as many as there are partitions.

    It checks the topics, follows the agreements, and serves /healthz, /readyz and /metrics (setting web). The log goes
    to stderr, with --json as JSON lines. Exit code 1 if it had to stop: start it again, it goes on where it was.
    """
    log_to_stderr(LEVELS[settings.log_level], as_json=out.as_json)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        stopped_well = runner.run(_run(settings, check=not no_check))
    if not stopped_well:
        click.get_current_context().exit(FAILED)


async def _run(settings: Settings, *, check: bool) -> bool:
    monitor = Monitor(settings)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, monitor.app.request_stop)
    if check:
        await monitor.check()
    calm_collector()
    async with monitor.web_server() as web:
        log.info("serving %s/metrics, /healthz and /readyz", web.address)
        try:
            await monitor.run()
        except SlaMonitorError:
            if monitor.app.failure is None:
                raise  # before it ran: told like any other error
        except Exception:
            if monitor.app.failure is None:
                raise
    if monitor.app.failure is None:
        log.info("worker stopped")
    return monitor.app.failure is None
