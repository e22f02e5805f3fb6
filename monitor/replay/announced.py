"""The alerts and statements of a replay in a file, a line each, as on the topics: for a later recomputation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from monitor.errors import ConfigError, DecodeError, Mistake
from monitor.replay.recompute import Judged
from monitor.wire.announcements import decode_alert, decode_statement, encode_alert, encode_statement

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.replay.local import ReplayResult

SOURCE: Final = "replay"


def write_announced(result: ReplayResult, path: Path) -> None:
    """Write the alerts and statements of a result."""
    with path.open("wb") as file:
        for alert in result.alerts:
            file.write(encode_alert(alert, SOURCE)[1] + b"\n")
        for statement in result.statements:
            file.write(encode_statement(statement, SOURCE)[1] + b"\n")


def read_announced(path: Path) -> Judged:
    """Return the alerts and statements of a file, each with its own instant as that of its record.

    Raises:
        ConfigError: a line is neither.
    """
    judged = Judged()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                if orjson.loads(line).get("type") == "sla.statement":
                    statement = decode_statement(line)
                    judged.statements.append((statement, statement.as_of_ms))
                else:
                    alert = decode_alert(line)
                    judged.alerts.append((alert, alert.at_ms))
            except (DecodeError, orjson.JSONDecodeError, AttributeError) as error:
                message = f"is no alert and no statement: {error}"
                raise ConfigError(
                    [
                        Mistake(
                            file=str(path), line=number, path="", message=message, hint="replay --announced writes it"
                        )
                    ]
                ) from None
    return judged
