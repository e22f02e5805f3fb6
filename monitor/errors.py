"""The exceptions of the monitor. Each names who must act.

SlaMonitorError
├── ConfigError       the author of an agreement, a mapping or the settings
├── DecodeError       the producer of an event: the record becomes a dead letter
├── BrokerError       the operator of Kafka: a topic is missing or has the wrong shape, a right is missing
│   └── AccessError   who keeps the security settings: password, certificate, trusted authority, protocol
├── ReportError     who asks for a report: there is no such period, agreement or customer, or a library is missing
├── RowError          the makers of the monitor: what was made of a record cannot be written, so it is a dead letter
└── StateError        nobody can: the worker must stop and be restarted (fenced, gap, broken row)
"""

from __future__ import annotations

from dataclasses import dataclass


class SlaMonitorError(Exception):
    """Base of all errors that the monitor raises on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One mistake in a file: where it is, what is wrong, and what to write instead."""

    file: str
    line: int | None
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """Return ``file:line: path: message (hint)``."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        hint = f" ({self.hint})" if self.hint else ""
        path = f"{self.path}: " if self.path else ""
        return f"{where}: {path}{self.message}{hint}"


class ConfigError(SlaMonitorError):
    """All mistakes of the files that were read, at once. Their author must act."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(str(mistake) for mistake in mistakes))


class DecodeError(SlaMonitorError):
    """A record that is no event. Its producer must act; the record becomes a dead letter.

    ``reason`` is a short word of a closed set (see ``monitor.wire.events.REASONS``): it labels the counter, the
    dead letter and the log line.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class BrokerError(SlaMonitorError):
    """Kafka lacks a topic, or has it in a shape that the monitor cannot use. The operator of Kafka must act."""


class AccessError(BrokerError):
    """Kafka does not let the monitor in, or the monitor does not trust Kafka: a password, a certificate, a protocol.

    Who keeps the security settings must act.
    """


class ReportError(SlaMonitorError):
    """A report that cannot be made as it is asked for: the message says what can be."""


class RowError(SlaMonitorError):
    """A row or an output that cannot be written: it does not encode, or it is too large.

    It is taken back with all else that was made of the same record. ``key`` is the row's or the output's.
    """

    def __init__(self, key: bytes, message: str) -> None:
        self.key = key
        super().__init__(message)


class StateError(SlaMonitorError):
    """The worker cannot go on safely (fenced, a gap in the source, a row it cannot read): it stops un-acknowledged."""
