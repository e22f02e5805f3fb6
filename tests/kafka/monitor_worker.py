"""A whole monitor as a worker process: ``python -m tests.kafka.monitor_worker``, its settings in the environment.

It is what ``sla-monitor worker`` runs, without the command line around it. Exit code 0 after SIGTERM, 1 if it had to
stop: the log says why.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys

from monitor.bootstrap import Monitor
from monitor.config.settings.settings import load_settings
from monitor.errors import SlaMonitorError
from monitor.stream.partitions.collector import calm_collector
from monitor.stream.partitions.worker import loop_factory, set_log_levels

log = logging.getLogger("monitor.test_worker")


async def work() -> int:
    monitor = Monitor(load_settings(None, os.environ))
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, monitor.app.request_stop)
    try:
        await monitor.check()
        async with monitor.web_server() as web:
            log.info("process %d serves %s", os.getpid(), web.address)
            await monitor.run()
    except SlaMonitorError as error:
        if monitor.app.failure is None:  # before it ran; afterwards the worker has said why
            log.critical("worker stops: %s", error)
        return 1
    log.info("worker stopped")
    return 0


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    set_log_levels(logging.INFO)
    calm_collector()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(work())


if __name__ == "__main__":
    sys.exit(main())
