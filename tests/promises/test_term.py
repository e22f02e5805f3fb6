"""The example file of terms promises what it says: nothing new after the end, a last statement of part of a month."""

from datetime import datetime
from pathlib import Path

from monitor.config.agreements.checking import load_agreements
from monitor.core.facts.events import Event, Fact
from monitor.replay.local import run_replay

FILES = Path(__file__).parents[2] / "deploy" / "promises"
HOUR_MS = 3_600_000


def at(text):
    return int(datetime.fromisoformat(text + "+01:00").timestamp() * 1000)  # Berlin in winter


def ticket(name, opened, hours):
    opened_ms = at(opened)
    return [
        Event("ticket", name, Fact(ms, 0, f"{name}-{kind}", kind, {"priority": "P1"}))
        for ms, kind in ((opened_ms, "opened"), (opened_ms + hours * HOUR_MS, "resolved"))
    ]


def test_after_the_end_no_clock_starts_and_the_last_statement_covers_the_term_only():
    events = [
        *ticket("T-1", "2028-01-10T09:00", 1),
        *ticket("T-2", "2028-01-14T20:00", 10),  # breached on the 15th: what began in the term is seen to its end
        *ticket("T-3", "2028-01-15T00:00", 1),
    ]

    found = run_replay(events, load_agreements(FILES / "term.yaml"), until_ms=at("2028-03-01T00:00"))

    statements = [(one.from_ms, one.to_ms, one.verdicts[0].sample) for one in found.statements]
    assert statements == [(at("2028-01-01T00:00"), at("2028-01-15T00:00"), 1)]
    assert {one.key.what for one in found.alerts if one.key.kind == "ticket"} == {"T-2"}
