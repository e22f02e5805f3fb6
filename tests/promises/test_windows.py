"""The example file of tumbling windows promises what it says: from events to statements, alerts and figures."""

from datetime import datetime
from pathlib import Path

from monitor.config.agreements.checking import load_agreements
from monitor.core.facts.events import Event, Fact
from monitor.replay.local import run_replay
from monitor.replay.result import as_json

FILES = Path(__file__).parents[2] / "deploy" / "promises"
MINUTE_MS = 60_000


def at(text):
    return int(datetime.fromisoformat(text + "+00:00").timestamp() * 1000)


def call(name, queued_ms, wait_ms):
    facts = ((queued_ms, "queued"), (queued_ms + wait_ms, "answered"), (queued_ms + wait_ms + MINUTE_MS, "ended"))
    return [Event("call", name, Fact(ms, 0, f"{name}-{kind}", kind, {"queue": "support"})) for ms, kind in facts]


def test_each_quarter_of_an_hour_is_stated_and_its_breach_ends_with_it():
    events = [
        *call("C-1", at("2026-03-02T09:01"), 5_000),
        *call("C-2", at("2026-03-02T09:14"), 30_000),  # 50 % of the first quarter
        *call("C-3", at("2026-03-02T09:15"), 5_000),
        *call("C-4", at("2026-03-02T09:29:50"), 5_000),
    ]

    found = run_replay(
        events, load_agreements(FILES / "tumbling-windows.yaml"), until_ms=at("2026-03-02T12:10"), step_ms=MINUTE_MS
    )

    quarters = [one for one in found.statements if one.window == "tumbling-15m"]
    assert [(one.from_ms, one.verdicts[0].value) for one in quarters[:2]] == [
        (at("2026-03-02T09:00"), 0.5), (at("2026-03-02T09:15"), 1.0),
    ]  # fmt: skip
    assert quarters[0].as_of_ms == at("2026-03-02T09:20")
    assert all(one.verdicts[0].value is None for one in quarters[2:]), "nothing offered is no value"
    (shift,) = [one for one in found.statements if one.window == "tumbling-4h"]
    assert (shift.from_ms, shift.to_ms) == (at("2026-03-02T08:00"), at("2026-03-02T12:00"))
    assert [(one.state, one.reason, one.key.what) for one in found.alerts] == [
        ("breached", "below_target", "support|tumbling-15m|2026-03-02T09:00Z"),
        ("resolved", "period_closed", "support|tumbling-15m|2026-03-02T09:00Z"),
    ]
    windows = {one["window"] for one in as_json(found)["windows"]}
    assert {"tumbling-15m", "tumbling-4h"} <= windows
