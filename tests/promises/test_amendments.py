"""The example file of amendments promises what it says: a month in parts, or under the version at its end."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from monitor.config.agreements.checking import load_agreements
from monitor.core.agreements.book import Book
from monitor.core.facts.events import Event, Fact
from monitor.replay.local import run_replay

FILE = Path(__file__).parents[2] / "deploy" / "promises" / "amendments.yaml"
HOUR_MS = 3_600_000


def at(text):
    return int(datetime.fromisoformat(text + "+01:00").timestamp() * 1000)  # Berlin before the clock changes


def ticket(name, opened, hours):
    opened_ms = at(opened)
    return [
        Event("ticket", name, Fact(ms, 0, f"{name}-{kind}", kind, {"priority": "P1"}))
        for ms, kind in ((opened_ms, "opened"), (opened_ms + hours * HOUR_MS, "resolved"))
    ]


# Nineteen of twenty in time before the 16th, and the same after it.
EVENTS = [
    event
    for day in ("02", "17")
    for number in range(20)
    for event in ticket(f"T-{day}-{number}", f"2026-03-{day}T06:00", 9 if number == 7 else 1)
]


def stated(book):
    found = run_replay(EVENTS, book, until_ms=at("2026-04-02T00:00"))
    return [
        (one.version, one.parts, one.verdicts[0].sample, one.verdicts[0].verdict)
        for one in found.statements
        if one.from_ms < at("2026-03-31T00:00")
    ]


def test_a_month_is_stated_in_parts_each_under_its_version():
    assert stated(load_agreements(FILE)) == [(1, 2, 20, "met"), (2, 2, 20, "breached")]


@pytest.mark.parametrize(("target", "verdict"), [(0.9, "met"), (0.98, "breached")])
def test_the_version_at_the_end_judges_the_whole_month_if_it_says_so(target, verdict):
    first, second = load_agreements(FILE).agreements
    objective = replace(second.objectives[0], target=target)
    second = replace(second, amendments="by_version_at_end", objectives=(objective,))
    assert stated(Book((first, second), 1)) == [(2, 1, 40, verdict)]
