"""Whether the native package takes part. A worker is told by the setting ``native``: ``required`` or ``off``."""

from __future__ import annotations

from importlib.util import find_spec
from random import Random
from typing import Any

from monitor.bootstrap import Monitor
from monitor.config.settings.settings import Settings
from tests.fuzz.records import DOCUMENTS, Made, mutated, strange, text_of

BOTH_WAYS = find_spec("sla_monitor_native") is not None and "native" in Settings.model_fields


def settings(native: str | None) -> dict[str, Any]:
    """Return what a worker is told for a way of folding, for both ways the same agreements; None: as it is installed.

    A book in which reports must have fields is left to Python as a whole.

    Raises:
        ValueError: workers cannot be told.
    """
    if native is None:
        return {}
    if "native" not in Settings.model_fields:
        raise ValueError("there is no setting `native`")
    plain = [
        one | {"report": {key: value for key, value in one["report"].items() if key != "required"}}
        if "report" in one
        else one
        for one in DOCUMENTS
    ]
    return {"native": native, "documents": plain}


def lively(random: Random, now_ms: int) -> Made:
    """Return an event of a ticket of these minutes, or one that is nearly one.

    Of the other hostile records, the package reads few: their instants are days apart, so that something is always due.
    """
    name = f"L-{random.randrange(60)}"
    body: Any = {
        "id": f"l{random.randrange(10**9)}",
        "type": random.choice(
            ("opened", "opened", "opened", "acknowledged", "replied", "paused", "resumed", "resolved")
        ),
        "time": now_ms - random.randrange(60_000),
        "ticket": name,
        "customer": random.choice(("finance", "sales", "Ödland")),
        "service": random.choice(("mail", "payroll")),
        "priority": random.choice(("P1", "P2", "P3")),
    }
    if random.random() < 0.1:
        body["note"] = strange(random)
    if random.random() < 0.2:
        body = mutated(random, body)
    value = text_of(body)
    if random.random() < 0.1:
        place = random.randrange(len(value))
        value = value[:place] + bytes([random.randrange(256)]) + value[place + random.randrange(2) :]
    if random.random() < 0.05:
        value = value.replace(b'": ', b'" :\t\r\n ').replace(b"i", b"\\u0069", random.randrange(2))
    return Made(name.encode(), value)


def folded(monitor: Monitor) -> int:
    """Return how many facts the native package has folded."""
    ways: dict[tuple[str, str], int] = getattr(monitor.tally, "ways", {})
    return sum(count for (_, way), count in ways.items() if way == "native")
