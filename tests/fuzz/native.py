"""Whether the native package takes part. A worker is told by the setting ``native``: ``required`` or ``off``."""

from __future__ import annotations

from collections import Counter
from importlib.util import find_spec
from random import Random
from typing import Any

from monitor.bootstrap import Monitor
from monitor.config.settings.settings import Settings
from tests.fuzz.records import DOCUMENTS, Made, mutated, strange, text_of

LIVES = {
    "ticket": (
        "opened",
        ("acknowledged", "acknowledged", "responded", "replied", "paused", "resumed", "assigned", "resolved"),
    ),
    "call": (
        "queued",
        ("answered", "answered", "abandoned", "held", "retrieved", "ended", "ended", "transferred", "rated"),
    ),
}
"""By subject that the package folds: the type of its first event, and those of the later ones."""
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


def lively(random: Random, subject: str, number: int, now_ms: int) -> Made:
    """Return an event of a ticket or a call of these minutes, or one that is nearly one. ``number`` counts them.

    Most are newer than those before them, and a subject has about four of them: what is out of order is Python's. Of
    the other hostile records the package reads few: their instants are days apart, so that something is always due.
    """
    life, place = divmod(number, 80)
    name = f"L-{life}-{place % 20}"
    is_in_order = random.random() < 0.8
    first, types = LIVES[subject]
    body: Any = {
        "id": f"l{random.randrange(10**9)}",
        "type": first if place < 20 else random.choice(types),
        "time": now_ms - 60_000 + (number % 50_000 if is_in_order else random.randrange(60_000)),
        subject: name,
        "customer": random.choice(("finance", "sales", "Ödland")),
        **(_of_ticket(random) if subject == "ticket" else _of_call(random)),
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


def _of_ticket(random: Random) -> dict[str, Any]:
    return {"service": random.choice(("mail", "payroll")), "priority": random.choice(("P1", "P2", "P3"))}


def _of_call(random: Random) -> dict[str, Any]:
    found: dict[str, Any] = {"queue": random.choice(("support", "support", "sales"))}
    if random.random() < 0.7:
        found |= {"caller": random.choice(("", "c-1", "c-2")), "issue": "login"}
    if random.random() < 0.3:
        found |= {random.choice(("talk_ms", "hold_ms", "wrap_up_ms", "idle_ms", "score")): random.randrange(-1, 99)}
    if random.random() < 0.2:
        found |= {"score": random.random() * 10, "resolved": random.random() < 0.5}
    return found


def folded(monitor: Monitor) -> Counter[str]:
    """Return how many facts the native package has folded, by topic."""
    return Counter({topic: count for (topic, way), count in monitor.tally.ways.items() if way == "native"})
