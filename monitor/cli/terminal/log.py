"""The log of a worker: one line for each message on stderr, and no flood while the brokers are away."""

from __future__ import annotations

import atexit
import logging
import sys
from collections.abc import Callable, Iterable
from typing import Final

import orjson

from monitor.cli.terminal.patient import PatientStream, left_out_line, patient
from monitor.stream.partitions.clock import wall_ms
from monitor.stream.partitions.worker import set_log_levels
from monitor.wire.instants import rfc3339
from monitor.wire.visible import for_terminal, json_for_terminal

WHILE_S: Final = 10.0
LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
"""The levels by their names in the settings."""


def log_to_stderr(level: int, *, as_json: bool) -> Callable[[], None]:
    """Send the log to stderr, a line a message, as text or JSON; return the function that waits until all is written.

    A worker never waits for its log: whoever collects it may have stopped reading.
    """
    stream = patient(sys.stderr, _left_out_json if as_json else left_out_line)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_JsonLines() if as_json else _Lines())
    handler.addFilter(OnceInAWhile(("aiokafka", "faust", "mode")))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    set_log_levels(level)

    def written() -> None:
        if isinstance(stream, PatientStream):
            stream.drain()

    atexit.register(written)
    return written


def _left_out_json(lines: int) -> str:
    now = rfc3339(wall_ms())
    said = {"time": now, "level": "warning", "logger": __name__, "message": left_out_line(lines).strip()}
    return orjson.dumps(said).decode() + "\n"


class OnceInAWhile(logging.Filter):
    """Lets some loggers say the same kind of thing once in ``WHILE_S``, and has them say how often it was left out.

    A worker has two connections for each partition, and each of them tells of every attempt to reach a broker that is
    away: some five hundred lines a second (measured with 48 partitions).
    """

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__()
        self._names = tuple(names)
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is to be written."""
        if record.name.split(".", 1)[0] not in self._names or record.levelno >= logging.CRITICAL:
            return True
        kind = (record.name, str(record.msg))
        said, left_out = self._said.get(kind, (-WHILE_S, 0))
        if record.created - said < WHILE_S:
            self._said[kind] = (said, left_out + 1)
            return False
        self._said[kind] = (record.created, 0)
        if left_out:
            before_s = record.created - said
            record.msg = f"{record.getMessage()} (and {left_out} times more in the {before_s:.0f} s before)"
            record.args = None
        return True


class _Lines(logging.Formatter):
    """``2026-11-23T13:05:01.123Z INFO monitor.stream.partitions.worker: message``."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's
        return for_terminal(super().formatMessage(record))

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - logging's
        return rfc3339(int(record.created * 1000))


class _JsonLines(_Lines):
    """The same as an object, with the traceback where there is one, and with the ``event`` that a line may carry."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if event := getattr(record, "event", None):
            line["event"] = event
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json_for_terminal(orjson.dumps(line)).decode()
