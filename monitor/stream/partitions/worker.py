"""Runs a worker: in an event loop that exists (demo, tests) or as the process."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from monitor.stream.partitions.app import WorkerApp, WorkerSettings, build_app
from monitor.stream.partitions.sources import Source

__all__ = [
    "Source", "WorkerApp", "WorkerSettings", "build_app", "failing", "loop_factory", "main_worker", "run_worker",
    "set_log_levels",
]  # fmt: skip

log = logging.getLogger(__name__)

START_TIMEOUT_S: Final = 20.0
"""How long a worker that is asked to stop while it starts may take to finish starting."""
STOP_TIMEOUT_S: Final = 40.0


async def run_worker(app: WorkerApp) -> None:
    """Run a worker in the running loop until ``app.request_stop()``, then stop it cleanly.

    Raises:
        StateError: a partition cannot go on safely (FencedError: another worker owns it by now).
        BaseException: any other failure. Only committed work was acknowledged.
    """
    log.info("worker of %s starts: %s", app.settings.app_id, ", ".join(app.sources))
    app.settings.data_dir.mkdir(parents=True, exist_ok=True)
    app.loop = asyncio.get_running_loop()
    app.finalize()
    crashed = asyncio.ensure_future(app._crashed.wait())  # noqa: SLF001 - mode offers no public way
    finished = asyncio.ensure_future(app.finished.wait())
    try:
        starting = asyncio.ensure_future(app.start())
        app.beat()
        await asyncio.wait([starting, crashed, finished], return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            await asyncio.wait([crashed, finished], return_when=asyncio.FIRST_COMPLETED)
        else:
            # A start that is cut off in the middle leaves Faust's consumer thread behind, which nobody can stop.
            await asyncio.wait([starting, crashed], timeout=START_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
            starting.cancel()
            await asyncio.wait([starting])
        if app._crashed.is_set() and app.crash_reason is not None:  # noqa: SLF001
            app.fail(app.crash_reason)
    finally:
        crashed.cancel()
        finished.cancel()
        app.finished.set()
        await _stop(app)
    if app.failure is not None:
        raise app.failure


async def _stop(app: WorkerApp) -> None:
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await app.stop()
    except TimeoutError:
        log.error("the worker did not stop within %g s; its session will expire", STOP_TIMEOUT_S)  # noqa: TRY400


def main_worker(build: Callable[[], WorkerApp], *, companions: Sequence[Callable[[WorkerApp], Any]] = ()) -> int:
    """Run a worker as the process: SIGTERM and SIGINT stop it cleanly; return the exit code, 1 after a failure.

    ``build`` is called in the event loop (uvloop where it is installed). ``companions`` are coroutine functions that
    run beside the worker (its web server) and are cancelled when it stops.
    """

    async def process() -> int:
        app = build()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, app.request_stop)
        beside = [asyncio.ensure_future(companion(app)) for companion in companions]
        for task in beside:
            task.add_done_callback(failing(app))
        try:
            await run_worker(app)
        except Exception:  # noqa: BLE001 - app.fail has logged it in one place
            return 1
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
        return 0

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(process())


def failing(app: WorkerApp) -> Callable[[asyncio.Future[Any]], None]:
    """Return the callback that stops the worker when a task beside it fails."""

    def failed(task: asyncio.Future[Any]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            app.fail(error)

    return failed


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the function that makes the event loop of a process: uvloop's where it is installed."""
    if sys.platform == "win32":
        return None
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop


def set_log_levels(level: int = logging.INFO) -> None:
    """Quieten the everyday messages of Faust, mode and aiokafka: a rebalance is no news, their warnings are."""
    logging.getLogger("monitor").setLevel(level)
    for name in ("faust", "mode", "aiokafka"):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
